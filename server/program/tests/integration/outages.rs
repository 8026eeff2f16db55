//! Causes every kind of outage that the board knows. Its name must be in `/health` and on the page within three seconds, and go as fast. Requests
//! must not notice it. The tests allow more time, for busy machines, and print the times.

use std::time::{Duration, Instant};

use mongodb::{Client, bson::doc};
use watchboard_test_support::{Binary, FaultyProxy, Mode, Mongod, ReplicaSet, free_port};

use super::watch::{WITHIN, Watch};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_or_frozen() {
    let mut mongod = Mongod::start(&[]).await;
    let watch = Watch::start(&mongod.uri()).await;
    watch.healthy("start").await;
    watch.slowest("/shop/coupons/SPRING-1", 50).await;
    mongod.kill().await;
    watch.named("connection refused", "killed").await;
    mongod.restart().await;
    watch.healthy("started again").await;
    mongod.signal("STOP").await;
    watch.named("frozen", "stopped").await;
    mongod.signal("CONT").await;
    watch.healthy("continued").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_heeds_the_database_where_asked_to() {
    let mut mongod = Mongod::start(&[]).await;
    let start = ["--ready-needs-database", "--mongodb-uri", &mongod.uri()];
    let (needs, does_not) = (Watch(Binary::start(&start).await), Watch(Binary::start(&start[1..]).await));
    needs.healthy("start").await;
    does_not.healthy("start").await;
    let ready = async |watch: &Watch| {
        let (status, text) = watch.0.client.send("GET", "/readyz").await;
        (status.as_u16(), String::from_utf8(text.to_vec()).unwrap())
    };
    assert_eq!(ready(&needs).await, (200, "ok".to_owned()));
    mongod.kill().await;
    needs.wait_for_status("error: connection refused", "killed").await;
    does_not.wait_for_status("error: connection refused", "killed").await;
    let (status, reason) = ready(&needs).await;
    assert!(status == 503 && reason.starts_with("database: error: connection refused"), "{status} {reason}");
    assert_eq!(ready(&does_not).await, (200, "ok".to_owned()));
    assert_eq!(needs.0.client.send("GET", "/livez").await.0, 200);
    mongod.restart().await;
    needs.healthy("started again").await;
    assert_eq!(ready(&needs).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_swallows_resets_or_is_slow() {
    let mongod = Mongod::start(&[]).await;
    let proxy = FaultyProxy::start(mongod.port);
    let watch = Watch::start(&proxy.uri()).await;
    watch.healthy("start").await;
    proxy.set(Mode::BlackHole);
    watch.named("timed out", "black hole").await;
    proxy.set(Mode::Pass);
    watch.healthy("no black hole").await;
    proxy.set(Mode::Reset);
    watch.named("connection broken off", "resets").await;
    proxy.set(Mode::Latency(Duration::from_millis(100)));
    watch.healthy("no resets, but 200 ms of latency").await;
    let slow = |health: &serde_json::Value| health["database"]["latency_ms"].as_f64().is_some_and(|ms| ms > 190.0);
    watch.0.client.wait_for_json("/health", WITHIN, slow).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_very_slow_is_not_called_frozen() {
    let mongod = Mongod::start(&[]).await;
    let proxy = FaultyProxy::start(mongod.port);
    let watch = Watch::start(&proxy.uri()).await;
    watch.healthy("start").await;
    proxy.set(Mode::Latency(Duration::from_millis(350)));
    let health = watch.0.client.wait_for_json("/health", 4 * WITHIN, |health| {
        assert!(!health["reasons"].to_string().contains("database frozen"), "{health}");
        health["database"]["latency_ms"].as_f64().is_some_and(|ms| ms > 690.0)
    });
    assert_eq!(health.await["database"]["status"], "healthy");
    // It answers each of the next looks too.
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let status = watch.0.client.json("/health").await["database"]["status"].clone();
        assert_eq!(status, "healthy");
    }
    mongod.signal("STOP").await;
    watch.shown("frozen", "stopped").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_wrong_dropped_or_without_rights() {
    let mongod = Mongod::start(&["--auth"]).await;
    // The first user may be made without a login, from this machine.
    let admin = Client::with_uri_str(mongod.uri()).await.unwrap().database("admin");
    admin.run_command(doc! { "createUser": "root", "pwd": "pw", "roles": ["root"] }).await.unwrap();
    let uri = |login: &str, path: &str| format!("mongodb://{login}@127.0.0.1:{}/{path}", mongod.port);
    let root = Client::with_uri_str(uri("root:pw", "")).await.unwrap();
    let shop = doc! { "createUser": "shop", "pwd": "p4ss", "roles": [{ "role": "readWrite", "db": "shop" }] };
    root.database("admin").run_command(shop.clone()).await.unwrap();

    let wrong = Watch::start(&uri("shop:wr0ng-s3cret", "?directConnection=true")).await;
    wrong.named("authentication failed", "wrong password").await;
    for path in ["/health", "/?view=database", "/metrics"] {
        assert!(!String::from_utf8_lossy(&wrong.0.client.send("GET", path).await.1).contains("s3cret"));
    }
    root.database("admin").run_command(doc! { "updateUser": "shop", "pwd": "wr0ng-s3cret" }).await.unwrap();
    wrong.healthy_at_next_attempt("the password is right now").await;
    drop(wrong);

    let none = Watch::start(&mongod.uri()).await;
    none.named("not authorised", "no login where one is asked for").await;
    drop(none);

    let watch = Watch::start(&uri("shop:wr0ng-s3cret", "shop?authSource=admin")).await;
    watch.healthy("start").await;
    let revoke = |command: &str| doc! { command: "shop", "roles": [{ "role": "readWrite", "db": "shop" }] };
    root.database("admin").run_command(revoke("revokeRolesFromUser")).await.unwrap();
    watch.named("not authorised", "its only role revoked").await;
    let elsewhere = doc! { "grantRolesToUser": "shop", "roles": [{ "role": "read", "db": "other" }] };
    root.database("admin").run_command(elsewhere).await.unwrap();
    let elsewhere = |health: &serde_json::Value| health.to_string().contains("may do nothing in its database shop");
    watch.0.client.wait_for_json("/health", WITHIN, elsewhere).await;
    root.database("admin").run_command(revoke("grantRolesToUser")).await.unwrap();
    watch.healthy("the role granted again").await;
    root.database("admin").run_command(doc! { "dropUser": "shop" }).await.unwrap();
    watch.named("authentication failed", "user dropped").await;
    root.database("admin").run_command(shop).await.unwrap();
    root.database("admin").run_command(doc! { "updateUser": "shop", "pwd": "wr0ng-s3cret" }).await.unwrap();
    watch.healthy_at_next_attempt("user created again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_set_without_a_primary() {
    let mut set = ReplicaSet::start().await;
    let watch = Watch::start(&set.uri()).await;
    watch.healthy("start").await;

    // An election that finds the next primary at once may pass unnoticed: the driver waits for it.
    set.step_down().await;
    set.primary().await;
    watch.healthy("stepped down, and another elected").await;

    let primary = set.primary().await;
    for member in (0..3).filter(|member| *member != primary) {
        set.ask(member, doc! { "replSetFreeze": 60 }).await.unwrap();
    }
    _ = set.ask(primary, doc! { "replSetStepDown": 60, "force": true }).await;
    let detail = watch.named("no primary", "stepped down, and nobody elected").await;
    assert!(detail.contains("3 of 3 members answer"), "{detail}");
    for member in 0..3 {
        set.ask(member, doc! { "replSetFreeze": 0 }).await.unwrap();
    }
    set.primary().await;
    watch.healthy("a primary again").await;

    let primary = set.primary().await;
    let others: Vec<_> = (0..3).filter(|member| *member != primary).collect();
    for member in &others {
        set.members[*member].kill().await;
    }
    // The primary holds on for an election's time-out before it gives up.
    let lost = Instant::now();
    set.secondary().await;
    println!("the primary stepped down {} ms after it had lost the majority", lost.elapsed().as_millis());
    let detail = watch.named("no primary", "the majority is lost").await;
    assert!(detail.contains("1 of 3 members answer, too few to elect one"), "{detail}");
    for member in &others {
        set.members[*member].restart().await;
    }
    set.primary().await;
    watch.healthy("a majority again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_primary_and_a_secondary_that_is_watched_alone() {
    let set = ReplicaSet::start().await;
    let secondary = set.secondary().await;
    let alone = Watch::start(&set.members[secondary].uri()).await;
    let detail = alone.named("read-only", "a secondary by a direct connection").await;
    assert!(detail.contains("a secondary, its primary is 127.0.0.1:"), "{detail}");
    drop(alone);

    let watch = Watch::start(&set.uri()).await;
    watch.healthy("start").await;
    let primary = set.primary().await;
    set.members[primary].signal("STOP").await;
    let stopped = Instant::now();
    watch.wait_for_status("error: frozen", "the primary is frozen").await;
    while watch.0.client.json("/health").await["database"]["status"] != "healthy" {
        assert!(stopped.elapsed() < Duration::from_secs(20), "no way to the new primary");
    }
    println!("the new primary was found {} ms after the old one had frozen", stopped.elapsed().as_millis());
    set.members[primary].signal("CONT").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_and_strings_that_lead_nowhere() {
    let mongod = Mongod::start(&[]).await;
    let watch = Watch::start(&format!("{}&tls=true", mongod.uri())).await;
    watch.named("TLS failed", "TLS where none is spoken").await;
    let watch = Watch::start("mongodb://no-such-host.invalid:27017/").await;
    watch.named("unreachable", "a name that is not there").await;
    let watch = Watch::start("mongodb+srv://no-such-host.invalid/").await;
    watch.named("unreachable", "a name with +srv that is not there").await;
    let watch = Watch::start(&format!("mongodb://127.0.0.1:{}/", free_port())).await;
    watch.named("connection refused", "nobody there from the start").await;
    for uri in ["mongodb://qzxuser:qzx/canary@host", "mongodb://qzxuser:qzxc%ZZanary@host:99999", "qzxuser:qzxcanary"] {
        let watch = Watch::start(uri).await;
        watch.named("bad connection string", "a bad connection string").await;
        for path in ["/health", "/?view=database", "/?view=overview", "/metrics"] {
            let text = String::from_utf8_lossy(&watch.0.client.send("GET", path).await.1).into_owned();
            assert!(!text.contains("qzx") && !text.contains("canary"), "{path} of {uri}");
        }
    }
}
