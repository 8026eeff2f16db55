//! The real program watches a SQLite file: its state, its growth and its failures.

use std::{fs, time::Duration};

use rusqlite::Connection;
use serde_json::Value;
use watchboard_test_support::Binary;

const WITHIN: Duration = Duration::from_secs(5);

async fn wait_for_status(board: &Binary, status: &str) -> Value {
    let holds = |health: &Value| health["database"]["status"].as_str().is_some_and(|now| now.starts_with(status));
    board.client.wait_for_json("/health", WITHIN, holds).await
}

async fn page(board: &Binary) -> String {
    String::from_utf8(board.client.send("GET", "/?view=database").await.1.to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_file_is_watched_through_all_that_happens_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let board = Binary::start(&["--ready-needs-database", "--sqlite", path.to_str().unwrap()]).await;
    wait_for_status(&board, "error: unreachable: there is no file").await;
    assert!(!path.exists(), "it is never made");
    assert_eq!(board.client.send("GET", "/readyz").await.0, 503);

    let shop = Connection::open(&path).unwrap();
    shop.pragma_update(None, "journal_mode", "wal").unwrap();
    shop.execute_batch("CREATE TABLE orders (what BLOB); INSERT INTO orders VALUES (zeroblob(10000));").unwrap();
    let health = wait_for_status(&board, "healthy").await;
    let database = &health["database"];
    assert_eq!((database["kind"].as_str(), database["version"].as_str()), (Some("SQLite"), Some(rusqlite::version())));
    assert_eq!(database["file"]["journal_mode"], "wal");
    assert!(database["latency_ms"].as_f64().is_some_and(|ms| ms > 0.0 && ms < 500.0), "{database}");
    let (size, log) =
        (database["file"]["size_bytes"].as_u64().unwrap(), database["file"]["log_bytes"].as_u64().unwrap());
    assert!(size > 10_000 && log > 10_000, "{database}");
    let text = page(&board).await;
    assert!(text.contains("SQLite") && text.contains("Write-ahead log") && text.contains("Healthy for "));
    assert_eq!(board.client.send("GET", "/readyz").await.0, 200);

    shop.execute_batch("INSERT INTO orders VALUES (zeroblob(1000000))").unwrap();
    let grown =
        |health: &Value| health["database"]["file"]["size_bytes"].as_u64().is_some_and(|now| now > size + 900_000);
    board.client.wait_for_json("/health", WITHIN, grown).await;

    shop.pragma_update(None, "journal_mode", "delete").unwrap();
    shop.execute_batch("BEGIN EXCLUSIVE").unwrap();
    wait_for_status(&board, "error: busy").await;
    shop.execute_batch("COMMIT").unwrap();
    wait_for_status(&board, "healthy").await;

    let away = folder.path().join("away.db");
    fs::rename(&path, &away).unwrap();
    wait_for_status(&board, "error: unreachable").await;
    assert!(page(&board).await.contains("Unreachable for "));
    fs::rename(&away, &path).unwrap();
    wait_for_status(&board, "healthy").await;

    drop(shop);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, vec![b'x'; whole.len()]).unwrap();
    wait_for_status(&board, "error: damaged: the file is not a SQLite database").await;
    let mut damaged = whole.clone();
    damaged[100..4096].fill(0xee);
    fs::write(&path, &damaged).unwrap();
    wait_for_status(&board, "error: damaged: the file is damaged").await;
    fs::write(&path, &whole).unwrap();
    wait_for_status(&board, "healthy").await;
}
