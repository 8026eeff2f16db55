//! The machine: `/proc/meminfo`, `/proc/vmstat`, `/proc/loadavg`; its CPU share from sysinfo.

use std::collections::HashMap;

use procfs::{Current, Meminfo};
use watchboard_app::wire::{Reading, System};

use super::unreadable;

pub(super) struct SystemProbe {
    /// None where sysinfo does not know the platform.
    sysinfo: Option<sysinfo::System>,
    host: String,
    /// sysinfo needs two readings for a share of CPU time.
    readings: u32,
}

impl SystemProbe {
    pub(super) fn new() -> Self {
        let host = sysinfo::System::host_name().unwrap_or_else(|_| "unnamed host".to_owned());
        Self { sysinfo: sysinfo::System::new().ok(), host, readings: 0 }
    }

    pub(super) fn read(&mut self) -> Reading<System> {
        let meminfo = unreadable("/proc/meminfo", Meminfo::current())?;
        let vmstat = unreadable("/proc/vmstat", procfs::vmstat())?;
        Ok(System {
            cpu_percent: self.cpu_percent(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from) as u64,
            load: sysinfo::System::load_average().ok().map(|load| [load.one, load.five, load.fifteen]),
            host: self.host.clone(),
            ..memory(&meminfo, &vmstat)
        })
    }

    fn cpu_percent(&mut self) -> Option<f64> {
        let sysinfo = self.sysinfo.as_mut()?;
        sysinfo.refresh_cpu_usage();
        self.readings = self.readings.saturating_add(1);
        (self.readings > 1).then(|| f64::from(sysinfo.global_cpu_usage()))
    }
}

/// The figures by psutil's definitions.
fn memory(meminfo: &Meminfo, vmstat: &HashMap<String, i64>) -> System {
    let total = meminfo.mem_total;
    // In some containers more is available than there is.
    let available = meminfo.mem_available.unwrap_or(meminfo.mem_free).min(total);
    let used = total - available;
    let swapped = |name| vmstat.get(name).map_or(0, |pages| pages.unsigned_abs() * procfs::page_size());
    System {
        total_bytes: total,
        available_bytes: available,
        used_bytes: used,
        free_bytes: meminfo.mem_free.min(total),
        percent: 100.0 * used as f64 / total.max(1) as f64,
        active_bytes: meminfo.active,
        inactive_bytes: meminfo.inactive,
        buffers_bytes: meminfo.buffers,
        cached_bytes: meminfo.cached + meminfo.s_reclaimable.unwrap_or(0),
        shared_bytes: meminfo.shmem.unwrap_or(0),
        swap_total_bytes: meminfo.swap_total,
        swap_used_bytes: meminfo.swap_total.saturating_sub(meminfo.swap_free),
        swap_free_bytes: meminfo.swap_free,
        swap_in_bytes: swapped("pswpin"),
        swap_out_bytes: swapped("pswpout"),
        ..System::default()
    }
}
