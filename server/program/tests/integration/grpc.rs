//! gRPC through the proxy: grpcio's own client and server, and the outcome of each call on the board.

use std::{net::SocketAddr, process::Stdio, time::Duration};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::Value;
use tokio::{process::Command, time::timeout};
use watchboard_test_support::{
    Binary, Nginx, Python, free_port,
    raw::{RawResponse, exchange},
    tool,
};

const WITHIN: Duration = Duration::from_mins(1);
const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// Runs the client, which fails where a call is not as it is directly.
async fn call_all(target: &str) {
    let mut client = Command::new("python3");
    client.args(["-c", include_str!("../../../test-support/src/apps/grpc_client.py"), target]);
    client.env("PYTHONPATH", tool("grpcio")).stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(WITHIN, client.output()).await.expect("it ends").expect("python3 starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

async fn proxy_to(upstream: &str) -> (Binary, SocketAddr) {
    let binary = Binary::start(&["--upstream", upstream, "--proxy-listen", "127.0.0.1:0"]).await;
    let proxy = binary.proxy.expect("it stands in front");
    (binary, proxy)
}

#[tokio::test]
async fn every_kind_of_call_is_as_it_is_directly_and_has_its_outcome() {
    let shop = Python::script(include_str!("../../../test-support/src/apps/grpc_server.py"));
    shop.wait_until_listening().await;
    call_all(&format!("127.0.0.1:{}", shop.port)).await;
    let (binary, proxy) = proxy_to(&format!("h2c://127.0.0.1:{}", shop.port)).await;
    call_all(&proxy.to_string()).await;
    let ended = |health: &Value| {
        let application = &health["application"];
        application["in_flight"] == 0 && application["endpoints"]["POST /shop.Shop/Get"].as_u64() >= Some(208)
    };
    let health = binary.client.wait_for_json("/health", WITHIN, ended).await;
    let application = &health["application"];
    for (code, count) in [("404", 3), ("400", 1), ("503", 1)] {
        assert_eq!(application["status_codes"][code], count, "{code}: {health:#}");
    }
    let errors = application["recent_errors"].to_string();
    for name in ["NOT_FOUND", "INVALID_ARGUMENT", "UNAVAILABLE", "INTERNAL", "UNKNOWN", "UNIMPLEMENTED", "DATA_LOSS"] {
        assert!(errors.contains(name), "{name}: {errors}");
    }
    assert_eq!(application["endpoints"]["POST /etcdserverpb.KV/Haggle"], 3, "a call is shown by its name: {health:#}");
    for unknown in ["POST /shop.Shop/Nothing", "POST /etcdserverpb.KV/Steal"] {
        assert!(application["endpoints"].get(unknown).is_none(), "{health:#}");
    }
    assert_eq!(application["endpoints"]["(unmatched)"], 2, "{health:#}");
}

#[tokio::test]
async fn an_application_at_a_unix_socket_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("app.sock");
    let path = socket.display();
    let location = format!("}} server {{ listen unix:{path}; location / {{ return 200 \"$http_host $request_uri\"; }}");
    let _nginx = Nginx::start(&location).await;
    let (_binary, proxy) = proxy_to(&format!("unix:{path}")).await;
    for _ in 0..3 {
        let answer = RawResponse::parse(&exchange(proxy, GET).await);
        assert_eq!((answer.code(), String::from_utf8_lossy(&answer.body).as_ref()), (200, "a /"));
    }
}

#[tokio::test]
async fn an_application_with_tls_is_served_by_either_protocol_if_its_authority_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(&certificate, cert.pem()).unwrap();
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    for (kind, protocol) in [("ssl http2", "HTTP/2.0"), ("ssl", "HTTP/1.1")] {
        let port = free_port();
        let location = format!(
            "}} server {{ listen 127.0.0.1:{port} {kind}; ssl_certificate {}; ssl_certificate_key {}; location / {{ \
             return 200 \"$server_protocol $http_host $request_uri\"; }}",
            certificate.display(),
            key.display()
        );
        let _nginx = Nginx::start(&location).await;
        let upstream = format!("https://127.0.0.1:{port}");
        let authority = certificate.to_str().unwrap();
        let arguments = ["--upstream", &upstream, "--upstream-ca", authority, "--proxy-listen", "127.0.0.1:0"];
        let binary = Binary::start(&arguments).await;
        for _ in 0..3 {
            let answer = RawResponse::parse(&exchange(binary.proxy.unwrap(), GET).await);
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            assert_eq!((answer.code(), body), (200, format!("{protocol} a /")));
        }
        let (_binary, proxy) = proxy_to(&upstream).await;
        assert_eq!(RawResponse::parse(&exchange(proxy, GET).await).code(), 502, "nobody knows the authority");
    }
}

#[tokio::test]
async fn streams_that_take_a_connection_whole_leave_others_to_be_made() {
    // It takes four calls at once on a connection.
    let source = include_str!("../../../test-support/src/apps/grpc_server.py");
    let few = "max_workers=20), options=[('grpc.max_concurrent_streams', 4)]";
    let shop = Python::script(&source.replace("max_workers=20)", few));
    shop.wait_until_listening().await;
    let (_binary, proxy) = proxy_to(&format!("h2c://127.0.0.1:{}", shop.port)).await;
    let script = "import grpc, queue, sys
channel = grpc.insecure_channel(sys.argv[1])
chat = channel.stream_stream('/shop.Shop/Chat')
waiting = [queue.Queue() for _ in range(6)]
open = [chat(iter(one.get, None), timeout=30) for one in waiting]
for one, stream in zip(waiting, open):
    one.put(b'a')
    assert next(stream) == b'echo a'
assert channel.unary_unary('/shop.Shop/Get')(b'b', timeout=5) == b'got b'
for one in waiting:
    one.put(None)
";
    let mut client = Command::new("python3");
    client.args(["-c", script, &proxy.to_string()]).env("PYTHONPATH", tool("grpcio"));
    let output = timeout(WITHIN, client.stdin(Stdio::null()).kill_on_drop(true).output()).await;
    let output = output.expect("it ends").expect("python3 starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
