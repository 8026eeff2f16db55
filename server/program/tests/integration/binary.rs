//! The program as an operator uses it: alone in a folder, with unsafe settings, and stopped by signals.

use std::{fs, process::Stdio, time::Duration};

use http_body_util::BodyExt;
use tokio::{process::Command, time::timeout};
use watchboard_test_support::{Binary, assets};

#[tokio::test]
async fn an_address_in_use_is_named() {
    let board = Binary::start(&[]).await;
    let address = board.client.address.to_string();
    let output =
        Command::new(watchboard_test_support::binary_path()).args(["--listen", &address]).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains(&address) && said.contains("--listen"), "{said}");
}

#[tokio::test]
async fn a_check_says_what_is_wrong_and_only_that() {
    let own = std::process::id().to_string();
    for (arguments, code, said) in [
        (&["--pid", &own, "check"][..], 0, "of process"),
        (&["--upstream", "http://127.0.0.1:8000", "check"], 0, "http://127.0.0.1:8000/"),
        (&["check", "--upstream", "http://127.0.0.1:8000", "--route", "/users/{id}"], 0, "1 declared"),
        (&["--upstream", "http://127.0.0.1:80000", "check"], 2, "--upstream"),
        (&["check", "--upstream", "http://127.0.0.1:3000"], 2, "is watchboard itself"),
        (&["check", "--mongodb-uri", "mongodb://ada:s3cret@host:99999"], 2, "--mongodb-uri cannot be read"),
        (&["check", "--max-endpoints", "-1"], 2, "-1 is not in 1..=65536"),
        (&["check", "--upstream-timeout", "-5"], 2, "'-5' for '--upstream-timeout"),
        (&["check", "--objective-of", "/a=2days"], 2, "at most 24 hours"),
        (
            &["check", "--upstream", "http://127.0.0.1:8000", "--route", "/u/{id}", "--route", "/u/{name}"],
            2,
            "no path can tell it from \"/u/{id}\"",
        ),
        (&["check", "--log", "warning"], 2, "\"warning\" is none of off, error, warn, info, debug, trace"),
        (&["check", "--listen", "0.0.0.0:0"], 2, "--listen 0.0.0.0:0 is reached from other machines"),
        (&["demo", "--upstream", "http://127.0.0.1:8000"], 2, "leave --upstream out"),
        (&["check", "--no-history", "--history-max-mib", "64"], 2, "leave --history-max-mib out, or --no-history"),
        (&["--pid", &own, "demo"], 2, "the demo watches its own process"),
    ] {
        let output = Command::new(watchboard_test_support::binary_path()).args(arguments).output().await.unwrap();
        let words = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {words}");
        assert!(words.contains(said) && !words.contains("s3cret"), "{arguments:?}: {words}");
    }
}

#[tokio::test]
async fn a_signal_to_stop_lets_a_request_under_way_finish() {
    for signal in ["TERM", "INT"] {
        let mut board = Binary::start(&["demo", "--no-traffic"]).await;
        let export = board.client.begin("GET", "/shop/export").await;
        board.signal(signal).await;
        let body = export.into_body().collect().await.expect("a whole body").to_bytes();
        assert_eq!(String::from_utf8_lossy(&body).lines().count(), 40, "{signal}");
        let status = timeout(Duration::from_secs(10), board.wait_for_exit()).await.expect("it stops");
        assert_eq!(status.code(), Some(0), "{signal}");
    }
}

#[tokio::test]
async fn alone_in_an_empty_folder_it_serves_the_whole_board() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("watchboard");
    watchboard_test_support::copy_binary(&binary);
    let mut command = Command::new(&binary);
    command.arg("--open").current_dir(folder.path()).env_clear().stderr(Stdio::piped()).kill_on_drop(true);
    let board = Binary::from_command(command).await;
    let page = String::from_utf8(board.client.send("GET", "/").await.1.to_vec()).unwrap();
    let assets = assets("/", &page);
    assert_eq!(assets.len(), 4, "icon, style, WASM and script: was the browser bundle built? {assets:?}");
    for asset in assets {
        let (status, body) = board.client.send("GET", &asset).await;
        assert!(status == 200 && !body.is_empty(), "{asset}: {status}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "it leaves nothing behind");
}
