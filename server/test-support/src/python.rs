//! Applications in Python: `FastAPI` under uvicorn, and scripts. All their processes end with the test.

use std::{process::Stdio, time::Duration};

use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{sleep, timeout},
};

use super::{free_port, tool};

/// One route, and a file that each process holds open.
const SHOP: &str = r#"
from fastapi import FastAPI
held = open(__file__)
app = FastAPI()

@app.get("/products/{number}")
def product(number: int):
    return {"number": number}
"#;

/// An application with its own process group and port.
pub struct Python {
    process: Option<Child>,
    /// The id of the first process, which is its group's.
    group: u32,
    folder: tempfile::TempDir,
    arguments: Vec<String>,
    pub port: u16,
}

impl Python {
    /// A shop of `FastAPI` under uvicorn.
    pub fn uvicorn(workers: u32) -> Self {
        Self::start_uvicorn(SHOP, workers)
    }

    /// An application with all features of `FastAPI`.
    pub fn fastapi() -> Self {
        Self::start_uvicorn(include_str!("apps/fastapi.py"), 1)
    }

    fn start_uvicorn(code: &str, workers: u32) -> Self {
        let port = free_port();
        let arguments = format!("-m uvicorn shop:app --log-level critical --port {port} --workers {workers}");
        Self::start(port, code, arguments.split(' ').map(ToOwned::to_owned).collect())
    }

    /// An application of several frameworks, whose threads, children and arguments have this secret.
    pub fn frameworks(secret: &str) -> Self {
        let port = free_port();
        let arguments = vec!["shop.py".to_owned(), port.to_string(), secret.to_owned()];
        Self::start(port, include_str!("apps/frameworks.py"), arguments)
    }

    /// Waits until it takes connections.
    pub async fn wait_until_listening(&self) {
        let taken = async {
            while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(Duration::from_secs(30), taken).await.expect("it starts");
    }

    /// A script, which gets its port as argument.
    pub fn script(code: &str) -> Self {
        let port = free_port();
        Self::start(port, code, vec!["shop.py".to_owned(), port.to_string()])
    }

    fn start(port: u16, code: &str, arguments: Vec<String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("shop.py"), code).expect("it can be written");
        let mut python = Self { process: None, group: 0, folder, arguments, port };
        python.restart();
        python
    }

    /// Starts it, at the same port.
    pub fn restart(&mut self) {
        let mut python = Command::new("python3");
        python.args(&self.arguments).current_dir(self.folder.path()).env("PYTHONPATH", packages());
        python.stdin(Stdio::null()).process_group(0);
        let process = python.spawn().expect("python3 starts");
        self.group = process.id().expect("it runs");
        self.process = Some(process);
    }

    /// The first of its processes.
    pub fn pid(&self) -> u32 {
        self.group
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its working directory.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Waits until the first of its processes has ended.
    pub async fn wait(&mut self) {
        self.process.take().expect("it runs").wait().await.expect("it ends");
    }

    /// Kills the first of its processes alone.
    pub async fn kill_parent(&mut self) {
        self.process.as_mut().expect("it runs").kill().await.expect("it ends");
    }

    /// Kills all its processes.
    pub async fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        kill_group(self.group);
        process.wait().await.expect("it ends");
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // The id of the group stays taken while any of its processes runs, also without the first.
        if self.process.is_some() {
            kill_group(self.group);
        }
    }
}

/// The folders of the frameworks.
fn packages() -> std::ffi::OsString {
    std::env::join_paths([tool("uvicorn"), tool("django"), tool("grpcio")]).expect("they have no colon")
}

fn kill_group(pid: u32) {
    // It fails if no process is left.
    let _ = std::process::Command::new("kill")
        .args(["-s", "KILL", "--", &format!("-{pid}")])
        .stderr(Stdio::null())
        .status();
}
