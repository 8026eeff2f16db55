//! Endpoints whose requests do not free what they allocate: those that a growth comes from, and those that fill the memory.

use watchboard_wire::{Finding, FindingSubject, Memory, RequestMemory, Window, format};

use super::{
    finding::{advice, warning},
    growth::Growth,
};
use crate::{
    alloc::AllocationSums,
    history::History,
    requests::{Reader, Tally},
};

/// An endpoint is named for a growth when it keeps between this share of it and this many times as much.
const KEEPS_FROM: f64 = 0.5;
const KEEPS_TO: f64 = 2.0;
/// A growth from one endpoint is more than advice if it fills the memory within so many hours.
const SOON_HOURS: f64 = 24.0;
/// An endpoint is named for full memory when it keeps this share of what is used.
const FILLS_FROM: f64 = 0.25;

/// The endpoint that a growth of memory comes from.
pub(super) struct Keeper {
    name: String,
    bytes_each: f64,
    growth: Growth,
}

/// `heap` is the growth of the program's objects in the last five minutes.
pub(super) fn keeper(heap: Option<Growth>, history: &mut History, reader: &Reader) -> Option<Keeper> {
    let growth = heap?;
    let keeps = about_as_much(growth, retentions(Window::FiveMinutes, history))?;
    let bytes_each = keeps.bytes / keeps.requests.max(1) as f64;
    Some(Keeper { name: reader.name(keeps.id).text(), bytes_each, growth })
}

impl Keeper {
    /// `GET /carts keeps at least 1.2 MiB a request`. It may be more: a request also frees what others have allocated for it, such as its head.
    pub(super) fn text(&self) -> String {
        format!("{} keeps at least {} a request", self.name, format::bytes(self.bytes_each))
    }

    /// Where the growth alone is no finding yet.
    pub(super) fn finding(&self, memory: &Memory) -> Finding {
        let left = memory.headline().ok().map(|it| (it.limit_bytes.saturating_sub(it.used_bytes) as f64, it.scope));
        let hours = left.map(|(left, scope)| (left / self.growth.per_hour, scope));
        let kept = format::bytes(self.growth.bytes());
        let (make, until): (fn(String, FindingSubject) -> Finding, _) = match hours {
            Some((hours, scope)) if hours <= SOON_HOURS => {
                let span = format::span((hours * 3_600.0) as u64);
                (warning, format!(", at this pace the {scope}'s memory is full in about {span}"))
            }
            _ => (advice, String::new()),
        };
        let sentence = format!("{}, {kept} more in 5 minutes are not freed{until}", self.text());
        make(sentence, FindingSubject::Endpoint(self.name.clone()))
    }
}

/// The endpoint whose requests of the last hour keep a large part of the memory in use, in words; `None` if none is known.
pub(super) fn filled_by(used_bytes: u64, history: &mut History, reader: &Reader) -> Option<String> {
    // More than there is was freed by others.
    let fills = FILLS_FROM * used_bytes as f64..=used_bytes as f64;
    let all = retentions(Window::Hour, history).filter(|keeps| fills.contains(&keeps.bytes));
    let most = all.max_by(|a, b| a.bytes.total_cmp(&b.bytes))?;
    let since = if history.seconds() < Window::Hour.seconds() { "since the start" } else { "in the last hour" };
    let name = reader.name(most.id).text();
    let lately = if history.seconds() > Window::FiveMinutes.seconds() {
        let keeps = retentions(Window::FiveMinutes, history).find(|keeps| keeps.id == most.id);
        let bytes = keeps.map_or(0.0, |keeps| keeps.bytes.clamp(0.0, most.bytes));
        format!(", {} of it in the last 5 minutes", format::bytes(bytes))
    } else {
        String::new()
    };
    Some(format!("{name} has kept {} {since}{lately}", format::bytes(most.bytes)))
}

/// The bytes that the requests of an endpoint had not freed when they ended.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Retention {
    id: usize,
    bytes: f64,
    requests: u64,
}

fn retentions(window: Window, history: &mut History) -> impl Iterator<Item = Retention> {
    let all = history.last_of_each(window);
    all.map(|(id, sums)| Retention { id, bytes: retained_bytes(sums), requests: sums.requests() })
}

/// The endpoint that keeps about as much as the program's objects grew; of several, the one that keeps the most.
fn about_as_much(growth: Growth, all: impl Iterator<Item = Retention>) -> Option<Retention> {
    let about = KEEPS_FROM * growth.bytes()..=KEEPS_TO * growth.bytes();
    all.filter(|keeps| about.contains(&keeps.bytes)).max_by(|a, b| a.bytes.total_cmp(&b.bytes))
}

fn retained_bytes(sums: &Tally) -> f64 {
    // Without its percentiles, which take long to make.
    let AllocationSums { bytes: allocated_bytes, freed_bytes, .. } = sums.memory.allocated;
    let memory = RequestMemory { allocated_bytes, freed_bytes, ..RequestMemory::default() };
    memory.kept_bytes(sums.response_bytes) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::{Severity, System};

    fn growth(per_hour: f64) -> Growth {
        Growth { per_hour, sure_per_hour: per_hour, seconds: 300.0 }
    }

    #[test]
    fn who_keeps_about_what_came_is_named_and_who_cannot_be_it_is_not() {
        let keeps = |bytes: &[f64]| {
            let all = bytes.iter().enumerate().map(|(id, bytes)| Retention { id, bytes: *bytes, requests: 10 });
            about_as_much(growth(1.2e9), all).map(|keeps| keeps.id)
        };
        assert_eq!(keeps(&[1e6, 9e7, 1e9, 6e7]), Some(1), "of what fits the largest; ten times as much does not");
        assert_eq!([keeps(&[1e6, 1e9]), keeps(&[])], [None; 2]);
    }

    #[test]
    fn bodies_on_their_way_are_not_kept() {
        let mut sums = crate::history::tally(&[1_000; 10]);
        sums.memory.allocated = AllocationSums { bytes: 10_000, freed_bytes: 5_000, allocations: 10 };
        sums.response_bytes = 4_000;
        assert!((retained_bytes(&sums) - 1_000.0).abs() < 1e-9);
    }

    #[test]
    fn a_leak_of_one_endpoint_is_a_warning_once_it_fills_the_memory_within_a_day() {
        let keeper = Keeper { name: "GET /carts".into(), bytes_each: 1_258_291.0, growth: growth(1_073_741_824.0) };
        let finding = |total_bytes| {
            let system = System { total_bytes, used_bytes: 1 << 30, ..System::default() };
            let memory = Memory { container: Ok(None), system: Ok(system), ..Memory::default() };
            let finding = keeper.finding(&memory);
            (finding.severity, finding.sentence.replace('\u{a0}', " "))
        };
        let kept = "GET /carts keeps at least 1.2 MiB a request, 85.3 MiB more in 5 minutes are not freed";
        let soon = format!("{kept}, at this pace the system's memory is full in about 7 h");
        assert_eq!(finding(8 << 30), (Severity::Warning, soon));
        assert_eq!(finding(64 << 30), (Severity::Advice, kept.to_owned()));
    }
}
