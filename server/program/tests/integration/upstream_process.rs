//! The memory of an application behind the proxy: real processes of `FastAPI` under uvicorn, of forking parents, of other users.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{process::Command, time::sleep};
use watchboard_test_support::{Binary, MemoryCgroup, Python, reasons, tool};

/// What anything may take: an application starts within seconds, and is looked for every second.
const WITHIN: Duration = Duration::from_secs(30);

/// What psutil says of processes, by the names of `/health`.
const PSUTIL: &str = r#"
import json, psutil, sys
def said(pid):
    process = psutil.Process(pid)
    full = process.memory_full_info()
    return {
        "pid": pid,
        "rss": full.rss,
        "num_threads": process.num_threads(),
        "num_fds": process.num_fds(),
        "open_files": len(process.open_files()),
        "uss": full.uss,
        "pss": full.pss,
    }
print(json.dumps([said(int(pid)) for pid in sys.argv[1:]]))
"#;

async fn psutil(pids: &[String]) -> Vec<Value> {
    let mut python = Command::new("python3");
    python.args(["-c", PSUTIL]).args(pids).env("PYTHONPATH", tool("psutil"));
    let output = python.output().await.expect("python3 starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The binary in front of an application.
async fn with_upstream(application: &Python) -> Binary {
    Binary::with_upstream(application.port, &[]).await.0
}

fn process(health: &Value) -> &Value {
    &health["memory_analysis"]["process"]["process"]
}

fn processes(health: &Value) -> Vec<Value> {
    health["memory_analysis"]["application"]["processes"].as_array().cloned().unwrap_or_default()
}

fn roles(health: &Value, role: &str) -> usize {
    processes(health).iter().filter(|process| process["role"] == role).count()
}

fn pids(health: &Value) -> Vec<String> {
    processes(health).iter().map(|process| process["pid"].to_string()).collect()
}

async fn memory_page(binary: &Binary) -> String {
    String::from_utf8(binary.client.send("GET", "/?view=memory&window=1m").await.1.to_vec()).expect("text")
}

fn near(ours: &Value, theirs: u64) -> bool {
    ours.as_f64().is_some_and(|ours| (ours - theirs as f64).abs() <= theirs as f64 * 0.01)
}

#[tokio::test]
async fn every_process_of_uvicorn_agrees_with_psutil_and_so_do_their_sums() {
    let application = Python::uvicorn(3);
    // The parent, three workers, and Python's own resource tracker.
    let all = |health: &Value| {
        let is_known = |process: &Value| process["open_files"].is_u64();
        let shared = process(health)["pss"].is_u64();
        roles(health, "worker") == 3 && processes(health).len() == 5 && processes(health).iter().all(is_known) && shared
    };
    let mut found = vec![];
    for _ in 0..10 {
        // Anew, since shared pages are read once a minute: in the first seconds the workers are not done with their imports.
        let binary = with_upstream(&application).await;
        let health = binary.client.wait_for_json("/health", WITHIN, all).await;
        found = differences(&health, &psutil(&pids(&health)).await);
        if found.is_empty() {
            let [main, sum] = [&processes(&health)[0], process(&health)];
            assert_eq!((&main["pid"], &main["role"]), (&application.pid().into(), &"main".into()));
            assert_eq!((&sum["pid"], &health["service"]), (&main["pid"], &"uvicorn".into()));
            // What only the application itself could tell is not told of this binary.
            assert_eq!(health["memory_analysis"]["heap"], Value::Null);
            let page = memory_page(&binary).await;
            let whose = format!("uvicorn, 5 processes, listening at 127.0.0.1:{}.", application.port);
            assert!(page.contains(&whose) && page.contains("All processes"), "{whose}");
            assert!(!page.contains("Endpoints by allocation") && !page.contains("Async runtime"));
            for pid in pids(&health) {
                assert!(page.contains(&format!(">{pid}<")), "{pid} stands in the table");
            }
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("{found:#?}");
}

/// The figures in which ours are more than 1 % away from psutil's: of each process, and of all.
fn differences(health: &Value, theirs: &[Value]) -> Vec<String> {
    let mut found = vec![];
    let mut compare = |what: String, ours: &Value, theirs: u64| {
        if !near(ours, theirs) {
            found.push(format!("{what}: {ours}, psutil {theirs}"));
        }
    };
    let sum = |name: &str| theirs.iter().map(|process| process[name].as_u64().expect("a number")).sum::<u64>();
    for (ours, theirs) in processes(health).iter().zip(theirs) {
        for name in ["rss", "num_threads", "num_fds", "open_files"] {
            compare(format!("{name} of {}", ours["pid"]), &ours[name], theirs[name].as_u64().expect("a number"));
        }
    }
    let whole = process(health);
    compare("rss".to_owned(), &whole["memory_info"]["rss"], sum("rss"));
    for name in ["num_threads", "num_fds", "open_files", "uss", "pss"] {
        compare(name.to_owned(), &whole[name], sum(name));
    }
    found
}

#[tokio::test]
async fn the_uptime_is_the_applications_and_not_watchboards() {
    let mut application = Python::script(FORKS);
    // Between the two starts, so that they cannot be mixed up.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let binary = with_upstream(&application).await;
    let is_known = |health: &Value| health["uptime"]["seconds"].is_u64();
    let health = binary.client.wait_for_json("/health", WITHIN, is_known).await;
    let [own, of_application] = [&health["monitor"]["uptime_seconds"], &health["uptime"]["seconds"]].map(Value::as_u64);
    assert!(of_application >= own.map(|own| own + 4), "{health:#}");
    let started = processes(&health)[0]["started"].as_str().expect("a date").to_owned();
    assert_eq!(health["uptime"]["started"], *started);
    let page = String::from_utf8(binary.client.send("GET", "/").await.1.to_vec()).expect("text");
    assert!(page.contains(&format!("since {started}")), "{started}");

    application.kill().await;
    let is_unknown = |health: &Value| health["uptime"]["error"].as_str().is_some_and(|why| why.contains("has ended"));
    let health = binary.client.wait_for_json("/health", WITHIN, is_unknown).await;
    assert_eq!((&health["uptime"]["seconds"], &health["uptime"]["formatted"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_restart_is_a_gap_and_a_mark_and_no_failure() {
    let mut application = Python::uvicorn(2);
    let binary = with_upstream(&application).await;
    let runs = |health: &Value| roles(health, "worker") == 2;
    let before = binary.client.wait_for_json("/health", WITHIN, runs).await;
    application.kill().await;
    let ended = |health: &Value| {
        process(health)["error"].as_str().is_some_and(|why| why.contains("has ended; looking for the next"))
    };
    let gone = binary.client.wait_for_json("/health", WITHIN, ended).await;
    assert_eq!((processes(&gone).len(), reasons(&gone)), (0, vec![]), "{gone:#}");
    assert!(memory_page(&binary).await.contains("has ended; looking for the next"));
    application.restart();
    let after = binary.client.wait_for_json("/health", WITHIN, runs).await;
    assert_ne!(process(&after)["pid"], process(&before)["pid"]);
    assert_eq!(process(&after)["pid"], application.pid());
    let restarted = &after["memory_analysis"]["application"]["restarted"];
    assert_eq!(restarted.as_array().map(Vec::len), Some(1), "{restarted}");
    assert_eq!(reasons(&after), [""; 0]);
    let page = memory_page(&binary).await;
    assert!(page.contains(&format!("Restarted at {}", restarted[0].as_str().expect("a time"))), "{restarted}");
    let begun = Instant::now();
    loop {
        let page = memory_page(&binary).await;
        let chart = page.split("<figure").find(|figure| figure.contains("Application memory")).expect("a chart");
        let count = |element: &str| chart.matches(element).count();
        // The starts of the board and of the application, and a line before the gap and one after it: the next second has them.
        match (count("<line class=\"start\""), count("<polyline class=\"hue-memory\"")) {
            (2, 2) => return,
            counts => assert!(begun.elapsed() < WITHIN, "{counts:?}: {chart}"),
        }
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn an_application_that_does_not_run_is_a_finding_and_in_the_log() {
    let mut application = Python::uvicorn(2);
    application.kill().await;
    let binary = with_upstream(&application).await;
    binary.wait_for_log("the application does not run: Nothing on this host listens").await;
    let named = |health: &Value| health["reasons"].to_string().contains("has not been running for 1");
    let health = binary.client.wait_for_json("/health", WITHIN, named).await;
    assert_eq!(health["status"], "unhealthy", "with no request at all: {health:#}");
    application.restart();
    binary.wait_for_log("the application runs: uvicorn, listening at").await;
    binary.client.wait_for_json("/health", WITHIN, |health| health["status"] == "healthy").await;
}

/// Forks three that accept by the parent's socket.
const FORKS: &str = r"
import os, signal, socket, sys
listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
for _ in range(3):
    if os.fork() == 0:
        while True:
            listener.accept()[0].close()
signal.pause()
";

#[tokio::test]
async fn workers_go_on_without_their_parent() {
    let mut application = Python::script(FORKS);
    let binary = with_upstream(&application).await;
    let forked = |health: &Value| roles(health, "main") == 1 && roles(health, "worker") == 3;
    let before = binary.client.wait_for_json("/health", WITHIN, forked).await;
    assert_eq!(process(&before)["pid"], application.pid());
    application.kill_parent().await;
    let orphaned = |health: &Value| roles(health, "main") == 1 && roles(health, "worker") == 2;
    let after = binary.client.wait_for_json("/health", WITHIN, orphaned).await;
    let (mut left, mut all) = (pids(&after), pids(&before));
    all.retain(|pid| *pid != application.pid().to_string());
    left.sort();
    all.sort();
    assert_eq!(left, all, "its three workers");
    assert_eq!(after["memory_analysis"]["application"]["restarted"], Value::Array(vec![]));
}

/// Forks more than are read.
const MANY: &str = r"
import os, signal, socket, sys
listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
for _ in range(70):
    if os.fork() == 0:
        signal.pause()
signal.pause()
";

#[tokio::test]
async fn more_processes_than_are_read_are_counted_and_said() {
    let application = Python::script(MANY);
    let binary = with_upstream(&application).await;
    let more = |health: &Value| health["memory_analysis"]["application"]["unread_processes"] == 7;
    let health = binary.client.wait_for_json("/health", WITHIN, more).await;
    assert_eq!(processes(&health).len(), 64);
    let page = memory_page(&binary).await;
    assert!(page.contains("71 processes") && page.contains("The first 64 are read; 7 more are in no figure."));
}

#[tokio::test]
async fn the_container_is_the_applications() {
    const LIMIT: u64 = 300 << 20;
    let Some(group) = MemoryCgroup::with_limit(LIMIT) else {
        println!("this machine lets no control group be made: the recorded ones have to do");
        return;
    };
    let application = Python::script(FORKS);
    group.add_process(application.pid());
    let binary = with_upstream(&application).await;
    let limited = |health: &Value| health["memory_analysis"]["container"]["limit_bytes"] == LIMIT;
    binary.client.wait_for_json("/health", WITHIN, limited).await;
}

/// A parent that does not listen itself, and two that do, each by a socket of its own.
const EACH_LISTENS: &str = r"
import os, signal, socket, sys
for _ in range(2):
    if os.fork() == 0:
        listener = socket.create_server(('', int(sys.argv[1])), reuse_port=True)
        while True:
            listener.accept()[0].close()
signal.pause()
";

#[tokio::test]
async fn workers_that_each_listen_are_one_application_under_their_parent() {
    let application = Python::script(EACH_LISTENS);
    let binary = with_upstream(&application).await;
    let found = |health: &Value| roles(health, "worker") == 2;
    let health = binary.client.wait_for_json("/health", WITHIN, found).await;
    assert_eq!((process(&health)["pid"].clone(), processes(&health).len()), (application.pid().into(), 3));
}

#[tokio::test]
async fn a_process_that_is_named_is_watched_until_it_has_ended_and_with_its_children() {
    let mut application = Python::script(FORKS);
    let binary = Binary::start(&["--pid", &application.pid().to_string()]).await;
    let found = |health: &Value| processes(health).len() == 4;
    let health = binary.client.wait_for_json("/health", WITHIN, found).await;
    assert_eq!(process(&health)["pid"], application.pid());
    application.kill().await;
    let ended = |health: &Value| process(health)["error"].as_str().is_some_and(|why| why.contains("has ended"));
    let health = binary.client.wait_for_json("/health", WITHIN, ended).await;
    assert!(process(&health)["error"].as_str().is_some_and(|why| why.contains("--pid")), "what to do: {health:#}");
}

#[tokio::test]
async fn an_application_elsewhere_is_said_to_be_and_nothing_stands_in_its_place() {
    for (upstream, why) in [
        ("http://192.0.2.7:8000", "192.0.2.7 is not an address of this host"),
        ("http://127.0.0.1:9", "Nothing on this host listens at 127.0.0.1:9 yet"),
    ] {
        let binary = Binary::start(&["--upstream", upstream, "--proxy-listen", "127.0.0.1:0"]).await;
        let health = binary.client.json("/health").await;
        let said = process(&health)["error"].as_str().unwrap_or_default().to_owned();
        assert!(said.contains(why), "{upstream}: {said}");
        assert_eq!(reasons(&health), [""; 0], "not to be seen is not wrong");
        assert_eq!((&process(&health)["memory_info"], processes(&health)), (&Value::Null, vec![]), "{upstream}");
        assert!(memory_page(&binary).await.contains(why), "{upstream}");
    }
}

/// Debian's user of nothing.
const NOBODY: u32 = 65_534;

#[tokio::test]
async fn another_users_process_is_said_to_be_and_what_to_do() {
    if !is_root() {
        println!("only root can start the binary as another user");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let path = folder.path().join("watchboard");
    watchboard_test_support::copy_binary(&path);
    let as_nobody = |arguments: &[&str]| {
        let mut command = Command::new(&path);
        command
            .args(arguments)
            .arg("--open")
            .current_dir("/")
            .uid(NOBODY)
            .gid(NOBODY)
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        Binary::from_command(command)
    };
    let application = Python::script(FORKS);
    let binary = as_nobody(&["--upstream", &application.url(), "--proxy-listen", "127.0.0.1:0"]).await;
    let refused = |health: &Value| process(health)["error"].as_str().is_some_and(|why| why.contains("another user's"));
    let health = binary.client.wait_for_json("/health", WITHIN, refused).await;
    let why = process(&health)["error"].as_str().unwrap_or_default();
    assert!(why.contains("opened by user 0") && why.contains("CAP_SYS_PTRACE") && why.contains("--pid"), "{why}");
    drop(binary);
    // By its id it is found, and what everybody may see of it is shown; the rest says why not.
    let binary = as_nobody(&["--pid", &application.pid().to_string()]).await;
    let found = |health: &Value| processes(health).len() == 4 && process(health)["memory_info"]["rss"].is_u64();
    let health = binary.client.wait_for_json("/health", WITHIN, found).await;
    assert_eq!(process(&health)["open_files"], Value::Null);
    assert!(memory_page(&binary).await.contains("may not be read: it is another user's process"));
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

#[tokio::test]
async fn a_process_that_there_is_not_is_refused_at_the_start() {
    let mut command = Command::new(watchboard_test_support::binary_path());
    let output = command.args(["--listen", "127.0.0.1:0", "--pid", "4294967295"]).output().await.expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("no process 4294967295 on this host"), "{said}");
}

const AT_SOCKET: &str = r"
import os, socket
path = os.getcwd() + '/app.sock'
if os.path.exists(path):
    os.remove(path)
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen()
while True:
    listener.accept()[0].close()
";

#[tokio::test]
async fn an_application_at_a_unix_socket_is_found_and_missed_without_a_request() {
    let mut application = Python::script(AT_SOCKET);
    let folder = application.folder().canonicalize().expect("it is there");
    let upstream = format!("unix:{}/app.sock", folder.display());
    let binary = Binary::start(&["--upstream", &upstream, "--proxy-listen", "127.0.0.1:0"]).await;
    let is_found = |health: &Value| processes(health).len() == 1;
    let health = binary.client.wait_for_json("/health", WITHIN, is_found).await;
    assert_eq!(pids(&health), [application.pid().to_string()]);
    application.kill().await;
    let is_missed = |health: &Value| health["reasons"].to_string().contains("has not been running");
    let health = binary.client.wait_for_json("/health", WITHIN, is_missed).await;
    assert_eq!(health["status"], "unhealthy");
    let metrics = String::from_utf8(binary.client.send("GET", "/metrics").await.1.to_vec()).expect("text");
    assert!(metrics.contains("watchboard_application_up 0"), "{metrics}");
    application.restart();
    binary.client.wait_for_json("/health", WITHIN, |health| is_found(health) && health["status"] == "healthy").await;
}
