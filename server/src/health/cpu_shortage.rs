//! A lack of CPU time: the container's limit holds its tasks back, or the system's processors are full. It is told while endpoints
//! are late, which may be late for it.

use std::collections::VecDeque;

use watchboard_wire::{CpuQuota, FindingSubject, Memory, format};

use super::finding::{FindingRole, Judged, warning};

/// The system's processors are full from this mean of the last seconds on.
const FULL_PERCENT: f64 = 90.0;
const LATELY_SECONDS: u64 = 10;
/// A limit is felt if it was reached in this share of the last minute's periods.
const THROTTLED_PERCENT: f64 = 25.0;
const MINUTE: u64 = 60;

/// Holds what was seen lately.
#[derive(Default)]
pub(super) struct CpuJudge {
    /// The quota of the last minute, by tick. Its counters run since the group's start.
    quotas: VecDeque<(u64, CpuQuota)>,
    lately: VecDeque<CpuSample>,
}

/// CPU at a tick.
struct CpuSample {
    tick: u64,
    /// The system's, in percent of all cores.
    system_percent: f64,
    /// The application's, in cores.
    application_cores: f64,
}

impl CpuJudge {
    /// `is_late` says whether an endpoint is beyond its objective: else a full processor is work that gets done.
    pub(super) fn shortage_finding(&mut self, tick: u64, memory: &Memory, is_late: bool) -> Option<Judged> {
        let sentence = [self.throttling(tick, memory), self.fullness(tick, memory)].into_iter().flatten().next()?;
        is_late.then(|| Judged { finding: warning(sentence, FindingSubject::Memory), role: FindingRole::CpuShortage })
    }

    fn throttling(&mut self, tick: u64, memory: &Memory) -> Option<String> {
        let quota = memory.container.as_ref().ok()?.as_ref()?.cpu?;
        self.quotas.retain(|(at, _)| tick - at < MINUTE);
        self.quotas.push_back((tick, quota));
        let (_, before) = self.quotas.front()?;
        let periods = quota.periods.saturating_sub(before.periods);
        let throttled = quota.throttled_periods.saturating_sub(before.throttled_periods);
        let percent = 100.0 * throttled as f64 / periods.max(1) as f64;
        let limit = quota.cores.map(|cores| format!("{} cores", format::count(cores)))?;
        (percent >= THROTTLED_PERCENT).then(|| {
            let percent = format::percent(percent);
            format!("the container's CPU limit of {limit} holds it back: {percent} of the last minute's periods")
        })
    }

    fn fullness(&mut self, tick: u64, memory: &Memory) -> Option<String> {
        self.lately.retain(|seen| tick - seen.tick < LATELY_SECONDS);
        let system = memory.system.as_ref().ok()?;
        let application_cores = memory.process.as_ref().ok().and_then(|it| it.cpu_percent).unwrap_or(0.0) / 100.0;
        self.lately.push_back(CpuSample { tick, system_percent: system.cpu_percent?, application_cores });
        let mean = |of: fn(&CpuSample) -> f64| self.lately.iter().map(of).sum::<f64>() / self.lately.len() as f64;
        let percent = mean(|seen| seen.system_percent);
        (self.lately.len() as u64 * 2 >= LATELY_SECONDS && percent >= FULL_PERCENT).then(|| {
            let (percent, cores) = (format::percent(percent), format::count(mean(|seen| seen.application_cores)));
            format!(
                "the system's CPU is full: {percent} of the last {LATELY_SECONDS}\u{a0}s, the application takes {cores} of {} cores",
                system.cpus
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::{Container, Process, System};

    fn memory(system_percent: f64, quota: Option<CpuQuota>) -> Memory {
        Memory {
            system: Ok(System { cpu_percent: Some(system_percent), cpus: 4, ..System::default() }),
            process: Ok(Process { cpu_percent: Some(12.0), ..Process::default() }),
            container: Ok(Some(Container { cpu: quota, ..Container::default() })),
            ..Memory::default()
        }
    }

    fn sentence(judge: &mut CpuJudge, tick: u64, memory: &Memory, is_late: bool) -> Option<String> {
        let judged = judge.shortage_finding(tick, memory, is_late);
        judged.map(|judged| judged.finding.sentence.replace('\u{a0}', " "))
    }

    #[test]
    fn a_full_processor_is_told_while_something_is_late_for_it() {
        let mut judge = CpuJudge::default();
        let told: Vec<bool> =
            (0..6).map(|tick| sentence(&mut judge, tick, &memory(99.0, None), true).is_some()).collect();
        assert_eq!(told, [false, false, false, false, true, true], "a moment is nothing");
        assert_eq!(sentence(&mut judge, 6, &memory(99.0, None), false), None);
        let full = "the system's CPU is full: 99 % of the last 10 s, the application takes 0.12 of 4 cores";
        assert_eq!(sentence(&mut judge, 7, &memory(99.0, None), true).as_deref(), Some(full));
        assert_eq!(sentence(&mut judge, 8, &memory(9.0, None), true), None, "89 % in the mean");
        assert_eq!(sentence(&mut CpuJudge::default(), 9, &Memory::default(), true), None);
    }

    #[test]
    fn a_limit_that_holds_tasks_back_is_told_before_the_system() {
        let quota = |periods, throttled_periods| {
            Some(CpuQuota { cores: Some(0.5), periods, throttled_periods, ..CpuQuota::default() })
        };
        let mut judge = CpuJudge::default();
        let mut told = |tick, percent, quota| sentence(&mut judge, tick, &memory(percent, quota), true);
        assert_eq!(told(0, 20.0, quota(1_000, 900)), None, "that was before");
        assert_eq!(told(10, 20.0, quota(1_100, 920)), None);
        let held = "the container's CPU limit of 0.5 cores holds it back: 60 % of the last minute's periods";
        assert_eq!(told(20, 99.0, quota(1_200, 1_020)).as_deref(), Some(held));
        assert_eq!(told(90, 20.0, quota(1_900, 1_020)), None);
    }

    #[test]
    fn the_documentation_has_these_thresholds() {
        crate::health::finding::assert_documented(&[
            &format!("{FULL_PERCENT} % of the last ten seconds"),
            &format!("{THROTTLED_PERCENT} % of the last minute's periods"),
        ]);
    }
}
