//! The memory figures of the running binary beside psutil's of the same process.

mod support;

use serde_json::Value;
use support::{Binary, tool};
use tokio::process::Command;

/// What psutil says of a process and of the machine, by the names of `/health`.
const PSUTIL: &str = r#"
import json, psutil, sys
process = psutil.Process(int(sys.argv[1]))
system = psutil.virtual_memory()._asdict()
del system["slab"]
print(json.dumps({
    "process": {
        "pid": process.pid,
        "memory_percent": process.memory_percent(),
        "memory_info": process.memory_info()._asdict(),
        "num_threads": process.num_threads(),
        "open_files": len(process.open_files()),
        "connections": len(process.net_connections()),
        "num_fds": process.num_fds(),
    },
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
        let health = binary.asker.json("/api/v1/health").await;
        let theirs = psutil(binary.pid()).await;
        let memory = &health["memory_analysis"];
        found = differences(&memory["process"]["process"], &theirs["process"], 0.01);
        found.extend(differences(&memory["process"]["process"]["memory_info"], &theirs["process"]["memory_info"], 0.0));
        found.extend(differences(&memory["system"]["virtual_memory"], &theirs["virtual_memory"], 16e6));
        found.extend(differences(&memory["system"]["swap_memory"], &theirs["swap_memory"], 0.0));
        if found.is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    panic!("{found:#?}");
}
