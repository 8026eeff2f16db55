//! Endpoints that allocate far more than before.

use watchboard_wire::{Finding, FindingSubject, format};

use super::{
    finding::advice,
    requests::{ENOUGH_BEYOND, ENOUGH_REQUESTS, MAX_NAMED},
};
use crate::{
    history::History,
    requests::{Reader, Tally},
};

/// A request allocates far more if it is so many times the mean of the hour before, and so many bytes more.
const FAR_MORE: f64 = 4.0;
const FAR_MORE_BYTES: f64 = (1 << 20) as f64;
/// A comparison needs so many requests before.
const ENOUGH_BEFORE: u64 = 200;

pub(super) fn allocation_findings(history: &mut History, reader: &Reader) -> Vec<Finding> {
    let mut findings: Vec<Finding> = vec![];
    let mut more = 0;
    history.last_minute_and_hour(|id, minute, hour| match far_more(minute, hour) {
        Some(sentence) if findings.len() < MAX_NAMED => {
            let name = reader.name(id).text();
            findings.push(advice(format!("{name} {sentence}"), FindingSubject::Endpoint(name)));
        }
        Some(_) => more += 1,
        None => {}
    });
    if more > 0 {
        findings.push(advice(format!("{more} more endpoints allocate far more than before"), FindingSubject::Memory));
    }
    findings
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
    use crate::{alloc::AllocationSums, histograms::bucket};

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
}
