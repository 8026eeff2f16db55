//! One cause is one finding, in front of what follows from it: a slow database makes every endpoint slow that asks it.

use std::{
    collections::HashMap,
    mem::{Discriminant, discriminant},
};

use watchboard_wire::{Finding, FindingSubject, format};

use super::{
    finding::{FindingRole, HeldFindings, Judged, warning},
    requests::MAX_NAMED,
    slow::Slow,
};

/// From so many endpoints on that wait for the database, it is the database that is slow, and not each of them.
const ENOUGH_ENDPOINTS: usize = 2;

/// Holds the findings that stand for several.
#[derive(Default)]
pub(super) struct CombinedFindings(HeldFindings);

impl CombinedFindings {
    /// The findings that are shown: the causes first, and one for each.
    pub(super) fn combine(&mut self, mut all: Vec<Judged>, now_unix_ms: u64) -> Vec<Finding> {
        let combined = combine_slow(&mut all);
        all.extend(self.0.hold(combined, now_unix_ms));
        grave_as_their_effect(&mut all);
        all.sort_by_key(|it| (!it.is_current(), rank(&it.role)));
        few_of_each(all)
    }
}

/// Takes the slow endpoints that have a cause in common out, and returns what stands for them. The slowest come first.
fn combine_slow(all: &mut Vec<Judged>) -> Vec<Judged> {
    let mut combined = vec![];
    let mut alone = take(all, |role| matches!(role, FindingRole::Slow(_)));
    let split = |is_of: fn(&Slow) -> bool, alone: &mut Vec<Judged>| -> Vec<Judged> {
        alone.extract_if(.., |it| slow_of(it).is_some_and(is_of)).collect()
    };
    if let Some(pool) = all.iter_mut().find(|it| it.is_current() && it.role == FindingRole::Pool) {
        let late = match &split(Slow::is_by_pool, &mut alone)[..] {
            [] => String::new(),
            [one] => format!("; {} is late for it", slow_of(one).map(Slow::text).unwrap_or_default()),
            more => format!("; {} endpoints are late for it", more.len()),
        };
        pool.finding.sentence.push_str(&late);
    } else if alone.iter().filter_map(slow_of).filter(|slow| slow.is_by_database()).count() >= ENOUGH_ENDPOINTS {
        let by_database = split(Slow::is_by_database, &mut alone);
        let commands = take(all, |role| *role == FindingRole::SlowCommand);
        combined.push(Judged::cause(slow_database(&by_database, &commands)));
    }
    if alone.len() > MAX_NAMED {
        combined.push(Judged { finding: many_slow(&alone), role: FindingRole::ManySlow });
    } else {
        all.extend(alone);
    }
    combined
}

/// Takes those out that are so now, in their order.
fn take(all: &mut Vec<Judged>, is_wanted: impl Fn(&FindingRole) -> bool) -> Vec<Judged> {
    all.extract_if(.., |it| it.is_current() && is_wanted(&it.role)).collect()
}

fn slow_of(judged: &Judged) -> Option<&Slow> {
    if let FindingRole::Slow(slow) = &judged.role { Some(slow) } else { None }
}

fn rank(role: &FindingRole) -> u8 {
    match role {
        FindingRole::Cause | FindingRole::DatabaseFailure | FindingRole::Pool => 0,
        FindingRole::Errors => 1,
        FindingRole::Unanswered => 2,
        FindingRole::CpuShortage => 3,
        FindingRole::Slow(_) | FindingRole::ManySlow => 4,
        FindingRole::SlowCommand | FindingRole::Other => 5,
        // It costs time at all times; what leaks ends the process.
        FindingRole::Repetition => 6,
    }
}

/// Both have the slowest first. Where all are as slow, no one is the culprit.
fn slow_database(endpoints: &[Judged], commands: &[Judged]) -> Finding {
    let slow: Vec<_> = endpoints.iter().filter_map(slow_of).collect();
    let which = match (slow.first(), slow.last()) {
        (Some(first), Some(last)) if first.p99_us < last.p99_us + last.p99_us / 2 => {
            format!("each with a p99 of about {}", format::duration_us(first.p99_us as f64))
        }
        (Some(first), _) => format!("{} the longest", first.text()),
        _ => String::new(),
    };
    let command = match commands {
        [] => String::new(),
        [one] => format!("; {}", one.finding.sentence),
        [first, ..] => format!("; {} commands are slow, such as {}", commands.len(), first.finding.sentence),
    };
    let sentence = format!("the database is slow: {} endpoints wait for it, {which}{command}", endpoints.len());
    since_the_first(warning(sentence, FindingSubject::Database), endpoints)
}

fn many_slow(endpoints: &[Judged]) -> Finding {
    let named: Vec<_> = endpoints.iter().take(MAX_NAMED).filter_map(slow_of).map(Slow::text).collect();
    let more = endpoints.len() - MAX_NAMED;
    let sentence =
        format!("{} endpoints are beyond their objective: {}, and {more} more", endpoints.len(), named.join(", "));
    since_the_first(warning(sentence, FindingSubject::Requests), endpoints)
}

fn since_the_first(finding: Finding, of: &[Judged]) -> Finding {
    let since_unix_ms = of.iter().map(|it| it.finding.since_unix_ms).min().unwrap_or_default();
    Finding { since_unix_ms, ..finding }
}

/// What the database lacks is as grave as the errors beside it.
fn grave_as_their_effect(all: &mut [Judged]) {
    let is_grave = |it: &Judged| it.is_current() && it.role == FindingRole::Errors;
    let Some(severity) = all.iter().filter(|it| is_grave(it)).map(|it| it.finding.severity).max() else { return };
    for it in all.iter_mut().filter(|it| it.is_current()) {
        if matches!(it.role, FindingRole::DatabaseFailure | FindingRole::Pool) {
            it.finding.severity = it.finding.severity.max(severity);
        }
    }
}

/// At most [`MAX_NAMED`] of one kind, and as many that are over.
fn few_of_each(all: Vec<Judged>) -> Vec<Finding> {
    let mut counts: HashMap<(Discriminant<FindingRole>, bool), usize> = HashMap::new();
    let mut is_told = |it: &Judged| {
        let count = counts.entry((discriminant(&it.role), it.is_current())).or_default();
        *count += 1;
        *count <= MAX_NAMED || matches!(it.role, FindingRole::Cause | FindingRole::Other)
    };
    all.into_iter().filter(|it| is_told(it)).map(|it| it.finding).collect()
}

#[cfg(test)]
mod tests;
