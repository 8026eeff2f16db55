//! The container: the process's control group, version 2 or 1, and the smallest limit among it and its ancestors.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use watchboard_app::wire::{Container, Reading, Unknown};

/// Version 1 writes "no limit" as the largest page-aligned number.
const UNLIMITED_FROM: u64 = 1 << 62;

pub(super) struct ContainerProbe {
    /// `/sys/fs/cgroup`, or a recorded tree in a test.
    mount: PathBuf,
    /// `/proc/self/cgroup`.
    membership: PathBuf,
}

/// What the files of a version of control groups are called.
struct Names {
    usage: &'static str,
    limit: &'static str,
    inactive_file: &'static str,
}

const V2: Names = Names { usage: "memory.current", limit: "memory.max", inactive_file: "inactive_file " };
const V1: Names =
    Names { usage: "memory.usage_in_bytes", limit: "memory.limit_in_bytes", inactive_file: "total_inactive_file " };

impl ContainerProbe {
    pub(super) fn new() -> Self {
        Self { mount: "/sys/fs/cgroup".into(), membership: "/proc/self/cgroup".into() }
    }

    /// The control group's memory; none where no group counts it.
    pub(super) fn read(&self) -> Reading<Option<Container>> {
        let membership = match fs::read_to_string(&self.membership) {
            Ok(membership) => membership,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Unknown::because(format!("cannot read {}: {error}", self.membership.display()))),
        };
        for line in membership.lines() {
            let mut fields = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
            let (root, names) = match controllers {
                "" => (self.mount.clone(), V2),
                _ if controllers.split(',').any(|name| name == "memory") => (self.mount.join("memory"), V1),
                _ => continue,
            };
            // Inside a container the path may be the host's, and the mount shows the container's own group as its root.
            let own = root.join(path.trim_start_matches('/'));
            let group = if own.join(names.usage).exists() { own } else { root.clone() };
            if group.join(names.usage).exists() {
                return group_memory(&root, &group, &names).map(Some);
            }
        }
        Ok(None)
    }
}

fn group_memory(root: &Path, group: &Path, names: &Names) -> Reading<Container> {
    let usage = read_number(&group.join(names.usage))?.unwrap_or(0);
    let stat = read_text(&group.join("memory.stat"))?;
    let inactive_file = stat.lines().find_map(|line| line.strip_prefix(names.inactive_file)?.parse().ok()).unwrap_or(0);
    let mut limit_bytes: Option<u64> = None;
    for ancestor in group.ancestors().take_while(|ancestor| ancestor.starts_with(root)) {
        let file = ancestor.join(names.limit);
        // The root of the hierarchy has no limit, and no file for one.
        if let Some(limit) = file.exists().then(|| read_number(&file)).transpose()?.flatten() {
            limit_bytes = Some(limit_bytes.map_or(limit, |smallest| smallest.min(limit)));
        }
    }
    Ok(Container { working_set_bytes: usage.saturating_sub(inactive_file), limit_bytes })
}

/// A number of bytes, or none for "no limit".
fn read_number(file: &Path) -> Reading<Option<u64>> {
    let text = read_text(file)?;
    match text.trim() {
        "max" => Ok(None),
        number => match number.parse::<u64>() {
            Ok(number) => Ok((number < UNLIMITED_FROM).then_some(number)),
            Err(_) => Err(Unknown::because(format!("{} says {number:?}, which is no number", file.display()))),
        },
    }
}

fn read_text(file: &Path) -> Reading<String> {
    super::unreadable(&file.display().to_string(), fs::read_to_string(file))
}

#[cfg(test)]
mod tests {
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
        (tree, ContainerProbe { mount, membership: member })
    }

    #[test]
    fn the_smallest_limit_of_the_ancestors_counts_and_reclaimable_cache_does_not() {
        let (_tree, probe) = probe(
            "0::/pod/app\n",
            &[
                ("pod/app/memory.current", "1000\n"),
                ("pod/app/memory.stat", "anon 600\ninactive_file 300\n"),
                ("pod/app/memory.max", "max\n"),
                ("pod/memory.max", "4000\n"),
            ],
        );
        let container = probe.read().unwrap().unwrap();
        assert_eq!(container, Container { working_set_bytes: 700, limit_bytes: Some(4000) });
        assert!((container.percent().unwrap() - 17.5).abs() < 1e-9);
    }

    #[test]
    fn inside_a_container_the_mount_is_the_group() {
        let (_tree, probe) =
            probe("0::/host/only/path\n", &[("memory.current", "50\n"), ("memory.stat", ""), ("memory.max", "100\n")]);
        assert_eq!(probe.read().unwrap(), Some(Container { working_set_bytes: 50, limit_bytes: Some(100) }));
    }

    #[test]
    fn version_one_without_a_limit() {
        let (_tree, probe) = probe(
            "3:cpu:/x\n2:memory:/x\n",
            &[
                ("memory/x/memory.usage_in_bytes", "900\n"),
                ("memory/x/memory.stat", "total_inactive_file 100\n"),
                ("memory/x/memory.limit_in_bytes", "9223372036854771712\n"),
            ],
        );
        assert_eq!(probe.read().unwrap(), Some(Container { working_set_bytes: 800, limit_bytes: None }));
    }

    #[test]
    fn no_group_is_none_and_nonsense_is_unknown() {
        let (_tree, outside) = probe("0::/\n", &[]);
        assert_eq!(outside.read(), Ok(None));
        let (_tree, broken) = probe("0::/\n", &[("memory.current", "many"), ("memory.stat", "")]);
        let reason = broken.read().unwrap_err().reason;
        assert!(reason.contains("memory.current says \"many\""), "{reason}");
    }
}
