//! Memory against its limits: what can be taken back is not in use, `memory.high` is a limit, and huge pages are counted.

use std::{fs, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::process::Command;
use watchboard_test_support::{Binary, MemoryCgroup, Python};

const WITHIN: Duration = Duration::from_secs(30);

fn container(health: &Value) -> Value {
    health["memory_analysis"]["container"].clone()
}

/// Reads a file of 150 MiB again and again, so that its pages are active, and then listens.
const READS: &str = r"
import mmap, os, socket, sys
while not os.path.exists('go'):
    pass
with open(open('go').read(), 'rb') as file:
    pages = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    for _ in range(4):
        sum(pages[at] for at in range(0, len(pages), 4096))
        file.seek(0)
        while file.read(1 << 20):
            pass
    pages.close()
listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
while True:
    listener.accept()[0].close()
";

#[tokio::test]
async fn cache_in_use_can_be_taken_back_and_is_not_near_the_limit() {
    const LIMIT: u64 = 200 << 20;
    let Some(group) = MemoryCgroup::with_limit(LIMIT) else {
        println!("skipped: this machine lets no control group be made");
        return;
    };
    let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).expect("a folder on a disk");
    let file = folder.path().join("large");
    fs::write(&file, vec![7; 150 << 20]).expect("a file");
    let mut dd = Command::new("dd");
    dd.arg(format!("of={}", file.display())).args(["oflag=nocache", "conv=notrunc,fdatasync", "count=0"]);
    assert!(dd.stderr(Stdio::null()).status().await.expect("dd").success());
    let application = Python::script(READS);
    group.add_process(application.pid());
    fs::write(application.folder().join("go.new"), file.to_str().expect("UTF-8")).expect("it can be written");
    fs::rename(application.folder().join("go.new"), application.folder().join("go")).expect("it is ours");
    application.wait_until_listening().await;
    let binary = Binary::with_upstream(application.port, &[]).await.0;
    let cached = |health: &Value| container(health)["usage_bytes"].as_u64() > Some(150 << 20);
    let health = binary.client.wait_for_json("/health", WITHIN, cached).await;
    let bytes = |name: &str| container(&health)[name].as_u64().unwrap_or_default();
    println!("working set {} MiB of {} MiB in use", bytes("working_set_bytes") >> 20, bytes("usage_bytes") >> 20);
    assert!(bytes("working_set_bytes") < 60 << 20, "{:#}", container(&health));
    assert!(bytes("reclaimable_bytes") > 140 << 20, "{:#}", container(&health));
    assert_eq!(health["reasons"], Value::Array(vec![]));
}

/// Writes 100 MiB to a file in memory, whose pages cannot be taken back.
#[tokio::test]
async fn files_in_memory_cannot_be_taken_back() {
    let Some(group) = MemoryCgroup::with_limit(200 << 20) else {
        println!("skipped: this machine lets no control group be made");
        return;
    };
    let application = Python::script(
        "import os, signal, socket, sys\nwhile not os.path.exists('go'): pass\nfile = os.memfd_create('block')\n\
         for _ in range(100): os.write(file, b'x' * (1 << 20))\nlistener = socket.create_server(('127.0.0.1', int(sys.argv[1])))\nsignal.pause()",
    );
    group.add_process(application.pid());
    fs::write(application.folder().join("go"), "").expect("it can be written");
    application.wait_until_listening().await;
    let binary = Binary::with_upstream(application.port, &[]).await.0;
    let used = |health: &Value| container(health)["working_set_bytes"].as_u64() > Some(100 << 20);
    binary.client.wait_for_json("/health", WITHIN, used).await;
}

/// The binary with a recorded tree of version 2 in the place of this machine's.
async fn in_tree(files: &[(&str, &str)]) -> Option<(Binary, tempfile::TempDir)> {
    let tree = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let file = tree.path().join("cgroup/unit").join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("it can be made");
        fs::write(file, text).expect("it can be written");
    }
    fs::write(tree.path().join("member"), "0::/unit\n").expect("it can be written");
    let script = r#"mount --bind "$0/cgroup" /sys/fs/cgroup && mount --bind "$0/member" /proc/$$/cgroup && exec "$@""#;
    let unshare = |program: &std::path::Path| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script]).arg(tree.path()).arg(program);
        command
    };
    if !unshare("true".as_ref()).output().await.is_ok_and(|output| output.status.success()) {
        println!("skipped: binding a tree of control groups takes root and unshare");
        return None;
    }
    let mut command = unshare(&watchboard_test_support::binary_path());
    command.env("WATCHBOARD_OPEN", "true").stderr(Stdio::piped()).kill_on_drop(true);
    let binary = Binary::from_command(command).await;
    Some((binary, tree))
}

#[tokio::test]
async fn the_limit_from_which_the_kernel_throttles_is_judged() {
    let files = [
        ("memory.current", "104857600\n"),
        ("memory.max", "209715200\n"),
        ("memory.high", "104857600\n"),
        ("memory.swap.max", "52428800\n"),
        ("memory.swap.current", "1048576\n"),
        ("hugetlb.2MB.current", "4194304\n"),
        ("hugetlb.2MB.rsvd.current", "8388608\n"),
        ("memory.events", "low 0\nhigh 421\nmax 0\noom 0\noom_kill 0\n"),
        ("memory.stat", "anon 103000000\nfile 0\nactive_file 0\ninactive_file 0\nslab_reclaimable 0\n"),
    ];
    let Some((binary, _tree)) = in_tree(&files).await else { return };
    let throttled = |health: &Value| health["reasons"].to_string().contains("memory.high");
    let health = binary.client.wait_for_json("/health", WITHIN, throttled).await;
    let figures = container(&health);
    assert_eq!((&figures["high_bytes"], &figures["high_events"]), (&104_857_600.into(), &421.into()));
    assert_eq!((&figures["swap_bytes"], &figures["swap_limit_bytes"]), (&1_048_576.into(), &52_428_800.into()));
    assert_eq!(figures["hugetlb_bytes"], 4_194_304);
    let page = String::from_utf8(binary.client.send("GET", "/?view=memory").await.1.to_vec()).expect("UTF-8");
    assert!(page.contains("Throttled from") && page.contains("421 times so far"), "{page}");
}

const HUGE: &str = r"
import mmap, signal, socket, sys
pages = mmap.mmap(-1, 8 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)
pages.write(b'x' * (8 << 20))
listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
signal.pause()
";

/// Takes huge pages from the machine, and gives them back.
struct HugePages(String);

impl HugePages {
    const FILE: &str = "/proc/sys/vm/nr_hugepages";

    fn add(pages: u64) -> Option<Self> {
        let before = fs::read_to_string(Self::FILE).ok()?;
        let after = before.trim().parse::<u64>().ok()? + pages;
        fs::write(Self::FILE, after.to_string()).ok()?;
        let taken = Self(before);
        (fs::read_to_string(Self::FILE).ok()?.trim() == after.to_string()).then_some(taken)
    }
}

impl Drop for HugePages {
    fn drop(&mut self) {
        let _ = fs::write(Self::FILE, &self.0);
    }
}

#[tokio::test]
async fn huge_pages_are_counted() {
    let Some(_pages) = HugePages::add(8) else {
        println!("skipped: huge pages take root, and this machine has to have some free");
        return;
    };
    let application = Python::script(HUGE);
    application.wait_until_listening().await;
    let binary = Binary::with_upstream(application.port, &[]).await.0;
    let memory = |health: &Value| health["memory_analysis"].clone();
    let counted = |health: &Value| memory(health)["process"]["process"]["memory_info"]["hugetlb"] == 8 << 20;
    let health = binary.client.wait_for_json("/health", WITHIN, counted).await;
    let system = &memory(&health)["system"]["virtual_memory"];
    assert!(
        system["hugetlb"].as_u64() >= Some(16 << 20) && system["hugetlb_free"].as_u64() >= Some(8 << 20),
        "{system:#}"
    );
    let page = String::from_utf8(binary.client.send("GET", "/?view=memory").await.1.to_vec()).expect("UTF-8");
    assert!(page.contains("Huge pages"), "{page}");
}
