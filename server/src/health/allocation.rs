//! Endpoints that do not free what they allocate while the program's memory grows, and endpoints that allocate far more than before.

use watchboard_wire::{Finding, FindingSubject, RequestMemory, format};

use super::{
    finding::advice,
    growth::Growth,
    requests::{ENOUGH_BEYOND, ENOUGH_REQUESTS, MAX_NAMED},
};
use crate::{
    alloc::AllocationSums,
    history::History,
    requests::{Reader, Tally},
};

/// An endpoint is named for a growth when it keeps between this share of it and this many times as much.
const KEEPS_FROM: f64 = 0.5;
const KEEPS_TO: f64 = 2.0;
/// A request allocates far more if it is so many times the mean of the hour before, and so many bytes more.
const FAR_MORE: f64 = 4.0;
const FAR_MORE_BYTES: f64 = (1 << 20) as f64;
/// A comparison needs so many requests before.
const ENOUGH_BEFORE: u64 = 200;

/// `heap` is the growth of the program's objects in the last minutes.
pub(super) fn allocation_findings(heap: Option<Growth>, history: &mut History, reader: &Reader) -> Vec<Finding> {
    let mut findings: Vec<Finding> = vec![];
    let mut more = 0;
    history.last_minute_and_hour(|id, minute, hour| match far_more(minute, hour) {
        Some(sentence) if findings.len() < MAX_NAMED => {
            findings.push(endpoint_finding(reader.name(id).text(), &sentence));
        }
        Some(_) => more += 1,
        None => {}
    });
    if more > 0 {
        findings.push(advice(format!("{more} more endpoints allocate far more than before"), FindingSubject::Memory));
    }
    let Some(growth) = heap else { return findings };
    let all = history.last_five_minutes_of_each().map(|(id, sums)| Retention {
        id,
        bytes: retained_bytes(sums),
        requests: sums.requests(),
    });
    if let Some(keeps) = keeper(growth, all) {
        let each = keeps.bytes / keeps.requests.max(1) as f64;
        let [each, kept, grown] = [each, keeps.bytes, growth.bytes()].map(format::bytes);
        let sentence = format!(
            "keeps what it allocates: {each} a request, {kept} in 5 minutes; in all {grown} more are not freed"
        );
        findings.push(endpoint_finding(reader.name(keeps.id).text(), &sentence));
    }
    findings
}

fn endpoint_finding(name: String, sentence: &str) -> Finding {
    advice(format!("{name} {sentence}"), FindingSubject::Endpoint(name))
}

/// The bytes that the requests of an endpoint had not freed when they ended.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Retention {
    id: usize,
    bytes: f64,
    requests: u64,
}

/// The endpoint that keeps about as much as the program's objects grew; of several, the one that keeps the most.
fn keeper(growth: Growth, all: impl Iterator<Item = Retention>) -> Option<Retention> {
    let about = KEEPS_FROM * growth.bytes()..=KEEPS_TO * growth.bytes();
    all.filter(|keeps| about.contains(&keeps.bytes)).max_by(|a, b| a.bytes.total_cmp(&b.bytes))
}

fn retained_bytes(sums: &Tally) -> f64 {
    // Without its percentiles, which take long to make.
    let AllocationSums { bytes: allocated_bytes, freed_bytes, .. } = sums.memory.allocated;
    let memory = RequestMemory { allocated_bytes, freed_bytes, ..RequestMemory::default() };
    memory.kept_bytes(sums.response_bytes) as f64
}

fn far_more(minute: &Tally, hour: &Tally) -> Option<String> {
    let (now, all) = (minute.memory.requests(), hour.memory.requests());
    let before = all.saturating_sub(now);
    if now < ENOUGH_REQUESTS || before < ENOUGH_BEFORE {
        return None;
    }
    let bytes = |sums: &Tally| sums.memory.allocated.bytes;
    let mean_now = bytes(minute) as f64 / now as f64;
    let mean_before = bytes(hour).saturating_sub(bytes(minute)) as f64 / before as f64;
    let far = (FAR_MORE * mean_before).max(mean_before + FAR_MORE_BYTES);
    // One huge request is an accident.
    let is_far = mean_now >= far && minute.memory.count_above(far as u64) >= ENOUGH_BEYOND;
    let [now, before] = [mean_now, mean_before].map(format::bytes);
    is_far.then(|| format!("allocates {now} a request, in the hour before {before}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histograms::bucket;

    fn tally(requests: u64, each: u64) -> Tally {
        let mut tally = crate::history::tally(&vec![1_000; requests as usize]);
        tally.memory.allocated = AllocationSums { bytes: requests * each, freed_bytes: 0, allocations: requests };
        tally.memory.sizes.add(bucket(each), requests as u32);
        tally
    }

    fn hour(before: (u64, u64), now: (u64, u64)) -> Tally {
        let mut all = tally(before.0, before.1);
        let now = tally(now.0, now.1);
        all.memory.allocated = all.memory.allocated + now.memory.allocated;
        now.memory.sizes.iter().for_each(|(bucket, count)| all.memory.sizes.add(bucket, count));
        all
    }

    #[test]
    fn far_more_than_before_is_named_once_both_are_known_well() {
        let found = |before, now: (u64, u64)| far_more(&tally(now.0, now.1), &hour(before, now));
        assert_eq!(found((1_000, 100 << 10), (50, 110 << 10)), None);
        assert_eq!(found((1_000, 100), (50, 100_000)), None, "a thousand times nothing much");
        assert_eq!(found((100, 1 << 20), (50, 8 << 20)), None, "too few before");
        assert_eq!(found((1_000, 1 << 20), (5, 8 << 20)), None, "too few now");
        let sentence = found((1_000, 1 << 20), (50, 8 << 20)).unwrap().replace('\u{a0}', " ");
        assert_eq!(sentence, "allocates 8 MiB a request, in the hour before 1 MiB");
    }

    #[test]
    fn one_large_request_among_many_is_an_accident() {
        let one = hour((30, 1 << 20), (1, 500 << 20));
        assert_eq!(far_more(&one, &hour((1_000, 1 << 20), (31, 17 << 20))), None);
    }

    #[test]
    fn who_keeps_about_what_came_is_named_and_who_cannot_be_it_is_not() {
        let growth = Growth { per_hour: 1.2e9, sure_per_hour: 1e9, seconds: 300.0 };
        let keeps = |bytes: &[f64]| {
            let all = bytes.iter().enumerate().map(|(id, bytes)| Retention { id, bytes: *bytes, requests: 10 });
            keeper(growth, all).map(|keeps| keeps.id)
        };
        assert_eq!(keeps(&[1e6, 9e7, 1e9, 6e7]), Some(1), "of what fits the largest; ten times as much does not");
        assert_eq!([keeps(&[1e6, 1e9]), keeps(&[])], [None; 2]);
    }

    #[test]
    fn bodies_on_their_way_are_not_kept() {
        let mut sums = tally(10, 1_000);
        sums.response_bytes = 4_000;
        sums.memory.allocated.freed_bytes = 5_000;
        assert!((retained_bytes(&sums) - 1_000.0).abs() < 1e-9);
    }
}
