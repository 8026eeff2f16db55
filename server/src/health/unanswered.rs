//! Requests that the application does not answer: percentiles know only those that have ended.

use std::collections::{HashMap, VecDeque};

use watchboard_wire::{Finding, FindingSubject, RecentRequests, format};

use super::{
    finding::{FindingRole, Judged, incident, warning},
    requests::{ENOUGH_BEYOND, ENOUGH_REQUESTS},
};
use crate::{
    history::History,
    requests::{AwaitedCounts, Reader},
};

/// A request that waits so long for its answer hangs, unless the objective of its endpoint is longer.
const HANGS_FROM_SECONDS: u64 = 5;
/// With an objective beyond this, nothing hangs.
const LONGEST_SECONDS: u64 = 600;

/// How many requests of each endpoint had begun, second by second, while some had no answer.
#[derive(Default)]
pub(super) struct UnansweredJudge(HashMap<usize, VecDeque<(u64, u64)>>);

/// Requests of an endpoint that hang.
#[derive(Debug, PartialEq, Eq)]
struct Hanging {
    count: u64,
    seconds: u64,
}

impl UnansweredJudge {
    /// `failed` is how often in the last minute a proxy had no answer.
    pub(super) fn unanswered_findings(
        &mut self,
        tick: u64,
        history: &mut History,
        reader: &Reader,
        failed: u64,
    ) -> Vec<Judged> {
        let awaited: HashMap<usize, AwaitedCounts> = reader.awaited().collect();
        self.0.retain(|id, _| awaited.contains_key(id));
        // Where most answers were streams, the next is one whose first event comes late.
        let streams = |id: usize, counts: &AwaitedCounts| reader.opened(id).saturating_mul(2) > counts.answered;
        let mut hanging: Vec<(usize, Hanging)> = awaited
            .into_iter()
            .filter(|(id, counts)| !streams(*id, counts))
            .filter_map(|(id, counts)| Some((id, self.hanging(tick, id, counts, reader.objective_us(id))?)))
            .collect();
        let mut ended: HashMap<usize, u64> = HashMap::new();
        if !hanging.is_empty() {
            ended.extend(history.last_minute_of_each().map(|(id, sums)| (id, sums.requests())));
        }
        hanging.retain(|(id, hanging)| hanging.is_trend(ended.get(id).copied().unwrap_or_default()));
        hanging.sort_by_key(|(id, hanging)| (std::cmp::Reverse(hanging.count), *id));
        let all: u64 = hanging.iter().map(|(_, hanging)| hanging.count).sum();
        let is_dead = all >= ENOUGH_REQUESTS && !answers(&history.last_ten_seconds(), failed);
        if is_dead && hanging.len() > 1 {
            return vec![Judged { finding: dead(hanging.len(), all), role: FindingRole::Unanswered }];
        }
        let judged = |(id, hanging): (usize, Hanging)| Judged {
            finding: hanging.finding(reader.name(id).text(), is_dead),
            role: FindingRole::Unanswered,
        };
        hanging.into_iter().map(judged).collect()
    }

    /// Of the requests that had begun some seconds ago, so many at least have no answer yet. `None` without any.
    fn hanging(&mut self, tick: u64, id: usize, counts: AwaitedCounts, objective_us: u64) -> Option<Hanging> {
        let seconds = objective_us.div_ceil(1_000_000).max(HANGS_FROM_SECONDS);
        if seconds > LONGEST_SECONDS {
            return None;
        }
        let begun = self.0.entry(id).or_default();
        begun.push_back((tick, counts.awaited));
        // The front is the last that is old enough.
        while begun.get(1).is_some_and(|(at, _)| at + seconds <= tick) {
            begun.pop_front();
        }
        let (_, before) = begun.front().filter(|(at, _)| at + seconds <= tick)?;
        let count = before.saturating_sub(counts.answered);
        (count > 0).then_some(Hanging { count, seconds })
    }
}

impl Hanging {
    /// Whether they are more than an accident, as for a p99: `ended` is the number of the endpoint's requests that ended in the last minute.
    fn is_trend(&self, ended: u64) -> bool {
        let all = self.count + ended;
        self.count >= ENOUGH_BEYOND && all >= ENOUGH_REQUESTS && self.count * 100 > all
    }

    fn finding(&self, name: String, is_dead: bool) -> Finding {
        let sentence = format!(
            "{name} does not answer: {} requests have waited for more than {}",
            format::count(self.count as f64),
            format::duration_us((self.seconds * 1_000_000) as f64)
        );
        let make = if is_dead { incident } else { warning };
        make(sentence, FindingSubject::Endpoint(name))
    }
}

/// Whether requests have been answered. One that its client left was not, nor one whose error is the proxy's.
fn answers(recent: &RecentRequests, failed: u64) -> bool {
    recent.latency.is_some() || recent.server_errors > failed
}

/// Nothing answers any more.
fn dead(endpoints: usize, requests: u64) -> Finding {
    let sentence = format!(
        "the application does not answer: {} requests of {endpoints} endpoints wait, none was answered in the last 10\u{a0}s",
        format::exact(requests)
    );
    incident(sentence, FindingSubject::Requests)
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::Latency;

    /// What hangs at a tick, if one more request begins and `answered` of all are answered.
    fn hanging(judge: &mut UnansweredJudge, tick: u64, answered: u64, objective_us: u64) -> Option<u64> {
        let counts = AwaitedCounts { awaited: tick + 1, answered };
        judge.hanging(tick, 7, counts, objective_us).map(|hanging| hanging.count)
    }

    #[test]
    fn requests_that_wait_for_seconds_are_counted_and_those_that_are_answered_are_not() {
        let mut judge = UnansweredJudge::default();
        let counts: Vec<_> = (0..8).map(|tick| hanging(&mut judge, tick, 0, 500_000)).collect();
        assert_eq!(counts, [None, None, None, None, None, Some(1), Some(2), Some(3)]);
        assert_eq!(hanging(&mut judge, 8, 3, 500_000), Some(1), "an answer may be of any of them");
        assert_eq!(hanging(&mut judge, 9, 9, 500_000), None);
        let mut judge = UnansweredJudge::default();
        let quick: Vec<_> = (0..90).map(|tick| hanging(&mut judge, tick, tick.saturating_sub(3), 500_000)).collect();
        assert_eq!(quick, [None; 90], "each is answered after three seconds");
        let mut judge = UnansweredJudge::default();
        let slow: Vec<_> = (0..60).map(|tick| hanging(&mut judge, tick, 0, 60_000_000)).collect();
        assert_eq!(slow, [None; 60], "the objective says so");
        assert_eq!(hanging(&mut judge, 60, 0, 60_000_000), Some(1));
    }

    #[test]
    fn an_application_that_answers_with_errors_answers_and_a_proxy_in_its_place_does_not() {
        let recent = |latency, server_errors| RecentRequests { latency, server_errors, ..RecentRequests::default() };
        assert!(answers(&recent(Some(Latency::default()), 0), 0) && answers(&recent(None, 5), 4));
        assert!(!answers(&recent(None, 0), 0) && !answers(&recent(None, 5), 5));
    }

    #[test]
    fn a_few_of_many_are_an_accident() {
        let is_trend = |count, ended| Hanging { count, seconds: 5 }.is_trend(ended);
        assert_eq!([is_trend(20, 0), is_trend(3, 17), is_trend(3, 200)], [true; 3]);
        assert_eq!([is_trend(19, 0), is_trend(2, 100), is_trend(3, 400)], [false; 3]);
    }

    #[test]
    fn the_documentation_has_these_thresholds() {
        crate::health::finding::assert_documented(&[
            &format!(
                "At least {ENOUGH_BEYOND} requests have waited for {HANGS_FROM_SECONDS} s, or for the objective if that is longer, and these are more than 1 % of at least {ENOUGH_REQUESTS}"
            ),
            &format!(
                "If there are {ENOUGH_REQUESTS} of all endpoints, and nothing was answered in the last ten seconds"
            ),
        ]);
    }
}
