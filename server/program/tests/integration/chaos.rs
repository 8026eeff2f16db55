//! Faults at random, one after another, with traffic: a dead or frozen database, application and log reader, strangers, tunnels, slow heads, few
//! descriptors, a disk that hangs, a clock that is set. After each one the counts equal the clients', the status tells the truth, all threads live, and descriptors and memory return.
//! `/health` never says "healthy" with figures older than five seconds.
//!
//! A minute with the other tests; for longer, or the same faults once more:
//! `CHAOS_SECONDS=600 CHAOS_SEED=7 cargo test -p watchboard-cli --test integration chaos -- --nocapture`

mod faults;
mod traffic;

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{
    process::Command,
    task::JoinHandle,
    time::{sleep, timeout},
};
use watchboard_test_support::{Binary, FaultyProxy, FuseMount, Mongod, Node, TestClient, WallClock, binary_path};

use self::{faults::FAULTS, traffic::Traffic};

/// Where nobody says for how long.
const SHORT: u64 = 60;
/// The status has to tell the truth within five seconds. The rest is for a busy machine.
const WITHIN: Duration = Duration::from_secs(10);
/// `/health` may say "healthy" for so long without new figures: five seconds, and the time of the poll.
const STALE: Duration = Duration::from_secs(6);
/// Descriptors beyond those at the start: idle connections to the application, and the pollers' own.
const SPARE_DESCRIPTORS: usize = 40;
/// Memory beyond that after the first faults.
const SPARE_BYTES: u64 = 48 << 20;

/// The board with all that it watches.
struct World {
    binary: Binary,
    proxy: SocketAddr,
    node: Option<Node>,
    mongod: Mongod,
    network: FaultyProxy,
    /// A file system that can hang, and the board's wall clock, where the machine has them.
    mount: Option<FuseMount>,
    clock: Option<WallClock>,
    /// The process that reads the board's log.
    log_reader: u32,
    rng: fastrand::Rng,
    /// Requests of faults that the board has to count, beside the traffic's.
    counted: u64,
}

impl World {
    async fn start(seed: u64) -> Self {
        let (node, mongod) = (Node::start().await, Mongod::start(&[]).await);
        let network = FaultyProxy::start(mongod.port);
        let (mount, clock) = (FuseMount::new().await, WallClock::new("+0"));
        let mut command = mount.as_ref().map_or_else(|| Command::new("bash"), |mount| mount.command("bash"));
        if let Some(clock) = &clock {
            clock.give_to(&mut command);
        }
        // The log goes through a process of its own, which can be stopped.
        command.args(["-c", "exec 2> >(exec cat >&2); echo \"log reader $!\" >&2; exec \"$0\" \"$@\""]);
        command.arg(binary_path()).args(["--upstream", &format!("http://127.0.0.1:{}", node.port)]);
        command.args(["--proxy-listen", "127.0.0.1:0", "--mongodb-uri", &network.uri(), "--log", "debug", "--open"]);
        command.stderr(Stdio::piped()).kill_on_drop(true);
        let binary = Binary::from_command(command).await;
        let reader = binary.log_lines("log reader ");
        let log_reader = reader[0].rsplit(' ').next().and_then(|pid| pid.parse().ok()).expect("its id");
        let proxy = binary.proxy.expect("it stands in front");
        let rng = fastrand::Rng::with_seed(seed);
        Self { binary, proxy, node: Some(node), mongod, network, mount, clock, log_reader, rng, counted: 0 }
    }

    /// Waits until `/health` fulfils the condition. The failure names what was awaited.
    async fn wait_for(&self, what: &str, holds: impl Fn(&Value) -> bool) {
        let (started, mut last) = (Instant::now(), Value::Null);
        while started.elapsed() < WITHIN {
            let answer = timeout(WITHIN, self.binary.client.json("/health")).await;
            last = answer.unwrap_or_else(|_| panic!("{what}: /health does not answer"));
            if holds(&last) {
                println!("    {what}: {} ms", started.elapsed().as_millis());
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
        panic!("{what}: not within {WITHIN:?}: {last:#}");
    }

    async fn wait_for_database(&self, status: &str) {
        self.wait_for(status, |health| text(&health["database"]["status"]).starts_with(status)).await;
    }

    async fn is_healthy(&self) -> bool {
        self.binary.client.json("/health").await["status"] == "healthy"
    }

    fn proc(&self, part: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{part}", self.binary.pid()))
    }

    fn descriptors(&self) -> usize {
        fs::read_dir(self.proc("fd")).expect("it runs").count()
    }

    /// The names of its threads, without those that come and go: of tokio's pool, and of looks at the system, each kind once at most.
    fn threads(&self) -> BTreeMap<String, usize> {
        let mut threads = BTreeMap::new();
        for thread in fs::read_dir(self.proc("task")).expect("it runs").flatten() {
            let name = fs::read_to_string(thread.path().join("comm")).unwrap_or_default().trim().to_owned();
            if !name.starts_with("tokio-") {
                *threads.entry(name).or_default() += 1;
            }
        }
        threads.retain(|name, count| !name.starts_with("wb ") || *count > 1);
        threads
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Asks for `/health` all the time. Each answer comes soon, and none is healthy with old figures.
fn watch_health(client: TestClient) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut newest = (0, Instant::now());
        loop {
            let asked = Instant::now();
            let answer = timeout(WITHIN, client.json("/health")).await.expect("/health answers");
            let uptime = answer["monitor"]["uptime_seconds"].as_u64().expect("an uptime");
            if uptime != newest.0 {
                newest = (uptime, asked);
            }
            let is_healthy = answer["status"] == "healthy";
            assert!(!is_healthy || newest.1.elapsed() < STALE, "healthy with old figures: {answer:#}");
            sleep(Duration::from_millis(200)).await;
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_leaves_the_counts_right_the_status_true_and_everything_alive() {
    let seconds = std::env::var("CHAOS_SECONDS").map_or(SHORT, |seconds| seconds.parse().expect("CHAOS_SECONDS"));
    let seed = std::env::var("CHAOS_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().expect("CHAOS_SEED"));
    println!("CHAOS_SEED={seed} CHAOS_SECONDS={seconds}");
    let mut world = World::start(seed).await;
    world.wait_for_database("healthy").await;
    let traffic = Traffic::start(world.proxy, seed);
    let mut watcher = watch_health(world.binary.client.clone());
    sleep(Duration::from_secs(2)).await;
    let (threads, descriptors, mut resident) = (world.threads(), world.descriptors(), 0);
    let (started, mut number) = (Instant::now(), 0);
    while started.elapsed() < Duration::from_secs(seconds) {
        let (name, fault) = FAULTS[world.rng.usize(..FAULTS.len())];
        println!("{:>4} s  fault {number}: {name}", started.elapsed().as_secs());
        let ended = timeout(Duration::from_mins(2), fault(&mut world)).await;
        assert!(ended.is_ok(), "{name} did not end");
        world.wait_for_database("healthy").await;
        let answered = traffic.pause().await + world.counted;
        world.wait_for("the counts", |health| health["application"]["total_requests"] == answered).await;
        traffic.resume();
        let deadline = Instant::now() + Duration::from_secs(20);
        while world.descriptors() > descriptors + SPARE_DESCRIPTORS {
            assert!(Instant::now() < deadline, "{name}: {} descriptors, {descriptors} before", world.descriptors());
            sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(world.threads(), threads, "{name}");
        assert_eq!(world.binary.panics(), Vec::<String>::new(), "{name}");
        // The first faults fill what is kept for reuse.
        let now = world.binary.resident_bytes();
        resident = if number < 4 { resident.max(now) } else { resident };
        assert!(number < 4 || now < resident + SPARE_BYTES, "{name}: {now} bytes, {resident} before");
        assert!(!watcher.is_finished(), "{:?}", (&mut watcher).await);
        number += 1;
    }
    println!("{number} faults, {} requests", traffic.pause().await + world.counted);
    watcher.abort();
}
