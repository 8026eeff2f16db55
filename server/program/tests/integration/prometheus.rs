//! Compares `/metrics`, read by Prometheus's own client, with `/health` of the same tick; a real Prometheus scrapes it.

use std::{collections::BTreeMap, fs, path::Path, process::Stdio, time::Duration};

use serde::Deserialize;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    process::Command,
    time::{sleep, timeout},
};
use watchboard_test_support::{
    Binary, Node, TestClient, free_port,
    raw::{RawResponse, exchange},
    tool,
};

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
        let uptime = samples.iter().find(|sample| sample.name == "watchboard_uptime_seconds").expect("an uptime");
        if Some(uptime.value) == health["monitor"]["uptime_seconds"].as_f64() {
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
    let rss = samples.iter().find(|sample| sample.name == "process_resident_memory_bytes").expect("a gauge");
    assert!(rss.kind == "gauge" && rss.value > 1e6);
}

/// Runs promtool, with a text as its input, in the folder of the rules.
async fn promtool(arguments: &[&str], input: &[u8]) {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/prometheus");
    let mut promtool = Command::new("promtool");
    promtool.args(arguments).current_dir(rules).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = promtool.spawn().expect("promtool is installed by `cargo xtask test`");
    promtool.stdin.take().expect("a pipe").write_all(input).await.expect("it reads");
    let output = promtool.wait_with_output().await.expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said));
}

#[tokio::test]
async fn the_alert_rules_fire_for_what_they_are_about() {
    promtool(&["check", "rules", "rules.yml"], b"").await;
    promtool(&["test", "rules", "rules-test.yml"], b"").await;
}

#[tokio::test]
async fn openmetrics_has_exemplars_of_slow_requests() {
    let board = Binary::start(&["demo", "--no-traffic"]).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let head = |path: &str, header: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n\r\n")
    };
    exchange(board.client.address, head("/shop/search?q=1", &format!("traceparent: {parent}")).as_bytes()).await;
    board
        .client
        .wait_for_json("/health", Duration::from_secs(5), |health| health["application"]["total_requests"] == 1)
        .await;
    let accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
    let response = exchange(board.client.address, head("/metrics", &format!("Accept: {accept}")).as_bytes()).await;
    let text = String::from_utf8(RawResponse::parse(&response).body).expect("UTF-8");
    assert!(text.ends_with("# EOF\n") && text.contains(&format!("trace_id=\"{trace}\"")), "{text}");
    let mut python = Command::new("python3");
    let read = READ.replace("prometheus_client.parser", "prometheus_client.openmetrics.parser");
    let python = python.args(["-c", &read]).env("PYTHONPATH", tool("prometheus_client")).stdin(Stdio::piped());
    let mut python = python.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("python3 starts");
    python.stdin.take().expect("a pipe").write_all(text.as_bytes()).await.expect("it reads");
    let output = python.wait_with_output().await.expect("it ends");
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
}

/// How long Prometheus scrapes, if the environment has no `SCRAPE_SECONDS`.
const SCRAPE_SECONDS: u64 = 10;

#[tokio::test]
async fn prometheus_scrapes_without_a_warning() {
    let node = Node::start().await;
    let (board, proxy) = Binary::with_upstream(node.port, &[]).await;
    for path in ["/hash", "/headers", "/nowhere"] {
        exchange(proxy, format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes()).await;
    }
    promtool(&["check", "metrics"], &board.client.send("GET", "/metrics").await.1).await;
    let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
    let configuration = format!(
        "global: {{ scrape_interval: 1s }}\nscrape_configs: [{{ job_name: shop, static_configs: [{{ targets: ['{}'] }}] }}]\n",
        board.client.address
    );
    fs::write(folder.path().join("prometheus.yml"), configuration).expect("it can be written");
    let mut prometheus = Command::new("prometheus");
    prometheus.args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--enable-feature=exemplar-storage"]);
    prometheus.arg(format!("--web.listen-address=127.0.0.1:{port}")).current_dir(folder.path());
    let log = fs::File::create(folder.path().join("log")).expect("it can be written");
    let _prometheus = prometheus.stderr(log).kill_on_drop(true).spawn().expect("prometheus is installed");
    let seconds = std::env::var("SCRAPE_SECONDS").map_or(SCRAPE_SECONDS, |text| text.parse().expect("SCRAPE_SECONDS"));
    let client = TestClient::new(([127, 0, 0, 1], port).into());
    let listens = async {
        while TcpStream::connect(client.address).await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
        while client.send("GET", "/-/ready").await.0 != 200 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_mins(1), listens).await.expect("prometheus listens");
    let scraped = |answer: &serde_json::Value| {
        let value = &answer["data"]["result"][0]["value"][1];
        value.as_str().and_then(|text| text.parse::<u64>().ok()).is_some_and(|count| count >= seconds)
    };
    let query = "/api/v1/query?query=sum_over_time(up%5B1h%5D)";
    client.wait_for_json(query, Duration::from_secs(seconds + 60), scraped).await;
    let up = client.json("/api/v1/query?query=min_over_time(up%5B1h%5D)").await;
    assert_eq!(up["data"]["result"][0]["value"][1], "1", "each scrape succeeded: {up:#}");
    let log = fs::read_to_string(folder.path().join("log")).expect("a log");
    let warnings: Vec<&str> =
        log.lines().filter(|line| line.contains("level=warn") || line.contains("level=error")).collect();
    assert!(warnings.is_empty(), "{}", warnings.join("\n"));
    let up = client.json("/api/v1/query?query=watchboard_application_up").await;
    assert_eq!(up["data"]["result"][0]["value"][1], "1", "{up:#}");
}
