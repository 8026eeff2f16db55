//! Faults of the monitor's own parts: counted by part, with the last reason. The first of each reason is logged.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, PoisonError},
    thread,
    time::Instant,
};

use watchboard_wire::Fault;

use super::panics;

/// Reasons of a part that are remembered, so that each is logged once.
const MAX_REASONS: usize = 8;

/// The faults of one monitor, or of the program around it.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<PartFaults>>);

#[derive(Debug)]
struct PartFaults {
    part: &'static str,
    count: u64,
    last: Instant,
    /// The newest last.
    reasons: Vec<String>,
}

impl Faults {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(vec![]))
    }

    /// The result of `work`; `None` if it panics, which is recorded as a fault of this part.
    pub(crate) fn rescue<T>(&self, part: &'static str, work: impl FnOnce() -> T) -> Option<T> {
        catch_unwind(AssertUnwindSafe(work)).map_err(|panic| self.record_panic(part, &*panic)).ok()
    }

    /// Records a panic on the thread that panicked. Returns the reason.
    pub(crate) fn record_panic(&self, part: &'static str, panic: &(dyn Any + Send)) -> String {
        let reason = panics::take_reason();
        if self.add(part, &reason) {
            // The text may quote anything, so it is in the log alone.
            log(part, reason.clone(), panics::message(panic).unwrap_or_default().to_owned());
        }
        reason
    }

    /// Records a failure. The reason is shown.
    pub(crate) fn record(&self, part: &'static str, reason: String) {
        if self.add(part, &reason) {
            log(part, reason, String::new());
        }
    }

    /// A failure of this part, the last one, goes on: it is not counted again.
    pub(super) fn extend(&self, part: &'static str) {
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = parts.iter_mut().find(|known| known.part == part) {
            known.last = Instant::now();
        }
    }

    /// Adds a failure; whether its reason is new.
    pub(super) fn add(&self, part: &'static str, reason: &str) -> bool {
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = Instant::now();
        let known = match parts.iter().position(|known| known.part == part) {
            Some(known) => &mut parts[known],
            None => parts.push_mut(PartFaults { part, count: 0, last, reasons: vec![] }),
        };
        (known.count, known.last) = (known.count + 1, last);
        let is_new = match known.reasons.iter().position(|known| known == reason) {
            Some(at) => {
                known.reasons[at..].rotate_left(1);
                false
            }
            None => true,
        };
        if is_new {
            known.reasons.push(reason.to_owned());
            let excess = known.reasons.len().saturating_sub(MAX_REASONS);
            known.reasons.drain(..excess);
        }
        is_new
    }

    /// All faults so far, without those of the program.
    pub(crate) fn all(&self) -> Vec<Fault> {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = |known: &PartFaults| Fault {
            part: known.part.to_owned(),
            count: known.count,
            seconds_ago: known.last.elapsed().as_secs(),
            reason: known.reasons.last().cloned().unwrap_or_default(),
        };
        parts.iter().map(fault).collect()
    }
}

/// On a thread of its own: the host's subscriber may block or panic, and this may be the sampler's thread. Without a thread the fault is
/// only shown.
fn log(part: &'static str, reason: String, detail: String) {
    let write = move || tracing::error!("the {part} failed: {reason} {detail}");
    let _ = thread::Builder::new().name("watchboard-log".to_owned()).spawn(write);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_counted_with_its_place_and_its_text_is_not_shown() {
        panics::note_locations();
        let faults = Faults::default();
        assert_eq!(faults.rescue("part", || 7), Some(7));
        assert_eq!(faults.all(), vec![]);
        for _ in 0..2 {
            assert_eq!(faults.rescue("part", || -> u32 { panic!("the password is 1234") }), None);
        }
        faults.record("other part", "no thread".to_owned());
        let [part, other] = &*faults.all() else { panic!("two parts") };
        assert_eq!((&*part.part, part.count, other.count, &*other.reason), ("part", 2, 1, "no thread"));
        faults.extend("other part");
        assert_eq!(faults.all()[1].count, 1, "what goes on is one fault");
        assert!(part.reason.starts_with("it panicked at ") && part.reason.contains("faults.rs"), "{}", part.reason);
    }

    #[test]
    fn reasons_are_bounded_and_the_last_is_shown() {
        let faults = Faults::default();
        for number in 0..100 {
            faults.record("part", format!("reason {number}"));
        }
        faults.record("part", "reason 95".to_owned());
        let [part] = &*faults.all() else { panic!("one part") };
        assert_eq!((part.count, &*part.reason), (101, "reason 95"));
        assert_eq!(faults.0.lock().unwrap()[0].reasons.len(), MAX_REASONS);
    }
}
