//! The machine: `/proc/{meminfo,stat,vmstat,pressure/memory}`; its load from sysinfo.

use std::time::Instant;

use watchboard_wire::{Pressure, Reading, System};

use super::{
    cpu::CpuProbe,
    failure::or_unknown,
    pressure,
    text::{self, ProcFile},
};

/// The kernel takes long for `/proc/vmstat`: one reading in so many reads it.
const SWAPPED_EVERY: u64 = 10;
/// The kernel computes loads and pressures every few seconds: one reading in so many reads them.
const LOAD_EVERY: u64 = 5;

pub(super) struct SystemProbe {
    host: String,
    cpus: u64,
    meminfo: ProcFile,
    cpu: CpuProbe,
    readings: u64,
    /// The bytes swapped in and out, and the time of that reading.
    swapped: Option<(Instant, [u64; 2])>,
    swap_rates: Option<[f64; 2]>,
    load: Option<[f64; 3]>,
    pressure: Option<Pressure>,
}

impl SystemProbe {
    pub(super) fn new() -> Self {
        Self {
            host: text::read("/proc/sys/kernel/hostname")
                .map_or_else(|_| "unnamed host".to_owned(), |name| name.trim().to_owned()),
            cpus: std::thread::available_parallelism().map_or(1, usize::from) as u64,
            meminfo: ProcFile::new("/proc/meminfo"),
            cpu: CpuProbe::new(),
            readings: 0,
            swapped: None,
            swap_rates: None,
            load: None,
            pressure: None,
        }
    }

    pub(super) fn read(&mut self) -> Reading<System> {
        if self.readings.is_multiple_of(SWAPPED_EVERY) {
            self.read_swapped()?;
        }
        if self.readings.is_multiple_of(LOAD_EVERY) {
            self.load = sysinfo::System::load_average().ok().map(|load| [load.one, load.five, load.fifteen]);
            self.pressure = system_pressure();
        }
        self.readings += 1;
        let meminfo = or_unknown("/proc/meminfo", self.meminfo.read())?;
        let [swap_in_bytes, swap_out_bytes] = self.swapped.map(|(_, swapped)| swapped).unwrap_or_default();
        Ok(System {
            cpu_percent: self.cpu.read(),
            cpus: self.cpus,
            load: self.load,
            host: self.host.clone(),
            swap_in_bytes,
            swap_out_bytes,
            swap_rates: self.swap_rates,
            pressure: self.pressure,
            ..memory(&meminfo)
        })
    }

    /// The share in use of each core at the last reading.
    pub(super) fn cores_percent(&self) -> Vec<f32> {
        self.cpu.cores_percent()
    }

    fn read_swapped(&mut self) -> Reading<()> {
        let vmstat = or_unknown("/proc/vmstat", text::read("/proc/vmstat"))?;
        let swapped = ["pswpin ", "pswpout "]
            .map(|name| text::field(&vmstat, name).unwrap_or(0) * rustix::param::page_size() as u64);
        let now = Instant::now();
        if let Some((then, before)) = self.swapped.replace((now, swapped)) {
            let seconds = now.duration_since(then).as_secs_f64();
            let rate = |way: usize| swapped[way].saturating_sub(before[way]) as f64 / seconds;
            self.swap_rates = (seconds > 0.0).then(|| [rate(0), rate(1)]);
        }
        Ok(())
    }
}

/// `None` if the kernel was built or started without it.
fn system_pressure() -> Option<Pressure> {
    pressure::parse(&text::read("/proc/pressure/memory").ok()?)
}

/// The figures by psutil's definitions.
fn memory(meminfo: &str) -> System {
    let kib = |name| text::field(meminfo, name).map(|kib| kib * 1024);
    let bytes = |name| kib(name).unwrap_or(0);
    let total = bytes("MemTotal:");
    let free = bytes("MemFree:");
    // In some containers more is available than there is. Kernels before 3.14 have no such line.
    let available = kib("MemAvailable:").unwrap_or(free).min(total);
    let used = total - available;
    let (swap_total, swap_free) = (bytes("SwapTotal:"), bytes("SwapFree:"));
    System {
        total_bytes: total,
        available_bytes: available,
        used_bytes: used,
        free_bytes: free.min(total),
        percent: 100.0 * used as f64 / total.max(1) as f64,
        active_bytes: bytes("Active:"),
        inactive_bytes: bytes("Inactive:"),
        buffers_bytes: bytes("Buffers:"),
        cached_bytes: bytes("Cached:") + bytes("SReclaimable:"),
        shared_bytes: bytes("Shmem:"),
        hugetlb_bytes: bytes("Hugetlb:"),
        hugetlb_free_bytes: text::field(meminfo, "HugePages_Free:").unwrap_or(0) * bytes("Hugepagesize:"),
        swap_total_bytes: swap_total,
        swap_used_bytes: swap_total.saturating_sub(swap_free),
        swap_free_bytes: swap_free,
        ..System::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn more_available_than_there_is_counts_as_all() {
        let system =
            memory("MemTotal: 1000 kB\nMemFree: 1200 kB\nMemAvailable: 1500 kB\nCached: 7 kB\nSReclaimable: 3 kB\n");
        assert_eq!((system.available_bytes, system.used_bytes, system.free_bytes), (1_024_000, 0, 1_024_000));
        assert_eq!((system.cached_bytes, system.swap_total_bytes), (10_240, 0));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "((MemTotal|MemFree|MemAvailable|SwapTotal|SwapFree|Cached): *[0-9]{0,12} kB\n){0,6}|.{0,99}") {
            let _ = memory(&text);
        }
    }
}
