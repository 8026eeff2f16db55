//! Instances that share a MongoDB: their sums, the ones that are gone, and outages of it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mongodb::{Client, bson::doc};
use serde_json::Value;
use watchboard_test_support::{Binary, Mongod, TestClient, documented_fleet_user};

/// Steps of ten seconds are complete, written and merged within this time, on a machine with other tests.
pub(crate) const WITHIN: Duration = Duration::from_mins(1);

pub(crate) async fn member(mongod: &Mongod, name: &str, more: &[&str]) -> Binary {
    let uri = mongod.uri();
    let own = ["demo", "--no-traffic", "--fleet", &uri, "--instance", name, "--service", "shop"];
    Binary::start(&[&own[..], more].concat()).await
}

/// Sends so many requests to the shop.
pub(crate) async fn send(member: &Binary, count: usize) {
    for _ in 0..count {
        member.client.send("GET", "/shop/products").await;
    }
}

pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// The requests of a span, as one instance's board tells them.
pub(crate) async fn wait_for_total(client: &TestClient, instance: &str, (from, to): (u64, u64), total: u64) -> Value {
    let path = format!("/health?instance={instance}&from={from}&to={to}");
    let told = client.wait_for_json(&path, WITHIN, |told| told["application"]["total_requests"] == total).await;
    told["application"].clone()
}

fn state_of<'a>(health: &'a Value, name: &str) -> Option<&'a str> {
    health["instances"].as_array()?.iter().find(|instance| instance["name"] == name)?["status"].as_str()
}

#[tokio::test]
async fn the_sums_are_those_of_all_and_a_kill_changes_no_past_sum() {
    let mongod = Mongod::start(&[]).await;
    let from = unix_seconds() - 60;
    let span = (from, from + 3_600);
    let first = member(&mongod, "web-1", &[]).await;
    let mut second = member(&mongod, "web-2", &[]).await;
    let mut third = member(&mongod, "web-3", &[]).await;
    for (member, count) in [(&first, 30), (&second, 50), (&third, 70)] {
        send(member, count).await;
    }
    let all = wait_for_total(&first.client, "all", span, 150).await;
    assert_eq!((&all["endpoints"]["GET /shop/products"], &all["error_count"]), (&150.into(), &0.into()));
    let one = wait_for_total(&first.client, "web-3", span, 70).await;
    assert_eq!(one["endpoints"]["GET /shop/products"], 70);
    let told =
        first.client.wait_for_json("/health?instance=all", WITHIN, |told| told["application"]["total_requests"] == 150);
    let told = told.await;
    assert_eq!((told["status"].as_str(), told["instances"].as_array().map(Vec::len)), (Some("healthy"), Some(3)));
    assert_eq!(told["application"]["status_codes"]["200"], 150);

    second.signal("KILL").await;
    second.wait_for_exit().await;
    // What came since its last tick counts too.
    send(&third, 8).await;
    third.signal("TERM").await;
    third.wait_for_exit().await;
    let is_told = |told: &Value| state_of(told, "web-2") == Some("gone") && state_of(told, "web-3") == Some("stopped");
    let told = first.client.wait_for_json("/health?instance=all", Duration::from_secs(20), is_told).await;
    assert_eq!(told["status"], "degraded", "{told}");
    assert!(told["age_seconds"].as_u64() < Some(60), "{told}");
    wait_for_total(&first.client, "all", span, 158).await;
    for (name, why) in [("web-2", "It is gone: it was last seen"), ("web-3", "It has stopped")] {
        let (status, told) = first.client.send("GET", &format!("/health?instance={name}")).await;
        let told = String::from_utf8_lossy(&told);
        assert!(status == 503 && told.contains(why), "{told}");
    }

    let second = member(&mongod, "web-2", &[]).await;
    send(&second, 5).await;
    wait_for_total(&second.client, "all", span, 163).await;
    wait_for_total(&second.client, "web-2", span, 55).await;
    // The sum since the start has the run that was killed too.
    let is_all = |told: &Value| told["application"]["total_requests"] == 163;
    let told = second.client.wait_for_json("/health?instance=all", WITHIN, is_all).await;
    assert_eq!(told["application"]["endpoints"]["GET /shop/products"], 163);
    assert_eq!(told["application"]["status_codes"]["200"], 163);
    let of_span = format!("/health?instance=web-9&from={}&to={}", span.0, span.1);
    for path in ["/health?instance=web-9", &of_span, "/export?view=requests&instance=web-9"] {
        let (status, told) = second.client.send("GET", path).await;
        let told = String::from_utf8_lossy(&told);
        assert!(status == 404 && told.contains("web-9"), "{path}: {status} {told}");
    }
}

#[tokio::test]
async fn what_an_outage_keeps_back_is_delivered_once() {
    let mut mongod = Mongod::start(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let from = unix_seconds() - 60;
    let span = (from, from + 3_600);
    let first = member(&mongod, "web-1", &["--data-dir", folder.path().to_str().expect("a text")]).await;
    let second = member(&mongod, "web-2", &[]).await;
    send(&first, 10).await;
    send(&second, 10).await;
    wait_for_total(&first.client, "all", span, 20).await;
    mongod.kill().await;
    send(&first, 7).await;
    send(&second, 8).await;
    let waits =
        |told: &Value| told["fleet"]["failure"].is_string() && told["fleet"]["waiting_seconds"].as_u64() >= Some(30);
    for member in [&first, &second] {
        let told = member.client.wait_for_json("/health", WITHIN, waits).await;
        let reasons = told["reasons"].to_string();
        assert!(reasons.contains("the fleet has had no figures of this instance"), "{reasons}");
        assert!(told["application"]["total_requests"].as_u64() > Some(0), "its own board has its figures");
    }
    let (status, _) = first.client.send("GET", "/health?instance=all").await;
    assert_eq!(status, 503);
    mongod.restart().await;
    wait_for_total(&first.client, "all", span, 35).await;
    wait_for_total(&first.client, "web-1", span, 17).await;
    let told = first.client.wait_for_json("/health", WITHIN, |told| told["fleet"]["failure"].is_null()).await;
    assert_eq!(told["fleet"]["lost"], 0);
}

#[tokio::test]
async fn of_two_processes_with_one_name_the_second_waits_for_the_first() {
    let mongod = Mongod::start(&[]).await;
    let from = unix_seconds() - 60;
    let span = (from, from + 3_600);
    let mut first = member(&mongod, "web-1", &[]).await;
    send(&first, 10).await;
    wait_for_total(&first.client, "web-1", span, 10).await;
    let second = member(&mongod, "web-1", &[]).await;
    send(&second, 5).await;
    let is_told = |told: &Value| told["fleet"]["failure"].as_str().is_some_and(|why| why.contains("web-1"));
    let told = second.client.wait_for_json("/health", WITHIN, is_told).await;
    let why = told["fleet"]["failure"].as_str().expect("a reason");
    assert!(why.contains(&format!("process {}", first.pid())), "{why}");
    let is_told = |told: &Value| told["reasons"].to_string().contains("give each instance a name of its own");
    second.client.wait_for_json("/health", Duration::from_secs(25), is_told).await;
    wait_for_total(&first.client, "web-1", span, 10).await;
    first.signal("TERM").await;
    first.wait_for_exit().await;
    wait_for_total(&second.client, "web-1", span, 15).await;
}

#[tokio::test]
async fn the_documented_user_is_enough_and_its_password_is_nowhere() {
    let mongod = Mongod::start(&["--auth"]).await;
    let address = format!("127.0.0.1:{}", mongod.port);
    // The first user may be made without a login, from this machine.
    let first = doc! { "createUser": "root", "pwd": "root", "roles": ["root"] };
    let admin = Client::with_uri_str(mongod.uri()).await.expect("a client").database("admin");
    admin.run_command(first).await.expect("the first user can be made");
    let users = Client::with_uri_str(format!("mongodb://root:root@{address}/")).await.expect("a client");
    let user = documented_fleet_user("kwv%40qzx");
    users.database("watchboard").run_command(user).await.expect("the documented user can be made");
    let uri = format!("mongodb://watchboard:kwv%2540qzx@{address}/watchboard?authSource=watchboard");
    let from = unix_seconds() - 60;
    let arguments = ["demo", "--no-traffic", "--instance", "web-1", "--fleet", &uri];
    let board = Binary::start(&arguments).await;
    send(&board, 9).await;
    wait_for_total(&board.client, "all", (from, from + 3_600), 9).await;
    // A board alone needs to read only, whatever the string says of writes.
    let reader = doc! { "createUser": "reader", "pwd": "reader", "roles": [{ "role": "read", "db": "watchboard" }] };
    users.database("watchboard").run_command(reader).await.expect("a user that reads can be made");
    let reader = format!("mongodb://reader:reader@{address}/watchboard?authSource=watchboard&w=0");
    let viewer = Binary::start(&["--fleet", &reader]).await;
    wait_for_total(&viewer.client, "all", (from, from + 3_600), 9).await;
    let wrong = uri.replace("kwv", "kwx");
    let other = Binary::start(&["demo", "--no-traffic", "--instance", "web-2", "--fleet", &wrong]).await;
    let refused =
        |told: &Value| told["fleet"]["failure"].as_str().is_some_and(|why| why.contains("refused the user name"));
    let told = other.client.wait_for_json("/health", WITHIN, refused).await;
    for text in [told.to_string(), other.log_text(), board.log_text()] {
        assert!(!text.contains("qzx"), "{text}");
    }
}

#[tokio::test]
async fn a_board_alone_shows_the_fleet_and_is_no_instance_of_it() {
    let mut mongod = Mongod::start(&[]).await;
    let member = member(&mongod, "web-1", &[]).await;
    send(&member, 9).await;
    let board = Binary::start(&["--fleet", &mongod.uri()]).await;
    let is_told = |told: &Value| told["application"]["total_requests"] == 9;
    let told = board.client.wait_for_json("/health?instance=all", WITHIN, is_told).await;
    assert_eq!(told["instances"].as_array().map(Vec::len), Some(1), "{told}");
    let (status, _) = board.client.send("GET", "/?view=requests").await;
    assert_eq!(status, 303);
    board.wait_for_page("/?view=requests&instance=all", "GET /shop/products").await;
    board.wait_for_page("/?view=instances&instance=all", "web-1").await;
    // The menu's form of a past span goes on with all.
    board.wait_for_page("/?instance=all", "<input type=hidden form=span name=instance value=\"all\">").await;
    mongod.kill().await;
    let is_told = |told: &Value| told["fleet"]["failure"].is_string() && told["status"] == "degraded";
    board.client.wait_for_json("/health", WITHIN, is_told).await;
    board.wait_for_page("/?instance=all", "the figures of the fleet cannot be read").await;
}
