//! The history on disk: it outlives a kill, and what is wrong with its folder hurts nobody.

use std::{
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant, SystemTime},
};

use serde_json::Value;
use tokio::{process::Command, time::sleep};
use watchboard_test_support::{Binary, FuseMount, binary_path};

const WITHIN: Duration = Duration::from_mins(1);

async fn demo(folder: &Path, more: &[&str]) -> Binary {
    Binary::start(&[&["demo", "--data-dir", folder.to_str().expect("a text")], more].concat()).await
}

/// Whether figures are stored. The mark of the start has a few bytes, and is stored before them.
fn is_stored(health: &Value) -> bool {
    health["history"]["status"] == "stored" && health["history"]["bytes"].as_u64() > Some(1_000)
}

#[tokio::test]
async fn after_a_kill_the_board_has_what_was_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = demo(folder.path(), &[]).await;
    let before = first.client.wait_for_json("/health", WITHIN, is_stored).await;
    first.signal("KILL").await;
    first.wait_for_exit().await;
    let second = demo(folder.path(), &["--no-traffic"]).await;
    // The longest steps are folded from those that were stored.
    for window in ["15m", "24h", "7d", "13mo"] {
        second.wait_for_page(&format!("/?view=requests&window={window}"), "/shop/products").await;
    }
    let after = second.client.wait_for_json("/health", WITHIN, |health| health["history"]["status"] == "stored").await;
    assert_eq!(after["history"]["unreadable"], 0);
    let began = |health: &Value| health["history"]["since_unix_ms"].as_u64().expect("a time");
    assert!(began(&after) <= began(&before), "{} is not before {}", began(&after), began(&before));
    assert_eq!(after["application"]["total_requests"], 0, "totals are since the start");
}

#[tokio::test]
async fn a_second_process_and_a_damaged_file_stop_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("history.redb"), "no history").unwrap();
    let first = demo(folder.path(), &[]).await;
    first.wait_for_log("it is kept as").await;
    first.client.wait_for_json("/health", WITHIN, is_stored).await;
    let second = demo(folder.path(), &[]).await;
    let writer = format!("process {}", first.pid());
    let told = |health: &Value| health["history"]["writer"] == *writer;
    let health = second.client.wait_for_json("/health", WITHIN, told).await;
    assert_eq!(health["history"]["status"], "in memory");
    second.wait_for_page("/", &format!("{writer} writes the history on disk")).await;
    let counts = |health: &Value| health["application"]["total_requests"].as_u64() > Some(0);
    second.client.wait_for_json("/health", WITHIN, counts).await;
    drop(first);
    second.client.wait_for_json("/health", WITHIN, is_stored).await;
}

/// The demo without a flag for the history, with this state directory.
async fn demo_of_user(state_folder: &Path) -> Binary {
    let mut command = Command::new(binary_path());
    command.args(["demo", "--open", "--listen", "127.0.0.1:0"]).env("XDG_STATE_HOME", state_folder);
    command.env_remove("WATCHBOARD_NO_HISTORY").env_remove("STATE_DIRECTORY");
    command.stderr(Stdio::piped()).kill_on_drop(true);
    Binary::spawn(command).await
}

#[tokio::test]
async fn without_a_flag_the_history_is_in_the_state_directory() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = demo_of_user(folder.path()).await;
    first.client.wait_for_json("/health", WITHIN, is_stored).await;
    assert!(folder.path().join("watchboard/demo/history.redb").is_file());
    first.signal("TERM").await;
    first.wait_for_exit().await;
    let second = demo_of_user(folder.path()).await;
    wait_for_mark(&second, "demo shop stopped").await;
}

#[tokio::test]
async fn without_a_flag_and_without_a_state_directory_the_history_is_in_memory_and_nothing_is_wrong() {
    // A file stands where the folder would be.
    let no_folder = tempfile::NamedTempFile::new().unwrap();
    let board = demo_of_user(no_folder.path()).await;
    board.wait_for_log("the history is in memory alone").await;
    let health = board.client.json("/health").await;
    assert!(health["history"].is_null() && !health["reasons"].to_string().contains("history"), "{health}");
}

/// Waits until the folded cards of the overview have a mark with some words.
async fn wait_for_mark(board: &Binary, words: &str) {
    board.wait_for_page("/?window=15m", words).await;
}

#[tokio::test]
async fn a_clean_stop_a_kill_and_a_note_are_told_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = demo(folder.path(), &["--service-version", "1.4.1"]).await;
    first.client.wait_for_json("/health", WITHIN, is_stored).await;
    let board = format!("http://{}", first.client.address);
    let mut command = Command::new(binary_path());
    command.args(["mark", "deploy\n 1.4.2 <b>", "--board", &board]).env_remove("WATCHBOARD_TOKEN");
    assert!(command.status().await.unwrap().success());
    wait_for_mark(&first, "deploy 1.4.2 &lt;b&gt;").await;
    first.signal("TERM").await;
    first.wait_for_exit().await;
    let mut second = demo(folder.path(), &["--service-version", "1.4.2"]).await;
    for words in [
        "demo shop started, version 1.4.1",
        "deploy 1.4.2",
        "demo shop stopped",
        "version 1.4.2, before it version 1.4.1",
    ] {
        wait_for_mark(&second, words).await;
    }
    let bytes = |health: &Value| health["history"]["bytes"].as_u64();
    let before = bytes(&second.client.wait_for_json("/health", WITHIN, is_stored).await);
    second.client.wait_for_json("/health", WITHIN, |health| bytes(health) > before).await;
    second.signal("KILL").await;
    second.wait_for_exit().await;
    let third = demo(folder.path(), &["--no-traffic"]).await;
    wait_for_mark(&third, "demo shop ended without a clean stop: it was killed, or it crashed").await;
}

#[tokio::test]
async fn a_full_disk_stops_nothing_and_storing_goes_on_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let mount =
        "mount -t tmpfs -o size=4m tmpfs \"$1\" && exec \"$0\" demo --open --data-dir \"$1\" --listen 127.0.0.1:0";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", mount]).arg(binary_path()).arg(folder.path());
    command.stderr(Stdio::piped()).kill_on_drop(true);
    let Ok(status) = Command::new("unshare").args(["--mount", "true"]).status().await else { return };
    if !status.success() {
        println!("skipped: this machine lets no file system be mounted");
        return;
    }
    let board = Binary::spawn(command).await;
    board.client.wait_for_json("/health", WITHIN, is_stored).await;
    // What the process sees at this path, and nobody else does.
    let seen = format!("/proc/{}/root{}", board.pid(), folder.path().display());
    let filler = Path::new(&seen).join("filler");
    let full = fs::write(&filler, vec![7; 8 << 20]);
    assert!(full.is_err(), "it is full now");
    let refused = |health: &Value| health["history"]["status"] == "in memory";
    let told = board.client.wait_for_json("/health", WITHIN, refused).await;
    assert!(told["reasons"].to_string().contains("No space left on device"), "{}", told["reasons"]);
    let requests = |health: &Value| health["application"]["total_requests"].as_u64();
    board.client.wait_for_json("/health", WITHIN, |health| requests(health) > requests(&told)).await;
    fs::remove_file(&filler).unwrap();
    let again = board.client.wait_for_json("/health", WITHIN, |health| health["history"]["status"] == "stored").await;
    assert_eq!(again["history"]["lost"], 0);
}

/// How long the disk hangs: up to ten seconds until something is to be stored, and ten until that is late. Longer by the environment
/// variable `HANG_SECONDS`.
const HANG_SECONDS: u64 = 22;

#[tokio::test]
async fn a_disk_that_hangs_is_told_and_costs_neither_requests_nor_the_board_nor_a_figure() {
    let Some(mount) = FuseMount::new().await else {
        println!("skipped: this machine lets no FUSE file system be mounted: that takes root and /dev/fuse");
        return;
    };
    let seconds = std::env::var("HANG_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(HANG_SECONDS);
    let began = now();
    let mut command = mount.command(binary_path());
    command.args(["demo", "--no-traffic", "--open", "--listen", "127.0.0.1:0", "--data-dir"]).arg(mount.path());
    command.stderr(Stdio::piped());
    let board = Binary::spawn(command).await;
    board.client.wait_for_json("/health", WITHIN, |health| health["history"]["status"] == "stored").await;
    mount.hang().await;
    let (hangs, mut sent, mut slowest, mut told) = (Instant::now(), 0, Duration::ZERO, Value::Null);
    while hangs.elapsed() < Duration::from_secs(seconds) {
        let asked = Instant::now();
        let (status, _) = board.client.send("GET", "/shop/products").await;
        (sent, slowest) = (sent + u64::from(status == 200), slowest.max(asked.elapsed()));
        told = board.client.json("/health").await;
        assert!(told["age_seconds"].as_f64().is_some_and(|age| age < 5.0), "the sampler goes on: {told:#}");
        sleep(Duration::from_millis(10)).await;
    }
    let reasons = told["reasons"].to_string().replace('\u{a0}', " ");
    assert!(reasons.contains("history on disk: no answer for"), "{reasons}");
    assert_eq!((&told["history"]["status"], &told["history"]["lost"]), (&"in memory".into(), &0.into()));
    println!("{sent} requests while the disk hung for {seconds} s, the slowest took {slowest:?}");
    assert!(sent > 100 && slowest < Duration::from_secs(2), "{sent}, {slowest:?}");
    mount.go_on().await;
    board.client.wait_for_json("/health", WITHIN, |health| health["history"]["status"] == "stored").await;
    let span = format!("/health?from={began}&to={}", now() + 60);
    let all = board.client.json(&span).await;
    assert_eq!(all["application"]["total_requests"], sent, "{all:#}");
}

#[tokio::test]
async fn health_tells_the_requests_of_a_past_span() {
    let board = Binary::start(&["demo", "--no-traffic"]).await;
    let began = unix_seconds();
    for _ in 0..7 {
        board.client.send("GET", "/shop/products").await;
    }
    board.client.send("GET", "/shop/products/999999").await;
    let path = format!("/health?from={began}&to={}", began + 600);
    let counted = |health: &Value| health["application"]["total_requests"] == 8;
    let health = board.client.wait_for_json(&path, WITHIN, counted).await;
    assert_eq!(health["application"]["endpoints"]["GET /shop/products"], 7);
    assert_eq!(health["application"]["client_error_count"], 1);
    assert!(health["from"].as_u64() <= Some(began) && health["to"].as_u64() > Some(began), "{health}");
    let (status, _) = board.client.send("GET", &format!("/health?from={}&to={}", began - 7_200, began - 3_600)).await;
    assert_eq!(status, 404, "the process did not run yet");
    for wrong in ["from=1", "from=5&to=5", "from=x&to=9", "to=-1&from=0"] {
        let (status, body) = board.client.send("GET", &format!("/health?{wrong}")).await;
        assert_eq!(
            (status.as_u16(), String::from_utf8_lossy(&body).contains("from and to are Unix seconds")),
            (400, true)
        );
    }
    assert_eq!(board.client.json("/health?pretty").await["status"], "healthy");
}

fn unix_seconds() -> u64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().expect("a time after 1970").as_secs()
}

/// How often the program is killed; more by the environment variable `KILLS`.
const KILLS: u32 = 2;

/// The Unix second of now.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs()
}

#[tokio::test]
async fn a_kill_loses_ten_seconds_at_most_and_counts_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let kills = std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let (began, mut sent, mut kept) = (now(), 0, 0);
    for _ in 0..kills {
        let mut binary = demo(folder.path(), &["--no-traffic"]).await;
        let killed = Instant::now() + Duration::from_millis(fastrand::u64(11_000..22_000));
        let mut answered = vec![];
        while Instant::now() < killed {
            binary.client.send("GET", "/shop/coupons/SPRING").await;
            answered.push(Instant::now());
            sleep(Duration::from_millis(10)).await;
        }
        binary.signal("KILL").await;
        binary.wait_for_exit().await;
        sent += answered.len() as u64;
        // A step ends at a whole ten seconds, and is written a moment later.
        let is_old = |at: &&Instant| killed.duration_since(**at) > Duration::from_secs(12);
        kept += answered.iter().filter(is_old).count() as u64;
    }
    let last = demo(folder.path(), &["--no-traffic"]).await;
    let span = format!("/health?from={began}&to={}", now() + 1);
    let is_stored = |health: &Value| health["history"]["status"] == "stored";
    last.client.wait_for_json("/health", WITHIN, is_stored).await;
    let total = last.client.json(&span).await["application"]["total_requests"].as_u64().expect("a count");
    println!("{kills} kills: {sent} sent, {total} known, {kept} older than the last seconds before a kill");
    assert!((kept..=sent).contains(&total), "{total} of {sent}, at least {kept}");
}
