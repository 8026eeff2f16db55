//! A database whose name cannot be looked up, since the name server is silent.

use std::{net::UdpSocket, path::Path, process::Stdio};

use tokio::process::Command;
use watchboard_test_support::{Binary, binary_path};

use super::watch::Watch;

/// The program where its name server takes questions and does not answer. `None` without the rights for that.
async fn behind_a_silent_name_server(folder: &Path) -> Option<(UdpSocket, Command)> {
    let address = "127.0.0.77";
    let silent = UdpSocket::bind((address, 53)).ok()?;
    let settings = folder.join("resolv.conf");
    std::fs::write(&settings, format!("nameserver {address}\n")).unwrap();
    let wrapped = |program: &Path| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\""]);
        command.arg(&settings).arg(program);
        command
    };
    let may_mount = wrapped("true".as_ref()).stderr(Stdio::null()).status().await.is_ok_and(|status| status.success());
    may_mount.then(|| (silent, wrapped(&binary_path())))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_server_that_does_not_answer() {
    let folder = tempfile::tempdir().unwrap();
    for uri in ["mongodb://db.example:27017/", "mongodb+srv://db.example/"] {
        let Some((_silent, mut board)) = behind_a_silent_name_server(folder.path()).await else {
            return eprintln!("skipped: this user may not have a name server of its own");
        };
        board.args(["demo", "--no-traffic", "--open", "--mongodb-uri", uri]).stderr(Stdio::piped()).kill_on_drop(true);
        let watch = Watch(Binary::from_command(board).await);
        let status = watch.shown("unreachable", uri).await;
        assert!(status.contains("the DNS does not answer"), "{status}");
    }
}
