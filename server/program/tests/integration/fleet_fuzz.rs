//! A hostile writer in the fleet's store: whatever stands there, no board panics, and none shows its markup.

use std::time::Duration;

use mongodb::{
    Client,
    bson::{Binary, Bson, DateTime, Document, RawDocumentBuf, Timestamp, doc, spec::BinarySubtype},
};
use watchboard_test_support::{Binary as Program, Mongod};

/// Documents that are written; `WATCHBOARD_FUZZ_CASES` sets more.
const CASES: usize = 400;
const MARKUP: &str = "<script>qzxcanary</script>";

fn random_bytes(most: usize) -> Vec<u8> {
    (0..fastrand::usize(..most)).map(|_| fastrand::u8(..)).collect()
}

fn binary(bytes: Vec<u8>) -> Bson {
    Binary { subtype: BinarySubtype::Generic, bytes }.into()
}

/// A value of any type where another one is expected.
fn any_value() -> Bson {
    match fastrand::u8(..10) {
        0 => Bson::Null,
        1 => Bson::Int32(fastrand::i32(..)),
        2 => Bson::Int64(fastrand::i64(..)),
        3 => Bson::Double([f64::NAN, f64::INFINITY, -1.0, 1e300][fastrand::usize(..4)]),
        4 => Bson::String(MARKUP.repeat(fastrand::usize(1..2_000))),
        5 => binary(random_bytes(5_000)),
        6 => Bson::Array(vec![Bson::Null; 50]),
        7 => Bson::Document(doc! { "$set": { "a": MARKUP } }),
        8 => Bson::DateTime(DateTime::from_millis(fastrand::i64(..))),
        _ => Bson::Timestamp(Timestamp { time: fastrand::u32(..), increment: fastrand::u32(..) }),
    }
}

/// The checksum of records, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| step(sum)))
}

/// A record of another document, with some bytes changed. Half of them get a checksum that fits.
fn damaged(record: &[u8]) -> Vec<u8> {
    let mut bytes = record.to_vec();
    for _ in 0..fastrand::usize(1..20) {
        let at = fastrand::usize(..bytes.len());
        bytes[at] = fastrand::u8(..);
    }
    if fastrand::bool() && bytes.len() > 4 {
        let end = bytes.len() - 4;
        let checksum = crc32(&bytes[..end]).to_be_bytes();
        bytes[end..].copy_from_slice(&checksum);
    }
    bytes
}

/// A document as an instance writes it, with wrong parts.
fn hostile(collection: &str, now: i64, records: &[Vec<u8>]) -> Document {
    let id = match collection {
        "names" => Bson::Int64(fastrand::i64(..)),
        "instances" => Bson::String(format!("{MARKUP}{}", fastrand::u8(..))),
        _ => {
            let instance = ["", "\u{1}points", "web-1", MARKUP][fastrand::usize(..4)];
            let start = now / 10 * 10 - 10 * fastrand::i64(0..90);
            doc! { "instance": instance, "start": start }.into()
        }
    };
    let record =
        if records.is_empty() { random_bytes(900) } else { damaged(&records[fastrand::usize(..records.len())]) };
    let mut document = doc! {
        "_id": if fastrand::u8(..9) == 0 { any_value() } else { id },
        "record": binary(record),
        "bytes": fastrand::i64(..),
        "at": DateTime::now(),
        "written": Timestamp { time: now as u32, increment: fastrand::u32(..) },
        "seen": DateTime::now(),
        "state": "running",
        "service": MARKUP,
        "host": MARKUP,
        "version": MARKUP,
        "url": "javascript:alert(1)",
        "figures": { "health": "unhealthy", "finding": MARKUP, "p99_us": fastrand::i64(..), "requests_per_second": f64::NAN },
        "health": binary(random_bytes(900)),
        "snapshot": binary(random_bytes(900)),
        "list": [{ "instance": MARKUP, "endpoint": MARKUP, "sentence": MARKUP, "since": fastrand::i64(..) }],
    };
    let fields: Vec<String> = document.keys().filter(|key| *key != "_id").cloned().collect();
    for field in fields.into_iter().filter(|_| fastrand::u8(..8) == 0) {
        document.insert(field, any_value());
    }
    document
}

#[tokio::test]
async fn no_board_panics_or_shows_markup_whatever_stands_in_the_store() {
    let cases = std::env::var("WATCHBOARD_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let seed = fastrand::get_seed();
    let mongod = Mongod::start(&[]).await;
    // The demo's own traffic has a request that panics now and then.
    let arguments = ["demo", "--no-traffic", "--fleet", &mongod.uri(), "--instance", "web-1"];
    let board = Program::start(&arguments).await;
    for path in ["/shop/products", "/shop/orders", "/shop/products/7", "/nowhere"] {
        board.client.send("GET", path).await;
    }
    let merged = |told: &serde_json::Value| told["application"]["total_requests"].as_u64() > Some(0);
    board.client.wait_for_json("/health?instance=all&from=1&to=9999999999", Duration::from_mins(1), merged).await;
    let database = Client::with_uri_str(mongod.uri()).await.unwrap().database("watchboard");
    let collections = [
        "steps_10s",
        "steps_1m",
        "steps_15m",
        "steps_1h",
        "steps_6h",
        "steps_2d",
        "names",
        "marks",
        "instances",
        "findings",
        "lease",
    ];
    let mut records = vec![];
    for collection in ["steps_10s", "names", "marks"] {
        let mut found = database.collection::<Document>(collection).find(doc! {}).limit(20).await.unwrap();
        while found.advance().await.unwrap() {
            let document = found.deserialize_current().unwrap();
            records.extend(document.get_binary_generic("record").ok().cloned());
        }
    }
    for case in 0..cases {
        let collection = collections[case % collections.len()];
        let document = hostile(collection, DateTime::now().timestamp_millis() / 1000, &records);
        // Two may have one id.
        let _ = database.collection::<Document>(collection).insert_one(document).await;
    }
    database.collection::<Document>("findings").delete_many(doc! {}).await.unwrap();
    let findings = doc! { "_id": "outliers", "at": DateTime::now(), "list": [{ "instance": MARKUP, "sentence": MARKUP, "since": 7_i64 }, 4] };
    database.collection::<Document>("findings").insert_one(findings).await.unwrap();
    // It is looked at while it is merged too.
    for _ in 0..4 {
        for view in ["overview", "requests", "memory", "database", "instances"] {
            for instance in ["all", "web-1", "%3Cscript%3Eqzxcanary%3C%2Fscript%3E7", "nobody"] {
                for window in ["15m", "24h", "13mo"] {
                    let path = format!("/?view={view}&instance={instance}&window={window}");
                    let (status, body) = board.client.send("GET", &path).await;
                    let page = String::from_utf8_lossy(&body);
                    assert!(status.is_success() && !page.contains("<script>qzx"), "{path}, seed {seed}: {status}");
                }
            }
        }
        for instance in ["all", "web-1"] {
            let (status, _) = board.client.send("GET", &format!("/health?instance={instance}")).await;
            assert!([200, 503].contains(&status.as_u16()), "{instance}, seed {seed}: {status}");
        }
    }
    assert_eq!(board.panics(), Vec::<String>::new(), "seed {seed}");
    assert!(board.resident_bytes() < 400 << 20, "seed {seed}: {} bytes", board.resident_bytes());
}

#[tokio::test]
async fn documents_of_any_size_or_without_valid_text_hide_no_instance() {
    let mongod = Mongod::start(&[]).await;
    let board = Program::start(&["demo", "--no-traffic", "--fleet", &mongod.uri(), "--instance", "web-1"]).await;
    let total = async |requests: u64| {
        let is_told = |told: &serde_json::Value| {
            let is_listed = told["instances"].to_string().contains("\"web-1\"");
            is_listed && told["application"]["total_requests"].as_u64() == Some(requests)
        };
        board.client.wait_for_json("/health?instance=all", Duration::from_mins(1), is_told).await;
    };
    board.client.send("GET", "/shop/products").await;
    total(1).await;
    let database = Client::with_uri_str(mongod.uri()).await.unwrap().database("watchboard");
    let large = "x".repeat(7 << 20);
    let now = DateTime::now();
    for number in 0..6_i64 {
        let start = now.timestamp_millis() - number;
        let instance = doc! { "_id": format!("large-{number}"), "seen": now, "host": &large, "health": &large };
        database.collection::<Document>("instances").insert_one(instance).await.unwrap();
        database.collection::<Document>("names").insert_one(doc! { "_id": number, "record": &large }).await.unwrap();
        let id = doc! { "instance": "web-1", "start": start, "key": number };
        database.collection::<Document>("marks").insert_one(doc! { "_id": id, "record": &large }).await.unwrap();
        let id = doc! { "instance": format!("{number}{large}"), "start": start / 10_000 * 10 };
        let written = Timestamp { time: (start / 1000) as u32, increment: 1 };
        database.collection::<Document>("steps_10s").insert_one(doc! { "_id": id, "written": written }).await.unwrap();
    }
    for collection in ["instances", "names", "marks", "findings", "steps_10s", "steps_1m"] {
        let insert = doc! { "insert": collection, "documents": [{ "_id": "??", "seen": now, "at": now }] };
        let mut bytes = insert.to_vec().unwrap();
        bytes.iter_mut().filter(|byte| **byte == b'?').for_each(|byte| *byte = 0xff);
        database.run_raw_command(RawDocumentBuf::from_bytes(bytes).unwrap()).await.unwrap();
    }
    board.client.send("GET", "/shop/products").await;
    total(2).await;
    let span = format!("/health?instance=all&from=1&to={}", now.timestamp_millis() / 1000 + 3_600);
    let has_both = |told: &serde_json::Value| told["application"]["endpoints"]["GET /shop/products"] == 2;
    board.client.wait_for_json(&span, Duration::from_mins(1), has_both).await;
    for view in ["overview", "requests", "memory", "database", "instances"] {
        let (status, body) = board.client.send("GET", &format!("/?view={view}&instance=all")).await;
        assert!(status.is_success() && body.len() < 1 << 20, "{view}: {status}, {} bytes", body.len());
    }
    assert_eq!(board.panics(), Vec::<String>::new());
    assert!(board.resident_bytes() < 400 << 20, "{} bytes", board.resident_bytes());
}
