//! `/proc/PID/stat` and `/proc/PID/task/TID/stat`: one line of numbers about a process or a thread.

/// The numbers that the probes use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProcStat {
    /// Whether it has ended and waits for its parent to collect it.
    pub(super) ended: bool,
    /// Whether its first thread has exited while others run: the process goes on, and its own folder has no figures of its memory.
    pub(super) leader_exited: bool,
    pub(super) parent: u32,
    pub(super) minor_faults: u64,
    pub(super) major_faults: u64,
    /// In user and in kernel mode.
    pub(super) cpu_ticks: u64,
    /// Since the start of the machine. Ids are reused; the id with this time names one process for good.
    pub(super) started_ticks: u64,
    /// Resident memory.
    pub(super) rss_pages: u64,
    /// How a process that has ended did so, as `wait` reports it; zero while it runs, and if the kernel does not show it.
    pub(super) wait_status: i32,
}

impl ProcStat {
    /// `PID (NAME) STATE …`: the name may hold anything, the numbers after it have fixed places.
    pub(super) fn parse(stat: &str) -> Option<Self> {
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        let numbers: Vec<&str> = fields.take(49).collect();
        // By the numbers of proc(5), less the four that come before the parent's.
        let number = |place: usize| numbers.get(place - 4)?.parse::<u64>().ok();
        let exited = matches!(state, "Z" | "X" | "x");
        let others_run = exited && number(20)? > 1;
        Some(Self {
            ended: exited && !others_run,
            leader_exited: others_run,
            parent: number(4)? as u32,
            minor_faults: number(10)?,
            major_faults: number(12)?,
            cpu_ticks: number(14)?.saturating_add(number(15)?),
            started_ticks: number(22)?,
            rss_pages: number(24).unwrap_or(0),
            wait_status: number(52).map_or(0, |status| status as i32),
        })
    }
}

/// The name of the process or the thread in its line.
pub(super) fn name(stat: &str) -> &str {
    stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).map_or("", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_name_may_hold_anything() {
        let stat = "7 (a) b (c)) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23";
        let read = ProcStat {
            ended: false,
            leader_exited: false,
            parent: 4,
            minor_faults: 10,
            major_faults: 12,
            cpu_ticks: 14 + 15,
            started_ticks: 22,
            rss_pages: 0,
            wait_status: 0,
        };
        assert_eq!(ProcStat::parse(stat), Some(read));
        let exited = ProcStat::parse(&stat.replace(" S ", " Z ")).unwrap();
        assert!(exited.leader_exited && !exited.ended, "20 threads are left");
        let ended = ProcStat::parse(&stat.replace(" S ", " Z ").replace(" 20 ", " 1 ")).unwrap();
        assert!(ended.ended && !ended.leader_exited);
        assert_eq!([name(stat), name("7 )( S"), name("")], ["a) b (c)", "", ""]);
    }

    #[test]
    fn the_fields_are_those_of_a_process_that_runs() {
        let own = ProcStat::parse(&std::fs::read_to_string("/proc/self/stat").unwrap()).unwrap();
        let parent = rustix::process::getppid().unwrap().as_raw_nonzero().get().cast_unsigned();
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
        let age = uptime - own.started_ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
        assert_eq!(own.parent, parent);
        assert!((-1.0..3_600.0).contains(&age), "{age}");
        assert!(!own.ended && own.minor_faults > 0);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,99}|7 \\(a\\) S( [0-9]{0,22}){0,20}") {
            let _ = (ProcStat::parse(&text), name(&text));
        }
    }
}
