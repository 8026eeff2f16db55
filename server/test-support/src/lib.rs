//! What the integration tests share: the real binary, a client, a real mongod, a replica set of three, a proxy that breaks.
#![allow(missing_docs, clippy::missing_panics_doc, reason = "it serves the tests alone")]

mod group;
mod mongod;
mod node;
mod proxy;
mod python;
pub mod raw;
mod replica_set;
mod visitor;

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
    time::{Instant, sleep},
};

pub use group::Group;
use mongod::signal;
pub use mongod::{Mongod, free_port, tool};
pub use node::Node;
pub use proxy::{Mode, Proxy};
pub use python::Python;
pub use replica_set::ReplicaSet;
pub use visitor::{Visitor, header_of, text};

/// A server to ask, at `http://ADDRESS`.
#[derive(Clone)]
pub struct Asker {
    pub address: SocketAddr,
    client: Client<HttpConnector, Body>,
}

impl Asker {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Of an application that is served as the README says.
    pub async fn of(app: Router) -> Self {
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

    /// The JSON at `path`, once it holds what is waited for.
    pub async fn until(&self, path: &str, within: Duration, holds: impl Fn(&Value) -> bool) -> Value {
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

/// How a panic is told.
const PANIC: &str = "panicked at";
/// Lines of a binary that are kept.
const MOST_SAID: usize = 1000;

/// The binary of this package, ended with the test.
pub struct Binary {
    process: Child,
    pub asker: Asker,
    /// Where it takes the requests of an application, if it stands in front of one.
    pub proxy: Option<SocketAddr>,
    /// What it has said.
    said: Arc<Mutex<Vec<String>>>,
}

impl Binary {
    pub async fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(binary_path());
        command.args(arguments).stderr(Stdio::piped()).kill_on_drop(true);
        Self::from_command(command).await
    }

    /// In front of an application on this machine; also where it takes the requests.
    pub async fn in_front_of(port: u16, more: &[&str]) -> (Self, SocketAddr) {
        let upstream = format!("http://127.0.0.1:{port}");
        let binary = Self::start(&[&["--upstream", &upstream, "--proxy-listen", "127.0.0.1:0"], more].concat()).await;
        let proxy = binary.proxy.expect("it stands in front");
        (binary, proxy)
    }

    /// The binary of a command, at any free port.
    pub async fn from_command(mut command: Command) -> Self {
        command.args(["--listen", "127.0.0.1:0"]);
        Self::listening(command).await
    }

    /// The binary of a command that says where to listen.
    pub async fn listening(mut command: Command) -> Self {
        let mut process = command.spawn().expect("the binary starts");
        let mut lines = BufReader::new(process.stderr.take().expect("a pipe")).lines();
        let (mut proxy, mut first) = (None, vec![]);
        let address = loop {
            let Some(line) = lines.next_line().await.expect("text") else {
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
        let said = Arc::new(Mutex::new(first));
        let says = Arc::clone(&said);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let mut said = says.lock().expect("nobody panics with it");
                if said.len() < MOST_SAID || line.contains(PANIC) {
                    said.push(line);
                }
            }
        });
        Self { process, asker: Asker::new(address), proxy, said }
    }

    fn said(&self, words: &str) -> Vec<String> {
        let said = self.said.lock().expect("nobody panics with it");
        said.iter().filter(|line| line.contains(words)).cloned().collect()
    }

    /// Waits until it has said this.
    pub async fn says(&self, words: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.said(words).is_empty() {
            assert!(Instant::now() < deadline, "it does not say {words:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// What it has said of panics.
    pub fn panics(&self) -> Vec<String> {
        self.said(PANIC)
    }

    pub fn resident_bytes(&self) -> u64 {
        resident_bytes(self.pid())
    }

    pub fn pid(&self) -> u32 {
        self.process.id().expect("it runs")
    }

    /// Sends a signal by name.
    pub async fn signal(&self, name: &str) {
        signal(self.pid(), name).await;
    }

    /// How it ended, once it has.
    pub async fn ended(&mut self) -> ExitStatus {
        self.process.wait().await.expect("it can be waited for")
    }
}

/// The binary that cargo has built beside the tests of its package.
pub fn binary_path() -> PathBuf {
    let test = std::env::current_exe().expect("a test is a file");
    let folder = test.parent().and_then(Path::parent).expect("it lies in target/PROFILE/deps");
    folder.join("watchboard")
}

/// Resident memory of a process.
pub fn resident_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

/// The role of the documentation, for a database.
pub fn documented_role(database: &str) -> mongodb::bson::Document {
    let page = include_str!("../../../docs/database.md");
    let (_, after) = page.split_once("```json\n").expect("a role");
    let (role, _) = after.split_once("```").expect("its end");
    let role: Value = serde_json::from_str(&role.replace("\"shop\"", &format!("\"{database}\""))).expect("JSON");
    mongodb::bson::serialize_to_document(&role).expect("a document")
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
