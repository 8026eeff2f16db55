//! Large, slow and broken bodies pass through the proxy as they come. The proxy buffers none of them.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};
use watchboard_test_support::{Binary, Node, raw::read_until};

const GIB: usize = 1 << 30;
/// SHA-256 of a GiB of the pattern.
const DIGEST: &str = "670e8470dc21dc15ea0263c848123840e03b20313e74971d1e96df02991e0713";
/// What a body of any size may take at most, beside what the binary takes anyway.
const MAX_BYTES: u64 = 16 << 20;
const WITHIN: Duration = Duration::from_secs(20);

async fn start() -> (Node, Binary, SocketAddr) {
    let node = Node::start().await;
    let (binary, proxy) = Binary::with_upstream(node.port, &[]).await;
    (node, binary, proxy)
}

/// Looks at the binary's resident memory all the while.
struct Watched {
    before: u64,
    most: Arc<AtomicU64>,
    ends: Arc<AtomicBool>,
}

impl Watched {
    fn new(binary: &Binary) -> Self {
        let (pid, before) = (binary.pid(), binary.resident_bytes());
        let (most, ends) = (Arc::new(AtomicU64::new(before)), Arc::new(AtomicBool::new(false)));
        let (seen, ended) = (Arc::clone(&most), Arc::clone(&ends));
        std::thread::spawn(move || {
            while !ended.load(Relaxed) {
                seen.fetch_max(watchboard_test_support::resident_bytes(pid), Relaxed);
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        Self { before, most, ends }
    }

    fn growth(&self) -> u64 {
        self.most.load(Relaxed) - self.before
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.ends.store(true, Relaxed);
    }
}

/// Reads so many bytes of the pattern that the application sends.
async fn read_pattern(stream: &mut TcpStream, count: usize) {
    let pattern = b"0123456789abcdef".repeat(1 << 14);
    let mut buffer = vec![0; 1 << 18];
    let mut done = 0;
    while done < count {
        let read = stream.read(&mut buffer).await.expect("it goes on");
        assert!(read > 0, "it ends after {done} of {count} bytes");
        let mut rest = &buffer[..read];
        while !rest.is_empty() {
            let from = done % pattern.len();
            let both = rest.len().min(pattern.len() - from);
            assert!(rest[..both] == pattern[from..from + both], "it is not what was sent, after {done} bytes");
            (rest, done) = (&rest[both..], done + both);
        }
    }
}

/// A first exchange, after which everything is there that stays.
async fn warm_up(proxy: SocketAddr) {
    let mut stream = TcpStream::connect(proxy).await.unwrap();
    stream.write_all(b"GET /bytes?count=16777216 HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    read_until(&mut stream, b"\r\n\r\n").await;
    read_pattern(&mut stream, 1 << 24).await;
}

#[tokio::test]
async fn a_gibibyte_passes_each_way_in_flat_memory() {
    let (_node, binary, proxy) = start().await;
    warm_up(proxy).await;
    let watched = Watched::new(&binary);
    let mut stream = TcpStream::connect(proxy).await.unwrap();
    stream.write_all(format!("GET /bytes?count={GIB} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
    read_until(&mut stream, b"\r\n\r\n").await;
    read_pattern(&mut stream, GIB).await;
    let down = watched.growth();

    let part = b"0123456789abcdef".repeat(1 << 14);
    let chunk = [format!("{:x}\r\n", part.len()).as_bytes(), &part, b"\r\n"].concat();
    stream.write_all(b"POST /hash HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
    for _ in 0..GIB / part.len() {
        stream.write_all(&chunk).await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    read_until(&mut stream, format!("{GIB} {DIGEST}").as_bytes()).await;
    let up = watched.growth();
    println!("resident memory grew by {down} bytes for a download, by {up} with an upload");
    assert!(up < MAX_BYTES, "it grew by {up} bytes");
}

#[tokio::test]
async fn a_client_that_reads_nothing_holds_the_application_up_and_nobody_else() {
    let (mut node, binary, proxy) = start().await;
    warm_up(proxy).await;
    let watched = Watched::new(&binary);
    let mut stream = TcpStream::connect(proxy).await.unwrap();
    let count = 64 << 20;
    stream.write_all(format!("GET /bytes?count={count} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
    node.wait_for_log("held up").await;
    warm_up(proxy).await;
    assert!(watched.growth() < MAX_BYTES, "it grew by {} bytes", watched.growth());
    read_until(&mut stream, b"\r\n\r\n").await;
    read_pattern(&mut stream, count).await;
}

#[tokio::test]
async fn each_byte_of_a_slow_client_is_answered_before_it_sends_the_next() {
    let (_node, _binary, proxy) = start().await;
    let mut stream = TcpStream::connect(proxy).await.unwrap();
    let head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 64\r\n\r\n";
    for byte in head.bytes() {
        stream.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    stream.write_all(b"0").await.unwrap();
    read_until(&mut stream, b"\r\n\r\n").await;
    // The answer comes in chunks, since the application does not know how much there will be.
    read_until(&mut stream, b"0\r\n").await;
    for number in 1..64u8 {
        let byte = b'A' + number % 26;
        stream.write_all(&[byte]).await.unwrap();
        read_until(&mut stream, &[byte, b'\r', b'\n']).await;
    }
}

#[tokio::test]
async fn an_upload_that_is_broken_off_is_broken_off() {
    let (mut node, binary, proxy) = start().await;
    let mut stream = TcpStream::connect(proxy).await.unwrap();
    stream.write_all(b"POST /hash HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf").await.unwrap();
    node.wait_for_log("asked POST /hash").await;
    drop(stream);
    node.wait_for_log("upload broken off").await;
    let has_ended = async {
        while binary.client.json("/health").await["application"]["in_flight"] != 0 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(WITHIN, has_ended).await.expect("the request has ended for the board too");
}

#[tokio::test]
async fn the_time_for_an_answer_is_the_applications_alone() {
    let node = Node::start().await;
    let (_binary, proxy) = Binary::with_upstream(node.port, &["--upstream-timeout", "1"]).await;
    let mut stream = TcpStream::connect(proxy).await.unwrap();
    stream.write_all(b"POST /hash HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello").await.unwrap();
    // Longer than the application has.
    sleep(Duration::from_millis(1500)).await;
    stream.write_all(b"hello").await.unwrap();
    let head = read_until(&mut stream, b"\r\n\r\n").await;
    assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&head));
}
