//! Readings of the system that hang: a file system that does not answer, and a memory lock. The rest goes on, and says what hangs.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;
use watchboard_test_support::{Binary, FuseMount, binary_path, free_port, threads};

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
    command.stderr(Stdio::piped());
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
    let told = |health: &Value| reasons(health).contains("open files and connections: no answer for");
    let deadline = Instant::now() + within;
    loop {
        let asked = Instant::now();
        let health = binary.client.json("/health").await;
        assert!(asked.elapsed() < Duration::from_secs(3), "it waits for a look for a second at most");
        assert!(health["age_seconds"].as_f64().is_some_and(|age| age < FRESH_SECONDS), "{health:#}");
        assert!(process(&health)["memory_info"]["rss"].is_u64(), "{health:#}");
        if told(&health) {
            assert_eq!(process(&health)["open_files"], Value::Null, "old figures are not shown");
            let why = process(&health)["open_files_error"].as_str().expect("why");
            assert!(why.contains("no answer for"), "{why}");
            break;
        }
        assert!(Instant::now() < deadline, "{health:#}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    mount.go_on().await;
    binary.client.wait_for_json("/health", within, seen).await;
    drop(application);
}
