//! The container: the process's control group, version 2 or 1, and the smallest limit of it and its ancestors. A figure that
//! the version or the kernel lacks is unknown by itself.

use std::{
    io,
    path::{Path, PathBuf},
};

use watchboard_wire::{Container, CpuQuota, Reading, Unknown};

use super::{
    failure::or_unknown,
    pressure,
    text::{self, ProcFile},
};

/// Version 1 writes "no limit" as the largest page-aligned number.
const UNLIMITED_FROM: u64 = 1 << 62;

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
    names: &'static CgroupFiles,
    whole: Container,
}

/// The names of the files in a version of control groups.
struct CgroupFiles {
    version: u8,
    usage: &'static str,
    limit: &'static str,
    inactive_file: &'static str,
    anonymous: &'static str,
    file: &'static str,
    events: &'static str,
}

static V2: CgroupFiles = CgroupFiles {
    version: 2,
    usage: "memory.current",
    limit: "memory.max",
    inactive_file: "inactive_file ",
    anonymous: "anon ",
    file: "file ",
    events: "memory.events",
};
static V1: CgroupFiles = CgroupFiles {
    version: 1,
    usage: "memory.usage_in_bytes",
    limit: "memory.limit_in_bytes",
    inactive_file: "total_inactive_file ",
    anonymous: "total_rss ",
    file: "total_cache ",
    events: "memory.oom_control",
};

impl ContainerProbe {
    /// The monitor's own process.
    pub(super) fn for_this_process() -> Self {
        Self::for_process("self")
    }

    /// A process by the name of its folder.
    pub(super) fn for_process(process: &str) -> Self {
        let membership = |process: &str| PathBuf::from(format!("/proc/{process}/cgroup"));
        Self {
            mount: "/sys/fs/cgroup".into(),
            membership: membership(process),
            own: membership("self"),
            readings: 0,
            last: None,
        }
    }

    /// The control group; `Ok(None)` if no group counts the process's memory.
    pub(super) fn read(&mut self) -> Reading<Option<Container>> {
        if self.readings.is_multiple_of(WHOLE_EVERY) {
            self.last = self.find_group()?;
        }
        self.readings += 1;
        let Some(Cgroup { usage, stat, names, whole }) = &mut self.last else { return Ok(None) };
        let usage_bytes = number(names.usage, &or_unknown(names.usage, usage.read())?)?.unwrap_or(0);
        let stat = &*or_unknown("memory.stat", stat.read())?;
        Ok(Some(Container {
            working_set_bytes: usage_bytes.saturating_sub(text::field(stat, names.inactive_file).unwrap_or(0)),
            usage_bytes,
            anonymous_bytes: text::field(stat, names.anonymous),
            file_bytes: text::field(stat, names.file),
            ..whole.clone()
        }))
    }

    fn find_group(&self) -> Reading<Option<Cgroup>> {
        let membership = match text::read(&self.membership) {
            Ok(membership) => membership,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Unknown::because(format!("cannot read {}: {error}", self.membership.display()))),
        };
        let of_own = self.membership == self.own || text::read(&self.own).is_ok_and(|own| own == membership);
        for controller in ["memory", ""] {
            let Some(path) = path_of(&membership, controller) else { continue };
            let (root, names) =
                if controller.is_empty() { (self.mount.clone(), &V2) } else { (self.mount.join("memory"), &V1) };
            if let Some(folder) = group_with(&root, path, names.usage) {
                if !of_own && !folder.ends_with(path.trim_start_matches('/')) {
                    let mount = self.mount.display();
                    return Err(Unknown::because(format!(
                        "its control group {path} is not among those that {mount} shows to watchboard, which is in another"
                    )));
                }
                let cpu = match names.version {
                    1 => path_of(&membership, "cpu").and_then(|path| {
                        let root = self.mount.join("cpu");
                        cpu_quota(&root, &group_with(&root, path, "cpu.stat")?, 1)
                    }),
                    version => cpu_quota(&root, &folder, version),
                };
                let whole = Container { cpu, ..limits(&root, &folder, names)? };
                let source = |file: &str| ProcFile::new(folder.join(file));
                return Ok(Some(Cgroup { usage: source(names.usage), stat: source("memory.stat"), names, whole }));
            }
        }
        Ok(None)
    }
}

/// The smallest quota of the group and its ancestors, with its throttling; without any quota, the throttling of the group.
fn cpu_quota(root: &Path, group: &Path, version: u8) -> Option<CpuQuota> {
    let read = if version == 1 { cpu_quota_v1 } else { cpu_quota_v2 };
    let all = group.ancestors().take_while(|ancestor| ancestor.starts_with(root)).filter_map(read);
    let cores = |quota: &CpuQuota| quota.cores.unwrap_or(f64::INFINITY);
    all.reduce(|smallest, above| if cores(&above) < cores(&smallest) { above } else { smallest })
}

fn cpu_quota_v1(group: &Path) -> Option<CpuQuota> {
    let stat = text::read(group.join("cpu.stat")).ok()?;
    let number = |name: &str| text::read(group.join(name)).ok()?.trim().parse::<f64>().ok();
    let quota = number("cpu.cfs_quota_us").filter(|quota| *quota > 0.0);
    let cores = quota.zip(number("cpu.cfs_period_us")).map(|(quota, period)| quota / period);
    Some(CpuQuota { cores, ..parse_cpu_stat(&stat, text::field(&stat, "throttled_time ").unwrap_or(0) / 1_000) })
}

fn cpu_quota_v2(group: &Path) -> Option<CpuQuota> {
    let stat = text::read(group.join("cpu.stat")).ok()?;
    // "max 100000" where it is unlimited; the root of the hierarchy has no such file.
    let max = text::read(group.join("cpu.max")).unwrap_or_default();
    let cores = max.split_once(' ').and_then(|(quota, period)| {
        Some(quota.parse::<f64>().ok()? / period.trim().parse::<f64>().ok().filter(|period| *period > 0.0)?)
    });
    Some(CpuQuota { cores, ..parse_cpu_stat(&stat, text::field(&stat, "throttled_usec ").unwrap_or(0)) })
}

fn parse_cpu_stat(stat: &str, throttled_us: u64) -> CpuQuota {
    CpuQuota {
        cores: None,
        periods: text::field(stat, "nr_periods ").unwrap_or(0),
        throttled_periods: text::field(stat, "nr_throttled ").unwrap_or(0),
        throttled_us,
    }
}

/// The path of the process in the hierarchy of a controller; in the one of version 2 without a name.
fn path_of<'a>(membership: &'a str, controller: &str) -> Option<&'a str> {
    membership.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        controllers.split(',').any(|name| name == controller).then_some(path)
    })
}

/// The folder of a path, if `file` is in it. Inside a container the path may be the host's, and the mount shows the container's own
/// group as its root.
fn group_with(root: &Path, path: &str, file: &str) -> Option<PathBuf> {
    // A path may lead out of the mount: "/../other".
    let leads_out = path.split('/').any(|part| part == "..");
    let own = (!leads_out).then(|| root.join(path.trim_start_matches('/')));
    own.into_iter().chain([root.to_owned()]).find(|group| group.join(file).exists())
}

/// Everything except its usage.
fn limits(root: &Path, group: &Path, names: &CgroupFiles) -> Reading<Container> {
    let name = |group: &Path| format!("/{}", group.strip_prefix(root).unwrap_or(group).display());
    let mut limit: Option<(u64, String)> = None;
    for ancestor in group.ancestors().take_while(|ancestor| ancestor.starts_with(root)) {
        let file = ancestor.join(names.limit);
        // The root of the hierarchy has no limit, and no file for one.
        let found = file.exists().then(|| read_number(&file)).transpose()?.flatten();
        if let Some(found) = found.filter(|found| limit.as_ref().is_none_or(|(smallest, _)| found < smallest)) {
            limit = Some((found, name(ancestor)));
        }
    }
    let (limit_bytes, limit_group) = limit.unzip();
    let optional = |file: &str| text::read(group.join(file)).ok();
    Ok(Container {
        version: names.version,
        group: name(group),
        limit_bytes,
        limit_group,
        oom_kills: optional(names.events).and_then(|events| text::field(&events, "oom_kill ")),
        pressure: optional("memory.pressure").and_then(|text| pressure::parse(&text)),
        ..Container::default()
    })
}

/// A number of bytes; `None` for "no limit".
fn read_number(file: &Path) -> Reading<Option<u64>> {
    let name = file.display().to_string();
    number(&name, &or_unknown(&name, text::read(file))?)
}

fn number(file: &str, text: &str) -> Reading<Option<u64>> {
    match text.trim() {
        "max" => Ok(None),
        number => match number.parse::<u64>() {
            Ok(number) => Ok((number < UNLIMITED_FROM).then_some(number)),
            Err(_) => Err(Unknown::because(format!("{file} says {number:?}, which is no number"))),
        },
    }
}

#[cfg(test)]
#[path = "container_tests.rs"]
mod tests;
