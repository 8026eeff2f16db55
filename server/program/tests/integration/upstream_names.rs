//! An application behind a host name: unknown at the start, known later, and then at another address. `/etc/hosts` and the name server are of
//! a mount namespace.

use std::{fs, net::SocketAddr, path::Path, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::process::{Child, Command};
use watchboard_test_support::{
    Binary, binary_path, free_port,
    raw::{RawResponse, exchange},
};

const WITHIN: Duration = Duration::from_secs(30);

/// Answers with its own address, and keeps its connections.
const ANSWERS: &str = r#"
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = sys.argv[1].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"#;

fn application(ip: &str, port: u16) -> Child {
    let mut python = Command::new("python3");
    python.args(["-c", ANSWERS, ip, &port.to_string()]).kill_on_drop(true).spawn().expect("python3 starts")
}

/// The same by HTTP/2.
fn application_of_http_2(ip: &str, port: u16) -> Child {
    let script = "const [ip, port] = process.argv.slice(1);
        require('http2').createServer((_, answer) => {
            answer.writeHead(200, { 'content-length': ip.length });
            answer.end(ip);
        }).listen(+port, ip);";
    let mut node = Command::new("node");
    node.args(["-e", script, ip, &port.to_string()]).kill_on_drop(true).spawn().expect("node starts")
}

/// `/etc/hosts` of the binary.
fn write_hosts(hosts: &Path, line: &str) {
    fs::write(hosts, format!("127.0.0.1 localhost\n{line}\n")).expect("it can be written");
}

/// Starts the binary in a mount namespace with these names; `None` if this machine lets nobody make one.
async fn with_names(hosts: &Path, arguments: &[&str]) -> Option<Binary> {
    let unshare = |line: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", line, "sh"]);
        command
    };
    if !unshare("true").output().await.is_ok_and(|output| output.status.success()) {
        println!("skipped: a mount namespace takes root and unshare");
        return None;
    }
    let resolver = hosts.with_file_name("resolv.conf");
    // Nobody answers there, which the kernel says at once.
    fs::write(&resolver, "nameserver 127.0.0.67\noptions timeout:1 attempts:1\n").expect("it can be written");
    let mut command = unshare(
        "mount --bind \"$1\" /etc/hosts && mount --bind \"$2\" \"$(readlink -f /etc/resolv.conf)\" && shift 2 && exec \"$@\"",
    );
    command.args([hosts, &resolver]).arg(binary_path()).args(["--proxy-listen", "127.0.0.1:0"]).args(arguments);
    command.env("WATCHBOARD_OPEN", "true").stderr(Stdio::piped()).kill_on_drop(true);
    Some(Binary::from_command(command).await)
}

/// The body of an answer, and its status.
async fn ask(proxy: SocketAddr) -> (u16, String) {
    let answer = exchange(proxy, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let body = String::from_utf8_lossy(&answer).rsplit("\r\n\r\n").next().unwrap_or_default().to_owned();
    (RawResponse::parse(&answer).code(), body)
}

/// Asks without a pause in which a connection would grow old, until this address answers.
async fn wait_for_answer(proxy: SocketAddr, ip: &str) {
    let answers = async {
        while ask(proxy).await != (200, ip.to_owned()) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(WITHIN, answers).await.unwrap_or_else(|_| panic!("{ip} does not answer"));
}

fn pid(health: &Value) -> &Value {
    &health["memory_analysis"]["process"]["process"]["pid"]
}

#[tokio::test]
async fn a_name_that_is_unknown_at_the_start_is_looked_up_again_and_its_changes_are_followed() {
    let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
    let hosts = folder.path().join("hosts");
    let write = |line: &str| write_hosts(&hosts, line);
    write("");
    let upstream = format!("http://app.shop.test:{port}");
    let Some(binary) = with_names(&hosts, &["--upstream", &upstream]).await else { return };
    let proxy = binary.proxy.expect("it stands in front");

    binary.wait_for_log("the address of app.shop.test cannot be looked up").await;
    let reason = "no address of the application is known: app.shop.test cannot be looked up";
    let is_named = |health: &Value| health["reasons"].to_string().contains(reason);
    let health = binary.client.wait_for_json("/health", WITHIN, is_named).await;
    assert_eq!((&health["status"], pid(&health)), (&"unhealthy".into(), &Value::Null), "{health:#}");
    assert_eq!((&health["uptime"]["seconds"], health["uptime"]["error"].is_string()), (&Value::Null, true));
    assert_eq!(ask(proxy).await.0, 502);

    let [first, second] = ["127.0.0.41", "127.0.0.42"].map(|ip| application(ip, port));
    write("127.0.0.41 app.shop.test");
    wait_for_answer(proxy, "127.0.0.41").await;
    let is_watched = |child: &Child| {
        let expected = child.id().expect("it runs");
        move |health: &Value| *pid(health) == expected && !health["reasons"].to_string().contains("address")
    };
    binary.client.wait_for_json("/health", WITHIN, is_watched(&first)).await;

    // The first goes on, and would answer on its kept connections for ever.
    write("127.0.0.42 app.shop.test");
    wait_for_answer(proxy, "127.0.0.42").await;
    for _ in 0..20 {
        assert_eq!(ask(proxy).await, (200, "127.0.0.42".to_owned()));
    }
    let health = binary.client.wait_for_json("/health", WITHIN, is_watched(&second)).await;
    assert_eq!(health["memory_analysis"]["application"]["restarted"], Value::Array(vec![]), "it moved");

    // A name server that is out of order takes nothing away.
    write("");
    binary.wait_for_log("the addresses of app.shop.test are [127.0.0.42").await;
    let failures = || binary.log_lines("the address of app.shop.test cannot be looked up").len();
    tokio::time::timeout(WITHIN, async {
        while failures() < 2 {
            assert_eq!(ask(proxy).await, (200, "127.0.0.42".to_owned()));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("the failure is logged");
    assert_eq!(ask(proxy).await, (200, "127.0.0.42".to_owned()));
    assert_eq!(*pid(&binary.client.json("/health").await), second.id().expect("it runs"));
    drop((first, second));
}

#[tokio::test]
async fn the_connection_that_requests_of_http_2_share_follows_the_name() {
    let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
    let hosts = folder.path().join("hosts");
    write_hosts(&hosts, "127.0.0.43 app.shop.test");
    let upstream = format!("h2c://app.shop.test:{port}");
    let Some(binary) = with_names(&hosts, &["--upstream", &upstream]).await else { return };
    let proxy = binary.proxy.expect("it stands in front");
    let both = ["127.0.0.43", "127.0.0.44"].map(|ip| application_of_http_2(ip, port));
    wait_for_answer(proxy, "127.0.0.43").await;
    write_hosts(&hosts, "127.0.0.44 app.shop.test");
    wait_for_answer(proxy, "127.0.0.44").await;
    drop(both);
}
