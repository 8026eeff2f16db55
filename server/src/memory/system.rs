//! The machine: `/proc/{meminfo,vmstat,pressure/memory}`; its CPU share and its load from sysinfo.

use std::{fs, time::Instant};

use procfs::{Current, Meminfo};
use watchboard_app::wire::{Pressure, Reading, System};

use super::{pressure, text, unreadable};

pub(super) struct SystemProbe {
    /// None where sysinfo does not know the platform.
    sysinfo: Option<sysinfo::System>,
    host: String,
    /// sysinfo needs two readings for a share of CPU time.
    readings: u32,
    /// What had been swapped in and out, and when.
    swapped: Option<(Instant, [u64; 2])>,
}

impl SystemProbe {
    pub(super) fn new() -> Self {
        let host = sysinfo::System::host_name().unwrap_or_else(|_| "unnamed host".to_owned());
        Self { sysinfo: sysinfo::System::new().ok(), host, readings: 0, swapped: None }
    }

    pub(super) fn read(&mut self) -> Reading<System> {
        let meminfo = unreadable("/proc/meminfo", Meminfo::current())?;
        let vmstat = unreadable("/proc/vmstat", fs::read_to_string("/proc/vmstat"))?;
        let swapped = ["pswpin ", "pswpout "].map(|name| text::field(&vmstat, name).unwrap_or(0) * procfs::page_size());
        Ok(System {
            cpu_percent: self.cpu_percent(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from) as u64,
            load: sysinfo::System::load_average().ok().map(|load| [load.one, load.five, load.fifteen]),
            host: self.host.clone(),
            swap_in_bytes: swapped[0],
            swap_out_bytes: swapped[1],
            swap_rates: self.swap_rates(swapped),
            pressure: system_pressure(),
            ..memory(&meminfo)
        })
    }

    /// The share in use of each core, as of the last reading.
    pub(super) fn cores_percent(&self) -> Vec<f32> {
        let cores = self.sysinfo.as_ref().filter(|_| self.readings > 1).map(sysinfo::System::cpus);
        cores.unwrap_or_default().iter().map(sysinfo::Cpu::usage).collect()
    }

    fn cpu_percent(&mut self) -> Option<f64> {
        let sysinfo = self.sysinfo.as_mut()?;
        sysinfo.refresh_cpu_usage();
        self.readings = self.readings.saturating_add(1);
        (self.readings > 1).then(|| f64::from(sysinfo.global_cpu_usage()))
    }

    fn swap_rates(&mut self, swapped: [u64; 2]) -> Option<[f64; 2]> {
        let now = Instant::now();
        let (then, before) = self.swapped.replace((now, swapped))?;
        let seconds = now.duration_since(then).as_secs_f64();
        let rate = |index: usize| swapped[index].saturating_sub(before[index]) as f64 / seconds;
        (seconds > 0.0).then(|| [rate(0), rate(1)])
    }
}

/// None where the kernel is built or started without it.
fn system_pressure() -> Option<Pressure> {
    pressure::parse(&fs::read_to_string("/proc/pressure/memory").ok()?)
}

/// The figures by psutil's definitions.
fn memory(meminfo: &Meminfo) -> System {
    let total = meminfo.mem_total;
    // In some containers more is available than there is.
    let available = meminfo.mem_available.unwrap_or(meminfo.mem_free).min(total);
    let used = total - available;
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
        ..System::default()
    }
}

#[cfg(test)]
mod tests {
    use procfs::FromBufRead;

    use super::*;

    #[test]
    fn more_available_than_there_is_counts_as_all() {
        let text = "MemTotal: 1000 kB\nMemFree: 1200 kB\nMemAvailable: 1500 kB\nBuffers: 0 kB\nCached: 0 kB\n\
            SwapCached: 0 kB\nActive: 1 kB\nInactive: 2 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\nDirty: 0 kB\nWriteback: 0 kB\n\
            Mapped: 0 kB\nSlab: 0 kB\nVmallocTotal: 0 kB\nVmallocUsed: 0 kB\nVmallocChunk: 0 kB\nCommitted_AS: 0 kB\n";
        let meminfo = Meminfo::from_buf_read(text.as_bytes()).unwrap();
        let system = memory(&meminfo);
        assert_eq!((system.available_bytes, system.used_bytes, system.free_bytes), (1_024_000, 0, 1_024_000));
    }
}
