//! Proxies other than nginx that do not say that they are one: each request through them looks local.

use std::{net::SocketAddr, process::Stdio, time::Duration};

use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{sleep, timeout},
};
use watchboard_test_support::{Binary, FaultyProxy, Visitor, free_port, text};

/// A proxy of Node's own parts, as development servers have.
const NODE: &str = "const [port, upstream] = process.argv.slice(1);
require('http').createServer((request, response) => {
    const headers = { ...request.headers, host: 'localhost:' + upstream };
    const options = { host: '127.0.0.1', port: upstream, path: request.url, method: request.method, headers };
    request.pipe(require('http').request(options, answer => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
    }));
}).listen(port, '127.0.0.1')";

async fn board() -> Binary {
    let mut command = Command::new(watchboard_test_support::binary_path());
    command.stderr(Stdio::piped()).kill_on_drop(true);
    Binary::from_command(command).await
}

async fn start(mut command: Command, port: u16) -> Child {
    let process = command.kill_on_drop(true).spawn().expect("the proxy starts");
    let listens = async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), listens).await.expect("it listens");
    process
}

/// Nobody sees the board through this proxy without its link.
async fn nothing_is_published(port: u16) {
    let stranger = Visitor::new(SocketAddr::from(([127, 0, 0, 1], port))).with("host", "localhost");
    for path in ["/", "/health", "/metrics"] {
        let answer = stranger.get(path).await;
        assert_eq!(answer.status(), 401, "{path}: {}", text(&answer));
        assert!(!text(&answer).contains("data-bundle") && !text(&answer).contains("uptime"), "{path}");
    }
}

#[tokio::test]
async fn a_tunnel_publishes_nothing() {
    let board = board().await;
    let tunnel = FaultyProxy::start(board.client.address.port());
    nothing_is_published(tunnel.port).await;
}

#[tokio::test]
async fn a_proxy_in_node_publishes_nothing() {
    let (board, port) = (board().await, free_port());
    let mut node = Command::new("node");
    node.args(["-e", NODE, &port.to_string(), &board.client.address.port().to_string()]);
    let _node = start(node, port).await;
    nothing_is_published(port).await;
}

#[tokio::test]
async fn haproxy_publishes_nothing() {
    if Command::new("haproxy").arg("-v").stdout(Stdio::null()).status().await.is_err() {
        return println!("skipped: haproxy is not installed");
    }
    let (board, port) = (board().await, free_port());
    let file = tempfile::NamedTempFile::with_suffix(".cfg").unwrap();
    let configuration = format!(
        "defaults\n mode http\n timeout connect 5s\n timeout client 5s\n timeout server 5s\n\
         listen board\n bind 127.0.0.1:{port}\n server board {}\n",
        board.client.address
    );
    std::fs::write(file.path(), configuration).unwrap();
    let mut haproxy = Command::new("haproxy");
    haproxy.args(["-db", "-f"]).arg(file.path());
    let _haproxy = start(haproxy, port).await;
    nothing_is_published(port).await;
}
