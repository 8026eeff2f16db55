//! Endpoints that keep what they allocate while the program's memory grows, and those that allocate far more than before.

use watchboard_app::{
    format,
    wire::{About, Finding},
};

use super::{degraded, growth::Growth, requests::ENOUGH_REQUESTS};
use crate::{
    history::History,
    requests::{Reader, Tally},
};

/// An endpoint is named for a growth when it keeps between this share of it and this many times as much.
const KEEPS_FROM: f64 = 0.5;
const KEEPS_TO: f64 = 2.0;
/// So many times what a request allocated in the hour before, and so much more, is far more.
const FAR_MORE: f64 = 4.0;
const FAR_MORE_BYTES: f64 = (1 << 20) as f64;
/// Fewer requests are no basis to compare with.
const ENOUGH_BEFORE: u64 = 200;

/// `heap` is how the program's objects grew in the last minutes, if they did.
pub(super) fn find(heap: Option<Growth>, history: &mut History, reader: &Reader) -> Vec<Finding> {
    let mut findings = vec![];
    history.last_minute_and_hour(|id, minute, hour| {
        if let Some(sentence) = far_more(minute, hour) {
            let name = reader.name(id).text();
            findings.push(degraded(format!("{name} {sentence}"), About::Endpoint(name)));
        }
    });
    findings.extend(heap.and_then(|growth| keeps(growth, history, reader)));
    findings
}

/// The endpoint that keeps the most, if that is about what the program's objects grew by.
fn keeps(growth: Growth, history: &mut History, reader: &Reader) -> Option<Finding> {
    let all = history.last_five_minutes_of_each().map(|(id, sums)| (kept(sums), sums.requests(), id));
    let (kept, requests, id) = all.max_by(|(a, ..), (b, ..)| a.total_cmp(b))?;
    if !(KEEPS_FROM * growth.bytes()..=KEEPS_TO * growth.bytes()).contains(&kept) {
        return None;
    }
    let name = reader.name(id).text();
    let [each, kept, grown] = [kept / requests.max(1) as f64, kept, growth.bytes()].map(format::bytes);
    let sentence = format!(
        "{name} keeps what it allocates: {each} a request, {kept} in 5 minutes; in all {grown} more are not freed"
    );
    Some(degraded(sentence, About::Endpoint(name)))
}

/// Bytes that requests had not freed when they ended.
fn kept(sums: &Tally) -> f64 {
    sums.memory().map_or(0, |memory| memory.kept_bytes(sums.response_bytes)) as f64
}

fn far_more(minute: &Tally, hour: &Tally) -> Option<String> {
    let requests = |sums: &Tally| sums.memory().map_or(0, |memory| memory.requests);
    let (now, all) = (requests(minute), requests(hour));
    let before = all.saturating_sub(now);
    if now < ENOUGH_REQUESTS || before < ENOUGH_BEFORE {
        return None;
    }
    let bytes = |sums: &Tally| sums.memory.allocated.bytes;
    let mean_now = bytes(minute) as f64 / now as f64;
    let mean_before = bytes(hour).saturating_sub(bytes(minute)) as f64 / before as f64;
    let is_far = mean_now >= FAR_MORE * mean_before && mean_now - mean_before >= FAR_MORE_BYTES;
    let [now, before] = [mean_now, mean_before].map(format::bytes);
    is_far.then(|| format!("allocates {now} a request, in the hour before {before}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{alloc::Allocated, requests::bucket};

    fn tally(requests: u64, each: u64) -> Tally {
        let mut tally = crate::history::tally(&vec![1_000; requests as usize]);
        tally.memory.allocated = Allocated { bytes: requests * each, freed_bytes: 0, allocations: requests };
        tally.memory.sizes.add(bucket(each), requests as u32);
        tally
    }

    fn hour(before: (u64, u64), now: (u64, u64)) -> Tally {
        let mut all = tally(before.0, before.1);
        let now = tally(now.0, now.1);
        all.memory.allocated = all.memory.allocated.plus(now.memory.allocated);
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
    fn bodies_on_their_way_are_not_kept() {
        let mut sums = tally(10, 1_000);
        sums.response_bytes = 4_000;
        sums.memory.allocated.freed_bytes = 5_000;
        assert!((kept(&sums) - 1_000.0).abs() < 1e-9);
    }
}
