//! What listening to a MongoDB client costs: the listener's own code, and the decoding that the driver does for whoever listens. On a real
//! mongod, which `cargo xtask bench` installs.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use axum::http::request::Parts;
use mongodb::{
    Client, Collection,
    bson::{Document, doc},
    event::EventHandler,
    options::ClientOptions,
};
use watchboard::Monitor;

const ROUNDS: usize = 60;
/// Questions of a round, for one document and for a thousand.
const SMALL: usize = 50;
const LARGE: usize = 2;
const LARGE_DOCUMENTS: i64 = 1_000;
/// How long the last figures may take to reach `/health`.
const SETTLED_WITHIN: Duration = Duration::from_mins(1);
/// Operations that are under way at once when they are given up.
const AT_ONCE: usize = 12;

struct Mongod {
    process: Child,
    folder: PathBuf,
    uri: String,
}

impl Mongod {
    fn start() -> Result<Self> {
        let tool = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/mongod");
        let free = std::net::TcpListener::bind("127.0.0.1:0")?;
        let port = free.local_addr()?.port();
        drop(free);
        let folder = std::env::temp_dir().join(format!("watchboard-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let process = Command::new(&tool)
            .args(["--bind_ip", "127.0.0.1", "--quiet", "--wiredTigerCacheSizeGB", "0.25", "--port", &port.to_string()])
            .arg("--dbpath")
            .arg(&folder)
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("{} does not start", tool.display()))?;
        Ok(Self { process, folder, uri: format!("mongodb://127.0.0.1:{port}/?directConnection=true") })
    }
}

impl Drop for Mongod {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn documents(client: &Client) -> Collection<Document> {
    client.database("bench").collection("documents")
}

async fn options(mongod: &Mongod) -> Result<ClientOptions> {
    Ok(ClientOptions::parse(&mongod.uri).await?)
}

/// A document of 1 KB in twenty fields.
fn document(number: i64) -> Document {
    let mut document = doc! { "_id": number };
    document.extend((0..20).map(|field| (format!("field_{field}"), "x".repeat(34).into())));
    document
}

async fn find(collection: &Collection<Document>, documents: i64) -> Result<Duration> {
    let started = Instant::now();
    let mut cursor = collection.find(doc! {}).limit(documents).batch_size(documents as u32).await?;
    while cursor.advance().await? {}
    Ok(started.elapsed())
}

/// What the handlers of a client's commands and of its pool take for one command, of many: the median, and the 99th percentile. They drop
/// the events too, so that the document is small.
async fn own_code(options: ClientOptions) -> Result<[Duration; 2]> {
    let spent = Arc::new(AtomicU64::new(0));
    let mut listened = options;
    listened.command_event_handler = timed_handler(listened.command_event_handler, &spent);
    listened.cmap_event_handler = timed_handler(listened.cmap_event_handler, &spent);
    let collection = documents(&Client::with_options(listened)?);
    let mut times = vec![];
    for _ in 0..20_000 {
        collection.find_one(doc! { "_id": 7_i64 }).projection(doc! { "_id": 1 }).await?;
        times.push(Duration::from_nanos(spent.swap(0, Relaxed)));
    }
    times.sort_unstable();
    Ok([times[times.len() / 2], times[times.len() / 100 * 99]])
}

/// A handler whose time is added up.
fn timed_handler<T: 'static>(handler: Option<EventHandler<T>>, spent: &Arc<AtomicU64>) -> Option<EventHandler<T>> {
    let Some(EventHandler::Callback(handler)) = handler else { return None };
    let spent = Arc::clone(spent);
    Some(EventHandler::Callback(Arc::new(move |event| {
        let started = Instant::now();
        handler(event);
        spent.fetch_add(started.elapsed().as_nanos() as u64, Relaxed);
    })))
}

pub(crate) async fn all() -> Result<()> {
    let mongod = Mongod::start()?;
    let plain = Client::with_options(options(&mongod).await?)?;
    documents(&plain).insert_many((0..LARGE_DOCUMENTS).map(document)).await?;
    let monitor = Monitor::builder().build();
    let [median, p99] = own_code(monitor.listen(options(&mongod).await?)).await?;
    println!("\nthe handlers of a find of one small document, all events together: p50 {median:?}, p99 {p99:?}");
    let mut dropping = options(&mongod).await?;
    dropping.command_event_handler = Some(EventHandler::callback(drop));
    dropping.cmap_event_handler = Some(EventHandler::callback(drop));
    let [median, p99] = own_code(dropping).await?;
    println!("handlers that only drop the same events: p50 {median:?}, p99 {p99:?}");

    let mut empty = options(&mongod).await?;
    empty.command_event_handler = Some(EventHandler::callback(drop));
    let clients = [
        documents(&plain),
        documents(&Client::with_options(empty)?),
        documents(&Client::with_options(monitor.listen(options(&mongod).await?))?),
    ];
    println!("\n| a find of | nobody listens | an empty handler | Watchboard |\n| --- | --- | --- | --- |");
    for (name, wanted, questions) in [("1 KB", 1, SMALL), ("1 MB in 1,000 documents", LARGE_DOCUMENTS, LARGE)] {
        let mut rounds = [const { vec![] }; 3];
        for _ in 0..ROUNDS {
            for (client, rounds) in clients.iter().zip(&mut rounds) {
                let mut took = Duration::ZERO;
                for _ in 0..questions {
                    took += find(client, wanted).await?;
                }
                rounds.push(took / questions as u32);
            }
        }
        let medians = rounds.map(|mut rounds| {
            rounds.sort_unstable();
            rounds[ROUNDS / 2].as_secs_f64() * 1e6
        });
        let [none, empty, ours] = medians;
        println!("| {name} | {none:.0} µs | {:+.0} µs | {:+.0} µs |", empty - none, ours - none);
    }
    Ok(())
}

/// Gives up so many operations in the middle, and says what is left of them; of a client that is listened to, and of one that is not.
pub(crate) async fn cancelled(operations: usize, listened: bool) -> Result<()> {
    let mongod = Mongod::start()?;
    let monitor: &'static Monitor = Box::leak(Box::new(Monitor::builder().access(|_: &Parts| true).build()));
    let options = options(&mongod).await?;
    let client = Client::with_options(if listened { monitor.listen(options) } else { options })?;
    let collection = documents(&client);
    collection.insert_one(document(7)).await?;
    let round = |operations: usize| {
        let tasks: Vec<_> = (0..AT_ONCE)
            .map(|task| {
                let collection = collection.clone();
                tokio::spawn(async move {
                    for operation in 0..operations / AT_ONCE {
                        // By polls and not by time, since an operation takes less than a timer can tell.
                        let polls = 1 + (task + operation) % 4;
                        give_up_after(polls, collection.find_one(doc! { "_id": 7_i64 }).into_future()).await;
                    }
                })
            })
            .collect();
        async move {
            for task in tasks {
                task.await?;
            }
            anyhow::Ok(())
        }
    };
    // Long enough for the allocator to have seen it all: what comes after is drift.
    round(operations / 5).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = rss()?;
    let started = Instant::now();
    round(operations).await?;
    let took = started.elapsed();
    if !listened {
        tokio::time::sleep(Duration::from_secs(3)).await;
        println!("nobody listened: {operations} operations, RSS {before} KiB before, {} KiB after", rss()?);
        return Ok(());
    }
    let health = settled_health(monitor).await?;
    let (start, _) = health.split_once("\"pools\"").context("no pools")?;
    println!("{operations} operations in {took:?}: RSS {before} KiB before, {} KiB after", rss()?);
    println!("{}", start.split_once("\"commands\"").context("no commands")?.1);
    Ok(())
}

/// Drops an operation when it has been polled so often, wherever it is then.
async fn give_up_after<F: Future + Unpin>(polls: usize, mut operation: F) {
    let mut left = polls;
    std::future::poll_fn(|context| {
        left -= 1;
        let is_over = std::pin::Pin::new(&mut operation).poll(context).is_ready() || left == 0;
        if is_over { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

fn rss() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS")).context("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).context("no number")?.parse()?)
}

/// `/health`, once its figures are of a tick after all operations: a busy machine may be late with it.
async fn settled_health(monitor: &Monitor) -> Result<String> {
    let deadline = Instant::now() + SETTLED_WITHIN;
    let commands = |health: &str| Some(health.split_once("\"commands\"")?.1.split_once("\"pools\"")?.0.to_owned());
    let mut before = None;
    loop {
        let health = health(monitor).await?;
        let now = commands(&health);
        if now.is_some() && now == before {
            return Ok(health);
        }
        anyhow::ensure!(
            Instant::now() < deadline,
            "the commands are not in /health after {SETTLED_WITHIN:?}: {health}"
        );
        before = now;
        // Two ticks.
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

async fn health(monitor: &Monitor) -> Result<String> {
    use http_body_util::BodyExt;
    use tower_service::Service;
    let request = axum::extract::Request::get("/health").body(axum::body::Body::empty())?;
    let response = monitor.dashboard().call(request).await?;
    Ok(String::from_utf8_lossy(&response.into_body().collect().await?.to_bytes()).into_owned())
}
