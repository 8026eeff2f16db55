//! The commands that the application sends to its database: repeated, slow, or short of connections.

use watchboard_wire::{Finding, FindingSubject, Pool, format};

use super::{
    finding::{advice, warning},
    requests::{ENOUGH_BEYOND, ENOUGH_REQUESTS, MAX_NAMED},
};
use crate::{
    commands::{CHECK_OUT, CommandReader, CommandTally, CommandUseDelta},
    history::History,
    requests::Reader,
};

/// A command with a p99 above this delays its request.
const SLOW_US: u64 = 500_000;
/// A wait for a connection is felt from this time on.
const WAIT_US: u64 = 100_000;
/// A pool churns with so many new connections in a minute, and one for so few check-outs.
const CHURN: u64 = 60;
const CHECK_OUTS_EACH: u64 = 10;
/// Churn is judged over so many seconds.
const CHURN_SECONDS: u64 = 60;

/// Holds the number of connections at the last judgement.
#[derive(Default)]
pub(super) struct Churn {
    /// The tick, the connections made until then, and the check-outs.
    before: Option<(u64, u64, u64)>,
    found: Option<String>,
}

pub(super) fn command_findings(
    churn: &mut Churn,
    tick: u64,
    commands: &CommandReader,
    history: &mut History,
    reader: &Reader,
) -> Vec<Finding> {
    if !commands.listens() {
        return vec![];
    }
    let pools = commands.pools();
    let of_each = || history.last_minute_of_each_command();
    let waits = of_each().find(|(number, _)| *number == CHECK_OUT).map(|(_, sums)| sums);
    let mut slow: Vec<(u64, String)> =
        of_each().filter_map(|(number, sums)| slow_command(number, sums, commands)).collect();
    slow.sort_by_key(|(p99_us, _)| std::cmp::Reverse(*p99_us));
    let sentences = pool_exhaustion(&pools, waits).into_iter().chain(churn.churn_finding(tick, &pools));
    let sentences = sentences.chain(slow.into_iter().take(MAX_NAMED).map(|(_, sentence)| sentence));
    let mut findings: Vec<Finding> = sentences.map(|sentence| warning(sentence, FindingSubject::Database)).collect();
    let repeating = history
        .last_minute_of_each()
        .filter(|(_, sums)| sums.usage.as_ref().is_some_and(|usage| usage.repeated >= ENOUGH_BEYOND));
    let repeated = repeating.filter_map(|(id, _)| Some((id, reader.last_repetition(id)?)));
    findings.extend(repeated.take(MAX_NAMED).map(|(id, used)| {
        let name = reader.name(id).text();
        advice(
            format!("{name} {}", repetition_text(used, &commands.name(used.shape).text())),
            FindingSubject::Endpoint(name),
        )
    }));
    findings
}

/// N+1.
fn repetition_text(used: CommandUseDelta, command: &str) -> String {
    format!(
        "asks the database again and again: {command}, up to {} times in one request",
        format::exact(used.most.into())
    )
}

fn slow_command(number: u16, sums: &CommandTally, commands: &CommandReader) -> Option<(u64, String)> {
    if number == CHECK_OUT || sums.calls() < ENOUGH_REQUESTS {
        return None;
    }
    let p99_us = sums.latency()?.p99_us;
    // `getMore` of a tailable cursor waits by design.
    let name = Some(commands.name(number)).filter(|name| p99_us > SLOW_US && name.command != "getMore")?;
    let p99 = format::duration_us(p99_us as f64);
    Some((p99_us, format!("{} p99 {p99} in the last minute", name.text())))
}

fn pool_exhaustion(pools: &[Pool], waits: Option<&CommandTally>) -> Option<String> {
    let pool = pools.iter().find(|pool| pool.is_full() && pool.waiting > 0)?;
    let p99_us = waits.and_then(CommandTally::latency).map_or(0, |latency| latency.p99_us);
    if p99_us < WAIT_US && pool.waiting < pool.max {
        return None;
    }
    let Pool { in_use, max, waiting, .. } = pool;
    let wait = format::duration_us(p99_us as f64);
    Some(format!("connection pool exhausted: {in_use} of {max} in use, {waiting} wait, p99 {wait} for a connection"))
}

impl Churn {
    fn churn_finding(&mut self, tick: u64, pools: &[Pool]) -> Option<String> {
        let sum = |read: fn(&Pool) -> u64| pools.iter().map(read).sum::<u64>();
        let (created, checked_out) = (sum(|pool| pool.created), sum(|pool| pool.checked_out));
        let (at, created_before, checked_out_before) = *self.before.get_or_insert((tick, created, checked_out));
        if tick - at >= CHURN_SECONDS {
            let (new, uses) = (created - created_before, checked_out - checked_out_before);
            let churns = new >= CHURN && new * CHECK_OUTS_EACH > uses;
            self.found = churns
                .then(|| format!("{new} connections made in a minute for {uses} uses: the pool does not keep them"));
            self.before = Some((tick, created, checked_out));
        }
        self.found.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_exhausted_when_all_have_one_and_others_wait_for_long() {
        let pool = |in_use, waiting| Pool { max: 10, in_use, waiting, ..Pool::default() };
        let waits =
            |p99_us| CommandTally { times: crate::history::tally(&[p99_us]).latencies, ..CommandTally::default() };
        assert_eq!(pool_exhaustion(&[pool(9, 0)], Some(&waits(900_000))), None);
        let unbounded = Pool { max: 0, ..pool(10, 25) };
        assert_eq!(pool_exhaustion(&[unbounded], Some(&waits(900_000))), None, "there is no bound to reach");
        assert_eq!(pool_exhaustion(&[pool(10, 1)], Some(&waits(1_000))), None, "full for a moment");
        let found =
            pool_exhaustion(&[pool(1, 0), pool(10, 25)], Some(&waits(1_200_000))).unwrap().replace('\u{a0}', " ");
        assert_eq!(found, "connection pool exhausted: 10 of 10 in use, 25 wait, p99 1.2 s for a connection");
    }

    #[test]
    fn connections_that_are_made_for_a_use_or_two_are_churn() {
        let pools = |created, checked_out| [Pool { created, checked_out, ..Pool::default() }];
        let mut churn = Churn::default();
        assert_eq!(churn.churn_finding(0, &pools(10, 0)), None);
        assert_eq!(churn.churn_finding(60, &pools(100, 9_000)), None, "many uses for each");
        assert!(churn.churn_finding(120, &pools(250, 9_300)).unwrap().starts_with("150 connections"));
        assert!(churn.churn_finding(130, &pools(251, 9_400)).is_some(), "until the next judgement");
        assert_eq!(churn.churn_finding(180, &pools(251, 9_900)), None);
    }

    #[test]
    fn the_documentation_has_these_thresholds() {
        crate::health::finding::assert_documented(&[
            &format!("Its p99 is above {} ms, of at least {ENOUGH_REQUESTS} calls", SLOW_US / 1000),
            &format!("The p99 of the wait is {} ms", WAIT_US / 1000),
            &format!("At least {CHURN} new connections in a minute"),
        ]);
    }
}
