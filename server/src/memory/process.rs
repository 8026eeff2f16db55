//! The process: `/proc/self/{statm,status,stat}`; its CPU time from sysinfo.

use procfs::process::Process as ProcProcess;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use watchboard_app::wire::{Process, Reading};

use super::unreadable;

pub(super) struct ProcessProbe {
    /// None where sysinfo does not know the platform.
    sysinfo: Option<System>,
    /// sysinfo needs two readings for a share of CPU time.
    readings: u32,
}

impl ProcessProbe {
    pub(super) fn new() -> Self {
        Self { sysinfo: System::new().ok(), readings: 0 }
    }

    pub(super) fn read(&mut self, system_total_bytes: Option<u64>) -> Reading<Process> {
        let process = unreadable("/proc/self", ProcProcess::myself())?;
        let statm = unreadable("/proc/self/statm", process.statm())?;
        let status = unreadable("/proc/self/status", process.status())?;
        let page = procfs::page_size();
        let kib = |value: Option<u64>| value.unwrap_or(0) * 1024;
        let rss_bytes = statm.resident * page;
        Ok(Process {
            pid: process.pid.unsigned_abs(),
            name: status.name,
            rss_bytes,
            vms_bytes: statm.size * page,
            shared_bytes: statm.shared * page,
            text_bytes: statm.text * page,
            data_bytes: statm.data * page,
            anonymous_bytes: kib(status.rssanon),
            peak_rss_bytes: kib(status.vmhwm),
            swap_bytes: kib(status.vmswap),
            memory_percent: system_total_bytes.map(|total| 100.0 * rss_bytes as f64 / total.max(1) as f64),
            cpu_percent: self.cpu_percent(process.pid.unsigned_abs()),
            num_threads: status.threads,
        })
    }

    fn cpu_percent(&mut self, pid: u32) -> Option<f64> {
        let pid = Pid::from_u32(pid);
        let kind = ProcessRefreshKind::nothing().with_cpu().without_tasks();
        let sysinfo = self.sysinfo.as_mut()?;
        sysinfo.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, kind);
        self.readings = self.readings.saturating_add(1);
        (self.readings > 1).then(|| sysinfo.process(pid).map(|process| f64::from(process.cpu_usage()))).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_an_unknown_whole_is_unknown_and_not_zero() {
        let mut probe = ProcessProbe::new();
        assert_eq!(probe.read(None).unwrap().memory_percent, None);
        assert!(probe.read(Some(1 << 40)).unwrap().memory_percent.is_some_and(|percent| percent > 0.0));
    }
}
