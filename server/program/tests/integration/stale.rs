//! The age of figures: whoever asks gets new ones, or the reason why not; what is old is never healthy.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::process::Command;
use watchboard_test_support::{Binary, PausedThread, binary_path, threads};

/// A snapshot is stale from this age on.
const STALE_AFTER_SECONDS: f64 = 5.0;

async fn text(binary: &Binary, path: &str) -> (u16, String) {
    let (status, body) = binary.client.send("GET", path).await;
    (status.as_u16(), String::from_utf8(body.to_vec()).expect("text").replace('\u{a0}', " "))
}

#[tokio::test]
async fn the_first_who_asks_gets_every_figure() {
    let binary = Binary::start(&[]).await;
    let health = binary.client.json("/health").await;
    let memory = &health["memory_analysis"]["process"];
    for figure in ["open_files", "connections", "num_fds", "num_threads", "uss", "pss"] {
        assert!(memory["process"][figure].is_u64(), "{figure}: {memory:#}");
    }
    let threads = memory["threads"].as_array().expect("a list");
    assert!(!threads.is_empty() && threads[0]["thread_id"].is_u64(), "{memory:#}");
    assert_eq!((&memory["threads_error"], &memory["process"]["open_files_error"]), (&Value::Null, &Value::Null));
    assert!(health["age_seconds"].as_f64().is_some_and(|age| age < STALE_AFTER_SECONDS), "{health:#}");
}

#[tokio::test]
async fn a_monitor_that_stands_still_is_stale_and_never_healthy() {
    let binary = Binary::start(&["--sqlite", "/nowhere/shop.db"]).await;
    binary.client.wait_for_json("/health", Duration::from_secs(10), |health| health["status"] == "degraded").await;
    let Some(paused) = PausedThread::stop(binary.pid(), "watchboard").await else {
        println!("skipped: this machine lets no thread be stopped by ptrace");
        return;
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut stale = 0;
    // For some seconds more: it stays so.
    while stale < 3 {
        let (status, body) = text(&binary, "/health").await;
        let health: Value = serde_json::from_str(&body).expect("JSON");
        let age = health["age_seconds"].as_f64().expect("an age");
        if age > STALE_AFTER_SECONDS {
            stale += 1;
            assert_eq!((status, &health["status"]), (503, &"unhealthy".into()), "{health:#}");
            let reasons = health["reasons"].to_string();
            assert!(reasons.contains("the monitor has not taken figures for"), "{reasons}");
            assert!(health["database"]["status"].as_str().is_some_and(|status| status.starts_with("error: stale")));
        }
        assert!(Instant::now() < deadline, "{health:#}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let (status, body) = text(&binary, "/readyz").await;
    assert!(status == 503 && body.starts_with("stale: "), "{status} {body}");
    assert_eq!(text(&binary, "/livez").await, (200, "ok".to_owned()), "a restart is for the operator to decide");
    let (status, metrics) = text(&binary, "/metrics").await;
    let names: Vec<&str> = metrics.lines().filter(|line| !line.starts_with('#')).collect();
    let is_of_the_monitor = |name: &&str| {
        ["watchboard_snapshot_age_seconds ", "watchboard_dropped_log_lines_total "]
            .iter()
            .any(|own| name.starts_with(own))
    };
    assert!(status == 200 && names.iter().all(is_of_the_monitor), "{names:?}");
    let (_, page) = text(&binary, "/").await;
    assert!(page.contains("stale: the monitor has not taken figures for") && !page.contains("Healthy for"), "{page}");
    drop(paused);
    let goes_on = |health: &Value| health["age_seconds"].as_f64().is_some_and(|age| age < STALE_AFTER_SECONDS);
    binary.client.wait_for_json("/health", Duration::from_secs(10), goes_on).await;
    assert_eq!(text(&binary, "/readyz").await.0, 200);
}

#[tokio::test]
async fn scrapers_and_balancers_keep_no_costly_reading_going() {
    let binary = Binary::start(&[]).await;
    let costly = || {
        let names = threads(binary.pid()).into_iter().map(|(_, name)| name);
        names.filter(|name| name.starts_with("wb open") || name.starts_with("wb threads")).collect::<Vec<_>>()
    };
    // Longer than the interval of costly readings.
    let until = Instant::now() + Duration::from_secs(5);
    while Instant::now() < until {
        for path in ["/metrics", "/readyz", "/livez"] {
            assert_eq!(text(&binary, path).await.0, 200, "{path}");
        }
        assert_eq!(costly(), Vec::<String>::new());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    binary.client.json("/health").await;
    assert_eq!(costly().len(), 2, "whoever asks for them gets them");
}

/// A control group that limits threads, removed with the test.
struct ThreadLimit(PathBuf);

impl ThreadLimit {
    fn new(name: &str, most: u32) -> Option<Self> {
        let name = format!("watchboard-test-threads-{name}-{}", std::process::id());
        let folders = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"].map(|root| Path::new(root).join(&name));
        let group = folders.into_iter().find(|folder| fs::create_dir(folder).is_ok()).map(Self);
        let group = group.filter(|group| fs::write(group.0.join("pids.max"), most.to_string()).is_ok());
        if group.is_none() {
            println!("skipped: no control group can limit threads here: that takes root and the controller `pids`");
        }
        group
    }

    /// The program within the limit, with two workers.
    fn command(&self) -> Command {
        let mut command = Command::new("sh");
        let line = "echo $$ >\"$1/cgroup.procs\" && exec \"$2\" --listen 127.0.0.1:0 --open";
        command.args(["-c", line, "sh"]).arg(&self.0).arg(binary_path()).env("TOKIO_WORKER_THREADS", "2");
        command.stderr(Stdio::piped()).kill_on_drop(true);
        command
    }
}

impl Drop for ThreadLimit {
    fn drop(&mut self) {
        // It fails while a process is left.
        let _ = fs::remove_dir(&self.0);
    }
}

#[tokio::test]
async fn a_monitor_that_cannot_start_its_thread_says_so_and_starts_it_later() {
    // The main thread, the log's and tokio's two workers.
    let Some(limit) = ThreadLimit::new("starts", 4) else { return };
    let binary = Binary::spawn(limit.command()).await;
    let stale = |health: &Value| health["status"] == "unhealthy" && health["monitor"]["stale"] == true;
    let health = binary.client.wait_for_json("/health", Duration::from_secs(20), stale).await;
    let faults = health["monitor"]["faults"].as_array().expect("a list");
    let sampler = faults.iter().find(|fault| fault["part"] == "sampler").expect("it is named");
    assert!(sampler["reason"].as_str().is_some_and(|why| why.contains("its thread cannot be started")), "{health:#}");
    fs::write(limit.0.join("pids.max"), "max").expect("the limit goes");
    let runs = |health: &Value| {
        health["monitor"]["stale"] == false && health["memory_analysis"]["process"]["process"]["open_files"].is_u64()
    };
    binary.client.wait_for_json("/health", Duration::from_secs(20), runs).await;
    drop(binary);
}

#[tokio::test]
async fn without_threads_to_run_on_it_ends_and_says_why() {
    // The main thread, the log's and one worker, or none.
    for most in [2, 3] {
        let Some(limit) = ThreadLimit::new(&format!("ends-{most}"), most) else { return };
        let output = tokio::time::timeout(Duration::from_secs(20), limit.command().output()).await;
        let output = output.expect("it ends").expect("sh starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains("there are no threads to run on"), "{most}: {said}");
    }
}
