//! What the commands print, where it cannot be printed.

use std::{fs::OpenOptions, io::Write, process::Stdio, time::Duration};

use tokio::{process::Command, time::timeout};
use watchboard_test_support::binary_path;

const COMMANDS: &[&[&str]] = &[&["check"], &["hash-password"], &["--help"], &["check", "--help"], &["--version"]];

async fn output(arguments: &[&str], stdout: Stdio) -> (Option<i32>, String) {
    let (stdin, mut password) = std::io::pipe().unwrap();
    password.write_all(b"correct horse battery\n").unwrap();
    drop(password);
    let mut command = Command::new(binary_path());
    command.args(arguments).stdin(stdin).stdout(stdout).stderr(Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().await.unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test]
async fn on_a_full_disk_it_fails_and_says_why() {
    for arguments in COMMANDS {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let (code, said) = output(arguments, full.into()).await;
        assert_eq!(code, Some(1), "{arguments:?}: {said}");
        assert!(said.contains("standard output") && said.contains("No space left"), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn why_a_start_failed_is_said_whatever_is_logged() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for filter in ["error", "off", "hyper=debug"] {
        let (code, said) = output(&["--listen", &address, "--log", filter], Stdio::null()).await;
        assert!(code == Some(1) && said.contains(&address), "{filter}: {code:?}, {said}");
    }
}

#[tokio::test]
async fn an_input_without_an_end_is_no_password() {
    let mut command = Command::new(binary_path());
    command.arg("hash-password").stdin(std::fs::File::open("/dev/zero").unwrap());
    let output = command.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("too long"), "{said}");
}

#[tokio::test]
async fn for_a_reader_that_has_gone_it_ends_quietly() {
    for arguments in COMMANDS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(output(arguments, writer.into()).await, (Some(1), String::new()), "{arguments:?}");
    }
}

#[tokio::test]
async fn a_file_without_an_end_or_an_answer_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let silent = folder.path().join("silent").display().to_string();
    assert!(Command::new("mkfifo").arg(&silent).status().await.unwrap().success());
    let read = |file: &str| {
        let upstream = ["--upstream", "http://127.0.0.1:1"];
        [
            vec!["--token-file", file],
            vec!["--config", file],
            vec!["--tls-cert", file, "--tls-key", file],
            [&["--openapi", file][..], &upstream].concat(),
        ]
        .map(|flags| flags.into_iter().chain(["check"]).map(str::to_owned).collect::<Vec<_>>())
    };
    let checks = read(&silent).into_iter().chain(read("/dev/zero")).map(|arguments| async move {
        let flags: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (code, said) = timeout(Duration::from_secs(30), output(&flags, Stdio::null())).await.expect("it ends");
        let file = flags[1];
        let reason = if file == "/dev/zero" { "more than 16 MiB" } else { "nothing answers within 10s" };
        assert!(code == Some(2) && said.contains(file) && said.contains(reason), "{flags:?}: {code:?}, {said}");
    });
    futures_util::future::join_all(checks).await;
}
