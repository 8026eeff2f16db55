//! Which endpoint allocates: what each request allocated is its own, on whichever thread and beside whatever else runs.

use std::{hint::black_box, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    routing::get,
};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio::{io::AsyncWriteExt, sync::Mutex, task};
use watchboard::{LocalOnly, Monitor, alloc::Tracking};
use watchboard_test_support::TestClient;

#[global_allocator]
static ALLOCATOR: Tracking = Tracking::system();

/// The tests count in one process.
static ALONE: Mutex<()> = Mutex::const_new(());

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const CONCURRENT: usize = 1_000;
/// Of each kind.
const REQUESTS: u64 = 2_000;

/// Allocates, lets others run, and may go on elsewhere.
async fn allocate(kib: usize) {
    let memory: Vec<u8> = black_box(Vec::with_capacity(kib << 10));
    task::yield_now().await;
    drop(memory);
}

/// In four parts, with waiting between them.
async fn one_mib() {
    for _ in 0..4 {
        allocate(256).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn nothing() {
    for _ in 0..8 {
        task::yield_now().await;
    }
}

async fn spawned() {
    task::spawn(one_mib()).await.expect("no panic");
}

async fn blocking() {
    let work = || drop(black_box(Vec::<u8>::with_capacity(MIB as usize)));
    task::spawn_blocking(work).await.expect("no panic");
}

/// The body is made while it is sent.
async fn streamed() -> Body {
    Body::from_stream(stream::iter(0..4).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![7; 256 << 10]))))
}

/// Waits for longer than any client, with what it has.
async fn held() {
    let memory: Vec<u8> = black_box(Vec::with_capacity(MIB as usize));
    tokio::time::sleep(Duration::from_mins(10)).await;
    drop(memory);
}

async fn serve() -> TestClient {
    let app = Router::new()
        .route("/mib", get(one_mib))
        .route("/nothing", get(nothing))
        .route("/spawned", get(spawned))
        .route("/blocking", get(blocking))
        .route("/streamed", get(streamed))
        .route("/held", get(held));
    let app = Monitor::builder().access(LocalOnly::default()).build().watch(app, "/board");
    TestClient::serve(app).await
}

fn total(health: &Value) -> u64 {
    health["application"]["total_requests"].as_u64().expect("a count")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_request_owns_what_was_allocated_while_it_ran() {
    let _alone = ALONE.lock().await;
    let asker = serve().await;
    let kinds = ["mib", "nothing", "spawned", "blocking", "streamed"];
    // The endpoints' first requests make what is kept for all.
    for kind in kinds {
        asker.send("GET", &format!("/{kind}")).await;
    }
    let warm = asker
        .wait_for_json("/board/health", Duration::from_secs(5), |health| total(health) == kinds.len() as u64)
        .await;
    let paths = (0..REQUESTS).flat_map(|_| kinds).map(|kind| format!("/{kind}"));
    stream::iter(paths)
        .for_each_concurrent(CONCURRENT, |path| {
            let asker = asker.clone();
            async move { _ = asker.send("GET", &path).await }
        })
        .await;
    let all = (REQUESTS + 1) * kinds.len() as u64;
    let health = asker.wait_for_json("/board/health", Duration::from_secs(10), |health| total(health) == all).await;

    let of = |health: &Value, kind: &str| health["application"]["allocated_bytes"][format!("GET /{kind}")].as_u64();
    let mean = |kind| (of(&health, kind).expect("bytes") - of(&warm, kind).expect("bytes")) as f64 / REQUESTS as f64;
    // What axum itself takes for a request.
    let own = mean("nothing");
    println!("a request that allocates nothing: {own} bytes");
    assert!(own < KIB as f64, "{own}");
    for kind in ["mib", "streamed"] {
        let found = mean(kind);
        println!("/{kind}: {found} bytes");
        assert!((found - MIB as f64).abs() <= 0.01 * MIB as f64, "/{kind}: {found}");
    }
    for kind in ["spawned", "blocking"] {
        let found = mean(kind);
        println!("/{kind}: {found} bytes");
        assert!(found < own + KIB as f64, "/{kind}: {found}, of which the task itself");
    }

    // All parts together are what the allocator handed out, and what ran elsewhere is of no request.
    let heap = |name: &str| {
        let read = |health: &Value| health["memory_analysis"]["heap"][name].as_u64().expect("bytes");
        read(&health) - read(&warm)
    };
    let endpoints = |health: &Value| {
        let by_endpoint = health["application"]["allocated_bytes"].as_object().expect("a map");
        by_endpoint.values().filter_map(Value::as_u64).sum::<u64>()
    };
    assert_eq!(endpoints(&health) - endpoints(&warm), heap("requests_allocated_bytes"));
    assert_eq!(heap("requests_allocated_bytes") + heap("unattributed_bytes"), heap("allocated_bytes"));
    assert!(heap("unattributed_bytes") >= 2 * REQUESTS * MIB, "the spawned and the blocking ones");
}

/// A request within a request, each through a layer of its own monitor or of the same.
#[tokio::test]
async fn nothing_is_counted_twice() {
    let _alone = ALONE.lock().await;
    let monitor = Monitor::builder().access(LocalOnly::default()).build();
    let inner = Router::new().route("/inner", get(|| allocate(1024))).layer(monitor.layer());
    let outer = move || async move {
        allocate(512).await;
        let request = axum::http::Request::get("/inner").body(Body::empty()).expect("a request");
        tower::ServiceExt::oneshot(inner, request).await.expect("an answer");
    };
    let app = monitor.watch(Router::new().route("/outer", get(outer)), "/board");
    let asker = TestClient::serve(app).await;
    asker.send("GET", "/outer").await;
    let health = asker.wait_for_json("/board/health", Duration::from_secs(5), |health| total(health) == 2).await;
    let of = |name: &str| health["application"]["allocated_bytes"][name].as_u64().expect("bytes");
    let near = |name, mib: f64| (of(name) as f64 / MIB as f64 - mib).abs() < 0.05;
    assert!(near("GET /inner", 1.0) && near("GET /outer", 0.5), "{health:#}");
}

/// What threads of all kinds allocate adds up, those that have ended too.
#[tokio::test(flavor = "multi_thread")]
async fn threads_that_end_leave_their_sums() {
    let _alone = ALONE.lock().await;
    let asker = serve().await;
    let heap = || async { asker.json("/board/health").await["memory_analysis"]["heap"].clone() };
    let before = heap().await["allocated_bytes"].as_u64().expect("bytes");
    // The second generation gets the counters of the first.
    for _ in 0..2 {
        let threads = (0..64).map(|_| {
            std::thread::spawn(|| {
                for _ in 0..1_000 {
                    drop(black_box(Vec::<u8>::with_capacity(4 << 10)));
                }
            })
        });
        threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().expect("no panic"));
    }
    let own = 2 * 64 * 4_000 * KIB;
    let allocated = |health: &Value| health["memory_analysis"]["heap"]["allocated_bytes"].as_u64().expect("bytes");
    let grown = |health: &Value| allocated(health) >= before + own;
    let health = asker.wait_for_json("/board/health", Duration::from_secs(5), grown).await;
    let most = own + own / 20;
    assert!(allocated(&health) - before <= most, "{} of at most {most}", allocated(&health) - before);
}

/// What a request held is freed in its name when its client goes away.
#[tokio::test]
async fn a_request_that_is_left_keeps_nothing() {
    const LEFT: u64 = 3;
    let _alone = ALONE.lock().await;
    let asker = serve().await;
    for _ in 0..LEFT {
        // The head of the request, and then the end of the connection.
        let mut connection = tokio::net::TcpStream::connect(asker.address).await.expect("a connection");
        connection.write_all(b"GET /held HTTP/1.1\r\nhost: test\r\n\r\n").await.expect("it is sent");
        let begun = |health: &Value| health["application"]["in_flight"] == 1;
        asker.wait_for_json("/board/health", Duration::from_secs(5), begun).await;
        drop(connection);
        let ended = |health: &Value| health["application"]["in_flight"] == 0;
        asker.wait_for_json("/board/health", Duration::from_secs(5), ended).await;
    }
    let health = asker.wait_for_json("/board/health", Duration::from_secs(5), |health| total(health) == LEFT).await;
    let of = |name: &str| health["application"][name]["GET /held"].as_u64().expect("bytes");
    let (allocated, freed) = (of("allocated_bytes"), of("freed_bytes"));
    assert!(allocated >= LEFT * MIB && freed as f64 >= 0.99 * allocated as f64, "{freed} of {allocated} were freed");
}
