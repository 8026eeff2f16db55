//! The wall clock is set while the program runs, by libfaketime: durations do not follow it, dates do.

use std::{
    process::Stdio,
    time::{Duration, Instant, SystemTime},
};

use serde_json::Value;
use tokio::process::Command;
use watchboard_test_support::{Binary, Python, WallClock, binary_path};

const WITHIN: Duration = Duration::from_secs(30);

const LISTENS: &str = r"
import socket, sys
listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
while True:
    listener.accept()[0].close()
";

/// The binary with a wall clock that can be set.
struct Faked {
    binary: Binary,
    clock: WallClock,
}

impl Faked {
    /// `None` if the clock cannot be set.
    async fn start(clock: &str, arguments: &[&str]) -> Option<Self> {
        let clock = WallClock::new(clock)?;
        let mut command = Command::new(binary_path());
        clock.give_to(&mut command);
        command.args(arguments).env("WATCHBOARD_OPEN", "true").stderr(Stdio::piped()).kill_on_drop(true);
        Some(Self { binary: Binary::from_command(command).await, clock })
    }

    async fn health(&self, holds: impl Fn(&Value) -> bool) -> Value {
        self.binary.client.wait_for_json("/health", WITHIN, holds).await
    }
}

/// Seconds for which the application has not been running, as the finding says.
fn gone_seconds(health: &Value) -> Option<u64> {
    let reasons = health["reasons"].to_string().replace('\u{a0}', " ");
    let rest = reasons.split_once("has not been running for ")?.1;
    let (number, unit) = rest.split_once(' ')?;
    Some(number.parse::<u64>().ok()? * if unit.starts_with('s') { 1 } else { 3_600 })
}

fn timestamp(health: &Value) -> String {
    health["timestamp"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_outage_is_named_after_its_own_time_however_the_clock_is_set() {
    // Ten minutes into an hour, so that none begins meanwhile.
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs();
    let start = 600 - i64::try_from(since_epoch % 3_600).expect("less than an hour");
    let clock = |step: i64| format!("{:+}", start + step);
    for step in [3_600, -3_600] {
        let mut application = Python::script(LISTENS);
        application.wait_until_listening().await;
        let upstream = application.url();
        let Some(faked) = Faked::start(&clock(0), &["--upstream", &upstream, "--proxy-listen", "127.0.0.1:0"]).await
        else {
            return;
        };
        let runs = |health: &Value| health["memory_analysis"]["application"]["processes"][0].is_object();
        let before = faked.health(runs).await;
        application.kill().await;
        let noticed = |health: &Value| health["memory_analysis"]["process"]["process"]["error"].is_string();
        let noticed = faked.health(noticed).await;
        faked.clock.set(&clock(step));
        let moved = faked.health(|health| timestamp(health)[..13] != timestamp(&before)[..13]).await;
        assert_eq!(gone_seconds(&moved), None, "{step}: it is too soon: {moved:#}");
        let named = faked.health(|health| gone_seconds(health).is_some()).await;
        assert!((Some(10)..Some(15)).contains(&gone_seconds(&named)), "{step}: {named:#}");
        let uptime = |health: &Value| health["monitor"]["uptime_seconds"].as_u64().expect("a number");
        assert!((10..15).contains(&(uptime(&named) - uptime(&noticed))), "{step}: {named:#}");
        // Back again while it lasts.
        faked.clock.set(&clock(0));
        let later = faked.health(|health| gone_seconds(health) >= Some(13)).await;
        assert!(gone_seconds(&later) < Some(60) && later["status"] == "unhealthy", "{step}: {later:#}");
        assert_eq!(timestamp(&later)[..13], timestamp(&before)[..13], "the date follows the wall clock");
        application.restart();
        let healthy = faked.health(|health| health["status"] == "healthy").await;
        let ended = healthy["memory_analysis"]["application"]["last_end"]["at"].as_str().unwrap_or_default().to_owned();
        assert_eq!(ended[..13], timestamp(&before)[..13], "{step}: its end is dated by the clock of now: {ended}");
    }
}

#[tokio::test]
async fn a_clock_before_1970_resets_nothing() {
    let mut application = Python::script(LISTENS);
    application.wait_until_listening().await;
    let upstream = application.url();
    let arguments = ["--upstream", &upstream, "--proxy-listen", "127.0.0.1:0"];
    let Some(faked) = Faked::start("@1969-06-01 12:00:00", &arguments).await else { return };
    let runs = |health: &Value| health["memory_analysis"]["application"]["processes"][0].is_object();
    faked.health(runs).await;
    application.kill().await;
    let named = faked.health(|health| gone_seconds(health).is_some()).await;
    assert!((Some(10)..Some(15)).contains(&gone_seconds(&named)), "{named:#}");
    let page = String::from_utf8(faked.binary.client.send("GET", "/").await.1.to_vec()).expect("UTF-8");
    assert!(page.contains("has not been running for 1"), "{page}");
}

#[tokio::test]
async fn the_day_before_lies_under_a_span_of_today() {
    let (folder, began) = (tempfile::tempdir().unwrap(), Instant::now());
    let arguments = ["demo", "--data-dir", folder.path().to_str().unwrap()];
    let Some(mut yesterday) = Faked::start("-86400", &arguments).await else { return };
    let has_answered = |health: &Value, many| health["application"]["total_requests"].as_u64() > Some(many);
    yesterday.health(|health| has_answered(health, 600)).await;
    yesterday.binary.signal("TERM").await;
    yesterday.binary.wait_for_exit().await;
    // Twelve seconds into the same time of day, a day later: so the span has two stored steps of the day before.
    let later = began.elapsed().as_secs() - 12;
    let Some(today) = Faked::start(&format!("-{later}"), &arguments).await else { return };
    today.health(|health| has_answered(health, 200)).await;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() - later;
    let page = async |earlier: &str| {
        let path = format!("/?view=requests&from={}&to={now}&columns=change{earlier}", now - 20);
        String::from_utf8(today.binary.client.send("GET", &path).await.1.to_vec()).unwrap()
    };
    let (alone, day, week) = (page("").await, page("&earlier=day").await, page("&earlier=week").await);
    assert!(day.contains("Dashed: ") && day.contains("class=\"earlier\"") && day.contains(" in the earlier span"));
    assert!(!alone.contains("Dashed: ") && !alone.contains("class=\"earlier\""));
    assert!(week.contains("The history has nothing of the week before.") && !week.contains("class=\"earlier\""));
}
