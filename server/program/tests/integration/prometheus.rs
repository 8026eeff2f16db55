//! Compares `/metrics`, read by Prometheus's own client, with `/health` of the same tick.

use std::{collections::BTreeMap, process::Stdio, time::Duration};

use serde::Deserialize;
use tokio::{io::AsyncWriteExt, process::Command};
use watchboard_test_support::{Binary, tool};

/// Every sample that the client reads, with the type of its family.
const READ: &str = r"
import json, sys
from prometheus_client.parser import text_string_to_metric_families
samples = [
    {'kind': family.type, 'name': sample.name, 'labels': sample.labels, 'value': sample.value}
    for family in text_string_to_metric_families(sys.stdin.read())
    for sample in family.samples
]
print(json.dumps(samples))
";

#[derive(Debug, Deserialize)]
struct Sample {
    kind: String,
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Sample {
    fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    /// The row that it is of, as `/health` names it.
    fn endpoint(&self) -> String {
        format!("{} {}", self.label("http_request_method"), self.label("http_route")).trim_start().to_owned()
    }
}

async fn read(text: &[u8]) -> Vec<Sample> {
    let mut python = Command::new("python3");
    python.args(["-c", READ]).env("PYTHONPATH", tool("prometheus_client"));
    let mut python = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3 starts");
    python.stdin.take().expect("a pipe").write_all(text).await.expect("it reads");
    let output = python.wait_with_output().await.expect("it ends");
    assert!(output.status.success(), "the client refuses {}", String::from_utf8_lossy(text));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test]
async fn prometheus_reads_the_counts_of_health() {
    let board = Binary::start(&["demo", "--no-traffic"]).await;
    for path in ["/shop/products/1", "/shop/products/9999", "/shop/search?q=1", "/shop/coupons/summer", "/nowhere"] {
        for _ in 0..3 {
            board.client.send("GET", path).await;
        }
    }
    let counted = |health: &serde_json::Value| health["application"]["total_requests"] == 15;
    let (health, samples) = loop {
        let health = board.client.wait_for_json("/health", Duration::from_secs(5), counted).await;
        let response = board.client.begin("GET", "/metrics").await;
        assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        let samples = read(&board.client.send("GET", "/metrics").await.1).await;
        let uptime = samples.iter().find(|sample| sample.name == "process_uptime_seconds").expect("an uptime");
        if Some(uptime.value) == health["uptime"]["seconds"].as_f64() {
            break (health, samples);
        }
    };
    let count = |sample: &&Sample| sample.name == "http_server_request_duration_seconds_count";
    let mut endpoints = serde_json::Map::new();
    let mut statuses = serde_json::Map::new();
    for sample in samples.iter().filter(count) {
        let add = |map: &mut serde_json::Map<_, _>, key: String| {
            let so_far = map.get(&key).and_then(serde_json::Value::as_u64).unwrap_or_default();
            map.insert(key, (so_far + sample.value as u64).into());
        };
        add(&mut endpoints, sample.endpoint());
        add(&mut statuses, sample.label("http_response_status_code").to_owned());
    }
    assert_eq!(health["application"]["endpoints"], serde_json::Value::Object(endpoints));
    assert_eq!(health["application"]["status_codes"], serde_json::Value::Object(statuses));
    let mut series: Vec<_> = samples.iter().map(|sample| (&sample.name, &sample.labels)).collect();
    series.sort();
    series.dedup();
    assert_eq!(series.len(), samples.len(), "no series is there twice");
    // Each histogram rises to its count.
    for sample in samples.iter().filter(count) {
        let mut same = sample.labels.clone();
        let of_same = samples.iter().filter(|bucket| {
            same.insert("le".to_owned(), bucket.label("le").to_owned());
            bucket.name.ends_with("_bucket") && bucket.labels == same
        });
        let buckets: Vec<f64> = of_same.map(|bucket| bucket.value).collect();
        assert_eq!((buckets.len(), buckets.last()), (15, Some(&sample.value)), "{sample:?}");
        assert!(buckets.is_sorted(), "{buckets:?}");
    }
    let panicked = samples.iter().filter(count).find(|sample| sample.endpoint() == "GET /shop/coupons/{code}").unwrap();
    assert_eq!((panicked.label("error_type"), panicked.kind.as_str()), ("500", "histogram"));
    let rss = samples.iter().find(|sample| sample.name == "process_memory_usage_bytes").expect("a gauge");
    assert!(rss.kind == "gauge" && rss.value > 1e6);
}
