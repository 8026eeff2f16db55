//! Attempts to log in at a real mongod: few while they fail, and soon enough once they can succeed.

use std::time::{Duration, Instant};

use mongodb::{
    Client,
    bson::{Document, doc},
};
use tokio::time::sleep;
use watchboard_test_support::{Binary, Mongod};

use super::watch::Watch;

/// How long a wrong password is watched, and how many attempts it may cost: at most one in five seconds.
const MINUTE: Duration = Duration::from_mins(1);
const MAX_ATTEMPTS: i64 = 12;

/// A mongod with a login, and a client of its administrator.
async fn mongod_with_login() -> (Mongod, mongodb::Database) {
    let mongod = Mongod::start(&["--auth"]).await;
    // The first user may be made without a login, from this machine.
    let admin = Client::with_uri_str(mongod.uri()).await.unwrap().database("admin");
    admin.run_command(doc! { "createUser": "root", "pwd": "pw", "roles": ["root"] }).await.unwrap();
    let root = Client::with_uri_str(uri(&mongod, "root:pw")).await.unwrap().database("admin");
    let shop = doc! { "createUser": "shop", "pwd": "right", "roles": ["readWriteAnyDatabase"] };
    root.run_command(shop).await.unwrap();
    (mongod, root)
}

fn uri(mongod: &Mongod, login: &str) -> String {
    mongod.uri().replace("mongodb://", &format!("mongodb://{login}@"))
}

/// Logins that the server has refused.
async fn refused_logins(root: &mongodb::Database) -> i64 {
    let status = root.run_command(doc! { "serverStatus": 1 }).await.unwrap();
    let mechanisms = status.get_document("security").unwrap().get_document("authentication").unwrap();
    let mechanisms = mechanisms.get_document("mechanisms").unwrap();
    let refused = |counts: &Document| counts.get_i64("received").unwrap() - counts.get_i64("successful").unwrap();
    let each = mechanisms
        .iter()
        .filter_map(|(_, mechanism)| mechanism.as_document())
        .map(|mechanism| mechanism.get_document("authenticate").map_or(0, refused));
    each.sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_tried_seldom_and_a_right_one_is_noticed() {
    let (mut mongod, root) = mongod_with_login().await;
    let before = refused_logins(&root).await;
    let watch = Watch::start(&uri(&mongod, "shop:wr0ng-s3cret")).await;
    let started = Instant::now();
    let status = watch.shown("authentication failed", "wrong password").await;
    assert!(status.contains("the next attempt is"), "{status}");
    // For so long, whatever the page is doing: an open page asks no more often.
    let (mut asked, mut asked_at, mut oldest) = (String::new(), Instant::now(), Duration::ZERO);
    while started.elapsed() < MINUTE {
        watch.0.client.send("GET", "/?view=database").await;
        let health = watch.0.client.json("/health").await;
        assert!(health["database"]["status"].as_str().unwrap().starts_with("error: "), "{health:#}");
        let last = health["database"]["last_asked"].as_str().expect("the time of the last attempt");
        if last != asked {
            (asked, asked_at) = (last.to_owned(), Instant::now());
        }
        oldest = oldest.max(asked_at.elapsed());
        sleep(Duration::from_millis(500)).await;
    }
    let attempts = refused_logins(&root).await - before;
    println!("{attempts} refused logins in {:?}; the state was up to {oldest:?} old", started.elapsed());
    assert!((2..=MAX_ATTEMPTS).contains(&attempts), "{attempts}");
    assert!((6..15).contains(&oldest.as_secs()), "the age of the state is told: {oldest:?}");

    root.run_command(doc! { "updateUser": "shop", "pwd": "wr0ng-s3cret" }).await.unwrap();
    watch.healthy_at_next_attempt("the password is right now").await;
    // A server that ends meanwhile is no matter of the login: it is named at once.
    root.run_command(doc! { "updateUser": "shop", "pwd": "right" }).await.unwrap();
    root.run_command(doc! { "dropUser": "shop" }).await.unwrap();
    watch.shown("authentication failed", "user dropped").await;
    mongod.kill().await;
    watch.shown("connection refused", "killed while the login was wrong").await;
    mongod.restart().await;
    watch.shown("authentication failed", "started again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_user_is_tried_seldom_too() {
    let (mongod, root) = mongod_with_login().await;
    let before = refused_logins(&root).await;
    let board = Binary::start(&["--mongodb-uri", &uri(&mongod, "nobody:s3cret")]).await;
    let started = Instant::now();
    let failed = |health: &serde_json::Value| health["database"]["status"].to_string().contains("authentication");
    board.client.wait_for_json("/health", Duration::from_secs(5), failed).await;
    while started.elapsed() < MINUTE / 2 {
        sleep(Duration::from_millis(500)).await;
    }
    let attempts = refused_logins(&root).await - before;
    println!("{attempts} refused logins in {:?}", started.elapsed());
    assert!((1..=MAX_ATTEMPTS).contains(&attempts), "{attempts}");
}
