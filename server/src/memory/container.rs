//! The container: the process's control group, version 2 or 1, and the smallest limits of it and its ancestors. A figure that
//! the version or the kernel lacks is unknown by itself.

use std::path::{Path, PathBuf};

use watchboard_wire::{Container, Reading, Unknown};

use super::{
    cgroup::{CgroupFiles, GroupFolder, Membership, V1, V2, group_with, number},
    cpu_quota,
    failure::or_unknown,
    pressure,
    text::{self, ProcFile},
};

/// One reading in so many reads the group, its limits and its events; each reading reads its usage.
const WHOLE_EVERY: u64 = 5;

pub(super) struct ContainerProbe {
    /// `/sys/fs/cgroup`, or a recorded tree in a test.
    mount: PathBuf,
    /// `/proc/PID/cgroup`.
    membership: PathBuf,
    /// The same file of the monitor itself.
    own: PathBuf,
    readings: u64,
    last: Option<Cgroup>,
}

/// The control group of the process.
struct Cgroup {
    usage: ProcFile,
    stat: ProcFile,
    place: GroupFolder,
    whole: Container,
}

impl ContainerProbe {
    /// The monitor's own process.
    pub(super) fn for_this_process() -> Self {
        Self::for_process(Path::new("/proc/self"))
    }

    /// A process by its folder.
    pub(super) fn for_process(folder: &Path) -> Self {
        Self {
            mount: "/sys/fs/cgroup".into(),
            membership: folder.join("cgroup"),
            own: "/proc/self/cgroup".into(),
            readings: 0,
            last: None,
        }
    }

    /// The folder of the control group at the last reading.
    pub(super) fn place(&self) -> Option<&GroupFolder> {
        self.last.as_ref().map(|group| &group.place)
    }

    /// The control group; `Ok(None)` if no group counts the process's memory.
    pub(super) fn read(&mut self) -> Reading<Option<Container>> {
        if self.readings.is_multiple_of(WHOLE_EVERY) {
            self.last = self.find_group()?;
        }
        self.readings += 1;
        let Some(Cgroup { usage, stat, place, whole }) = &mut self.last else { return Ok(None) };
        let names = place.names;
        let usage_bytes = number(names.usage, &or_unknown(names.usage, usage.read())?)?.unwrap_or(0);
        let stat = &*or_unknown("memory.stat", stat.read())?;
        let reclaimable_bytes = reclaimable(stat, names);
        Ok(Some(Container {
            working_set_bytes: usage_bytes.saturating_sub(reclaimable_bytes.unwrap_or(0)),
            usage_bytes,
            reclaimable_bytes,
            anonymous_bytes: text::field(stat, names.anonymous),
            file_bytes: text::field(stat, names.file),
            swap_bytes: text::field(stat, "total_swap ").or(whole.swap_bytes),
            ..whole.clone()
        }))
    }

    fn find_group(&self) -> Reading<Option<Cgroup>> {
        let Some(membership) = Membership::read(&self.membership)? else { return Ok(None) };
        let of_own = self.membership == self.own
            || Membership::read(&self.own).is_ok_and(|own| own.as_ref() == Some(&membership));
        for controller in ["memory", ""] {
            let Some(path) = membership.path(controller) else { continue };
            let (root, names) =
                if controller.is_empty() { (self.mount.clone(), &V2) } else { (self.mount.join("memory"), &V1) };
            let Some(folder) = group_with(&root, path, names.usage) else { continue };
            if !of_own && !folder.ends_with(path.strip_prefix("/").unwrap_or(path)) {
                return Err(Unknown::because(format!(
                    "its control group {} is not among those that {} shows to watchboard, which is in another",
                    path.display(),
                    self.mount.display(),
                )));
            }
            let place = GroupFolder { root, folder, names };
            let whole = Container {
                cpu: self.beside(&membership, "cpu", "cpu.stat", &place).as_ref().and_then(cpu_quota::read),
                hugetlb_bytes: self
                    .beside(&membership, "hugetlb", "cgroup.procs", &place)
                    .and_then(|place| hugetlb_bytes(&place)),
                ..limits(&place)?
            };
            let source = |file: &str| ProcFile::new(place.folder.join(file));
            return Ok(Some(Cgroup { usage: source(names.usage), stat: source("memory.stat"), whole, place }));
        }
        Ok(None)
    }

    /// The group of another controller: in version 1 each has a hierarchy of its own.
    fn beside(
        &self,
        membership: &Membership,
        controller: &str,
        file: &str,
        memory: &GroupFolder,
    ) -> Option<GroupFolder> {
        if memory.names.version != 1 {
            return Some(memory.clone());
        }
        let root = self.mount.join(controller);
        let folder = group_with(&root, membership.path(controller)?, file)?;
        Some(GroupFolder { root, folder, names: memory.names })
    }
}

/// The pages that the kernel can take back at once: of files and of its own caches, without those that have to be written first. Pages of
/// tmpfs and locked pages are in neither list.
fn reclaimable(stat: &str, names: &CgroupFiles) -> Option<u64> {
    let sum = |fields: &[&str]| fields.iter().filter_map(|name| text::field(stat, name)).reduce(u64::saturating_add);
    sum(names.reclaimable).map(|clean| clean.saturating_sub(sum(names.unwritten).unwrap_or(0)))
}

/// Everything except its usage.
fn limits(place: &GroupFolder) -> Reading<Container> {
    let names = place.names;
    let (limit_bytes, limit_group) = place.smallest(names.limit)?.unzip();
    let (high_bytes, high_group) = names.high.map(|high| place.smallest(high)).transpose()?.flatten().unzip();
    let events = place.read(names.events);
    let event = |name| text::field(events.as_ref()?, name);
    let swap_limit = place.smallest(names.swap_limit)?.map(|(bytes, _)| bytes);
    // Version 1 limits the sum.
    let memory = if names.version == 1 { limit_bytes.unwrap_or(0) } else { 0 };
    Ok(Container {
        version: names.version,
        group: place.name(),
        limit_bytes,
        limit_group,
        high_bytes,
        high_group,
        high_events: event("high "),
        swap_bytes: place.read("memory.swap.current").and_then(|swap| swap.trim().parse().ok()),
        swap_limit_bytes: swap_limit.map(|limit| limit.saturating_sub(memory)),
        oom_kills: event("oom_kill "),
        pressure: place.read("memory.pressure").and_then(|text| pressure::parse(&text)),
        ..Container::default()
    })
}

/// Its huge pages of all sizes: no figure of its memory has them.
fn hugetlb_bytes(place: &GroupFolder) -> Option<u64> {
    let entries = std::fs::read_dir(&place.folder).ok()?;
    let usages = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let size = name.strip_prefix("hugetlb.")?.strip_suffix(place.names.hugetlb_usage)?;
        // `hugetlb.2MB.rsvd.current` has what is reserved.
        let is_size = !size.contains('.');
        is_size.then(|| place.read(&name)?.trim().parse::<u64>().ok()).flatten()
    });
    usages.reduce(u64::saturating_add)
}

#[cfg(test)]
mod tests;
