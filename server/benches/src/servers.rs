//! What is measured: proxies, and the applications behind them.

use std::{
    ffi::OsStr,
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};

/// Where a server runs. Whoever asks has the other core.
#[derive(Clone, Copy)]
pub(crate) enum Core {
    /// What is measured has a core for itself.
    Own,
    Other,
}

const NGINX: &str = "daemon off; error_log stderr crit; pid FOLDER/PORT.pid; worker_processes 1;
worker_rlimit_nofile 20000;
events { worker_connections 8192; }
http {
    access_log off; keepalive_requests 100000000;
    client_body_temp_path FOLDER; proxy_temp_path FOLDER; fastcgi_temp_path FOLDER; uwsgi_temp_path FOLDER; scgi_temp_path FOLDER;
    upstream application { server 127.0.0.1:UPSTREAM; keepalive 128; keepalive_requests 100000000; }
    server {
        listen 127.0.0.1:PORT;
        location / { CONTENT }
    }
}
";
const ANSWER: &str = "default_type application/json; return 200 '{\"id\":42,\"name\":\"a user of the shop\",\"mail\":\"ada@example.org\"}';";
const PASS: &str = "proxy_pass http://application; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header Host $host;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;";
const HAPROXY: &str = "global
  maxconn 8192
defaults
  mode http
  option forwardfor
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen application
  bind 127.0.0.1:PORT
  http-reuse always
  server one 127.0.0.1:UPSTREAM
";

/// Where `cargo xtask bench` installs what the application needs.
const FASTAPI: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/tools/fastapi_middlewares");

/// By the binary's own parameters.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// What wrk and the kernel say of one load.
pub(crate) struct Load {
    pub(crate) per_second: f64,
    pub(crate) p99_us: f64,
    /// CPU time of the proxy for each request.
    pub(crate) cpu_us: f64,
    pub(crate) requests: u64,
}

/// Answers at once.
pub(crate) fn application(folder: &Path) -> Result<Server> {
    nginx(folder, Core::Other, 0, ANSWER)
}

/// An application of `FastAPI`, with one of the middlewares that its file names.
pub(crate) fn fastapi(middleware: &str) -> Result<Server> {
    let port = free_port()?;
    let mut command = on_core(Core::Own, "python3");
    command.args(["-m", "uvicorn", "fastapi_application:app", "--no-access-log", "--port", &port.to_string()]);
    let folders = [concat!(env!("CARGO_MANIFEST_DIR"), "/src"), FASTAPI].join(":");
    command.env("PYTHONPATH", folders).env("MIDDLEWARE", middleware);
    Server::start(command, port)
}

pub(crate) fn nginx_proxy(folder: &Path, core: Core, application: &Server) -> Result<Server> {
    nginx(folder, core, application.port, PASS)
}

fn nginx(folder: &Path, core: Core, upstream: u16, content: &str) -> Result<Server> {
    let port = free_port()?;
    let text = NGINX
        .replace("CONTENT", content)
        .replace("FOLDER", &folder.to_string_lossy())
        .replace("UPSTREAM", &if upstream == 0 { port } else { upstream }.to_string())
        .replace("PORT", &port.to_string());
    let file = folder.join(format!("nginx-{port}.conf"));
    fs::write(&file, text)?;
    let mut command = on_core(core, "nginx");
    command.arg("-e").arg("stderr").arg("-c").arg(file);
    Server::start(command, port)
}

pub(crate) fn haproxy(folder: &Path, core: Core, application: &Server) -> Result<Server> {
    let port = free_port()?;
    let file = folder.join("haproxy.cfg");
    let text = HAPROXY.replace("UPSTREAM", &application.port.to_string()).replace("PORT", &port.to_string());
    fs::write(&file, text)?;
    let mut command = on_core(core, "haproxy");
    command.arg("-db").arg("-f").arg(file);
    Server::start(command, port)
}

/// The binary, with its board behind a password.
pub(crate) fn watchboard(core: Core, application: &Server) -> Result<Server> {
    let (port, board) = (free_port()?, free_port()?);
    let own = std::env::current_exe().context("the program's own path")?;
    let mut command = on_core(core, own.with_file_name("watchboard"));
    command.args(["--listen", &format!("127.0.0.1:{board}"), "--proxy-listen", &format!("127.0.0.1:{port}")]);
    command.args(["--upstream", &format!("http://127.0.0.1:{}", application.port)]);
    command.env("WATCHBOARD_PASSWORD", PASSWORD);
    let mut server = Server::start(command, port)?;
    server.board = Some(board);
    Ok(server)
}

fn on_core(core: Core, program: impl AsRef<OsStr>) -> Command {
    let number = match core {
        Core::Own => "0",
        Core::Other => "1",
    };
    let mut command = Command::new("taskset");
    command.args(["-c", number]).arg(program);
    command
}

pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A server, ended with its owner.
pub(crate) struct Server {
    process: Child,
    pub(crate) port: u16,
    /// Where its board is, if it has one.
    pub(crate) board: Option<u16>,
}

impl Server {
    fn start(mut command: Command, port: u16) -> Result<Self> {
        let process = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn();
        let process = process.with_context(|| format!("cannot start {command:?}"))?;
        let server = Self { process, port, board: None };
        for _ in 0..100 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(server);
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("{command:?} does not listen")
    }

    pub(crate) fn load(&self, seconds: u64) -> Result<Load> {
        let before = self.cpu_seconds()?;
        let mut wrk = on_core(Core::Other, "wrk");
        wrk.args(["-t1", "-c32", "--latency", "-d", &format!("{seconds}s")]);
        let output =
            wrk.arg(format!("http://127.0.0.1:{}/users/42", self.port)).output().context("cannot start wrk")?;
        let cpu = self.cpu_seconds()? - before;
        let said = String::from_utf8_lossy(&output.stdout);
        let after = |name: &str| said.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::trim);
        let requests: Option<f64> = said
            .lines()
            .find_map(|line| line.trim().split_once(" requests in "))
            .and_then(|(count, _)| count.parse().ok());
        match (after("Requests/sec:").and_then(|rate| rate.parse().ok()), after("99%").and_then(microseconds), requests)
        {
            (Some(per_second), Some(p99_us), Some(requests)) if !said.contains("Non-2xx") => {
                Ok(Load { per_second, p99_us, cpu_us: cpu * 1e6 / requests, requests: requests as u64 })
            }
            _ => bail!("wrk failed: {said}"),
        }
    }

    /// CPU time of the process and its children.
    fn cpu_seconds(&self) -> Result<f64> {
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.process.id()))?;
        let own = self.process.id().to_string();
        let mut ticks = 0.0;
        for pid in children.split_whitespace().chain([own.as_str()]) {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            ticks += fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        }
        Ok(ticks / rustix::param::clock_ticks_per_second() as f64)
    }

    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        let statm = fs::read_to_string(format!("/proc/{}/statm", self.process.id()))?;
        let pages: u64 = statm.split(' ').nth(1).context("a size")?.parse()?;
        Ok(pages * rustix::param::page_size() as u64)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // By a signal that nginx takes its workers along with.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

/// A time as wrk writes it: `1.65ms`.
fn microseconds(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let factor = match &text[digits.len()..] {
        "us" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        _ => return None,
    };
    Some(digits.parse::<f64>().ok()? * factor)
}
