//! Readings of the system that hang: a file system that does not answer, and a memory lock. The rest goes on, and says what hangs.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;
use watchboard_test_support::{Binary, FuseMount, binary_path, free_port, threads};

/// An application that locks its own memory.
const STUCK: &str = include_str!("../../../test-support/src/apps/stuck.py");

/// Figures are at most this old.
const FRESH_SECONDS: f64 = 5.0;

async fn mount() -> Option<FuseMount> {
    let mount = FuseMount::new().await;
    if mount.is_none() {
        println!("skipped: this machine lets no FUSE file system be mounted: that takes root and /dev/fuse");
    }
    mount
}

fn process(health: &Value) -> &Value {
    &health["memory_analysis"]["process"]["process"]
}

fn reasons(health: &Value) -> String {
    health["reasons"].to_string().replace('\u{a0}', " ")
}

/// The binary with a mount that hangs later, and the view that lists the disks.
async fn binary_that_sees(mount: &FuseMount) -> Binary {
    let mut command = mount.command(binary_path());
    command.env("WATCHBOARD_OPEN", "true").stderr(Stdio::piped());
    Binary::from_command(command).await
}

async fn memory_page(binary: &Binary) -> String {
    let (status, page) = binary.client.send("GET", "/?view=memory").await;
    assert_eq!(status, 200);
    String::from_utf8(page.to_vec()).expect("text").replace('\u{a0}', " ")
}

#[tokio::test]
async fn a_disk_that_hangs_is_named_and_everything_else_goes_on() {
    let Some(mount) = mount().await else { return };
    let binary = binary_that_sees(&mount).await;
    let path = mount.path().display().to_string();
    assert!(memory_page(&binary).await.contains(&path), "it is among the disks");
    mount.hang().await;
    let threads_before = threads(binary.pid()).len();
    // Somebody looks at the disks all the time.
    let deadline = Instant::now() + Duration::from_secs(30);
    let (mut page, mut health) = (String::new(), Value::Null);
    while !(page.contains("no answer for") && reasons(&health).contains("disks: no answer for")) {
        assert!(Instant::now() < deadline, "{health:#}");
        page = memory_page(&binary).await;
        health = binary.client.json("/health").await;
        assert!(health["age_seconds"].as_f64().is_some_and(|age| age < FRESH_SECONDS), "{health:#}");
        assert!(process(&health)["open_files"].is_u64() && process(&health)["num_threads"].is_u64(), "{health:#}");
    }
    assert_eq!((&health["status"], binary.client.send("GET", "/readyz").await.0.as_u16()), (&"degraded".into(), 200));
    let now = threads(binary.pid());
    assert!(now.len() <= threads_before + 2, "one thread hangs, and no more are started: {now:?}");
    // The time grows.
    let longer = |health: &Value| reasons(health).contains("disks: no answer for 1");
    binary.client.wait_for_json("/health", Duration::from_secs(20), longer).await;
    mount.go_on().await;
    binary.client.wait_for_json("/health", Duration::from_secs(20), |health| health["status"] == "healthy").await;
    assert!(memory_page(&binary).await.contains(&path), "it is among the disks again");
}

/// Serves with a file of the mount open.
const HOLDS_A_FILE: &str = r"
import http.server, sys
held = open(sys.argv[2])
http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]), bind='127.0.0.1')
";

#[tokio::test]
async fn a_file_that_hangs_costs_neither_the_sampler_nor_the_other_figures() {
    let Some(mount) = mount().await else { return };
    let (port, file) = (free_port(), mount.path().join("file"));
    let mut application = mount.command("python3");
    application.args(["-c", HOLDS_A_FILE, &port.to_string()]).arg(file).stderr(Stdio::null());
    let application = application.spawn().expect("it starts");
    let (binary, _) = Binary::with_upstream(port, &[]).await;
    let within = Duration::from_secs(30);
    let seen = |health: &Value| process(health)["open_files"].as_u64().is_some_and(|files| files > 0);
    binary.client.wait_for_json("/health", within, seen).await;
    mount.hang().await;
    // Longer than figures stay fresh: the kernel tells what it knows of the file without asking the file system.
    let until = Instant::now() + Duration::from_secs(8);
    while Instant::now() < until {
        let asked = Instant::now();
        let health = binary.client.json("/health").await;
        assert!(asked.elapsed() < Duration::from_secs(4), "a look is waited for two seconds at most");
        assert!(health["age_seconds"].as_f64().is_some_and(|age| age < FRESH_SECONDS), "{health:#}");
        assert!(seen(&health) && process(&health)["memory_info"]["rss"].is_u64(), "{health:#}");
        assert_eq!(watchboard_test_support::reasons(&health), [""; 0], "{health:#}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(application);
}

#[tokio::test]
async fn meminfo_that_hangs_as_under_lxcfs_costs_the_systems_figures_alone() {
    let Some(mount) = mount().await else { return };
    let mut command = mount.command("sh");
    command.args(["-c", "mount --bind \"$1\" /proc/meminfo && exec \"$2\" --listen 127.0.0.1:0", "sh"]);
    command.arg(mount.path().join("file")).arg(binary_path()).env("WATCHBOARD_OPEN", "true").stderr(Stdio::piped());
    let binary = Binary::spawn(command).await;
    let system = |health: &Value| health["memory_analysis"]["system"]["virtual_memory"].clone();
    let within = Duration::from_secs(20);
    let is_known = |health: &Value| system(health)["total"].as_u64().is_some_and(|total| total > 1 << 20);
    binary.client.wait_for_json("/health", within, is_known).await;
    mount.hang().await;
    let named = |health: &Value| reasons(health).contains("system: no answer for");
    let health = binary.client.wait_for_json("/health", within, named).await;
    assert!(system(&health)["error"].as_str().is_some_and(|why| why.contains("no answer for")), "{health:#}");
    assert!(process(&health)["memory_info"]["rss"].is_u64() && process(&health)["open_files"].is_u64(), "{health:#}");
    assert!(health["age_seconds"].as_f64().is_some_and(|age| age < FRESH_SECONDS), "{health:#}");
    mount.go_on().await;
    binary.client.wait_for_json("/health", within, |health| is_known(health) && health["status"] == "healthy").await;
}

#[tokio::test]
async fn an_application_whose_memory_is_locked_is_watched_as_far_as_it_can_be() {
    let Some(mount) = mount().await else { return };
    let (port, folder) = (free_port(), tempfile::tempdir().expect("a folder"));
    let (script, marker) = (folder.path().join("stuck.py"), folder.path().join("marker"));
    std::fs::write(&script, STUCK).expect("it can be written");
    let mut application = mount.command("python3");
    application.arg(script).arg(port.to_string()).arg(mount.path().join("file")).arg(&marker);
    let application = application.spawn().expect("it starts");
    let deadline = Instant::now() + Duration::from_secs(20);
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        assert!(Instant::now() < deadline, "it listens");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    mount.hang().await;
    std::fs::write(&marker, "").expect("it can be written");
    let stat = format!("/proc/{}/stat", application.id().expect("it runs"));
    while !std::fs::read_to_string(&stat).expect("it runs").contains(") D ") {
        assert!(Instant::now() < deadline, "its memory is locked");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (binary, _) = Binary::with_upstream(port, &[]).await;
    let shared = |health: &Value| process(health)["shared_pages_error"].as_str().unwrap_or_default().to_owned();
    let named = |health: &Value| {
        // Also while it is looked for.
        assert!(health["age_seconds"].as_f64().is_some_and(|age| age < FRESH_SECONDS), "{health:#}");
        shared(health).contains("no answer for") && reasons(health).contains("shared pages: no answer for")
    };
    let health = binary.client.wait_for_json("/health", Duration::from_secs(30), named).await;
    assert!(process(&health)["memory_info"]["rss"].is_u64() && process(&health)["open_files"].is_u64(), "{health:#}");
    let processes = &health["memory_analysis"]["application"]["processes"];
    assert!(processes[0]["command"].as_str().is_some_and(|command| command.starts_with("python")), "{processes:#}");
    mount.go_on().await;
    let is_read = |health: &Value| process(health)["pss"].is_u64() && health["status"] == "healthy";
    binary.client.wait_for_json("/health", Duration::from_secs(30), is_read).await;
    drop(application);
}

/// Takes questions about names and never answers.
const SILENT_NAME_SERVER: &str = "127.0.0.66:53";

#[tokio::test]
async fn name_look_ups_that_hang_pile_up_no_threads() {
    let Ok(_name_server) = std::net::UdpSocket::bind(SILENT_NAME_SERVER) else {
        println!("skipped: this machine lets no name server be bound to {SILENT_NAME_SERVER}: that takes root");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let settings = folder.path().join("resolv.conf");
    std::fs::write(&settings, "nameserver 127.0.0.66\noptions timeout:30 attempts:1\n").expect("it can be written");
    let mut command = tokio::process::Command::new("unshare");
    let line = "mount --bind \"$1\" \"$(readlink -f /etc/resolv.conf)\" && \
                exec \"$2\" --listen 127.0.0.1:0 --mongodb-uri mongodb://db.shop.example:27017";
    command.args(["--mount", "sh", "-c", line, "sh"]).arg(settings).arg(binary_path());
    command.env("WATCHBOARD_OPEN", "true").stderr(Stdio::piped()).kill_on_drop(true);
    let binary = Binary::spawn(command).await;
    let failed =
        |health: &Value| health["database"]["status"].as_str().is_some_and(|status| status.starts_with("error"));
    binary.client.wait_for_json("/health", Duration::from_secs(20), failed).await;
    let until = Instant::now() + Duration::from_secs(8);
    while Instant::now() < until {
        let threads = threads(binary.pid());
        assert!(threads.len() < 20, "{threads:?}");
        let health = binary.client.json("/health").await;
        assert!(health["age_seconds"].as_f64().is_some_and(|age| age < FRESH_SECONDS), "{health:#}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
