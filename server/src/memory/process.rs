//! The process: `/proc/self/{status,stat}`, which have what `statm` has too.

use std::time::Instant;

use watchboard_app::wire::{Process, Reading, Unknown};

use super::{
    text::{self, Source},
    unreadable,
};

/// Remembers the reading before, to tell what happened since.
pub(super) struct ProcessProbe {
    status: Source,
    stat: Source,
    before: Option<(Instant, Counts)>,
}

/// What `/proc/self/stat` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    minor_faults: u64,
    major_faults: u64,
    /// In user and in kernel mode.
    cpu_ticks: u64,
}

impl ProcessProbe {
    pub(super) fn new() -> Self {
        Self { status: Source::new("/proc/self/status"), stat: Source::new("/proc/self/stat"), before: None }
    }

    pub(super) fn read(&mut self, system_total_bytes: Option<u64>) -> Reading<Process> {
        let status = unreadable("/proc/self/status", self.status.read())?;
        let stat = unreadable("/proc/self/stat", self.stat.read())?;
        let counts =
            counts(stat).ok_or_else(|| Unknown::because("/proc/self/stat has not the fields that it should"))?;
        let kib = |name| text::field(status, name).unwrap_or(0) * 1024;
        let [anonymous_bytes, file_bytes, shmem_bytes] = ["RssAnon:", "RssFile:", "RssShmem:"].map(kib);
        // As the sum of its parts, so that they add up: the kernel counts on while it is asked.
        let rss_bytes = anonymous_bytes + file_bytes + shmem_bytes;
        let now = Instant::now();
        let before = self.before.replace((now, counts));
        let since = |read: fn(&Counts) -> u64| {
            let (then, before) = before.as_ref()?;
            let seconds = now.duration_since(*then).as_secs_f64();
            (seconds > 0.0).then(|| read(&counts).saturating_sub(read(before)) as f64 / seconds)
        };
        let ticks_per_second = procfs::ticks_per_second() as f64;
        Ok(Process {
            pid: std::process::id(),
            name: status.lines().find_map(|line| line.strip_prefix("Name:")).unwrap_or_default().trim().to_owned(),
            rss_bytes,
            vms_bytes: kib("VmSize:"),
            shared_bytes: file_bytes + shmem_bytes,
            text_bytes: kib("VmExe:"),
            data_bytes: kib("VmData:") + kib("VmStk:"),
            anonymous_bytes,
            file_bytes,
            shmem_bytes,
            // Written down by the kernel now and then: never less than what is resident now.
            peak_rss_bytes: kib("VmHWM:").max(rss_bytes),
            swap_bytes: kib("VmSwap:"),
            memory_percent: system_total_bytes.map(|total| 100.0 * rss_bytes as f64 / total.max(1) as f64),
            cpu_percent: since(|counts| counts.cpu_ticks).map(|ticks| 100.0 * ticks / ticks_per_second),
            num_threads: text::field(status, "Threads:").unwrap_or(0),
            minor_faults: counts.minor_faults,
            major_faults: counts.major_faults,
            major_faults_per_second: since(|counts| counts.major_faults),
        })
    }
}

/// `PID (NAME) STATE …`: the name may hold anything, the numbers after it have fixed places.
fn counts(stat: &str) -> Option<Counts> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().take(13).collect();
    let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
    Some(Counts {
        minor_faults: number(7)?,
        major_faults: number(9)?,
        cpu_ticks: number(11)?.saturating_add(number(12)?),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_name_may_hold_anything() {
        let stat = "7 (a) b (c)) S 1 2 3 4 5 6 10 11 12 13 14 15 16";
        assert_eq!(counts(stat), Some(Counts { minor_faults: 10, major_faults: 12, cpu_ticks: 14 + 15 }));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,99}|7 \\(a\\) S( [0-9]{0,22}){0,20}") {
            let _ = counts(&text);
        }
    }

    #[test]
    fn a_share_of_an_unknown_whole_is_unknown_and_not_zero() {
        let mut probe = ProcessProbe::new();
        let first = probe.read(None).unwrap();
        assert_eq!((first.memory_percent, first.cpu_percent), (None, None));
        assert!(probe.read(Some(1 << 40)).unwrap().memory_percent.is_some_and(|percent| percent > 0.0));
    }
}
