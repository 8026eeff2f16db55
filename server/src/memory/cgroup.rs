//! Control groups of both versions: where a process's group is, and the limits of it and of those above it.

use std::{
    ffi::OsStr,
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use watchboard_wire::{Reading, Unknown};

use super::{failure::or_unknown, text};

/// Version 1 writes "no limit" as the largest page-aligned number.
const UNLIMITED_FROM: u64 = 1 << 62;

/// The names of the files in a version of control groups.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CgroupFiles {
    pub(super) version: u8,
    pub(super) usage: &'static str,
    pub(super) limit: &'static str,
    /// The limit from which on the kernel slows the group down. Version 1 has none.
    pub(super) high: Option<&'static str>,
    /// Version 1 counts memory and swap together.
    pub(super) swap_limit: &'static str,
    pub(super) anonymous: &'static str,
    pub(super) file: &'static str,
    /// Pages of files and of the kernel that can be taken back, and of these the ones that have to be written first.
    pub(super) reclaimable: &'static [&'static str],
    pub(super) unwritten: &'static [&'static str],
    pub(super) events: &'static str,
    /// The ending of `hugetlb.2MB.current`.
    pub(super) hugetlb_usage: &'static str,
}

pub(super) static V2: CgroupFiles = CgroupFiles {
    version: 2,
    usage: "memory.current",
    limit: "memory.max",
    high: Some("memory.high"),
    swap_limit: "memory.swap.max",
    anonymous: "anon ",
    file: "file ",
    reclaimable: &["active_file ", "inactive_file ", "slab_reclaimable "],
    unwritten: &["file_dirty ", "file_writeback "],
    events: "memory.events",
    hugetlb_usage: ".current",
};
pub(super) static V1: CgroupFiles = CgroupFiles {
    version: 1,
    usage: "memory.usage_in_bytes",
    limit: "memory.limit_in_bytes",
    high: None,
    swap_limit: "memory.memsw.limit_in_bytes",
    anonymous: "total_rss ",
    file: "total_cache ",
    reclaimable: &["total_active_file ", "total_inactive_file "],
    unwritten: &["total_dirty ", "total_writeback "],
    events: "memory.oom_control",
    hugetlb_usage: ".usage_in_bytes",
};

/// A control group, by its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GroupFolder {
    /// The hierarchy's root, as far as it is shown here.
    pub(super) root: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) names: &'static CgroupFiles,
}

impl GroupFolder {
    /// Its path below the root.
    pub(super) fn name(&self) -> String {
        self.name_of(&self.folder)
    }

    pub(super) fn name_of(&self, folder: &Path) -> String {
        format!("/{}", folder.strip_prefix(&self.root).unwrap_or(folder).display())
    }

    /// The group and those above it, the nearest first.
    pub(super) fn and_above(&self) -> impl Iterator<Item = &Path> {
        self.folder.ancestors().take_while(|folder| folder.starts_with(&self.root))
    }

    /// The text of one of its files. Not every kernel has all of them.
    pub(super) fn read(&self, file: &str) -> Option<String> {
        text::read(self.folder.join(file)).ok()
    }

    /// The smallest number in a file of the group and of those above, and the path of its group.
    pub(super) fn smallest(&self, file: &str) -> Reading<Option<(u64, String)>> {
        let mut smallest: Option<(u64, String)> = None;
        for folder in self.and_above() {
            let path = folder.join(file);
            // The root of the hierarchy has no limit, and no file for one.
            let found = path.exists().then(|| read_number(&path)).transpose()?.flatten();
            if let Some(found) = found.filter(|found| smallest.as_ref().is_none_or(|(least, _)| found < least)) {
                smallest = Some((found, self.name_of(folder)));
            }
        }
        Ok(smallest)
    }
}

/// The text of `/proc/PID/cgroup`: names of groups are bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Membership(Vec<u8>);

impl Membership {
    /// `None` without such a file: the kernel has no control groups.
    pub(super) fn read(file: &Path) -> Reading<Option<Self>> {
        match std::fs::read(file) {
            Ok(bytes) => Ok(Some(Self(bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            error => or_unknown(&file.display().to_string(), error).map(|_| None),
        }
    }

    /// The path of the process in the hierarchy of a controller; in the one of version 2 without a name.
    pub(super) fn path(&self, controller: &str) -> Option<&Path> {
        self.0.split(|byte| *byte == b'\n').find_map(|line| {
            let mut fields = line.splitn(3, |byte| *byte == b':').skip(1);
            let (controllers, path) = (fields.next()?, fields.next()?);
            let is_there = controllers.split(|byte| *byte == b',').any(|name| name == controller.as_bytes());
            is_there.then(|| Path::new(OsStr::from_bytes(path)))
        })
    }
}

/// The folder of a path, if `file` is in it. Inside a container the path may be the host's, and the mount shows the container's own
/// group as its root.
pub(super) fn group_with(root: &Path, path: &Path, file: &str) -> Option<PathBuf> {
    // A path may lead out of the mount: "/../other".
    let leads_out = path.iter().any(|part| part == "..");
    let own = (!leads_out).then(|| root.join(path.strip_prefix("/").unwrap_or(path)));
    own.into_iter().chain([root.to_owned()]).find(|group| group.join(file).exists())
}

/// A number of bytes; `None` for "no limit".
pub(super) fn read_number(file: &Path) -> Reading<Option<u64>> {
    let name = file.display().to_string();
    number(&name, &or_unknown(&name, text::read(file))?)
}

pub(super) fn number(file: &str, text: &str) -> Reading<Option<u64>> {
    match text.trim() {
        "max" => Ok(None),
        number => match number.parse::<u64>() {
            Ok(number) => Ok((number < UNLIMITED_FROM).then_some(number)),
            Err(_) => Err(Unknown::because(format!("{file} says {number:?}, which is no number"))),
        },
    }
}
