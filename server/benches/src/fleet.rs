//! A fleet of processes before one application with known times: its sums and percentiles beside those of the load itself.

use std::{
    collections::BTreeMap,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
use axum::{
    Router,
    extract::{Query, Request},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::sleep,
};

use crate::servers::free_port;

const ENDPOINTS: usize = 200;
/// Connections to each instance, and the requests of each connection.
const CONNECTIONS: usize = 8;
const REQUESTS: usize = 40;
/// The application answers after a time between these. Around each percentile there are many.
const TIMES_MS: std::ops::Range<u64> = 200..1_000;
/// Figures are written and merged within this time.
const WITHIN: Duration = Duration::from_mins(1);

/// A request as its client saw it.
struct Answered {
    at: SystemTime,
    endpoint: usize,
    us: u64,
}

struct Instance {
    process: Child,
    proxy: u16,
    board: u16,
}

impl Instance {
    fn start(uri: &str, name: &str, application: u16) -> Result<Self> {
        let (proxy, board) = (free_port()?, free_port()?);
        let own = std::env::current_exe().context("the program's own path")?;
        let routes: Vec<String> = (0..ENDPOINTS).map(|number| format!("/endpoint{number}/{{id}}")).collect();
        let mut command = Command::new(own.with_file_name("watchboard"));
        command.args(["--open", "--no-history", "--log", "off", "--fleet", uri, "--instance", name]);
        command.args(["--listen", &format!("127.0.0.1:{board}"), "--proxy-listen", &format!("127.0.0.1:{proxy}")]);
        command.args(["--upstream", &format!("http://127.0.0.1:{application}")]);
        command.env("WATCHBOARD_ROUTE", routes.join(",")).env("TOKIO_WORKER_THREADS", "1");
        let process = command.stdin(Stdio::null()).spawn().context("the watchboard program is built first")?;
        Ok(Self { process, proxy, board })
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.board)).await?;
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").as_bytes())
            .await?;
        let mut answer = vec![];
        stream.read_to_end(&mut answer).await?;
        let body = answer.windows(4).position(|four| four == b"\r\n\r\n").context("an answer")?;
        Ok(serde_json::from_slice(&answer[body + 4..])?)
    }

    /// Asks until it holds.
    async fn wait(&self, path: &str, holds: impl Fn(&Value) -> bool) -> Result<(Value, Duration)> {
        let started = Instant::now();
        loop {
            let told = self.get(path).await.unwrap_or_default();
            if holds(&told) {
                return Ok((told, started.elapsed()));
            }
            ensure!(started.elapsed() < WITHIN, "not within {WITHIN:?}: {path} says {told}");
            sleep(Duration::from_millis(300)).await;
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs so many instances, and prints what their board tells of all beside what the load has counted and measured.
pub(crate) async fn processes(uri: &str, count: usize) -> Result<()> {
    let application = start_application()?;
    let start = |number| Instance::start(uri, &format!("instance-{number}"), application);
    let mut instances = (0..count).map(start).collect::<Result<Vec<_>>>()?;
    let all_run = |told: &Value| told["instances"].as_array().is_some_and(|all| all.len() >= count);
    instances[0].wait("/health?instance=all", all_run).await?;
    let from = unix_ms(SystemTime::now()) / 1000;
    let span = format!("/health?instance=all&from={}&to={}", from - 60, from + 36_000);
    let mut answered = load(&instances, CONNECTIONS, REQUESTS).await?;
    let is_total = |requests: usize| move |told: &Value| told["application"]["total_requests"] == requests;
    let (told, after) = instances[0].wait(&span, is_total(answered.len())).await?;
    println!("requests of all: {0} of {0}, {1:.1} s after the last", answered.len(), after.as_secs_f64());
    let mut counts = BTreeMap::<usize, usize>::new();
    for one in &answered {
        *counts.entry(one.endpoint).or_default() += 1;
    }
    let right = counts.iter().filter(|(endpoint, requests)| {
        told["application"]["endpoints"][format!("GET /endpoint{endpoint}/{{id}}")] == **requests
    });
    println!("endpoints whose requests are exact: {} of {}", right.count(), counts.len());
    windows(&instances[0], &answered).await?;

    let killed = instances.len().min(10) / 3;
    for instance in &mut instances[1..=killed] {
        instance.process.kill()?;
    }
    let gone = |told: &Value| {
        let states = told["instances"].as_array().into_iter().flatten();
        states.filter(|instance| instance["status"] == "gone").count() >= killed
    };
    let (_, after) = instances[0].wait("/health?instance=all", gone).await?;
    println!("{killed} killed: told as gone after {:.1} s", after.as_secs_f64());
    instances[0].wait(&span, is_total(answered.len())).await?;
    for (number, instance) in instances.iter_mut().enumerate().take(killed + 1).skip(1) {
        *instance = start(number)?;
    }
    let none_gone = |told: &Value| told["status"] == "healthy";
    instances[0].wait("/health?instance=all", none_gone).await?;
    answered.extend(load(&instances[1..=killed], 2, 5).await?);
    instances[0].wait(&span, is_total(answered.len())).await?;
    instances[0].wait("/health?instance=all", is_total(answered.len())).await?;
    println!("started again: {0} of {0} requests", answered.len());
    Ok(())
}

/// The application has a thread of its own: it answers in time while the clients are busy.
fn start_application() -> Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::spawn(move || {
        runtime.block_on(async {
            axum::serve(TcpListener::from_std(listener)?, Router::new().fallback(answer_after)).await
        })
    });
    Ok(port)
}

/// The percentiles of each window of ten seconds beside those of the load's own times.
async fn windows(instance: &Instance, answered: &[Answered]) -> Result<()> {
    let export = "/export?view=overview&format=json&table=timeline&instance=all&window=15m";
    let told = instance.get(export).await?;
    let rows = told["tables"]["timeline"].as_array().context("a timeline")?;
    let mut worst = [0.0_f64; 3];
    let in_window =
        |begins: u64| answered.iter().filter(move |one| (begins..begins + 10).contains(&(unix_ms(one.at) / 1000)));
    let begins = |row: &Value| row["begins_unix_seconds"].as_u64().unwrap_or_default();
    let most = rows.iter().map(|row| in_window(begins(row)).count()).max().unwrap_or_default();
    println!("| window | requests | p50 | p95 | p99, of the board beside the load |\n| --- | --- | --- | --- | --- |");
    for row in rows {
        let mut us: Vec<u64> = in_window(begins(row)).map(|one| one.us).collect();
        // In the first and the last one, those near its end are many of them.
        if us.len() < most / 4 {
            continue;
        }
        us.sort_unstable();
        let ratios = [(50, "p50"), (95, "p95"), (99, "p99")].map(|(percent, name)| {
            let raw = us[(us.len() * percent).div_ceil(100) - 1];
            row[format!("latency_{name}_us")].as_f64().unwrap_or_default() / raw as f64
        });
        for (worst, ratio) in worst.iter_mut().zip(ratios) {
            *worst = worst.max((ratio - 1.0).abs());
        }
        println!("| {} | {} | {:.4} | {:.4} | {:.4} |", begins(row), us.len(), ratios[0], ratios[1], ratios[2]);
    }
    // A request near the end of a window is in the next one, if the instance sees its second end before.
    println!("the farthest: {:.2} %, {:.2} %, {:.2} %", worst[0] * 100.0, worst[1] * 100.0, worst[2] * 100.0);
    Ok(())
}

/// Sends requests over several connections to each instance.
async fn load(instances: &[Instance], connections: usize, requests: usize) -> Result<Vec<Answered>> {
    let mut clients = JoinSet::new();
    for (number, proxy) in instances.iter().flat_map(|instance| vec![instance.proxy; connections]).enumerate() {
        clients.spawn(client(proxy, number, requests));
    }
    let mut answered = vec![];
    while let Some(client) = clients.join_next().await {
        answered.extend(client??);
    }
    Ok(answered)
}

async fn client(proxy: u16, number: usize, requests: usize) -> Result<Vec<Answered>> {
    // Four hundred that begin at once would wait for each other.
    sleep(Duration::from_millis(fastrand::u64(0..TIMES_MS.end))).await;
    let mut stream = TcpStream::connect(("127.0.0.1", proxy)).await?;
    let mut answered = vec![];
    for request in 0..requests {
        let endpoint = (number * requests + request) % ENDPOINTS;
        let ms = fastrand::u64(TIMES_MS);
        let started = Instant::now();
        let head = format!("GET /endpoint{endpoint}/{request}?ms={ms} HTTP/1.1\r\nHost: shop\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        let mut answer = vec![0; 4_096];
        let mut read = 0;
        while !answer[..read].ends_with(b"\r\n\r\nok") {
            let more = stream.read(&mut answer[read..]).await?;
            ensure!(more > 0, "{}", String::from_utf8_lossy(&answer[..read]));
            read += more;
        }
        answered.push(Answered { at: SystemTime::now(), endpoint, us: started.elapsed().as_micros() as u64 });
    }
    Ok(answered)
}

async fn answer_after(Query(query): Query<BTreeMap<String, u64>>, _: Request) -> &'static str {
    sleep(Duration::from_millis(query.get("ms").copied().unwrap_or_default())).await;
    "ok"
}

fn unix_ms(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}
