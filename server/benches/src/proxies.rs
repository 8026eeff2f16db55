//! The binary as a proxy beside nginx and haproxy, in front of the same application: an nginx that answers at once.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::calls::median;

const ROUNDS: usize = 7;
const SECONDS: u64 = 4;
const MIB: f64 = 1_048_576.0;
/// Connections that begin a request and never end it.
const SLOW: usize = 5_000;

const NGINX: &str = "daemon off; error_log stderr crit; pid FOLDER/PORT.pid; worker_processes WORKERS;
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

/// What wrk and the kernel say of one load.
struct Load {
    per_second: f64,
    p99_us: f64,
    /// CPU time of the proxy for each request.
    cpu_us: f64,
}

/// A table of the three, by medians over rounds in which they take turns.
pub(crate) fn all() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let application = nginx(folder.path(), 1, 0, ANSWER)?;
    let proxies = [
        ("nginx", nginx(folder.path(), 2, application.port, PASS)?),
        ("haproxy", haproxy(folder.path(), application.port)?),
        ("**Watchboard**", watchboard(application.port)?),
    ];
    let mut loads: Vec<Vec<Load>> = proxies.iter().map(|_| vec![]).collect();
    for round in 0..ROUNDS {
        for step in 0..proxies.len() {
            let index = (round + step) % proxies.len();
            loads[index].push(proxies[index].1.load(SECONDS)?);
        }
        println!("    round {} of {ROUNDS}", round + 1);
    }
    println!(
        "\n| proxy | requests a second | p99 | CPU time a request | throughput per core, of nginx's | p99, of nginx's |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    for (index, (name, _)) in proxies.iter().enumerate() {
        let middle = |read: fn(&Load) -> f64| median(loads[index].iter().map(read).collect());
        let share = |read: fn(&Load, &Load) -> f64| {
            median(loads[index].iter().zip(&loads[0]).map(|(own, first)| read(own, first)).collect())
        };
        println!(
            "| {name} | {:.0} | {:.2} ms | {:.1} µs | {:.2} | {:.2} |",
            middle(|load| load.per_second),
            middle(|load| load.p99_us) / 1000.0,
            middle(|load| load.cpu_us),
            share(|own, first| first.cpu_us / own.cpu_us),
            share(|own, first| own.p99_us / first.p99_us),
        );
    }
    Ok(())
}

/// What others feel of thousands of connections that begin a request and never end it.
pub(crate) fn slow_heads() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let application = nginx(folder.path(), 1, 0, ANSWER)?;
    let proxy = watchboard(application.port)?;
    let calm = proxy.load(SECONDS)?;
    let mut slow = vec![];
    for _ in 0..SLOW {
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port))?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")?;
        slow.push(stream);
    }
    println!("    {SLOW} connections have begun a request");
    let pressed = proxy.load(SECONDS)?;
    let [calm, pressed] = [calm.p99_us, pressed.p99_us];
    println!(
        "p99 calm {:.2} ms, beside {SLOW} slow heads {:.2} ms: {:.2} times",
        calm / 1e3,
        pressed / 1e3,
        pressed / calm
    );
    let began = Instant::now();
    let left = loop {
        // Each is closed when its time is over.
        slow.retain_mut(|stream| {
            let _ = stream.set_nonblocking(true);
            matches!(stream.read(&mut [0; 512]), Err(error) if error.kind() == ErrorKind::WouldBlock)
        });
        if slow.is_empty() || began.elapsed() > Duration::from_mins(2) {
            break slow.len();
        }
        thread::sleep(Duration::from_millis(200));
    };
    println!("    {left} of them are still open {:.0} s later", began.elapsed().as_secs_f64());
    Ok(())
}

/// Resident memory after each of some hundred thousands of requests.
pub(crate) fn soak(requests: u64) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let application = nginx(folder.path(), 1, 0, ANSWER)?;
    let proxy = watchboard(application.port)?;
    let (mut done, mut first) = (0, None);
    while done < requests {
        let load = proxy.load(SECONDS)?;
        done += (load.per_second * SECONDS as f64) as u64;
        let rss = proxy.resident_bytes()?;
        let first = *first.get_or_insert(rss);
        println!("    {done} requests: {:.1} MiB, {:+.2} MiB", rss as f64 / MIB, (rss as f64 - first as f64) / MIB);
    }
    Ok(())
}

fn nginx(folder: &Path, workers: u32, upstream: u16, content: &str) -> Result<Proxy> {
    let port = free_port()?;
    let text = NGINX
        .replace("CONTENT", content)
        .replace("FOLDER", &folder.to_string_lossy())
        .replace("WORKERS", &workers.to_string())
        .replace("UPSTREAM", &if upstream == 0 { port } else { upstream }.to_string())
        .replace("PORT", &port.to_string());
    let file = folder.join(format!("nginx-{port}.conf"));
    fs::write(&file, text)?;
    let mut command = Command::new("nginx");
    command.arg("-e").arg("stderr").arg("-c").arg(file);
    Proxy::start(command, port)
}

fn haproxy(folder: &Path, upstream: u16) -> Result<Proxy> {
    let port = free_port()?;
    let file = folder.join("haproxy.cfg");
    fs::write(&file, HAPROXY.replace("UPSTREAM", &upstream.to_string()).replace("PORT", &port.to_string()))?;
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(file);
    Proxy::start(command, port)
}

fn watchboard(upstream: u16) -> Result<Proxy> {
    let port = free_port()?;
    let own = std::env::current_exe().context("the program's own path")?;
    let mut command = Command::new(own.with_file_name("watchboard"));
    command.args(["--listen", "127.0.0.1:0", "--upstream", &format!("http://127.0.0.1:{upstream}")]);
    command.args(["--proxy-listen", &format!("127.0.0.1:{port}")]);
    Proxy::start(command, port)
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A server, ended with its owner.
struct Proxy {
    process: Child,
    port: u16,
}

impl Proxy {
    fn start(mut command: Command, port: u16) -> Result<Self> {
        let process = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn();
        let process = process.with_context(|| format!("cannot start {command:?}"))?;
        let proxy = Self { process, port };
        for _ in 0..100 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(proxy);
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("{command:?} does not listen")
    }

    fn load(&self, seconds: u64) -> Result<Load> {
        let before = self.cpu_seconds()?;
        let mut wrk = Command::new("wrk");
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
                Ok(Load { per_second, p99_us, cpu_us: cpu * 1e6 / requests })
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

    fn resident_bytes(&self) -> Result<u64> {
        let statm = fs::read_to_string(format!("/proc/{}/statm", self.process.id()))?;
        let pages: u64 = statm.split(' ').nth(1).context("a size")?.parse()?;
        Ok(pages * rustix::param::page_size() as u64)
    }
}

impl Drop for Proxy {
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
