//! Recorded trees of control groups: of both versions, nested, unlimited, read-only, broken.

use std::{fs, os::unix::fs::PermissionsExt};

use proptest::prelude::*;
use watchboard_wire::CpuQuota;

use super::*;

/// A tree of control groups: the membership, and each file with its text.
fn probe(membership: &str, files: &[(&str, &str)]) -> (tempfile::TempDir, ContainerProbe) {
    let tree = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = tree.path().join("cgroup").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let (mount, member) = (tree.path().join("cgroup"), tree.path().join("member"));
    fs::write(&member, membership).unwrap();
    (tree, ContainerProbe { mount, own: member.clone(), membership: member, readings: 0, last: None })
}

#[test]
fn the_group_that_is_shown_is_not_taken_for_another_processs() {
    let files = [("memory.current", "1000\n"), ("memory.stat", ""), ("memory.max", "4000\n")];
    let (tree, mut probe) = probe("0::/../other\n", &files);
    assert!(probe.read().unwrap().is_some(), "a container shows its own group as the root");
    let own = tree.path().join("own");
    fs::write(&own, "0::/\n").unwrap();
    let mut probe = ContainerProbe { own, readings: 0, ..probe };
    let why = probe.read().unwrap_err().to_string();
    assert!(why.contains("/../other") && why.contains("is in another"), "{why}");
    fs::write(&probe.membership, "0::/\n").unwrap();
    assert!(probe.read().unwrap().is_some());
}

#[test]
fn the_smallest_limit_of_the_ancestors_counts_and_reclaimable_cache_does_not() {
    let (_tree, mut probe) = probe(
        "0::/pod/app\n",
        &[
            ("pod/app/memory.current", "1000\n"),
            ("pod/app/memory.stat", "anon 600\nfile 350\nkernel 50\ninactive_anon 100\ninactive_file 300\n"),
            ("pod/app/memory.max", "max\n"),
            ("pod/app/memory.events", "low 0\nhigh 0\nmax 4\noom 2\noom_kill 1\noom_group_kill 0\n"),
            (
                "pod/app/memory.pressure",
                "some avg10=12.50 avg60=0.00 avg300=0.00 total=9\nfull avg10=2.00 avg60=0.00 avg300=0.00 total=1\n",
            ),
            ("pod/app/cpu.stat", "usage_usec 5\nnr_periods 10\nnr_throttled 3\nthrottled_usec 1500\n"),
            ("pod/app/cpu.max", "50000 100000\n"),
            ("pod/memory.max", "4000\n"),
            ("memory.max", "9000\n"),
        ],
    );
    let container = probe.read().unwrap().unwrap();
    assert_eq!(
        container,
        Container {
            version: 2,
            group: "/pod/app".into(),
            working_set_bytes: 700,
            limit_bytes: Some(4000),
            limit_group: Some("/pod".into()),
            usage_bytes: 1000,
            reclaimable_bytes: Some(300),
            anonymous_bytes: Some(600),
            file_bytes: Some(350),
            oom_kills: Some(1),
            pressure: Some(watchboard_wire::Pressure { some_percent: 12.5, full_percent: 2.0 }),
            cpu: Some(CpuQuota { cores: Some(0.5), periods: 10, throttled_periods: 3, throttled_us: 1500 }),
            high_events: Some(0),
            ..Container::default()
        }
    );
    assert!((container.percent().unwrap() - 17.5).abs() < 1e-9);
}

#[test]
fn inside_a_container_the_mount_is_the_group() {
    for membership in ["0::/host/only/path\n", "0::/../../elsewhere\n", "0::/\n"] {
        let files = [("memory.current", "50\n"), ("memory.stat", ""), ("memory.max", "100\n")];
        let (_tree, mut probe) = probe(membership, &files);
        let container = probe.read().unwrap().unwrap();
        assert_eq!((container.working_set_bytes, container.limit_bytes), (50, Some(100)));
        let untold = (container.oom_kills, container.pressure, container.cpu, container.anonymous_bytes);
        assert_eq!(untold, (None, None, None, None), "what the kernel does not tell is unknown and not zero");
    }
}

#[test]
fn version_one_beside_an_empty_version_two() {
    let (_tree, mut probe) = probe(
        "4:memory:/x/y\n2:cpuacct,cpu:/z\n0::/\n",
        &[
            ("memory/x/y/memory.usage_in_bytes", "900\n"),
            ("memory/x/y/memory.stat", "cache 1\nrss 2\ntotal_cache 300\ntotal_rss 500\ntotal_inactive_file 100\n"),
            ("memory/x/y/memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory/x/y/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"),
            ("memory/x/memory.limit_in_bytes", "5000\n"),
            ("cpu/z/cpu.stat", "nr_periods 0\n"),
            ("cpu/z/cpu.cfs_quota_us", "-1\n"),
            ("cpu/cpu.stat", "nr_periods 8\nnr_throttled 2\nthrottled_time 7000000\n"),
            ("cpu/cpu.cfs_quota_us", "150000\n"),
            ("cpu/cpu.cfs_period_us", "100000\n"),
        ],
    );
    let container = probe.read().unwrap().unwrap();
    assert_eq!((container.version, container.working_set_bytes), (1, 800));
    assert_eq!((container.limit_bytes, container.limit_group.as_deref()), (Some(5000), Some("/x")));
    assert_eq!((container.anonymous_bytes, container.file_bytes, container.oom_kills), (Some(500), Some(300), Some(2)));
    let quota = CpuQuota { cores: Some(1.5), periods: 8, throttled_periods: 2, throttled_us: 7_000 };
    assert_eq!(container.cpu, Some(quota));
}

#[test]
fn without_a_limit_anywhere_there_is_none() {
    let (_tree, mut probe) = probe(
        "2:memory:/x\n1:cpu:/x\n",
        &[
            ("memory/x/memory.usage_in_bytes", "900\n"),
            ("memory/x/memory.stat", "total_inactive_file 100\n"),
            ("memory/x/memory.limit_in_bytes", "9223372036854771712\n"),
            ("cpu/x/cpu.stat", "nr_periods 0\n"),
            ("cpu/x/cpu.cfs_quota_us", "-1\n"),
        ],
    );
    let container = probe.read().unwrap().unwrap();
    assert_eq!((container.limit_bytes, container.percent(), container.cpu.unwrap().cores), (None, None, None));
}

#[test]
fn no_group_is_none_and_nonsense_is_unknown() {
    let (_tree, mut outside) = probe("0::/\n", &[]);
    assert_eq!(outside.read(), Ok(None));
    let (_tree, mut broken) = probe("0::/\n", &[("memory.current", "many"), ("memory.stat", "")]);
    let reason = broken.read().unwrap_err().reason;
    assert!(reason.contains("memory.current says \"many\""), "{reason}");
    let (_tree, mut without_stat) = probe("0::/\n", &[("memory.current", "1")]);
    let reason = without_stat.read().unwrap_err().reason;
    assert!(reason.contains("cannot read") && reason.contains("memory.stat"), "{reason}");
}

#[test]
fn a_tree_that_may_only_be_read_is_enough() {
    let (tree, mut probe) =
        probe("0::/\n", &[("memory.current", "50\n"), ("memory.stat", ""), ("memory.max", "100\n")]);
    let mode = |mode| fs::set_permissions(tree.path().join("cgroup"), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o555);
    let read = probe.read();
    mode(0o755);
    assert_eq!(read.unwrap().unwrap().limit_bytes, Some(100));
}

proptest! {
    #[test]
    fn any_texts_are_survived(
        membership in "([0-9]:(memory|cpu|):/?[a-z./]{0,6}\n){0,3}|.{0,40}",
        texts in prop::collection::vec("[0-9a-z =.\n]{0,40}|.{0,20}", 4),
    ) {
        let names = ["memory.current", "memory.stat", "memory.max", "cpu.max"];
        let files: Vec<(&str, &str)> = names.into_iter().zip(texts.iter().map(String::as_str)).collect();
        let (_tree, mut probe) = probe(&membership, &files);
        let _ = probe.read();
    }
}
