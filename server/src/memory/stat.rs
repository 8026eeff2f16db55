//! `/proc/PID/stat`: one line of numbers about a process.

/// What is read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// Whether it has ended, and only waits for its parent to ask how.
    pub(super) ended: bool,
    pub(super) parent: u32,
    pub(super) minor_faults: u64,
    pub(super) major_faults: u64,
    /// In user and in kernel mode.
    pub(super) cpu_ticks: u64,
    /// Since the machine was started: with the process id it names one process for good, where ids are used again.
    pub(super) started_ticks: u64,
}

impl Stat {
    /// `PID (NAME) STATE …`: the name may hold anything, the numbers after it have fixed places.
    pub(super) fn parse(stat: &str) -> Option<Self> {
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        let numbers: Vec<&str> = fields.take(19).collect();
        // By the numbers of proc(5), less the four that come before the parent's.
        let number = |place: usize| numbers.get(place - 4)?.parse::<u64>().ok();
        Some(Self {
            ended: matches!(state, "Z" | "X" | "x"),
            parent: number(4)? as u32,
            minor_faults: number(10)?,
            major_faults: number(12)?,
            cpu_ticks: number(14)?.saturating_add(number(15)?),
            started_ticks: number(22)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_name_may_hold_anything() {
        let stat = "7 (a) b (c)) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23";
        let read =
            Stat { ended: false, parent: 4, minor_faults: 10, major_faults: 12, cpu_ticks: 14 + 15, started_ticks: 22 };
        assert_eq!(Stat::parse(stat), Some(read));
        assert!(Stat::parse(&stat.replace(" S ", " Z ")).unwrap().ended);
    }

    #[test]
    fn the_fields_are_those_of_a_process_that_runs() {
        let own = Stat::parse(&std::fs::read_to_string("/proc/self/stat").unwrap()).unwrap();
        let known = procfs::process::Process::myself().unwrap().stat().unwrap();
        assert_eq!((own.parent, own.started_ticks), (known.ppid as u32, known.starttime));
        assert!(!own.ended && own.minor_faults > 0);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,99}|7 \\(a\\) S( [0-9]{0,22}){0,20}") {
            let _ = Stat::parse(&text);
        }
    }
}
