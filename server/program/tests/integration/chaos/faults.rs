//! The faults. Each begins, waits until the status tells of it where it should, and ends.

use std::{
    fs,
    io::Write,
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
    time::{Instant, sleep, timeout},
};
use watchboard_test_support::{Mode, Node, raw::exchange, signal};

use super::{WITHIN, World, text};

type Fault = for<'a> fn(&'a mut World) -> BoxFuture<'a, ()>;

pub(super) const FAULTS: [(&str, Fault); 19] = [
    ("the database is frozen", |world| Box::pin(frozen_database(world))),
    ("the database is killed", |world| Box::pin(killed_database(world))),
    ("the database's network swallows everything", |world| Box::pin(network(world, Mode::BlackHole))),
    ("the database's network resets connections", |world| Box::pin(network(world, Mode::Reset))),
    ("the database's network turns bits", |world| Box::pin(garbled(world))),
    ("the application is killed", |world| Box::pin(killed_application(world))),
    ("the application breaks answers off", |world| Box::pin(broken_answers(world))),
    ("nobody reads the log", |world| Box::pin(unread_log(world))),
    ("strangers send what is no request", |world| Box::pin(strangers(world))),
    ("five hundred heads are never ended", |world| Box::pin(slow_heads(world))),
    ("tunnels whose clients leave", |world| Box::pin(tunnels(world))),
    ("uploads that are broken off", |world| Box::pin(uploads(world))),
    ("few descriptors are left", |world| Box::pin(few_descriptors(world))),
    ("the application is frozen", |world| Box::pin(frozen_application(world))),
    ("downloads that are broken off", |world| Box::pin(downloads(world))),
    ("a disk hangs", |world| Box::pin(hung_disk(world))),
    ("the wall clock is set", |world| Box::pin(set_clock(world))),
    ("pages ask what is no question", |world| Box::pin(refreshes(world))),
    ("the board itself is frozen", |world| Box::pin(frozen_board(world))),
];

async fn frozen_database(world: &mut World) {
    world.mongod.signal("STOP").await;
    world.wait_for_database("error: ").await;
    world.mongod.signal("CONT").await;
}

async fn killed_database(world: &mut World) {
    world.mongod.kill().await;
    world.wait_for_database("error: ").await;
    world.mongod.restart().await;
}

async fn network(world: &mut World, mode: Mode) {
    world.network.set(mode);
    world.wait_for_database("error: ").await;
    world.network.set(Mode::Pass);
}

/// What is seen of it is left to chance; nothing may break.
async fn garbled(world: &mut World) {
    world.network.set(Mode::Garble);
    sleep(Duration::from_secs(2)).await;
    world.network.set(Mode::Pass);
}

async fn killed_application(world: &mut World) {
    let node = world.node.take().expect("it runs");
    let port = node.port;
    node.kill().await;
    world.wait_for("the failures", |health| health["status"] != "healthy").await;
    world.node = Some(Node::start_at(port).await);
}

async fn broken_answers(world: &mut World) {
    for path in ["/broken", "/gone", "/old"] {
        for _ in 0..10 {
            let request = format!("GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n");
            exchange(world.proxy, request.as_bytes()).await;
            world.counted += 1;
        }
    }
}

/// The pipe is soon full: each stranger is a line.
async fn unread_log(world: &mut World) {
    signal(world.log_reader, "STOP").await;
    for _ in 0..1000 {
        let _ = TcpStream::connect(world.proxy).and_then(|mut stream| stream.write_all(b"\0 no request\r\n\r\n"));
        // It is refused, and counted.
        world.counted += 1;
    }
    world.wait_for("an answer", |health| health["status"].is_string()).await;
    let ready = timeout(Duration::from_secs(5), world.binary.client.send("GET", "/readyz")).await;
    assert_eq!(ready.expect("an answer in time").0, 200);
    signal(world.log_reader, "CONT").await;
}

/// None of it is the application's error. An earlier fault may be named still.
async fn strangers(world: &mut World) {
    let was_healthy = world.is_healthy().await;
    for _ in 0..25 {
        let odd = b"POST /echo HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n";
        let answer = exchange(world.proxy, odd).await;
        assert!(answer.starts_with(b"HTTP/1.1 "), "{:?}", String::from_utf8_lossy(&answer));
        world.counted += 1;
        let noise: Vec<u8> = (0..world.rng.usize(1..2000)).map(|_| world.rng.u8(..)).collect();
        world.counted += u64::from(is_answered(world.proxy, &noise).await);
    }
    world.wait_for("no alarm", |health| !was_healthy || health["status"] == "healthy").await;
}

/// Whether bytes that may be no request have an answer. What has one is counted.
async fn is_answered(proxy: SocketAddr, bytes: &[u8]) -> bool {
    let mut stream = tokio::net::TcpStream::connect(proxy).await.expect("a place");
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut answer = vec![];
    let _ = timeout(WITHIN, stream.read_to_end(&mut answer)).await.expect("it closes");
    answer.starts_with(b"HTTP/1.1 ")
}

async fn slow_heads(world: &mut World) {
    let was_healthy = world.is_healthy().await;
    let mut open = vec![];
    for _ in 0..500 {
        let mut stream = tokio::net::TcpStream::connect(world.proxy).await.expect("a place");
        stream.write_all(b"GET /several HTTP/1.1\r\nHost: sh").await.expect("it takes it");
        open.push(stream);
    }
    world.wait_for("no alarm", |health| !was_healthy || health["status"] == "healthy").await;
}

/// Half of the clients say goodbye, half of them vanish.
async fn tunnels(world: &mut World) {
    for number in 0..100 {
        let mut stream = tokio::net::TcpStream::connect(world.proxy).await.expect("a place");
        let request = b"GET /upgrade HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
        stream.write_all(request).await.expect("it takes it");
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.expect("an answer");
        assert_eq!(&first, b"HTTP/1.1 101");
        world.counted += 1;
        if number % 2 == 0 {
            // With an unread answer its end is a reset.
            stream.write_all(b"x").await.expect("it takes it");
        }
    }
}

async fn uploads(world: &mut World) {
    let was_healthy = world.is_healthy().await;
    for _ in 0..50 {
        let mut stream = tokio::net::TcpStream::connect(world.proxy).await.expect("a place");
        stream
            .write_all(b"POST /hash HTTP/1.1\r\nHost: shop\r\nContent-Length: 1000\r\n\r\nhalf")
            .await
            .expect("a place");
        stream.shutdown().await.expect("it is open");
        let mut rest = vec![];
        let _ = timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
        world.counted += 1;
    }
    world.wait_for("no alarm", |health| !was_healthy || health["status"] == "healthy").await;
}

/// Its requests wait, and none is lost.
async fn frozen_application(world: &mut World) {
    let node = world.node.as_ref().expect("it runs");
    signal(node.pid(), "STOP").await;
    sleep(Duration::from_secs(3)).await;
    signal(node.pid(), "CONT").await;
    world.wait_for("an answer", |health| health["status"].is_string()).await;
}

async fn downloads(world: &mut World) {
    for _ in 0..20 {
        let mut stream = tokio::net::TcpStream::connect(world.proxy).await.expect("a place");
        stream.write_all(b"GET /bytes?count=20000000 HTTP/1.1\r\nHost: shop\r\n\r\n").await.expect("it takes it");
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.expect("an answer");
        assert_eq!(&first, b"HTTP/1.1 200");
        world.counted += 1;
    }
}

/// Somebody looks at the disks meanwhile.
async fn hung_disk(world: &mut World) {
    let Some(mount) = &world.mount else { return };
    world.binary.client.send("GET", "/?view=memory").await;
    mount.hang().await;
    let until = Instant::now() + Duration::from_secs(7);
    while Instant::now() < until {
        world.binary.client.send("GET", "/?view=memory").await;
    }
    world.wait_for("the disk", |health| health["reasons"].to_string().contains("disks: no answer")).await;
    mount.go_on().await;
    world.wait_for("no disk", |health| !health["reasons"].to_string().contains("disks: no answer")).await;
}

/// Dates follow it. Nothing else does.
async fn set_clock(world: &mut World) {
    let Some(clock) = &world.clock else { return };
    let date = |health: &serde_json::Value| text(&health["timestamp"]).get(..10).unwrap_or_default().to_owned();
    let before = world.binary.client.json("/health").await;
    for step in ["+400d", "-400d", "+0"] {
        clock.set(step);
        world
            .wait_for(step, |health| {
                assert!(health["age_seconds"].as_f64().is_some_and(|age| age < 5.0), "{health:#}");
                (date(health) == date(&before)) == (step == "+0")
            })
            .await;
    }
}

/// They are refused, and a good one is answered.
async fn refreshes(world: &mut World) {
    for _ in 0..50 {
        let length = world.rng.usize(1..500);
        let noise: Vec<u8> = (0..length).map(|_| world.rng.u8(..)).collect();
        let head = format!(
            "POST /api/watchboard/refresh HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Connection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        let answer = exchange(world.binary.client.address, &[head.as_bytes(), &noise].concat()).await;
        assert!(answer.starts_with(b"HTTP/1.1 4"), "{:?}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(world.binary.client.send("GET", "/?view=requests").await.0, 200);
}

/// What it says when it goes on is old, or new.
async fn frozen_board(world: &mut World) {
    let was_healthy = world.is_healthy().await;
    world.binary.signal("STOP").await;
    let until = Instant::now() + Duration::from_secs(7);
    sleep(until - Instant::now()).await;
    world.binary.signal("CONT").await;
    let is_fresh = |health: &serde_json::Value| health["monitor"]["stale"] == false;
    world.wait_for("fresh", |health| is_fresh(health) && (!was_healthy || health["status"] == "healthy")).await;
}

/// Clients beyond the limit wait, and are served when it is lifted.
async fn few_descriptors(world: &mut World) {
    let limit = async |pid: u32, soft: String| {
        let set = Command::new("prlimit").args(["--pid", &pid.to_string(), &format!("--nofile={soft}:")]).status();
        assert!(set.await.expect("prlimit").success());
    };
    let pid = world.binary.pid();
    let limits = fs::read_to_string(world.proc("limits")).expect("it runs");
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).expect("a limit");
    let before = line.split_whitespace().next().expect("a number").to_owned();
    limit(pid, (world.descriptors() + 10).to_string()).await;
    let mut clients = vec![];
    for _ in 0..60 {
        let mut stream = tokio::net::TcpStream::connect(world.proxy).await.expect("the queue has a place");
        stream.write_all(b"GET /several HTTP/1.1\r\nHost: shop\r\n\r\n").await.expect("it takes it");
        clients.push(stream);
    }
    sleep(Duration::from_secs(2)).await;
    limit(pid, before).await;
    for mut client in clients {
        let mut first = [0; 12];
        timeout(Duration::from_secs(20), client.read_exact(&mut first)).await.expect("in time").expect("an answer");
        assert_eq!(&first, b"HTTP/1.1 200");
        world.counted += 1;
    }
}
