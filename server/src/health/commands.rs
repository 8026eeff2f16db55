//! The commands that the application sends to its database: repeated, slow, or by connections that do not last.

use watchboard_wire::{FindingSubject, Pool, format};

use super::{
    finding::{FindingRole, Judged, advice, warning},
    requests::{ENOUGH_BEYOND, ENOUGH_REQUESTS},
};
use crate::{
    commands::{CHECK_OUT, CommandReader, CommandTally, CommandUseDelta},
    history::History,
    requests::Reader,
};

/// A command with a p99 above this delays its request.
const SLOW_US: u64 = 500_000;
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
) -> Vec<Judged> {
    if !commands.listens() {
        return vec![];
    }
    let of_each = history.last_minute_of_each_command();
    let mut slow: Vec<(u64, String)> =
        of_each.filter_map(|(number, sums)| slow_command(number, sums, commands)).collect();
    slow.sort_by_key(|(p99_us, _)| std::cmp::Reverse(*p99_us));
    let slow = slow.into_iter().map(|(_, sentence)| (sentence, FindingRole::SlowCommand));
    let churn = churn.churn_finding(tick, &commands.pools()).map(|sentence| (sentence, FindingRole::Other));
    let judged = |(sentence, role)| Judged { finding: warning(sentence, FindingSubject::Database), role };
    let mut findings: Vec<Judged> = churn.into_iter().chain(slow).map(judged).collect();
    let repeating = history
        .last_minute_of_each()
        .filter(|(_, sums)| sums.usage.as_ref().is_some_and(|usage| usage.repeated >= ENOUGH_BEYOND));
    let repeated = repeating.filter_map(|(id, _)| Some((id, reader.last_repetition(id)?)));
    findings.extend(repeated.map(|(id, used)| {
        let name = reader.name(id).text();
        let sentence = format!("{name} {}", repetition_text(used, &commands.name(used.shape).text()));
        Judged { finding: advice(sentence, FindingSubject::Endpoint(name)), role: FindingRole::Repetition }
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
            &format!("At least {CHURN} new connections in a minute"),
        ]);
    }
}
