//! A log that nobody reads, or that cannot be written, stops nothing: not the board, the proxy, the monitor, nor the end.

use std::{
    process::{ExitStatus, Stdio},
    time::Duration,
};

use axum::body::Body;
use http_body_util::BodyExt;
use hyper::{Request, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::{TcpStream, unix::pipe},
    process::Command,
    time::{Instant, timeout},
};
use watchboard_test_support::{Binary, Node, TestClient, Visitor, binary_path, free_port, prepared_command};

/// Of "correct horse battery", by the cheapest parameters there are.
const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gLHIkr1qgP4r3sH1P/NIg3+PMckaLQ3RkuIiytJhVlY";
const WITHIN: Duration = Duration::from_secs(20);

/// A pipe whose reader has gone: EPIPE.
const LOST_READER: &str = "r, w = os.pipe(); os.dup2(w, 2); os.close(r)";
/// A full pipe that nobody reads: a write blocks.
const FULL_PIPE: &str = "r, w = os.pipe(); keep(r); fill(w); os.dup2(w, 2)";

const LOGS: &[(&str, &str)] = &[
    ("closed", "os.close(2)"),
    ("a pipe whose reader has gone", LOST_READER),
    ("a full pipe that nobody reads", FULL_PIPE),
    ("a full non-blocking pipe", "r, w = os.pipe(); keep(r); fill(w); os.dup2(w, 2); os.set_blocking(2, False)"),
    ("a full disk", "os.dup2(os.open('/dev/full', os.O_WRONLY), 2)"),
    ("a terminal that has hung up", "m, s = pty.openpty(); os.dup2(s, 2); os.close(s); os.close(m)"),
    ("a terminal that shows nothing more", "m, s = pty.openpty(); keep(m); fill(s); os.dup2(s, 2)"),
    (
        "a file at its limit of size",
        "signal.signal(signal.SIGXFSZ, signal.SIG_DFL); resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
f = os.open('.', os.O_TMPFILE | os.O_RDWR); os.dup2(f, 2)",
    ),
];

async fn ends_with(mut binary: Binary) -> ExitStatus {
    binary.signal("TERM").await;
    timeout(WITHIN, binary.wait_for_exit()).await.expect("it ends")
}

/// Everything works as always, and the monitor goes on.
async fn works_as_always(node: u16, script: &str) {
    let upstream = format!("http://127.0.0.1:{node}");
    let arguments = ["--log", "debug", "--upstream", &upstream, "--password-hash", HASH];
    let binary = Binary::start_prepared(script, &arguments).await;
    let proxy = TestClient::new(binary.proxy.unwrap());
    for _ in 0..20 {
        assert_eq!(proxy.send("GET", "/headers").await.0, 200);
        assert_eq!(proxy.send("GET", "/unknown").await.0, 404);
    }
    let visitor = Visitor::new(binary.client.address);
    assert_eq!(visitor.post("/sign-in", "password=hunter2").await.status(), 401);
    let signed_in = visitor.post("/sign-in", "password=correct+horse+battery").await;
    assert_eq!(signed_in.status(), 303);
    let visitor = visitor.with_cookie_of(&signed_in);
    assert_eq!(visitor.get("/").await.status(), 200);
    assert_eq!(visitor.get("/readyz").await.status(), 200);
    let health = async || {
        let health = visitor.get("/health").await;
        assert_eq!(health.status(), 200);
        serde_json::from_slice::<serde_json::Value>(health.body()).unwrap()
    };
    let uptime = health().await["monitor"]["uptime_seconds"].as_u64().unwrap();
    let goes_on = async {
        loop {
            let health = health().await;
            let counted = health["application"]["total_requests"] == 40;
            if health["monitor"]["uptime_seconds"].as_u64().unwrap() >= uptime + 2 && counted {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(WITHIN, goes_on).await.expect("the monitor goes on");
    assert_eq!(ends_with(binary).await.code(), Some(0));
}

#[tokio::test]
async fn a_lost_log_stops_nothing() {
    let node = Node::start().await;
    let mut failed = vec![];
    for (name, script) in LOGS {
        match timeout(3 * WITHIN, tokio::spawn(works_as_always(node.port, script))).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => failed.push(format!("{name}: {error}")),
            Err(_) => failed.push(format!("{name}: a request hangs")),
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Makes the program write more lines than can wait for a reader. Returns how many were dropped.
async fn flood(binary: &Binary) -> u64 {
    let stream = TokioIo::new(TcpStream::connect(binary.proxy.unwrap()).await.unwrap());
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    let connection = tokio::spawn(connection);
    for _ in 0..100 {
        let health = binary.client.json("/health").await;
        let dropped = health["monitor"]["dropped_log_lines"].as_u64().unwrap();
        if dropped > 0 {
            connection.abort();
            return dropped;
        }
        for _ in 0..50 {
            let request = Request::get("http://shop.example/").body(Body::empty()).unwrap();
            let answer = sender.send_request(request).await.unwrap();
            assert_eq!(answer.status(), 502);
            answer.into_body().collect().await.unwrap();
        }
    }
    panic!("not a line was dropped");
}

#[tokio::test]
async fn what_was_dropped_is_counted_and_said_once_the_log_is_read_again() {
    let (writer, reader) = pipe::pipe().unwrap();
    let upstream = format!("http://127.0.0.1:{}", free_port());
    let mut command = Command::new(binary_path());
    command.args(["--log", "info,h2=trace", "--log-format", "json", "--upstream", &upstream]);
    command.stderr(writer.into_blocking_fd().unwrap());
    let binary = Binary::from_prepared(command).await;
    let dropped = flood(&binary).await;
    let metrics = String::from_utf8(binary.client.send("GET", "/metrics").await.1.to_vec()).unwrap();
    let line = metrics.lines().find(|line| line.starts_with("watchboard_dropped_log_lines_total "));
    assert!(line.unwrap().split(' ').next_back().unwrap().parse::<u64>().unwrap() >= dropped, "{metrics}");
    // Somebody reads it again.
    let mut lines = BufReader::new(reader).lines();
    let is_whole = |line: &str| serde_json::from_str::<serde_json::Value>(line).is_ok();
    let (mut says, deadline) = (false, Instant::now() + WITHIN);
    // Until nothing waits any more.
    loop {
        match timeout(Duration::from_millis(500), lines.next_line()).await {
            Ok(line) => {
                let line = line.unwrap().expect("it runs");
                assert!(is_whole(&line), "{line}");
                says |= line.contains("lines of the log were dropped");
            }
            Err(_) if says => break,
            Err(_) => assert!(Instant::now() < deadline, "it does not say that lines were dropped"),
        }
    }
    let (status, is_told) = tokio::join!(ends_with(binary), async {
        let mut is_told = false;
        while let Some(line) = timeout(WITHIN, lines.next_line()).await.expect("its end").unwrap() {
            assert!(is_whole(&line), "{line}");
            is_told |= line.contains("stopping");
        }
        is_told
    });
    assert_eq!(status.code(), Some(0));
    assert!(is_told, "what waits at the end is written");
}

#[tokio::test]
async fn a_start_that_fails_ends_though_nobody_reads_why() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (arguments, code) in [
        (&["--listen", &address][..], 1),
        (&["--listen", "0.0.0.0:0"], 2),
        (&["--listen", "nowhere"], 2),
        (&["--password-file", "/nowhere", "check"], 2),
    ] {
        for script in [LOST_READER, FULL_PIPE] {
            let mut command = prepared_command(script, arguments);
            let status = timeout(WITHIN, command.stdout(Stdio::null()).status()).await.expect("it ends").unwrap();
            assert_eq!(status.code(), Some(code), "{arguments:?}, {script}");
        }
    }
}
