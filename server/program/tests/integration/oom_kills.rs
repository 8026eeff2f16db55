//! The kernel kills the whole application for want of memory, and its control group goes with it, as systemd and container engines do.

use std::time::Duration;

use serde_json::Value;
use watchboard_test_support::{Binary, MemoryCgroup, Python};

const WITHIN: Duration = Duration::from_secs(30);
const LIMIT: u64 = 200 << 20;

/// Takes more than its group may have once a file is there.
const GREEDY: &str = r"
import os, socket, sys, threading, time
listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
def eat():
    while not os.path.exists('eat'):
        time.sleep(0.05)
    os.remove('eat')
    blocks = []
    while True:
        blocks.append(bytearray(b'x') * (8 << 20))
threading.Thread(target=eat, daemon=True).start()
while True:
    listener.accept()[0].close()
";

fn reasons(health: &Value) -> String {
    health["reasons"].to_string().replace('\u{a0}', " ")
}

fn last_end(health: &Value) -> String {
    let end = &health["memory_analysis"]["application"]["last_end"]["reason"];
    end.as_str().unwrap_or_default().replace('\u{a0}', " ")
}

#[tokio::test]
async fn a_kill_of_the_whole_application_is_told_although_its_group_is_gone() {
    let Some(group) = MemoryCgroup::with_limit(LIMIT) else {
        println!("skipped: this machine lets no control group be made");
        return;
    };
    let mut application = Python::script(GREEDY);
    application.wait_until_listening().await;
    group.add_process(application.pid());
    let by_id = Binary::start(&["--pid", &application.pid().to_string()]).await;
    let by_address = Binary::with_upstream(application.port, &[]).await.0;
    for binary in [&by_id, &by_address] {
        let limited = |health: &Value| health["memory_analysis"]["container"]["limit_bytes"] == LIMIT;
        binary.client.wait_for_json("/health", WITHIN, limited).await;
    }
    std::fs::write(application.folder().join("eat"), "").expect("it can be written");
    application.wait().await;
    // Its group goes in the same second, and is made anew.
    drop(group);
    let group = MemoryCgroup::with_limit(LIMIT).expect("another group");
    for binary in [&by_id, &by_address] {
        let told = |health: &Value| reasons(health).contains("the kernel killed a process of this container");
        binary.client.wait_for_json("/health", WITHIN, told).await;
        let named = |health: &Value| reasons(health).contains("has not been running for");
        let health = binary.client.wait_for_json("/health", WITHIN, named).await;
        let all = reasons(&health);
        assert!(all.contains("for want of memory (OOM kill)") && all.contains("last seen at"), "{all}");
        assert!(all.contains("of the container's 200 MiB"), "{all}");
        assert_eq!(health["memory_analysis"]["oom_kills_seen"], 1, "{health:#}");
    }
    application.restart();
    group.add_process(application.pid());
    let back = |health: &Value| health["memory_analysis"]["application"]["processes"][0].is_object();
    let health = by_address.client.wait_for_json("/health", WITHIN, back).await;
    assert!(reasons(&health).contains("the kernel killed a process of this container"), "for ten minutes: {health:#}");
    assert!(last_end(&health).contains("OOM kill"), "{health:#}");
    // Once more, and now its group stays.
    let limited = |health: &Value| health["memory_analysis"]["container"]["limit_bytes"] == LIMIT;
    by_address.client.wait_for_json("/health", WITHIN, limited).await;
    std::fs::write(application.folder().join("eat"), "").expect("it can be written");
    application.wait().await;
    let again = |health: &Value| health["memory_analysis"]["oom_kills_seen"] == 2;
    let health = by_address.client.wait_for_json("/health", WITHIN, again).await;
    assert!(reasons(&health).contains("the kernel killed a process of this container"), "{health:#}");
}

#[tokio::test]
async fn an_end_without_a_kill_has_what_was_last_seen() {
    let mut application = Python::script(GREEDY);
    application.wait_until_listening().await;
    let binary = Binary::with_upstream(application.port, &[]).await.0;
    let seen = |health: &Value| health["memory_analysis"]["process"]["process"]["memory_info"]["rss"].is_u64();
    binary.client.wait_for_json("/health", WITHIN, seen).await;
    application.kill().await;
    let named = |health: &Value| reasons(health).contains("has not been running for");
    let health = binary.client.wait_for_json("/health", WITHIN, named).await;
    let all = reasons(&health);
    assert!(all.contains("last seen at") && all.contains("MiB"), "{all}");
    assert!(!all.contains("OOM"), "{all}");
}

/// Starts a child that listens and ends with a code of its own, and never collects it.
const LEAVES_ZOMBIES: &str = r"
import os, signal, socket, sys, time
child = os.fork()
if child == 0:
    listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
    while not os.path.exists('exit'):
        time.sleep(0.05)
    os._exit(7)
open('child.new', 'w').write(str(child))
os.rename('child.new', 'child')
signal.pause()
";

#[tokio::test]
async fn an_exit_code_that_nobody_has_collected_is_told() {
    let application = Python::script(LEAVES_ZOMBIES);
    application.wait_until_listening().await;
    let child = wait_for_text(&application.folder().join("child")).await;
    let binary = Binary::start(&["--pid", &child]).await;
    let seen = |health: &Value| health["memory_analysis"]["process"]["process"]["memory_info"]["rss"].is_u64();
    binary.client.wait_for_json("/health", WITHIN, seen).await;
    std::fs::write(application.folder().join("exit"), "").expect("it can be written");
    let told = |health: &Value| last_end(health).contains("ended with exit code 7");
    let health = binary.client.wait_for_json("/health", WITHIN, told).await;
    let error = &health["memory_analysis"]["process"]["process"]["error"];
    assert!(error.as_str().is_some_and(|why| why.contains("has ended")), "{health:#}");
}

/// The text of a file, once it is there.
async fn wait_for_text(file: &std::path::Path) -> String {
    let deadline = tokio::time::Instant::now() + WITHIN;
    loop {
        match std::fs::read_to_string(file) {
            Ok(text) => return text,
            Err(error) => assert!(tokio::time::Instant::now() < deadline, "{}: {error}", file.display()),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_run_that_the_kernel_killed_is_named_by_the_next_one() {
    let Some(group) = MemoryCgroup::with_limit(LIMIT) else {
        println!("skipped: this machine lets no control group be made");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let history = ["demo", "--data-dir", folder.path().to_str().expect("a text")];
    let mut first = Binary::start(&history).await;
    let mut greedy = Python::script(GREEDY);
    greedy.wait_until_listening().await;
    group.add_process(first.pid());
    group.add_process(greedy.pid());
    let in_group = |health: &Value| health["memory_analysis"]["container"]["limit_bytes"] == LIMIT;
    first.client.wait_for_json("/health", WITHIN, in_group).await;
    let stored = |health: &Value| health["history"]["bytes"].as_u64();
    let before = stored(&first.client.json("/health").await);
    first.client.wait_for_json("/health", WITHIN, |health| stored(health) > before).await;
    // Of the group's processes the kernel takes this one first.
    std::fs::write(format!("/proc/{}/oom_score_adj", first.pid()), "1000").expect("it can be set");
    std::fs::write(greedy.folder().join("eat"), "").expect("it can be written");
    first.wait_for_exit().await;
    greedy.wait().await;
    let second = Binary::start(&[&history[..], &["--no-traffic"]].concat()).await;
    let told =
        "demo shop ended without a clean stop: the kernel killed a process of its control group for want of memory";
    second.wait_for_page("/", told).await;
}
