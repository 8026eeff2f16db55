//! What is bounded stays within its bound, and takes no place of anything else.

use std::{
    net::SocketAddr,
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
    time::{sleep, timeout},
};
use watchboard_test_support::{
    Binary, MemoryCgroup, Node, binary_path,
    raw::{RawResponse, exchange, read_until},
};

const WITHIN: Duration = Duration::from_secs(20);
const ASK: &[u8] = b"GET /several HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// Starts the binary in front of an application, with limits on its open files.
async fn start_with_descriptors(node: &Node, soft: u32, hard: u32) -> (Binary, SocketAddr) {
    let mut command = Command::new("sh");
    let script = format!("ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$@\"");
    command.args(["-c", &script, "sh"]).arg(binary_path()).args(["--proxy-listen", "127.0.0.1:0"]);
    command.args(["--upstream", &format!("http://127.0.0.1:{}", node.port)]);
    command.stderr(Stdio::piped()).kill_on_drop(true);
    let binary = Binary::from_command(command).await;
    let proxy = binary.proxy.expect("it stands in front");
    (binary, proxy)
}

#[tokio::test]
async fn the_limit_on_open_files_is_raised_and_told() {
    let node = Node::start().await;
    let (binary, _) = start_with_descriptors(&node, 100, 300).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", binary.pid())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(line.split_whitespace().nth(3), Some("300"), "{line}");
    assert_eq!(binary.log_lines("for 300 open files").len(), 1);
}

#[tokio::test]
async fn with_few_descriptors_clients_wait_and_are_answered() {
    let node = Node::start().await;
    let (binary, proxy) = start_with_descriptors(&node, 256, 256).await;
    // A crowd that asks once, and one that keeps its connections.
    let once = (0..400).map(|_| tokio::spawn(async move { RawResponse::parse(&exchange(proxy, ASK).await).code() }));
    let kept = (0..200).map(|_| {
        tokio::spawn(async move {
            let mut client = TcpStream::connect(proxy).await.unwrap();
            client.write_all(b"GET /several HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
            let head = String::from_utf8(read_until(&mut client, b"\r\n\r\n").await).unwrap();
            // It leaves only after the others had their turn, unless it is told to.
            let _ = timeout(Duration::from_secs(2), client.read_to_end(&mut vec![])).await;
            head.split(' ').nth(1).unwrap().parse().unwrap()
        })
    });
    let clients: Vec<tokio::task::JoinHandle<u16>> = once.chain(kept).collect();
    let mut failed = 0;
    for client in clients {
        let code = timeout(Duration::from_mins(1), client).await.expect("it is answered").expect("it is answered");
        failed += usize::from(code != 200);
    }
    assert_eq!(failed, 0);
    assert!(binary.log_lines("lacks something").len() <= 1);
    assert_eq!(binary.client.send("GET", "/livez").await.0, 200);
}

const CONTAINER_BYTES: u64 = 200 << 20;

/// Starts the binary in front of an application, in a control group with a limit on memory. `None` if the machine has none.
async fn start_in_container(node: &Node) -> Option<(MemoryCgroup, Binary, SocketAddr)> {
    let Some(group) = MemoryCgroup::with_limit(CONTAINER_BYTES) else {
        println!("skipped: control groups need root");
        return None;
    };
    let mut command = Command::new("sh");
    let script = format!("echo $$ > {}/cgroup.procs && exec \"$@\"", group.folder().display());
    command.args(["-c", &script, "sh"]).arg(binary_path()).args(["--open", "--proxy-listen", "127.0.0.1:0"]);
    command.args(["--upstream", &format!("http://127.0.0.1:{}", node.port)]);
    command.stderr(Stdio::piped()).kill_on_drop(true);
    let binary = Binary::from_command(command).await;
    let proxy = binary.proxy.expect("it stands in front");
    Some((group, binary, proxy))
}

#[tokio::test]
async fn answers_that_nobody_reads_stay_within_the_memory_of_the_container() {
    let node = Node::start().await;
    let Some((_group, mut binary, proxy)) = start_in_container(&node).await else { return };
    let mut clients = vec![];
    for _ in 0..600 {
        let Ok(Ok(mut client)) = timeout(Duration::from_secs(1), TcpStream::connect(proxy)).await else { break };
        client.write_all(b"GET /bytes?count=50000000 HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        clients.push(client);
    }
    // They hold what they can within some seconds.
    let until = Instant::now() + Duration::from_secs(10);
    // Without the program's own text.
    let own_bytes = |pid| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    };
    let mut most = 0;
    while Instant::now() < until {
        assert!(binary.has_ended().is_none(), "it was killed");
        most = most.max(own_bytes(binary.pid()));
        sleep(Duration::from_millis(100)).await;
    }
    println!("{} clients, {} MiB", clients.len(), most >> 20);
    assert!(most < CONTAINER_BYTES * 3 / 4, "{} MiB", most >> 20);
    assert_eq!(binary.client.send("GET", "/livez").await.0, 200);
    drop(clients);
}

#[tokio::test]
async fn unfinished_heads_stay_within_the_memory_of_the_container() {
    let node = Node::start().await;
    let Some((_group, binary, proxy)) = start_in_container(&node).await else { return };
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX-A: {}", "b".repeat(60_000));
    let mut clients = vec![];
    for _ in 0..5000 {
        let Ok(Ok(mut client)) = timeout(Duration::from_secs(1), TcpStream::connect(proxy)).await else { break };
        // The kernel takes as much as it has room for.
        let _ = timeout(Duration::from_millis(50), client.write_all(head.as_bytes())).await;
        clients.push(client);
    }
    println!("{} clients, {} MiB", clients.len(), binary.resident_bytes() >> 20);
    assert!(binary.resident_bytes() < CONTAINER_BYTES * 3 / 4, "{} MiB", binary.resident_bytes() >> 20);
    assert_eq!(binary.client.send("GET", "/livez").await.0, 200);
    assert_eq!(binary.log_lines("and 200 MiB of memory").len(), 1, "{:?}", binary.log_lines("at once"));
    // The kernel's backlog is full of them too: each has two seconds.
    let mut client = TcpStream::connect(proxy).await.unwrap();
    client.write_all(ASK).await.unwrap();
    let (began, mut answer) = (Instant::now(), vec![]);
    let read = timeout(Duration::from_mins(2), client.read_to_end(&mut answer)).await;
    read.expect("others have their turn").unwrap();
    println!("answered after {:?}", began.elapsed());
    assert_eq!(RawResponse::parse(&answer).code(), 200);
    drop(clients);
}

#[tokio::test]
async fn a_question_without_an_end_is_cut_soon() {
    let binary = Binary::start(&[]).await;
    let mut client = TcpStream::connect(binary.client.address).await.unwrap();
    let head = format!(
        "POST /api/watchboard/refresh HTTP/1.1\r\nHost: {}\r\nContent-Type: application/octet-stream\r\n\
         Content-Length: 1000\r\n\r\n",
        binary.client.address
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let began = Instant::now();
    let (mut reader, mut writer) = client.split();
    let read = async {
        let mut answer = vec![];
        let _ = reader.read_to_end(&mut answer).await;
        RawResponse::parse(&answer).code()
    };
    let trickle = async {
        while writer.write_all(b"a").await.is_ok() {
            sleep(Duration::from_millis(500)).await;
        }
        std::future::pending::<()>().await;
    };
    let code = tokio::select! {
        code = timeout(WITHIN, read) => code.expect("it is cut"),
        () = trickle => unreachable!("it has no end"),
    };
    assert_eq!(code, 408);
    assert!(began.elapsed() < Duration::from_secs(13), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_upload_of_a_byte_now_and_then_is_cut_and_its_place_is_free() {
    let node = Node::start().await;
    let (binary, proxy) = Binary::with_upstream(node.port, &[]).await;
    let mut client = TcpStream::connect(proxy).await.unwrap();
    client.write_all(b"POST /hash HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n").await.unwrap();
    let began = Instant::now();
    let mut byte = [0; 12];
    while timeout(Duration::from_secs(4), client.peek(&mut byte)).await.is_err() {
        client.write_all(b"a").await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(90), "it holds its place for ever");
    }
    assert!(byte.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&byte));
    binary.client.wait_for_json("/health", WITHIN, |health| health["application"]["in_flight"] == 0).await;
    assert_eq!(binary.client.json("/health").await["application"]["error_count"], 0);
}
