//! What cannot be read has not ended: it says which right is missing. `/proc` may hide the processes of other users.

use std::{fs, os::unix::fs::PermissionsExt, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::process::Command;
use watchboard_test_support::{Binary, Python, reasons};

const WITHIN: Duration = Duration::from_secs(30);

const LISTENS: &str = r"
import socket, sys
listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
while True:
    listener.accept()[0].close()
";

/// The binary as Debian's user of nothing, with such a `/proc`. `None` if this machine does not allow one.
async fn hidden_from(hidepid: &str, arguments: &[&str]) -> Option<(Binary, tempfile::TempDir)> {
    let script = format!("mount -t proc -o hidepid={hidepid} proc /proc && exec \"$@\"");
    let unshare = |program: &str| {
        let mut command = Command::new("unshare");
        command.args([
            "--mount",
            "sh",
            "-c",
            &script,
            "sh",
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
        ]);
        command.arg(program);
        command
    };
    if !unshare("true").output().await.is_ok_and(|output| output.status.success()) {
        println!("skipped: mounting /proc with hidepid takes root, unshare and setpriv");
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let path = folder.path().join("watchboard");
    watchboard_test_support::copy_binary(&path);
    let mut command = unshare(path.to_str().expect("UTF-8"));
    command.args(arguments).env("WATCHBOARD_OPEN", "true").current_dir("/").stderr(Stdio::piped()).kill_on_drop(true);
    Some((Binary::from_command(command).await, folder))
}

fn reason(health: &Value) -> String {
    health["memory_analysis"]["process"]["process"]["error"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_process_that_proc_hides_has_not_ended() {
    let application = Python::script(LISTENS);
    application.wait_until_listening().await;
    let pid = application.pid().to_string();
    let url = application.url();
    for (hidepid, named) in [("2", "hidepid"), ("1", "may not be read")] {
        for arguments in [&["--pid", &pid][..], &["--upstream", &url, "--proxy-listen", "127.0.0.1:0"]] {
            let Some((binary, _folder)) = hidden_from(hidepid, arguments).await else { return };
            // After a restart's time an application that has ended would be named.
            let later = |health: &Value| health["monitor"]["uptime_seconds"].as_u64() >= Some(13);
            let health = binary.client.wait_for_json("/health", WITHIN, later).await;
            let why = reason(&health);
            assert_eq!(reasons(&health), [""; 0], "{why}");
            assert!(why.contains("CAP_SYS_PTRACE") && !why.contains("ended"), "{hidepid}: {why}");
            assert!(arguments[0] != "--pid" || why.contains(named), "{hidepid}: {why}");
            assert!(arguments[0] == "--pid" || why.contains("hidepid"), "{hidepid}: {why}");
        }
    }
}

/// Every descriptor of the binary is taken before a process of the application ends.
#[tokio::test]
async fn without_a_descriptor_nothing_has_ended() {
    let application = Python::script(LISTENS);
    application.wait_until_listening().await;
    let binary = Binary::with_upstream(application.port, &[]).await.0;
    let process = |health: &Value| health["memory_analysis"]["process"]["process"].clone();
    let seen = |health: &Value| process(health)["memory_info"]["rss"].is_u64();
    binary.client.wait_for_json("/health", WITHIN, seen).await;
    // The limit is below what is open: nothing more can be opened, and what is open goes on.
    let limit = |soft: &str| {
        std::process::Command::new("prlimit")
            .args(["--pid", &binary.pid().to_string(), &format!("--nofile={soft}:")])
            .status()
            .is_ok_and(|status| status.success())
    };
    if !limit("3") {
        println!("skipped: there is no prlimit");
        return;
    }
    let later = tokio::time::Instant::now() + Duration::from_secs(12);
    // What was connected before is served on.
    while tokio::time::Instant::now() < later {
        let health = binary.client.json("/health").await;
        assert!(health["status"] != "unhealthy" && seen(&health), "what is open is read on: {health:#}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(limit("1024"), "it is set back");
    binary.client.wait_for_json("/health", WITHIN, seen).await;
}
