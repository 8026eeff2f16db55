//! Names from the kernel are bytes: of processes, threads, control groups, mounts. It cuts the first two at 15 bytes, also within a letter.

use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use watchboard_test_support::{Binary, MemoryCgroup, Python, reasons};

const WITHIN: Duration = Duration::from_secs(30);

/// Forks two workers. Each of the three processes gets the name that it reads, and has a thread of that name.
const NAMED: &str = r"
import ctypes, os, signal, socket, sys, threading
libc = ctypes.CDLL(None)
name = bytes(NAME)
def rename():
    libc.prctl(15, name, 0, 0, 0)
def thread():
    rename()
    threading.Event().wait()
listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
for _ in range(2):
    if os.fork() == 0:
        break
rename()
threading.Thread(target=thread, daemon=True).start()
while True:
    listener.accept()[0].close()
";

fn script(name: &[u8]) -> String {
    NAMED.replace("NAME", &format!("{name:?}"))
}

fn processes(health: &Value) -> usize {
    health["memory_analysis"]["application"]["processes"].as_array().map_or(0, Vec::len)
}

fn process(health: &Value) -> &Value {
    &health["memory_analysis"]["process"]["process"]
}

/// Cut within a letter, no UTF-8 at all, signs that end other fields.
const NAMES: [&[u8]; 4] =
    ["caf\u{e9}-bestellt\u{fc}r".as_bytes(), b"\xff\xfe\x80", b"a) S 1 (b) Z (", b"a\nThreads:\t9\\n"];

#[tokio::test]
async fn an_application_with_any_name_is_seen_with_its_workers_and_threads() {
    for name in NAMES {
        let application = Python::script(&script(name));
        application.wait_until_listening().await;
        let pid = application.pid().to_string();
        let by_address = Binary::with_upstream(application.port, &[]).await.0;
        let by_id = Binary::start(&["--pid", &pid]).await;
        for binary in [by_address, by_id] {
            let threads = |health: &Value| process(health)["num_threads"].as_u64();
            let is_seen = |health: &Value| processes(health) == 3 && threads(health) == Some(6);
            let health = binary.client.wait_for_json("/health", WITHIN, is_seen).await;
            assert_eq!((process(&health)["pid"].to_string(), reasons(&health)), (pid.clone(), vec![]));
            assert!(process(&health)["memory_info"]["rss"].as_u64() > Some(8 << 20), "{name:?}: {health:#}");
            let are_listed = |health: &Value| {
                health["memory_analysis"]["process"]["threads"].as_array().is_some_and(|threads| threads.len() == 5)
            };
            binary.client.wait_for_json("/health", WITHIN, are_listed).await;
        }
    }
}

#[tokio::test]
async fn the_heaviest_processes_and_the_disks_are_listed_with_any_name() {
    let heavy = script(b"\xffheavy\xc3").replace("listener =", "block = bytearray(700 << 20)\nlistener =");
    let application = Python::script(&heavy);
    application.wait_until_listening().await;
    let folder = tempfile::tempdir().expect("a folder");
    // In a mount namespace of its own, a disk at a place whose name is no UTF-8.
    let script = r#"
        mkdir "$0/$(printf 'b\303\244d\377 place')" && truncate -s 8M "$0/disk" && mkfs.ext4 -q "$0/disk" &&
        mount -o loop "$0/disk" "$0/$(printf 'b\303\244d\377 place')" && exec "$@"
    "#;
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).arg(folder.path()).arg(watchboard_test_support::binary_path());
    let can_mount = std::process::Command::new("unshare")
        .args(["--mount", "sh", "-c", script])
        .arg(tempfile::tempdir().expect("a folder").path())
        .arg("true")
        .output();
    let is_mounted = can_mount.is_ok_and(|output| output.status.success());
    let binary = if is_mounted {
        command.env("WATCHBOARD_OPEN", "true").stderr(std::process::Stdio::piped()).kill_on_drop(true);
        Binary::from_command(command).await
    } else {
        println!("skipped for the disks: mounting one takes root, loop devices and mkfs.ext4");
        Binary::start(&[]).await
    };
    let page = String::from_utf8(binary.client.send("GET", "/?view=memory").await.1.to_vec()).expect("UTF-8");
    let heaviest = page.split_once("Processes by memory").expect("a table").1;
    assert!(heaviest.contains(&format!(">{}<", application.pid())), "the process is listed: {page}");
    if is_mounted {
        assert!(page.contains("b\u{e4}d\u{fffd} place"), "the disk is listed: {page}");
    }
}

#[tokio::test]
async fn a_control_group_with_any_name_has_its_limit() {
    const LIMIT: u64 = 300 << 20;
    let Some(group) = MemoryCgroup::named(b"b\xc3\xa4d\xff) :name", LIMIT) else {
        println!("skipped: this machine lets no control group be made");
        return;
    };
    let application = Python::script(&script(b"a"));
    application.wait_until_listening().await;
    group.add_process(application.pid());
    let binary = Binary::with_upstream(application.port, &[]).await.0;
    let limited = |health: &Value| health["memory_analysis"]["container"]["limit_bytes"] == LIMIT;
    let health = binary.client.wait_for_json("/health", WITHIN, limited).await;
    let name = health["memory_analysis"]["container"]["group"].to_string();
    assert!(name.contains("b\u{e4}d\u{fffd}) :name"), "{name}");
}

/// A server whose first thread ends after it has started another, as `pthread_exit` in `main` does.
const LEADERLESS: &str = r"
import ctypes, os, socket, sys, threading
listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
block = bytearray(b'x') * (64 << 20)
held = open(__file__)
def serve():
    while not os.path.exists('exit'):
        listener.settimeout(0.1)
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        connection.recv(65536)
        connection.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok')
        connection.close()
    os._exit(7)
threading.Thread(target=serve, daemon=True).start()
ctypes.CDLL(None).syscall(60, 0)
";

#[tokio::test]
async fn a_process_whose_first_thread_has_exited_goes_on() {
    let application = Python::script(LEADERLESS);
    application.wait_until_listening().await;
    let status = || std::fs::read_to_string(format!("/proc/{}/status", application.pid())).expect("it is there");
    let deadline = tokio::time::Instant::now() + WITHIN;
    while !status().contains("State:\tZ") {
        assert!(tokio::time::Instant::now() < deadline, "its first thread exits: {}", status());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let pid = application.pid().to_string();
    let (by_address, proxy) = Binary::with_upstream(application.port, &[]).await;
    let by_id = Binary::start(&["--pid", &pid]).await;
    for binary in [&by_address, &by_id] {
        let is_read = |health: &Value| process(health)["open_files"].as_u64() >= Some(1);
        let health = binary.client.wait_for_json("/health", WITHIN, is_read).await;
        let bytes = |name: &str| process(&health)["memory_info"][name].as_u64();
        assert!(bytes("rss") > Some(64 << 20) && bytes("anonymous") > Some(64 << 20), "{health:#}");
        assert_eq!((process(&health)["pid"].clone(), reasons(&health)), (application.pid().into(), vec![]));
        assert!(process(&health)["num_fds"].as_u64() >= Some(4), "{health:#}");
        assert_eq!(health["service"], "shop", "by its command line");
    }
    let client = watchboard_test_support::TestClient::new(proxy);
    assert_eq!(client.send("GET", "/").await.0, 200, "it serves");
}
