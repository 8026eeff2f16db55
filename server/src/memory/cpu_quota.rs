//! The limit of a control group's CPU time, and how often it was reached.

use std::path::Path;

use watchboard_wire::CpuQuota;

use super::{cgroup::GroupFolder, text};

/// The smallest quota of the group and its ancestors, with its throttling; without any quota, the throttling of the group.
pub(super) fn read(group: &GroupFolder) -> Option<CpuQuota> {
    let read = if group.names.version == 1 { read_v1 } else { read_v2 };
    let cores = |quota: &CpuQuota| quota.cores.unwrap_or(f64::INFINITY);
    group
        .and_above()
        .filter_map(read)
        .reduce(|smallest, above| if cores(&above) < cores(&smallest) { above } else { smallest })
}

fn read_v1(group: &Path) -> Option<CpuQuota> {
    let stat = text::read(group.join("cpu.stat")).ok()?;
    let number = |name: &str| text::read(group.join(name)).ok()?.trim().parse::<f64>().ok();
    let quota = number("cpu.cfs_quota_us").filter(|quota| *quota > 0.0);
    let cores = quota.zip(number("cpu.cfs_period_us")).map(|(quota, period)| quota / period);
    Some(CpuQuota { cores, ..parse(&stat, text::field(&stat, "throttled_time ").unwrap_or(0) / 1_000) })
}

fn read_v2(group: &Path) -> Option<CpuQuota> {
    let stat = text::read(group.join("cpu.stat")).ok()?;
    // "max 100000" where it is unlimited; the root of the hierarchy has no such file.
    let max = text::read(group.join("cpu.max")).unwrap_or_default();
    let cores = max.split_once(' ').and_then(|(quota, period)| {
        Some(quota.parse::<f64>().ok()? / period.trim().parse::<f64>().ok().filter(|period| *period > 0.0)?)
    });
    Some(CpuQuota { cores, ..parse(&stat, text::field(&stat, "throttled_usec ").unwrap_or(0)) })
}

fn parse(stat: &str, throttled_us: u64) -> CpuQuota {
    CpuQuota {
        cores: None,
        periods: text::field(stat, "nr_periods ").unwrap_or(0),
        throttled_periods: text::field(stat, "nr_throttled ").unwrap_or(0),
        throttled_us,
    }
}
