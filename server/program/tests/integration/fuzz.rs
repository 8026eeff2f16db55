//! Malformed input for all readers: heads and bodies of requests, queries, forms, cookies, HTTP/2 frames, an application's answers, its
//! OpenAPI document, a database's replies, the configuration file. No input causes a panic or a leak.
//!
//! A few seconds with the other tests; for longer:
//! `FUZZ_SECONDS=600 cargo test -p watchboard-cli --test integration fuzz -- --nocapture`

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use fastrand::Rng;
use watchboard_test_support::{Binary, FaultyProxy, Mode, Mongod};

use crate::fuzzing::*;

/// Of "correct horse battery", by the cheapest parameters there are.
const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gLHIkr1qgP4r3sH1P/NIg3+PMckaLQ3RkuIiytJhVlY";
/// Where nobody says for how long.
const SHORT: Duration = Duration::from_secs(4);
/// From here on most of what is bounded has been filled before the last quarter.
const LONG: Duration = Duration::from_mins(10);
/// An answer that has not come within this time is not waited for.
const PATIENCE: Duration = Duration::from_millis(40);
/// What the last quarter may bring: a history goes on.
const MAX_GROWTH: u64 = 4 << 20;

/// What all attackers share.
struct Attack {
    over: AtomicBool,
    inputs: AtomicU64,
}

impl Attack {
    /// Makes input after input until the time is over, each by its own generator.
    fn by(self: &Arc<Self>, seed: u64, mut each: impl FnMut(&mut Rng) + Send + 'static) -> thread::JoinHandle<()> {
        let attack = Arc::clone(self);
        thread::spawn(move || {
            let mut rng = Rng::with_seed(seed);
            while !attack.over.load(Relaxed) {
                each(&mut rng);
                attack.inputs.fetch_add(1, Relaxed);
            }
        })
    }
}

/// Sends bytes, at times in two parts, and reads what comes back.
fn send(address: SocketAddr, bytes: &[u8], rng: &mut Rng) {
    let Ok(mut stream) = TcpStream::connect(address) else { return };
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let middle = if rng.u8(..) < 64 { rng.usize(..=bytes.len()) } else { bytes.len() };
    for part in [&bytes[..middle], &bytes[middle..]] {
        // It may have been refused by now.
        if stream.write_all(part).is_err() {
            break;
        }
    }
    let mut buffer = [0; 16_384];
    while let Ok(1..) = stream.read(&mut buffer) {}
}

/// An application that answers with anything.
fn application(attack: &Arc<Attack>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let attack = Arc::clone(attack);
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { continue };
            if attack.over.load(Relaxed) {
                return;
            }
            thread::spawn(move || {
                let mut rng = Rng::with_seed(number as u64);
                let _ = stream.set_read_timeout(Some(PATIENCE));
                let mut buffer = [0; 16_384];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    let is_document = buffer[..count].starts_with(b"GET /openapi.json ");
                    let answer = if is_document { document_answer(&mut rng) } else { mutated(ANSWERS, &mut rng) };
                    if stream.write_all(&answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// Reads a configuration file and an OpenAPI document as `watchboard check` does: good, or wrong, and never anything else.
fn check(folder: &std::path::Path, rng: &mut Rng) {
    let [configuration, document] = ["watchboard.toml", "openapi.json"].map(|name| folder.join(name));
    std::fs::write(&configuration, mutated(CONFIGURATIONS, rng)).expect("it can be written");
    std::fs::write(&document, mutated(DOCUMENTS, rng)).expect("it can be written");
    let mut command = Command::new(watchboard_test_support::binary_path());
    if rng.bool() {
        command.args(["--upstream", "http://127.0.0.1:1", "--openapi"]).arg(&document);
    }
    command.arg("--config").arg(&configuration).arg("check");
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    let file = || std::fs::read(&configuration).unwrap_or_default();
    assert!(
        matches!(output.status.code(), Some(0 | 2)) && !said.contains("panicked"),
        "{}: {said}\n{}",
        output.status,
        String::from_utf8_lossy(&file())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_input_brings_no_panic_and_is_not_kept() {
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let seconds = seconds.map_or(SHORT, Duration::from_secs);
    let attack = Arc::new(Attack { over: AtomicBool::new(false), inputs: AtomicU64::new(0) });
    let mongod = Mongod::start(&[]).await;
    let database = FaultyProxy::start(mongod.port);
    let upstream = format!("http://{}", application(&attack));
    // One is open to this machine, so that what lies behind a login is tried too; the other has one.
    let open = Binary::start(&[
        "--upstream",
        &upstream,
        "--proxy-listen",
        "127.0.0.1:0",
        "--openapi",
        "/openapi.json",
        "--route",
        "/users/{id}",
        "--trusted-proxy",
        "127.0.0.0/8",
        "--mongodb-uri",
        &database.uri(),
    ])
    .await;
    let closed = Binary::start(&["--password-hash", HASH, "--trusted-proxy", "127.0.0.0/8"]).await;
    database.set(Mode::Garble);

    let page = String::from_utf8_lossy(&open.client.send("GET", "/").await.1).into_owned();
    let bodies = refresh_bodies(&page);
    let seed = u64::from(fastrand::u32(..));
    println!("seed {seed}");
    let mut attackers = vec![];
    for number in 0..3 {
        let (proxy, board, door) =
            (open.proxy.expect("it stands in front"), open.client.address, closed.client.address);
        let (seed, bodies) = (seed + number * 8, bodies.clone());
        attackers.push(attack.by(seed, move |rng| send(proxy, &mutated(REQUESTS, rng), rng)));
        attackers.push(attack.by(seed + 1, move |rng| send(board, &mutated(VIEWS, rng), rng)));
        attackers.push(attack.by(seed + 2, move |rng| send(board, &refresh(&bodies, rng), rng)));
        attackers.push(attack.by(seed + 3, move |rng| send(door, &mutated(VISITS, rng), rng)));
        attackers.push(attack.by(seed + 4, move |rng| send(proxy, &http2(rng), rng)));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_owned();
    attackers.push(attack.by(seed + 5, move |rng| check(&path, rng)));

    // The least of a quarter: what is there for a moment is none of it.
    let mut least = [[u64::MAX; 2]; 4];
    let began = Instant::now();
    while began.elapsed() < seconds {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let quarter = &mut least[((began.elapsed().as_secs_f64() / seconds.as_secs_f64() * 4.0) as usize).min(3)];
        for (least, binary) in quarter.iter_mut().zip([&open, &closed]) {
            *least = binary.resident_bytes().min(*least);
        }
    }
    attack.over.store(true, Relaxed);
    for attacker in attackers {
        tokio::task::spawn_blocking(|| attacker.join()).await.expect("it is waited for").expect("no check failed");
    }
    println!(
        "{} inputs in {seconds:?}; resident bytes, the least of each quarter: {least:?}",
        attack.inputs.load(Relaxed)
    );
    for binary in [&open, &closed] {
        assert_eq!(binary.panics(), Vec::<String>::new());
        assert_eq!(binary.client.send("GET", "/livez").await.0, 200);
    }
    let health = open.client.json("/health").await;
    assert!(health["application"]["total_requests"].as_u64() > Some(0), "{health:#}");
    if seconds >= LONG {
        let growth = |binary: usize| least[3][binary].saturating_sub(least[2][binary]);
        assert!(growth(0) <= MAX_GROWTH && growth(1) <= MAX_GROWTH, "it grows");
    }
}
