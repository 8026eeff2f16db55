//! A real mongod, also for the browser tests.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

/// A real mongod with its own port and folder, ended with the test.
pub struct Mongod {
    process: Option<Child>,
    folder: tempfile::TempDir,
    pub port: u16,
    arguments: Vec<String>,
    /// Names that only this server knows: its own `/etc/hosts`.
    hosts: Option<PathBuf>,
}

impl Mongod {
    pub async fn start(arguments: &[&str]) -> Self {
        let mut mongod = Self::new(arguments);
        mongod.restart().await;
        mongod
    }

    /// Starts it where `name` is its own address, as in a container. The rest of the machine does not know the name. `None`
    /// without the right to mount.
    pub async fn start_with_name(arguments: &[&str], name: &str) -> Option<Self> {
        let mut mongod = Self::new(arguments);
        let hosts = mongod.folder.path().join("hosts");
        std::fs::write(&hosts, format!("127.0.0.1 localhost {name}\n")).expect("it can be written");
        mongod.hosts = Some(hosts);
        let mut mount = mongod.command("true".as_ref());
        if !mount.stderr(Stdio::null()).status().await.is_ok_and(|status| status.success()) {
            return None;
        }
        mongod.restart().await;
        Some(mongod)
    }

    fn new(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self { process: None, folder, port: free_port(), arguments, hosts: None }
    }

    /// A command with the names that this server knows.
    fn command(&self, program: &Path) -> Command {
        let Some(hosts) = &self.hosts else { return Command::new(program) };
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", "mount --bind \"$0\" /etc/hosts && exec \"$@\""]).arg(hosts).arg(program);
        command
    }

    /// The address that it listens at: IPv6's, if it was started so.
    pub fn address(&self) -> IpAddr {
        let is_ipv6 = self.arguments.iter().any(|argument| argument == "--ipv6");
        if is_ipv6 { Ipv6Addr::LOCALHOST.into() } else { Ipv4Addr::LOCALHOST.into() }
    }

    /// Starts it, on the same port and data, and waits until it takes connections.
    pub async fn restart(&mut self) {
        let mut command = self.command(&tool("mongod"));
        command.args(["--wiredTigerCacheSizeGB", "0.25", "--quiet", "--bind_ip", &self.address().to_string()]);
        command.args(["--wiredTigerEngineConfigString", "log=(file_max=4MB,prealloc=false)"]);
        command.args(["--setParameter", "diagnosticDataCollectionEnabled=false"]).args(&self.arguments);
        command.arg("--port").arg(self.port.to_string()).arg("--dbpath").arg(self.folder.path());
        let process = command.stdout(Stdio::null()).kill_on_drop(true).spawn().expect("mongod starts");
        self.process = Some(process);
        let deadline = Instant::now() + Duration::from_secs(30);
        while tokio::net::TcpStream::connect((self.address(), self.port)).await.is_err() {
            let ended = self.process.as_mut().and_then(|process| process.try_wait().ok().flatten());
            assert!(ended.is_none(), "mongod has ended at port {}: {ended:?}", self.port);
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
        format!("mongodb://{}/?directConnection=true", SocketAddr::new(self.address(), self.port))
    }
}

/// A tool that `cargo xtask test` installs.
pub fn tool(name: &str) -> PathBuf {
    let tool = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/tools").join(name);
    assert!(tool.exists(), "{} is missing: run the tests by `cargo xtask test`", tool.display());
    tool
}

/// A free port of this machine, below those that connections get: it stays free until it is used.
pub fn free_port() -> u16 {
    let mut ports = std::iter::repeat_with(|| fastrand::u16(10_000..32_000));
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("one of them is free")
}

/// Sends a signal by its name to a process.
pub async fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &pid.to_string()]).status().await.expect("kill");
    assert!(sent.success());
}
