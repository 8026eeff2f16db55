//! An application that speaks another protocol than `--upstream` says, and one whose certificate is not accepted: both are named, by one reason.

use std::{net::SocketAddr, path::Path, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use serde_json::Value;
use watchboard_test_support::{
    Binary, Node, Python,
    raw::{RawResponse, exchange},
};

const WITHIN: Duration = Duration::from_mins(1);
const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const REQUESTS: usize = 12;

/// Python's own server; with a certificate and a key as `cert.pem` and `key.pem`, if they are there.
const SERVER: &str = r#"
import http.server, os, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
server.handle_error = lambda *_: None
folder = "FOLDER"
if folder:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
"#;

fn server(folder: &str) -> Python {
    Python::script(&SERVER.replace("FOLDER", folder))
}

/// A certificate for `127.0.0.1` that has signed itself, as `cert.pem` and `key.pem`.
fn write_certificate(folder: &Path, change: impl FnOnce(&mut CertificateParams)) {
    let mut parameters = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    change(&mut parameters);
    let key = KeyPair::generate().unwrap();
    std::fs::write(folder.join("cert.pem"), parameters.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

async fn proxy_to(upstream: &str, arguments: &[&str]) -> (Binary, SocketAddr) {
    let all = [&["--upstream", upstream, "--proxy-listen", "127.0.0.1:0"], arguments].concat();
    let binary = Binary::start(&all).await;
    let proxy = binary.proxy.expect("it stands in front");
    (binary, proxy)
}

/// All requests fail by this reason and no other.
async fn all_fail_by(upstream: &str, arguments: &[&str], cause: &str) {
    let (binary, proxy) = proxy_to(upstream, arguments).await;
    let requests = (0..REQUESTS).map(|_| exchange(proxy, GET));
    for answer in futures_util::future::join_all(requests).await {
        assert_eq!(RawResponse::parse(&answer).code(), 502, "{upstream}");
    }
    let all = |health: &Value| health["application"]["error_count"] == REQUESTS;
    let health = binary.client.wait_for_json("/health", WITHIN, all).await;
    let errors = health["application"]["recent_errors"].as_array().expect("errors");
    let is_cause = |error: &Value| error["error"].to_string().contains(cause);
    assert!(errors.iter().all(is_cause), "{upstream}: not {cause}: {errors:#?}");
}

#[tokio::test]
async fn a_mistaken_scheme_is_named() {
    let folder = tempfile::tempdir().unwrap();
    write_certificate(folder.path(), |_| {});
    let calls = Python::script(include_str!("../../../test-support/src/apps/grpc_server.py"));
    let (plain, secured) = (server(""), server(folder.path().to_str().unwrap()));
    for python in [&calls, &plain, &secured] {
        python.wait_until_listening().await;
    }
    let node = Node::start().await;
    let (http, h2c, https) = ("use --upstream http://", "use --upstream h2c://", "use --upstream https://");
    for (scheme, port, right) in [
        ("http", calls.port, h2c),
        ("https", calls.port, h2c),
        ("h2c", node.port, http),
        ("https", node.port, http),
        ("h2c", plain.port, http),
        ("https", plain.port, http),
        ("http", secured.port, https),
        ("h2c", secured.port, https),
    ] {
        all_fail_by(&format!("{scheme}://127.0.0.1:{port}"), &[], right).await;
    }
}

/// A server with TLS that refuses a request without it, as nginx does.
const REFUSING_SERVER: &str = r#"
import socket, sys, threading
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
REFUSAL = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 60\r\nConnection: close\r\n\r\nThe plain HTTP request was sent to HTTPS port, as nginx says"
ALERT = b"\x15\x03\x01\x00\x02\x02\x28"
def serve(client):
    first = client.recv(4096)
    client.sendall(ALERT if first[:1] == b"\x16" else REFUSAL)
    client.close()
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"#;

#[tokio::test]
async fn a_port_of_tls_that_answers_plain_requests_by_a_400_is_named() {
    let server = Python::script(REFUSING_SERVER);
    server.wait_until_listening().await;
    let (binary, proxy) = proxy_to(&format!("http://127.0.0.1:{}", server.port), &[]).await;
    assert_eq!(RawResponse::parse(&exchange(proxy, GET).await).code(), 400, "the answer of the application passes");
    let first_other = async {
        loop {
            let code = RawResponse::parse(&exchange(proxy, GET).await).code();
            if code != 400 {
                return code;
            }
        }
    };
    assert_eq!(tokio::time::timeout(WITHIN, first_other).await, Ok(502));
    let is_named =
        |health: &Value| health["application"]["recent_errors"].to_string().contains("use --upstream https://");
    binary.client.wait_for_json("/health", WITHIN, is_named).await;
}

#[tokio::test]
async fn the_applications_own_certificate_is_accepted_if_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    // As `openssl req -x509` makes it.
    write_certificate(folder.path(), |one| one.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let other = tempfile::tempdir().unwrap();
    write_certificate(other.path(), |one| one.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let secured = server(folder.path().to_str().unwrap());
    secured.wait_until_listening().await;
    let (named, another) = (folder.path().join("cert.pem"), other.path().join("cert.pem"));
    let (named, another) = (["--upstream-ca", named.to_str().unwrap()], ["--upstream-ca", another.to_str().unwrap()]);
    let upstream = format!("https://127.0.0.1:{}", secured.port);
    let (_binary, proxy) = proxy_to(&upstream, &named).await;
    let answer = RawResponse::parse(&exchange(proxy, GET).await);
    assert_eq!((answer.code(), answer.body.as_slice()), (200, &b"ok"[..]));

    let by_name = format!("https://localhost:{}", secured.port);
    all_fail_by(&by_name, &named, "is for another name").await;
    all_fail_by(&upstream, &another, "nobody that is known has signed").await;
    all_fail_by(&upstream, &[], "name its authority, or itself, by --upstream-ca").await;
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_not_accepted_though_it_is_named() {
    for authority in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let folder = tempfile::tempdir().unwrap();
        write_certificate(folder.path(), |one| {
            one.is_ca = authority;
            one.not_after = rcgen::date_time_ymd(2020, 1, 1);
        });
        let secured = server(folder.path().to_str().unwrap());
        secured.wait_until_listening().await;
        let named = folder.path().join("cert.pem");
        let upstream = format!("https://127.0.0.1:{}", secured.port);
        all_fail_by(&upstream, &["--upstream-ca", named.to_str().unwrap()], "has expired").await;
    }
}
