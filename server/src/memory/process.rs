//! The process: `/proc/self/{statm,status,stat}`.

use std::{fs, time::Instant};

use procfs::process::{Process as ProcProcess, Stat};
use watchboard_app::wire::{Process, Reading};

use super::{text, unreadable};

/// Remembers the reading before, to tell what happened since.
#[derive(Default)]
pub(super) struct ProcessProbe {
    before: Option<(Instant, Stat)>,
}

impl ProcessProbe {
    pub(super) fn read(&mut self, system_total_bytes: Option<u64>) -> Reading<Process> {
        let process = unreadable("/proc/self", ProcProcess::myself())?;
        let statm = unreadable("/proc/self/statm", process.statm())?;
        let stat = unreadable("/proc/self/stat", process.stat())?;
        let status = unreadable("/proc/self/status", fs::read_to_string("/proc/self/status"))?;
        let kib = |name| text::field(&status, name).unwrap_or(0) * 1024;
        let [anonymous_bytes, file_bytes, shmem_bytes] = ["RssAnon:", "RssFile:", "RssShmem:"].map(kib);
        // As the sum of its parts, so that they add up: the kernel counts on while it is asked.
        let rss_bytes = anonymous_bytes + file_bytes + shmem_bytes;
        let page = procfs::page_size();
        let now = Instant::now();
        let since = self.before.take().map(|(then, before)| (now.duration_since(then).as_secs_f64(), before));
        let since = since.filter(|(seconds, _)| *seconds > 0.0);
        let cpu = |stat: &Stat| (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
        let reading = Process {
            pid: process.pid.unsigned_abs(),
            rss_bytes,
            vms_bytes: statm.size * page,
            shared_bytes: statm.shared * page,
            text_bytes: statm.text * page,
            data_bytes: statm.data * page,
            anonymous_bytes,
            file_bytes,
            shmem_bytes,
            // Written down by the kernel now and then: never less than what is resident now.
            peak_rss_bytes: kib("VmHWM:").max(rss_bytes),
            swap_bytes: kib("VmSwap:"),
            memory_percent: system_total_bytes.map(|total| 100.0 * rss_bytes as f64 / total.max(1) as f64),
            cpu_percent: since.as_ref().map(|(seconds, before)| 100.0 * (cpu(&stat) - cpu(before)) / seconds),
            num_threads: stat.num_threads.unsigned_abs(),
            minor_faults: stat.minflt,
            major_faults: stat.majflt,
            major_faults_per_second: since
                .as_ref()
                .map(|(seconds, before)| stat.majflt.saturating_sub(before.majflt) as f64 / seconds),
            name: stat.comm.clone(),
        };
        self.before = Some((now, stat));
        Ok(reading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_an_unknown_whole_is_unknown_and_not_zero() {
        let mut probe = ProcessProbe::default();
        let first = probe.read(None).unwrap();
        assert_eq!((first.memory_percent, first.cpu_percent), (None, None));
        assert!(probe.read(Some(1 << 40)).unwrap().memory_percent.is_some_and(|percent| percent > 0.0));
    }
}
