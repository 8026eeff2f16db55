//! A process: `/proc/PID/{status,stat}`, which have all figures of `statm`.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use rustix::param::clock_ticks_per_second;
use watchboard_wire::{Process, Reading, Unknown};

use super::{
    failure::or_unknown,
    names::ShownName,
    stat::{self, ProcStat},
    text::{self, ProcFile},
    threads,
};
use crate::clock::unix_ms_at_boot_ms;

/// Holds the last reading, for rates.
pub(super) struct ProcessProbe {
    pid: u32,
    /// The folder that has its figures.
    folder: PathBuf,
    name: ShownName,
    status: ProcFile,
    stat: ProcFile,
    before: Option<(Instant, ProcStat)>,
}

impl ProcessProbe {
    /// The monitor's own process.
    pub(super) fn for_this_process() -> Self {
        Self::in_folder("/proc/self".into(), std::process::id(), ShownName::default())
    }

    pub(super) fn for_process(pid: u32, name: ShownName) -> Self {
        Self::in_folder(format!("/proc/{pid}").into(), pid, name)
    }

    fn in_folder(folder: PathBuf, pid: u32, name: ShownName) -> Self {
        let source = |file: &str| ProcFile::new(folder.join(file));
        Self { pid, status: source("status"), stat: source("stat"), before: None, folder, name }
    }

    /// The folder that has its figures: another than its own once its first thread has exited.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its line at the last reading.
    pub(super) fn stat(&self) -> Option<ProcStat> {
        self.before.map(|(_, stat)| stat)
    }

    pub(super) fn read(&mut self, system_total_bytes: Option<u64>) -> Reading<Process> {
        let line = or_unknown("/proc/PID/stat", self.stat.read())?;
        let stat = ProcStat::parse(&line)
            .ok_or_else(|| Unknown::because("/proc/PID/stat has not the fields that it should"))?;
        if stat.leader_exited {
            let folder = threads::readable_folder(self.pid, stat.leader_exited);
            if folder != self.folder {
                (self.status, self.folder) = (ProcFile::new(folder.join("status")), folder);
            }
        }
        let status = &*or_unknown("/proc/PID/status", self.status.read())?;
        let kib = |name| text::field(status, name).unwrap_or(0) * 1024;
        let [anonymous_bytes, file_bytes, shmem_bytes] = ["RssAnon:", "RssFile:", "RssShmem:"].map(kib);
        // The sum of its parts, so that they add up: the kernel counts on during the reading.
        let rss_bytes = anonymous_bytes + file_bytes + shmem_bytes;
        let now = Instant::now();
        let before = self.before.replace((now, stat));
        let since = |read: fn(&ProcStat) -> u64| {
            let (then, before) = before.as_ref()?;
            let seconds = now.duration_since(*then).as_secs_f64();
            (seconds > 0.0).then(|| read(&stat).saturating_sub(read(before)) as f64 / seconds)
        };
        let ticks_per_second = clock_ticks_per_second() as f64;
        Ok(Process {
            pid: self.pid,
            name: self.name.read(&self.folder, stat::name(&line)),
            rss_bytes,
            vms_bytes: kib("VmSize:"),
            shared_bytes: file_bytes + shmem_bytes,
            text_bytes: kib("VmExe:"),
            data_bytes: kib("VmData:") + kib("VmStk:"),
            anonymous_bytes,
            file_bytes,
            shmem_bytes,
            // The kernel updates it now and then; it is never less than the resident memory.
            peak_rss_bytes: kib("VmHWM:").max(rss_bytes),
            swap_bytes: kib("VmSwap:"),
            hugetlb_bytes: kib("HugetlbPages:"),
            memory_percent: system_total_bytes.map(|total| 100.0 * rss_bytes as f64 / total.max(1) as f64),
            cpu_percent: since(|stat| stat.cpu_ticks).map(|ticks| 100.0 * ticks / ticks_per_second),
            cpu_seconds: stat.cpu_ticks as f64 / ticks_per_second,
            started_at_unix_ms: started_at_unix_ms(stat.started_ticks),
            num_threads: text::field(status, "Threads:").unwrap_or(0),
            minor_faults: stat.minor_faults,
            major_faults: stat.major_faults,
            major_faults_per_second: since(|stat| stat.major_faults),
        })
    }
}

/// The time of a start, from the ticks between it and the start of the machine.
pub(super) fn started_at_unix_ms(started_ticks: u64) -> u64 {
    unix_ms_at_boot_ms(started_ticks * 1_000 / clock_ticks_per_second())
}

/// Several processes as one: their sums, with the name and the id of the first.
pub(super) fn sum<'a>(mut processes: impl Iterator<Item = &'a Process>) -> Option<Process> {
    let mut sum = processes.next()?.clone();
    let rate = |a: Option<f64>, b: Option<f64>| a.into_iter().chain(b).reduce(|a, b| a + b);
    for process in processes {
        sum.rss_bytes += process.rss_bytes;
        sum.vms_bytes += process.vms_bytes;
        sum.shared_bytes += process.shared_bytes;
        sum.text_bytes += process.text_bytes;
        sum.data_bytes += process.data_bytes;
        sum.anonymous_bytes += process.anonymous_bytes;
        sum.file_bytes += process.file_bytes;
        sum.shmem_bytes += process.shmem_bytes;
        sum.peak_rss_bytes += process.peak_rss_bytes;
        sum.swap_bytes += process.swap_bytes;
        sum.hugetlb_bytes += process.hugetlb_bytes;
        sum.memory_percent = rate(sum.memory_percent, process.memory_percent);
        // A new process has no rate yet.
        sum.cpu_percent = rate(sum.cpu_percent, process.cpu_percent);
        sum.cpu_seconds += process.cpu_seconds;
        sum.num_threads += process.num_threads;
        sum.minor_faults += process.minor_faults;
        sum.major_faults += process.major_faults;
        sum.major_faults_per_second = rate(sum.major_faults_per_second, process.major_faults_per_second);
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_an_unknown_whole_is_unknown_and_not_zero() {
        let mut probe = ProcessProbe::for_this_process();
        let first = probe.read(None).unwrap();
        assert_eq!((first.memory_percent, first.cpu_percent), (None, None));
        assert!(probe.read(Some(1 << 40)).unwrap().memory_percent.is_some_and(|percent| percent > 0.0));
    }

    #[test]
    fn processes_add_up_under_the_first_ones_name() {
        let process = |pid, rss_bytes, cpu_percent| Process { pid, rss_bytes, cpu_percent, ..Process::default() };
        let all = [process(3, 10, Some(1.5)), process(1, 20, None), process(2, 30, Some(2.0))];
        assert_eq!(sum(all.iter()), Some(process(3, 60, Some(3.5))));
        assert_eq!(sum([].iter()), None);
    }
}
