//! The program's own threads and tasks survive what happens to them.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::Stdio,
    time::Duration,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpStream, unix::pipe},
    process::Command,
    time::{Instant, sleep, timeout},
};
use watchboard_test_support::{Binary, Node, PausedThread, TestClient, Visitor, copy_binary, prepared_command};

const WITHIN: Duration = Duration::from_secs(20);

/// The names of a process's threads.
fn threads(pid: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok()).collect()
}

#[tokio::test]
async fn without_descriptors_and_with_a_lost_log_the_proxy_lives_on() {
    let node = Node::start().await;
    let upstream = format!("http://127.0.0.1:{}", node.port);
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = prepared_command("", &["--upstream", &upstream]);
    command.stderr(writer);
    let binary = Binary::from_prepared(command).await;
    // Whoever read the log leaves.
    drop(reader);
    let proxy = TestClient::new(binary.proxy.unwrap());
    let own = |pid| threads(pid).into_iter().filter(|name| name.starts_with("proxy-")).count();
    let before = std::thread::available_parallelism().unwrap().get();
    let descriptors = || fs::read_dir(format!("/proc/{}/fd", binary.pid())).unwrap().count();
    // After the start, which counts what it may have.
    let most = descriptors() + 20;
    let limit = format!("--nofile={most}:{most}");
    let limited = Command::new("prlimit").args(["--pid", &binary.pid().to_string(), &limit]).status().await;
    assert!(limited.unwrap().success());
    let mut clients = vec![];
    for address in [binary.proxy.unwrap(), binary.client.address] {
        for _ in 0..100 {
            clients.push(TcpStream::connect(address).await.unwrap());
        }
    }
    let deadline = Instant::now() + WITHIN;
    while descriptors() < most {
        assert!(Instant::now() < deadline, "there are {} descriptors", descriptors());
        sleep(Duration::from_millis(20)).await;
    }
    // Some accepts fail meanwhile, each with a line of the log.
    sleep(Duration::from_millis(300)).await;
    drop(clients);
    let answers = async {
        while proxy.send("GET", "/headers").await.0 != 200 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(WITHIN, answers).await.expect("the application is reached again");
    assert_eq!(own(binary.pid()), before, "each thread lives");
    assert_eq!(binary.client.send("GET", "/livez").await.0, 200);
    assert!(binary.client.json("/health").await["monitor"]["dropped_log_lines"].as_u64().unwrap() > 0);
}

/// A mount that never answers, in a namespace of the program's own. It needs root.
const HUNG_MOUNT: &str = "
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def check(result):
    if result: sys.exit('no mount: ' + os.strerror(ctypes.get_errno()))
fuse = os.open('/dev/fuse', os.O_RDWR); keep(fuse)
options = f'fd={fuse},rootmode=40000,user_id=0,group_id=0'.encode()
check(libc.mount(b'none', b'/', None, 0x44000, None))
check(libc.mount(b'fuse', os.environ['HUNG'].encode(), b'fuse', 0, options))
";

#[tokio::test]
async fn a_certificate_on_a_mount_that_hangs_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["shop.example".to_owned()]).unwrap();
    fs::write(path("real.pem"), cert.pem()).unwrap();
    fs::write(path("key.pem"), signing_key.serialize_pem()).unwrap();
    fs::write(path("real.json"), r#"{"openapi":"3.1.0","paths":{"/users/{id}":{"get":{}}}}"#).unwrap();
    fs::create_dir(path("hung")).unwrap();
    for (link, target) in [("cert.pem", "real.pem"), ("openapi.json", "real.json")] {
        symlink(path(target), path(link)).unwrap();
    }
    let [certificate, key, openapi] =
        ["cert.pem", "key.pem", "openapi.json"].map(|name| path(name).display().to_string());
    let arguments =
        ["--tls-cert", &certificate, "--tls-key", &key, "--openapi", &openapi, "--upstream", "http://127.0.0.1:1"];
    let mut probe = Command::new("unshare");
    let probe = probe.args(["-m", "true"]).output().await;
    if !probe.is_ok_and(|output| output.status.success()) || fs::metadata("/dev/fuse").is_err() {
        return println!("skipped: a mount of its own needs root and /dev/fuse");
    }
    let prepared = prepared_command(HUNG_MOUNT, &arguments);
    let mut command = Command::new("unshare");
    command.arg("-m").arg(prepared.as_std().get_program()).args(prepared.as_std().get_args());
    command.env("HUNG", path("hung")).stderr(Stdio::null());
    let mut binary = Binary::from_prepared(command).await;
    for link in ["cert.pem", "openapi.json"] {
        fs::remove_file(path(link)).unwrap();
        symlink(path("hung").join(link), path(link)).unwrap();
    }
    // Two looks at the files, which do not come back.
    sleep(Duration::from_secs(5)).await;
    for _ in 0..20 {
        let mut stream = TcpStream::connect(binary.client.address).await.unwrap();
        stream.write_all(b"not TLS").await.unwrap();
        let answered = timeout(WITHIN, stream.read_to_end(&mut vec![])).await;
        let _ = answered.expect("the listener and its workers answer");
    }
    binary.signal("TERM").await;
    let status = timeout(WITHIN, binary.wait_for_exit()).await.expect("it ends");
    assert_eq!(status.code(), Some(0));
}

/// Of "correct horse battery", by the cheapest parameters there are.
const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gLHIkr1qgP4r3sH1P/NIg3+PMckaLQ3RkuIiytJhVlY";

/// Sets how many threads the program's user may have, as this user.
async fn limit_threads(user: u32, pid: u32, most: u32) {
    let script = format!(
        "import os, resource; os.setuid({user})\nresource.prlimit({pid}, resource.RLIMIT_NPROC, ({most}, resource.prlimit({pid}, resource.RLIMIT_NPROC)[1]))"
    );
    assert!(Command::new("python3").args(["-c", &script]).status().await.unwrap().success());
}

/// A command that starts the program as a user of its own, whose threads can be limited: the limit is on all of a user's. `None` without root.
async fn as_other_user(folder: &Path, user: u32, arguments: &[&str]) -> Option<Command> {
    if !Command::new("id").arg("-u").output().await.unwrap().stdout.starts_with(b"0\n") {
        println!("skipped: another user, whose threads are limited, needs root");
        return None;
    }
    // Others may not read the program of a test.
    let copy = folder.join("watchboard");
    copy_binary(&copy);
    fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
    let script = "if n := int(os.environ.get('THREADS', 0)): resource.setrlimit(resource.RLIMIT_NPROC, (n, n))
os.setuid(int(os.environ['USER_ID'])); sys.argv[1] = os.environ['COPY']";
    let mut command = prepared_command(script, arguments);
    command.env("COPY", copy).env("USER_ID", user.to_string());
    Some(command)
}

#[tokio::test]
async fn without_threads_for_the_proxy_it_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--listen", "127.0.0.1:0", "--proxy-listen", "127.0.0.1:0", "--upstream", "127.0.0.1:9"];
    let Some(mut command) = as_other_user(folder.path(), 64321, &arguments).await else { return };
    // Threads for main, the log, the board's workers and the monitor.
    let threads = std::thread::available_parallelism().unwrap().get() + 3;
    command.env("THREADS", threads.to_string()).stderr(Stdio::piped());
    let output = timeout(WITHIN, command.output()).await.expect("it ends").unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("the proxy cannot run"), "{said}");
}

#[tokio::test]
async fn a_sign_in_that_gets_no_thread_is_answered_and_a_later_one_works() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut command) = as_other_user(folder.path(), 64322, &["--password-hash", HASH]).await else { return };
    command.stderr(Stdio::null());
    let binary = Binary::from_prepared(command).await;
    let visitor = Visitor::new(binary.client.address);
    limit_threads(64322, binary.pid(), 1).await;
    for _ in 0..6 {
        assert_eq!(visitor.post("/sign-in", "password=correct+horse+battery").await.status(), 500);
    }
    limit_threads(64322, binary.pid(), 1000).await;
    assert_eq!(visitor.post("/sign-in", "password=correct+horse+battery").await.status(), 303);
}

#[tokio::test]
async fn a_task_that_panics_for_want_of_a_thread_is_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let issue = || {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["a".to_owned()]).unwrap();
        fs::write(path("key.pem"), signing_key.serialize_pem()).unwrap();
        fs::write(path("cert.pem"), cert.pem()).unwrap();
    };
    issue();
    fs::set_permissions(path("key.pem"), PermissionsExt::from_mode(0o644)).unwrap();
    let arguments = ["--tls-cert", &path("cert.pem"), "--tls-key", &path("key.pem")];
    let Some(mut command) = as_other_user(folder.path(), 64323, &arguments).await else { return };
    let (writer, reader) = pipe::pipe().unwrap();
    command.stderr(writer.into_blocking_fd().unwrap());
    let binary = Binary::from_prepared(command).await;
    limit_threads(64323, binary.pid(), 1).await;
    let mut lines = BufReader::new(reader).lines();
    let mut wait_for = async |words: &str| {
        let says = async { while !lines.next_line().await.unwrap().expect("it runs").contains(words) {} };
        timeout(WITHIN, says).await.unwrap_or_else(|_| panic!("it does not say {words:?}"));
    };
    wait_for("the certificate watcher failed, and is started again").await;
    wait_for("the certificate watcher failed, and is started again").await;
    limit_threads(64323, binary.pid(), 1000).await;
    issue();
    wait_for("the certificate has changed").await;
}

#[tokio::test]
async fn proxy_threads_that_stand_still_are_named() {
    let node = Node::start().await;
    let (binary, _) = Binary::with_upstream(node.port, &[]).await;
    let mut paused = vec![];
    for name in binary_proxy_threads(binary.pid()) {
        let Some(thread) = PausedThread::stop(binary.pid(), &name).await else {
            return println!("skipped: this machine lets no thread be stopped by ptrace");
        };
        paused.push(thread);
    }
    let named = |health: &serde_json::Value| health["reasons"].to_string().contains("the proxy thread failed");
    let health = binary.client.wait_for_json("/health", WITHIN, named).await;
    assert_eq!(health["status"], "degraded", "{health:#}");
    drop(paused);
    let proxy = TestClient::new(binary.proxy.unwrap());
    assert_eq!(timeout(WITHIN, proxy.send("GET", "/headers")).await.expect("they go on").0, 200);
}

fn binary_proxy_threads(pid: u32) -> Vec<String> {
    threads(pid).into_iter().map(|name| name.trim().to_owned()).filter(|name| name.starts_with("proxy-")).collect()
}
