//! Compares the memory figures of the running program with psutil's of the same process.

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;
use watchboard_test_support::{Binary, MemoryCgroup, tool};

/// What psutil says of a process and of the machine, by the names of `/health`.
const PSUTIL: &str = r#"
import json, psutil, sys
process = psutil.Process(int(sys.argv[1]))
system = psutil.virtual_memory()._asdict()
del system["slab"]
# psutil has no peak on Linux.
status = dict(line.split(":", 1) for line in open(f"/proc/{process.pid}/status"))
full = process.memory_full_info()
print(json.dumps({
    "process": {
        "pid": process.pid,
        "memory_percent": process.memory_percent(),
        "memory_info": process.memory_info()._asdict() | {
            "peak": int(status["VmHWM"].split()[0]) * 1024,
            "swap": full.swap,
        },
        "num_threads": process.num_threads(),
        "open_files": len(process.open_files()),
        "connections": len(process.net_connections()),
        "num_fds": process.num_fds(),
    },
    "mapped": {"uss": full.uss, "pss": full.pss},
    "virtual_memory": system,
    "swap_memory": psutil.swap_memory()._asdict(),
}))
"#;

async fn psutil(pid: u32) -> Value {
    let mut python = Command::new("python3");
    python.args(["-c", PSUTIL, &pid.to_string()]).env("PYTHONPATH", tool("psutil"));
    let output = python.output().await.expect("python3 starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The fields in which ours is more than 1 % away from psutil's. A figure of less than 16 MiB on a machine that works may
/// move by more between the two readings: `slack` is what it may move.
fn differences(ours: &Value, theirs: &Value, slack: f64) -> Vec<String> {
    let fields = theirs.as_object().expect("fields");
    let differs = |name: &String, theirs: &Value| {
        let (Some(theirs), ours) = (theirs.as_f64(), ours[name].as_f64()) else { return None };
        let near = ours.is_some_and(|ours| (ours - theirs).abs() <= (theirs.abs() * 0.01).max(slack));
        (!near).then(|| format!("{name}: {ours:?}, psutil {theirs}"))
    };
    fields.iter().filter_map(|(name, value)| differs(name, value)).collect()
}

#[tokio::test]
async fn every_figure_agrees_with_psutil() {
    let binary = Binary::start(&[]).await;
    // The readings cannot be at the same instant on a machine that works: one pair of several has to agree in every field.
    let mut found = Vec::new();
    for _ in 0..10 {
        let health = binary.client.json("/api/v1/health").await;
        let theirs = psutil(binary.pid()).await;
        let memory = &health["memory_analysis"];
        found = differences(&memory["process"]["process"], &theirs["process"], 0.01);
        found.extend(differences(&memory["process"]["process"]["memory_info"], &theirs["process"]["memory_info"], 0.0));
        found.extend(differences(&memory["system"]["virtual_memory"], &theirs["virtual_memory"], 16e6));
        found.extend(differences(&memory["system"]["swap_memory"], &theirs["swap_memory"], 0.0));
        if found.is_empty() {
            let parts =
                ["anonymous", "file", "shmem"].map(|part| memory["process"]["process"]["memory_info"][part].as_u64());
            let sum: Option<u64> = parts.into_iter().sum();
            assert_eq!(
                sum,
                memory["process"]["process"]["memory_info"]["rss"].as_u64(),
                "the parts of RSS add up to it"
            );
            return;
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    panic!("{found:#?}");
}

/// These are read once a minute: each attempt is the first look at a binary of its own. Other processes that come and go change what
/// is shared.
#[tokio::test]
async fn what_the_process_shares_agrees_with_psutil() {
    let mut found = Vec::new();
    for _ in 0..10 {
        let binary = Binary::start(&[]).await;
        let before = psutil(binary.pid()).await;
        let process = |health: &Value| health["memory_analysis"]["process"]["process"].clone();
        let is_read = |health: &Value| process(health)["uss"].is_u64();
        let health = binary.client.wait_for_json("/health", std::time::Duration::from_secs(5), is_read).await;
        let after = psutil(binary.pid()).await;
        found = differences(&process(&health), &after["mapped"], 256e3);
        // A process that was just started may still grow between two readings.
        if found.is_empty() || differences(&process(&health), &before["mapped"], 256e3).is_empty() {
            return;
        }
    }
    panic!("{found:#?}");
}

#[tokio::test]
async fn in_a_container_its_limit_counts_and_a_file_that_is_read_does_not() {
    const LIMIT: u64 = 512 << 20;
    let Some(group) = MemoryCgroup::with_limit(LIMIT) else {
        println!("this machine lets no control group be made: the recorded ones have to do");
        return;
    };
    let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).expect("a folder on a disk");
    let file = folder.path().join("large");
    std::fs::write(&file, vec![7; 256 << 20]).expect("a file");
    // Out of the cache, so that it is read from the disk, in the group's name.
    let mut dd = Command::new("dd");
    dd.arg(format!("of={}", file.display())).args(["oflag=nocache", "conv=notrunc,fdatasync", "count=0"]);
    assert!(dd.stderr(Stdio::null()).status().await.expect("dd").success());

    let binary = Binary::start(&[]).await;
    group.add_process(binary.pid());
    let within = std::time::Duration::from_secs(5);
    let container = |health: &Value| health["memory_analysis"]["container"].clone();
    let limited = |health: &Value| container(health)["limit_bytes"] == LIMIT;
    let before = container(&binary.client.wait_for_json("/health", within, limited).await);
    // It waits to be in the group before it reads.
    let mut reader = Command::new("sh");
    reader.args(["-c", "read go; cat \"$1\"", "sh"]).arg(&file).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut reader = reader.spawn().expect("sh");
    group.add_process(reader.id().expect("it runs"));
    drop(reader.stdin.take());
    reader.wait().await.expect("it ends");
    let bytes = |container: &Value, name: &str| container[name].as_u64().expect("bytes");
    let read = |health: &Value| bytes(&container(health), "usage_bytes") > bytes(&before, "usage_bytes") + (100 << 20);
    let after = container(&binary.client.wait_for_json("/health", within, read).await);
    let moved = bytes(&after, "working_set_bytes").abs_diff(bytes(&before, "working_set_bytes"));
    println!("a file of 256 MiB moved the working set by {} KiB of a limit of 512 MiB", moved >> 10);
    assert!(moved as f64 <= 0.05 * LIMIT as f64, "{before:#} {after:#}");
    drop(binary);
}
