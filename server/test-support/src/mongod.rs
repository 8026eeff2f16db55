//! A real mongod, also for the browser tests.

use std::{net::TcpListener, path::PathBuf, process::Stdio, time::Duration};

use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

/// A real mongod with its own port and folder, ended with the test.
pub struct Mongod {
    process: Option<Child>,
    folder: tempfile::TempDir,
    pub port: u16,
    arguments: Vec<&'static str>,
}

impl Mongod {
    pub async fn start(arguments: &[&'static str]) -> Self {
        let port = free_port();
        let folder = tempfile::tempdir().expect("a folder");
        let mut mongod = Self { process: None, folder, port, arguments: arguments.to_vec() };
        mongod.restart().await;
        mongod
    }

    /// Starts it, on the same port and data, and waits until it takes connections.
    pub async fn restart(&mut self) {
        let mut command = Command::new(tool("mongod"));
        command.args(["--bind_ip", "127.0.0.1", "--wiredTigerCacheSizeGB", "0.25", "--quiet"]);
        command.args(["--wiredTigerEngineConfigString", "log=(file_max=4MB,prealloc=false)"]);
        command.args(["--setParameter", "diagnosticDataCollectionEnabled=false"]).args(&self.arguments);
        command.arg("--port").arg(self.port.to_string()).arg("--dbpath").arg(self.folder.path());
        let process = command.stdout(Stdio::null()).kill_on_drop(true).spawn().expect("mongod starts");
        self.process = Some(process);
        let deadline = Instant::now() + Duration::from_secs(30);
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            assert!(Instant::now() < deadline, "mongod takes no connections");
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn kill(&mut self) {
        self.process.take().expect("it runs").kill().await.expect("it ends");
    }

    /// Sends a signal by name: `STOP`, `CONT`.
    pub async fn signal(&self, name: &str) {
        signal(self.process.as_ref().and_then(Child::id).expect("it runs"), name).await;
    }

    pub fn uri(&self) -> String {
        format!("mongodb://127.0.0.1:{}/?directConnection=true", self.port)
    }
}

/// A tool that `cargo xtask test` installs.
pub fn tool(name: &str) -> PathBuf {
    let tool = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/tools").join(name);
    assert!(tool.exists(), "{} is missing: run the tests by `cargo xtask test`", tool.display());
    tool
}

/// A free port of this machine.
pub fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    free.local_addr().expect("an address").port()
}

/// Sends a signal by its name to a process.
pub async fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &pid.to_string()]).status().await.expect("kill");
    assert!(sent.success());
}
