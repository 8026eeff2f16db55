//! A replica set with a member that is meant to lag.

use std::time::{Duration, Instant};

use mongodb::{
    Client,
    bson::{Document, doc},
};
use tokio::time::sleep;
use watchboard_test_support::{Binary, ReplicaSet, documented_role, key_file};

const DELAY_SECONDS: i64 = 15;
/// The board asks for the set's state every ten seconds; the delayed member has to be behind by then.
const WITHIN: Duration = Duration::from_mins(1);

/// The sentences about members, and the lag of the third one by the server's own clock.
async fn watch_for(board: &Binary, root: &Client, seconds: u64) -> Vec<String> {
    let started = Instant::now();
    let orders = root.database("shop").collection::<Document>("orders");
    let mut sentences = vec![];
    while started.elapsed() < Duration::from_secs(seconds) {
        orders.insert_one(doc! { "number": 1 }).await.unwrap();
        let health = board.client.json("/health").await;
        let reasons = health["reasons"].as_array().cloned().unwrap_or_default();
        sentences.extend(reasons.iter().filter_map(|reason| reason.as_str()).map(ToOwned::to_owned));
        sleep(Duration::from_millis(500)).await;
    }
    sentences.sort();
    sentences.dedup();
    sentences
}

/// The seconds by which the third member is behind the primary.
async fn lag_seconds(root: &Client) -> i64 {
    let status = root.database("admin").run_command(doc! { "replSetGetStatus": 1 }).await.unwrap();
    let members = status.get_array("members").unwrap();
    let at = |member: &Document| member.get_datetime("optimeDate").unwrap().timestamp_millis();
    let members: Vec<_> = members.iter().filter_map(|member| member.as_document()).collect();
    let primary =
        members.iter().find(|member| member.get_str("stateStr").is_ok_and(|state| state == "PRIMARY")).unwrap();
    (at(primary) - at(members[2])) / 1000
}

async fn until_it_lags(root: &Client, more_than: i64) {
    let started = Instant::now();
    let orders = root.database("shop").collection::<Document>("orders");
    while lag_seconds(root).await <= more_than {
        assert!(started.elapsed() < WITHIN, "the member does not lag");
        orders.insert_one(doc! { "number": 0 }).await.unwrap();
        sleep(Duration::from_millis(250)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_meant_to_lag_is_no_finding_and_one_that_lags_more_is() {
    let third = doc! { "priority": 0, "hidden": true, "secondaryDelaySecs": DELAY_SECONDS };
    let set = ReplicaSet::with_third(third, &["--auth", "--keyFile", key_file()]).await;
    let admin = doc! { "createUser": "root", "pwd": "root", "roles": ["root"] };
    let primary = set.primary().await;
    set.ask(primary, admin).await.expect("the first user");
    let uri = |user: &str| set.uri().replace("mongodb://", &format!("mongodb://{user}:{user}@"));
    let root = Client::with_uri_str(uri("root")).await.unwrap();
    let users = root.database("admin");
    users.run_command(documented_role("shop")).await.expect("the documented role can be made");
    let status_only = doc! { "resource": { "cluster": true }, "actions": ["serverStatus", "replSetGetStatus"] };
    let role = doc! { "createRole": "status", "privileges": [status_only], "roles": [] };
    users.run_command(role).await.unwrap();
    for (user, role) in [("documented", "watchboard"), ("monitor", "clusterMonitor"), ("status", "status")] {
        users.run_command(doc! { "createUser": user, "pwd": user, "roles": [role] }).await.unwrap();
    }
    until_it_lags(&root, 12).await;
    for user in ["documented", "monitor", "status"] {
        let board = Binary::start(&["--mongodb-uri", &format!("{}&authSource=admin", uri(user))]).await;
        let sentences = watch_for(&board, &root, 15).await;
        println!("{user}: {sentences:?}, while the member is {} s behind", lag_seconds(&root).await);
        assert!(!sentences.iter().any(|sentence| sentence.contains("behind")), "{user}: {sentences:?}");
        let page = String::from_utf8(board.client.send("GET", "/?view=database").await.1.to_vec()).unwrap();
        assert!(page.contains("Set rs0") && !page.contains("number warn"), "{user}");
    }

    // Replication of a member that is meant to lag can stop as well.
    let board = Binary::start(&["--mongodb-uri", &uri("documented")]).await;
    set.members[2].signal("STOP").await;
    let stopped = Instant::now();
    let is_named = |sentence: &String| sentence.contains("of set rs0 is") || sentence.contains("behind the primary");
    while !watch_for(&board, &root, 2).await.iter().any(is_named) {
        assert!(stopped.elapsed() < WITHIN, "a stopped member is not named");
    }
    set.members[2].signal("CONT").await;
}
