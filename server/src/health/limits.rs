//! Limits: memory near the limit that kills, file descriptors near theirs, and processes that the kernel has killed.

use watchboard_wire::{Container, Finding, FindingSubject, Memory, Pressure, format};

use super::finding::warning;

/// Memory, as a percentage of its limit: one burst takes the rest.
const MEMORY_PERCENT: f64 = 95.0;
/// Past this share of their limit open files run out soon: a burst of connections takes many.
const DESCRIPTORS_PERCENT: f64 = 80.0;
/// Everything waited for memory in this share of the last ten seconds.
const PRESSURE_PERCENT: f64 = 10.0;
/// A killed process is reported for ten minutes.
const KILLED_SECONDS: u64 = 600;

/// Holds the count of killed processes.
#[derive(Default)]
pub(super) struct Limits {
    kills_seen: u64,
    /// The tick of the last kill, and the number of processes.
    killed: Option<(u64, u64)>,
}

impl Limits {
    /// `filled_by` says which endpoint keeps much of the memory in use, if that is known.
    pub(super) fn limit_findings(
        &mut self,
        tick: u64,
        memory: &Memory,
        filled_by: impl FnOnce(u64) -> Option<String>,
    ) -> Vec<Finding> {
        let container = memory.container.as_ref().ok().and_then(Option::as_ref);
        let found = [
            near_the_limit(memory, filled_by),
            descriptors(memory),
            pressure(memory, container),
            self.kills(tick, memory),
        ];
        found.into_iter().flatten().map(|sentence| warning(sentence, FindingSubject::Memory)).collect()
    }

    fn kills(&mut self, tick: u64, memory: &Memory) -> Option<String> {
        let before = std::mem::replace(&mut self.kills_seen, memory.oom_kills_seen);
        if memory.oom_kills_seen > before {
            self.killed = Some((tick, memory.oom_kills_seen - before));
        }
        let (at, count) = self.killed.filter(|(at, _)| tick - at < KILLED_SECONDS)?;
        let what = if count == 1 { "a process".to_owned() } else { format!("{count} processes") };
        let ago = format::span(tick - at);
        Some(format!("the kernel killed {what} of this container for want of memory {ago} ago"))
    }
}

fn near_the_limit(memory: &Memory, filled_by: impl FnOnce(u64) -> Option<String>) -> Option<String> {
    let headline = memory.headline().ok().filter(|headline| headline.percent() >= MEMORY_PERCENT)?;
    let (percent, limit) = (format::percent(headline.percent()), format::bytes(headline.limit_bytes as f64));
    let container = memory.container.as_ref().ok().and_then(Option::as_ref);
    let is_high = container.is_some_and(|it| {
        it.high_bytes == Some(headline.limit_bytes) && it.limit_bytes.is_none_or(|limit| limit > headline.limit_bytes)
    });
    let effect = if is_high { " (memory.high), past which the kernel throttles it" } else { "" };
    let by = filled_by(headline.used_bytes).map(|by| format!(": {by}")).unwrap_or_default();
    Some(format!("memory at {percent} of the {}'s {limit}{effect}{by}", headline.scope))
}

fn descriptors(memory: &Memory) -> Option<String> {
    let descriptors = memory.descriptors.as_ref().ok()?;
    let (open, limit) = (descriptors.open, descriptors.limit?);
    let percent = 100.0 * open as f64 / limit.max(1) as f64;
    let of = descriptors.pid.map(|pid| format!(" in process {pid}")).unwrap_or_default();
    let text = || format!("{} of {} file descriptors are open{of}", format::exact(open), format::exact(limit));
    (percent >= DESCRIPTORS_PERCENT).then(text)
}

/// The container's pressure if the kernel reports it, else the system's.
fn pressure(memory: &Memory, container: Option<&Container>) -> Option<String> {
    let system = || memory.system.as_ref().ok().and_then(|system| system.pressure).map(|it| (it, "the system"));
    let own = container.and_then(|container| container.pressure).map(|it| (it, "this container"));
    let (Pressure { full_percent, .. }, whose) = own.or_else(system)?;
    let percent = format::percent(full_percent);
    (full_percent >= PRESSURE_PERCENT)
        .then(|| format!("all of {whose} waited for memory {percent} of the last 10\u{a0}s"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::{Descriptors, System};

    fn memory(container: Container) -> Memory {
        Memory {
            descriptors: Ok(Descriptors { open: 10, limit: Some(1024), pid: None }),
            container: Ok(Some(container)),
            system: Ok(System { total_bytes: 1000, used_bytes: 1000, ..System::default() }),
            ..Memory::default()
        }
    }

    fn sentences(limits: &mut Limits, tick: u64, memory: &Memory) -> Vec<String> {
        limits
            .limit_findings(tick, memory, |_| None)
            .into_iter()
            .map(|finding| finding.sentence.replace(['\u{a0}', '\u{202f}'], " "))
            .collect()
    }

    #[test]
    fn nothing_near_a_limit_is_fine_and_unknown_is_not_wrong() {
        let roomy = Container { working_set_bytes: 96, limit_bytes: Some(1000), ..Container::default() };
        assert_eq!(sentences(&mut Limits::default(), 0, &memory(roomy)), Vec::<String>::new());
        let unknown =
            Memory { descriptors: Ok(Descriptors { open: 10, limit: Some(1024), pid: None }), ..Memory::default() };
        assert_eq!(sentences(&mut Limits::default(), 0, &unknown), Vec::<String>::new());
    }

    #[test]
    fn what_runs_out_is_named_with_its_figures() {
        let pressure = Some(Pressure { some_percent: 40.0, full_percent: 12.0 });
        let full = Container { working_set_bytes: 96, limit_bytes: Some(100), pressure, ..Container::default() };
        let named = near_the_limit(&memory(full.clone()), |used| Some(format!("GET /export keeps {used} B")));
        assert!(named.is_some_and(|sentence| sentence.ends_with("100\u{a0}B: GET /export keeps 96 B")));
        let open = Descriptors { open: 1009, limit: Some(1024), pid: None };
        let found = sentences(&mut Limits::default(), 0, &Memory { descriptors: Ok(open), ..memory(full) });
        let expected = [
            "memory at 96 % of the container's 100 B",
            "1 009 of 1 024 file descriptors are open",
            "all of this container waited for memory 12 % of the last 10 s",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn memory_that_is_slowed_down_says_so() {
        let slowed = |limit_bytes| {
            let container =
                Container { working_set_bytes: 97, limit_bytes, high_bytes: Some(100), ..Container::default() };
            sentences(&mut Limits::default(), 0, &memory(container))
        };
        let of = "memory at 97 % of the container's 100 B";
        for limit in [None, Some(200)] {
            assert_eq!(slowed(limit), [format!("{of} (memory.high), past which the kernel throttles it")]);
        }
        assert_eq!(slowed(Some(100)), [of], "it kills there");
    }

    #[test]
    fn a_kill_is_told_of_for_a_while_and_those_before_the_start_are_not() {
        let killed = |oom_kills_seen| Memory {
            oom_kills_seen,
            ..memory(Container { limit_bytes: Some(1000), oom_kills: Some(7), ..Container::default() })
        };
        let mut limits = Limits::default();
        assert_eq!(sentences(&mut limits, 0, &killed(0)), Vec::<String>::new());
        let found = sentences(&mut limits, 5, &killed(1));
        assert_eq!(found, ["the kernel killed a process of this container for want of memory 0 s ago"]);
        assert_eq!(sentences(&mut limits, 604, &killed(1)).len(), 1);
        assert_eq!(sentences(&mut limits, 605, &killed(1)), Vec::<String>::new());
    }

    #[test]
    fn the_documentation_has_these_thresholds() {
        crate::health::finding::assert_documented(&[
            &format!("{MEMORY_PERCENT} % of the container's limit"),
            &format!("{DESCRIPTORS_PERCENT} % of the limit of the process"),
            &format!("in {PRESSURE_PERCENT} % of the last ten seconds"),
        ]);
    }
}
