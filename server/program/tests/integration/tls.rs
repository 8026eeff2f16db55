//! TLS by certificate and key: protocols, clients, and a renewed certificate.

use std::{fs, path::Path, sync::Arc, time::Duration};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
    time::{sleep, timeout},
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName},
    },
};
use watchboard_test_support::{Binary, Node};

const WITHIN: Duration = Duration::from_secs(20);

/// A new certificate for `shop.example` in these files.
fn issue(folder: &Path) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["shop.example".to_owned()]).unwrap();
    // The key first: who reads in between has a pair that does not fit, and reads again.
    fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    cert.der().clone()
}

async fn connect(
    binary: &Binary,
    trusted: &CertificateDer<'static>,
    protocol: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(binary.proxy.unwrap()).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("shop.example").unwrap(), stream).await
}

async fn start(folder: &Path, node: &Node) -> Binary {
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| folder.join(name).to_str().unwrap().to_owned());
    Binary::with_upstream(node.port, &["--tls-cert", &certificate, "--tls-key", &key]).await.0
}

#[tokio::test]
async fn the_application_is_served_over_tls_and_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = issue(folder.path());
    let node = Node::start().await;
    let binary = start(folder.path(), &node).await;
    let mut stream = connect(&binary, &certificate, "http/1.1").await.unwrap();
    stream.write_all(b"GET /headers HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.contains(r#""X-Forwarded-Proto","https""#) || answer.contains(r#""x-forwarded-proto","https""#),
        "{answer}"
    );
    let stream = connect(&binary, &certificate, "h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));

    let mut plain = TcpStream::connect(binary.proxy.unwrap()).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut answer = vec![];
    let _ = timeout(WITHIN, plain.read_to_end(&mut answer)).await.expect("it is closed");
    assert!(!answer.starts_with(b"HTTP"), "nothing is answered in the clear");
}

#[tokio::test]
async fn a_renewed_certificate_serves_without_a_restart_and_a_broken_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let first = issue(folder.path());
    let node = Node::start().await;
    let binary = start(folder.path(), &node).await;
    connect(&binary, &first, "http/1.1").await.expect("the first");
    fs::write(folder.path().join("cert.pem"), "no certificate").unwrap();
    binary.wait_for_log("The certificate before stays in use").await;
    connect(&binary, &first, "http/1.1").await.expect("the first still");
    let second = issue(folder.path());
    let renewed = async {
        while connect(&binary, &second, "http/1.1").await.is_err() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(WITHIN, renewed).await.expect("the second");
    assert!(connect(&binary, &first, "http/1.1").await.is_err(), "the first is gone");
}

#[tokio::test]
async fn what_is_wrong_with_the_files_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    issue(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("empty.pem"), "").unwrap();
    let other = tempfile::tempdir().unwrap();
    issue(other.path());
    let other_key = other.path().join("key.pem").to_str().unwrap().to_owned();
    for (certificate, key, said) in [
        (path("none.pem"), path("key.pem"), "none.pem"),
        (path("empty.pem"), path("key.pem"), "no certificate in"),
        (path("cert.pem"), path("cert.pem"), "private key"),
        (path("cert.pem"), other_key, "do not serve"),
    ] {
        let mut command = Command::new(watchboard_test_support::binary_path());
        let output = command.args(["--listen", "127.0.0.1:0", "--tls-cert", &certificate, "--tls-key", &key]).output();
        let output = timeout(WITHIN, output).await.expect("it ends").unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && words.contains(said), "{said}: {words}");
    }
}
