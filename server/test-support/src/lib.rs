//! Helpers of the integration tests: the real program, a client, a real mongod, a replica set of three, a faulty proxy.
#![allow(
    missing_docs,
    missing_debug_implementations,
    clippy::missing_panics_doc,
    reason = "only tests use it, and a panic fails a test"
)]

mod addresses;
mod board_texts;
#[cfg(doctest)]
mod doc_tests;
mod faulty_proxy;
mod fuse_mount;
mod held_port;
mod memory_cgroup;
mod mongod;
mod nginx;
mod node;
mod paused_thread;
mod prepared;
mod python;
pub mod raw;
mod replica_set;
mod scripted_mongod;
mod visitor;
mod wall_clock;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, StatusCode},
};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

pub use addresses::{assets, attributes, resolve};
pub use board_texts::{board_texts, places_of};
pub use faulty_proxy::{FaultyProxy, Mode};
pub use fuse_mount::FuseMount;
pub use held_port::HeldPort;
pub use memory_cgroup::MemoryCgroup;
pub use mongod::{Mongod, free_port, signal, tool};
pub use nginx::Nginx;
pub use node::Node;
pub use paused_thread::{PausedThread, threads};
pub use prepared::prepared_command;
pub use python::Python;
pub use replica_set::ReplicaSet;
pub use scripted_mongod::scripted_mongod;
pub use visitor::{Visitor, header_text, text};
pub use wall_clock::WallClock;

/// A start takes less, also on a busy machine.
const STARTS_WITHIN: Duration = Duration::from_mins(1);

/// A client of the server at `http://ADDRESS`.
#[derive(Clone)]
pub struct TestClient {
    pub address: SocketAddr,
    client: Client<HttpConnector, Body>,
}

impl TestClient {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Serves an application as the README says, and returns its client.
    pub async fn serve(app: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self::new(address)
    }

    pub async fn begin(&self, method: &str, path: &str) -> axum::http::Response<hyper::body::Incoming> {
        let uri = format!("http://{}{path}", self.address);
        let request = Request::builder().method(method).uri(uri).body(Body::empty()).expect("a request");
        self.client.request(request).await.expect("a response")
    }

    pub async fn send(&self, method: &str, path: &str) -> (StatusCode, Bytes) {
        let response = self.begin(method, path).await;
        let status = response.status();
        (status, response.into_body().collect().await.expect("a whole body").to_bytes())
    }

    pub async fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.send("GET", path).await.1).expect("JSON")
    }

    /// Waits for a JSON document at `path` that fulfils the condition.
    pub async fn wait_for_json(&self, path: &str, within: Duration, holds: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + within;
        loop {
            let json = self.json(path).await;
            if holds(&json) {
                return json;
            }
            assert!(Instant::now() < deadline, "not within {within:?}: {json:#}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The reasons of `/health` with plain spaces, without the one that other tests make true: that the machine's CPU is full. Without any reason
/// the status has to be healthy.
pub fn reasons(health: &Value) -> Vec<String> {
    let all = health["reasons"].as_array().expect("a list");
    assert!(!all.is_empty() || health["status"] == "healthy", "a status without a reason: {health:#}");
    let all = all.iter().map(|reason| reason.as_str().expect("a sentence").replace(['\u{a0}', '\u{202f}'], " "));
    all.filter(|reason| !reason.starts_with("the system's CPU is full")).collect()
}

/// The words in the log of a panic.
const PANIC: &str = "panicked at";
/// Lines of a program's log that are kept.
const MAX_LOG_LINES: usize = 1000;

/// A running `watchboard`, ended with the test.
pub struct Binary {
    process: Child,
    pub client: TestClient,
    /// The address of its proxy, with `--upstream`.
    pub proxy: Option<SocketAddr>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Binary {
    /// Starts it, open to this machine without a link unless there is a password.
    pub async fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(binary_path());
        command.args(arguments).stderr(Stdio::piped()).kill_on_drop(true);
        if !arguments.iter().any(|argument| argument.starts_with("--password")) {
            command.arg("--open");
        }
        Self::from_command(command).await
    }

    /// Starts it in front of an application on this machine. Returns the address of the proxy too.
    pub async fn with_upstream(port: u16, more: &[&str]) -> (Self, SocketAddr) {
        let upstream = format!("http://127.0.0.1:{port}");
        let binary = Self::start(&[&["--upstream", &upstream, "--proxy-listen", "127.0.0.1:0"], more].concat()).await;
        let proxy = binary.proxy.expect("it stands in front");
        (binary, proxy)
    }

    /// Starts it by a command, at any free port.
    pub async fn from_command(mut command: Command) -> Self {
        command.args(["--listen", "127.0.0.1:0"]);
        Self::spawn(command).await
    }

    /// Starts it by a command that has the address.
    pub async fn spawn(mut command: Command) -> Self {
        let mut process = command.spawn().expect("the binary starts");
        let mut lines = BufReader::new(process.stderr.take().expect("a pipe")).lines();
        let (mut proxy, mut first) = (None, vec![]);
        let address = loop {
            let next = timeout(STARTS_WITHIN, lines.next_line()).await;
            let next = next.unwrap_or_else(|_| panic!("the binary does not start: {first:?}"));
            let Some(line) = next.expect("text") else {
                panic!("the binary does not say where it listens, but {first:?}");
            };
            // `… requests to http://127.0.0.1:8080/ go on to …`, with TLS `https`.
            let url_after = |words: &str| -> Option<SocketAddr> {
                let (_, url) = line.split_once(words)?.1.split_once("://")?;
                Some(url.split('/').next()?.parse().expect("an address"))
            };
            proxy = proxy.or(url_after("requests to "));
            let address = url_after("the board is at ");
            first.push(line);
            if let Some(address) = address {
                break address;
            }
        };
        let log = Arc::new(Mutex::new(first));
        let writer = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let mut log = writer.lock().expect("nobody panics with it");
                if log.len() < MAX_LOG_LINES || line.contains(PANIC) {
                    log.push(line);
                }
            }
        });
        Self { process, client: TestClient::new(address), proxy, log }
    }

    /// Waits until a page has some words.
    pub async fn wait_for_page(&self, path: &str, words: &str) {
        let deadline = Instant::now() + STARTS_WITHIN;
        loop {
            let (status, body) = self.client.send("GET", path).await;
            assert_eq!(status, 200);
            let page = String::from_utf8_lossy(&body).replace('\u{a0}', " ");
            if page.contains(words) {
                return;
            }
            assert!(Instant::now() < deadline, "{path} does not have: {words}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// The lines of the log with these words.
    pub fn log_lines(&self, words: &str) -> Vec<String> {
        let log = self.log.lock().expect("nobody panics with it");
        log.iter().filter(|line| line.contains(words)).cloned().collect()
    }

    /// Waits for a line of the log with these words.
    pub async fn wait_for_log(&self, words: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.log_lines(words).is_empty() {
            assert!(Instant::now() < deadline, "it does not say {words:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// All that it has logged.
    pub fn log_text(&self) -> String {
        self.log_lines("").join("\n")
    }

    /// The lines of the log about panics.
    pub fn panics(&self) -> Vec<String> {
        self.log_lines(PANIC)
    }

    pub fn resident_bytes(&self) -> u64 {
        resident_bytes(self.pid())
    }

    /// Its open file descriptors.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).expect("it runs").count()
    }

    /// Waits until it has no more open file descriptors than these.
    pub async fn wait_for_descriptors(&self, most: usize, within: Duration) {
        let deadline = Instant::now() + within;
        while self.descriptors() > most {
            assert!(Instant::now() < deadline, "{} of {most} descriptors after {within:?}", self.descriptors());
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub fn pid(&self) -> u32 {
        self.process.id().expect("it runs")
    }

    /// Sends a signal by name.
    pub async fn signal(&self, name: &str) {
        signal(self.pid(), name).await;
    }

    /// Waits until it ends.
    /// How it has ended; `None` while it runs.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().expect("a child")
    }

    pub async fn wait_for_exit(&mut self) -> ExitStatus {
        self.process.wait().await.expect("it can be waited for")
    }
}

/// The program that cargo has built beside the tests of its package.
pub fn binary_path() -> PathBuf {
    let test = std::env::current_exe().expect("a test is a file");
    let folder = test.parent().and_then(Path::parent).expect("it lies in target/PROFILE/deps");
    folder.join("watchboard")
}

/// Copies that program by a process of its own. If this one had the copy open, a process that another test starts meanwhile would have it
/// too, and no program can be started that is open for writing.
pub fn copy_binary(to: &Path) {
    let copied = std::process::Command::new("cp").arg(binary_path()).arg(to).status();
    assert!(copied.expect("cp is there").success(), "{} can be written", to.display());
}

/// Resident memory of a process.
pub fn resident_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

/// The documented role, for a database.
pub fn documented_role(database: &str) -> mongodb::bson::Document {
    documented_command(include_str!("../../../docs/database.md"), ("\"shop\"", &format!("\"{database}\"")))
}

/// The documented user of a fleet's database, with this password.
pub fn documented_fleet_user(password: &str) -> mongodb::bson::Document {
    documented_command(include_str!("../../../docs/fleet.md"), ("a password of its own", password))
}

/// The first command of a page, with one text in the place of another.
fn documented_command(page: &str, (from, to): (&str, &str)) -> mongodb::bson::Document {
    let (_, after) = page.split_once("```json\n").expect("a command");
    let (command, _) = after.split_once("```").expect("its end");
    let command: Value = serde_json::from_str(&command.replace(from, to)).expect("JSON");
    mongodb::bson::serialize_to_document(&command).expect("a document")
}

/// The key by which the members of a set with logins know each other.
pub fn key_file() -> &'static str {
    static FILE: std::sync::LazyLock<tempfile::NamedTempFile> = std::sync::LazyLock::new(|| {
        // Only its owner may read it: temporary files are so.
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "c2VjcmV0c2VjcmV0").expect("it can be written");
        file
    });
    FILE.path().to_str().expect("text")
}
