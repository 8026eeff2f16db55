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
        combined.push(Judged::other(many_slow(&alone)));
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
        FindingRole::Slow(_) | FindingRole::Unanswered => 2,
        FindingRole::SlowCommand | FindingRole::Repetition | FindingRole::Other => 3,
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
mod tests {
    use super::*;
    use watchboard_wire::Severity;

    use crate::health::finding::{advice, incident};

    fn slow(name: &str, p99_ms: u64, database_percent: f64) -> Judged {
        let mut judged = Slow::example(name, p99_ms * 1_000, database_percent).judged();
        judged.finding.since_unix_ms = p99_ms;
        judged
    }

    fn of(role: FindingRole, sentence: &str) -> Judged {
        Judged { finding: warning(sentence.to_owned(), FindingSubject::Database), role }
    }

    fn combine(all: Vec<Judged>) -> Vec<Finding> {
        CombinedFindings::default().combine(all, 9_000)
    }

    fn sentences(all: Vec<Judged>) -> Vec<String> {
        combine(all).into_iter().map(|finding| finding.sentence.replace('\u{a0}', " ")).collect()
    }

    #[test]
    fn endpoints_that_wait_for_the_database_are_one_finding_about_it() {
        let command = of(FindingRole::SlowCommand, "find shop.orders p99 1.9 s in the last minute");
        let all = vec![slow("/orders", 2_100, 96.0), slow("/render", 900, 3.0), slow("/carts", 800, 70.0), command];
        let findings = combine(all.clone());
        assert_eq!((findings[0].since_unix_ms, &findings[0].about), (800, &FindingSubject::Database));
        let expected = [
            "the database is slow: 2 endpoints wait for it, GET /orders p99 2.1 s the longest; find shop.orders p99 1.9 s in the last minute",
            "GET /render p99 900 ms, objective 500 ms",
        ];
        assert_eq!(sentences(all), expected);
        let command =
            |name: &str| of(FindingRole::SlowCommand, &format!("find shop.{name} p99 700 ms in the last minute"));
        let alike = vec![slow("/orders", 709, 96.0), slow("/carts", 703, 97.0), command("orders"), command("carts")];
        let expected = "the database is slow: 2 endpoints wait for it, each with a p99 of about 709 ms; 2 commands are slow, such as find shop.orders p99 700 ms in the last minute";
        assert_eq!(sentences(alike), [expected]);
        let expected =
            ["GET /orders p99 2.1 s, objective 500 ms: 96 % of its time is in the database, or a wait for it"];
        assert_eq!(sentences(vec![slow("/orders", 2_100, 96.0)]), expected);
    }

    #[test]
    fn an_exhausted_pool_explains_who_waits_and_is_as_grave_as_the_errors() {
        let pool = of(FindingRole::Pool, "connection pool exhausted");
        let errors = Judged {
            finding: incident("60 % of requests failed".to_owned(), FindingSubject::Requests),
            role: FindingRole::Errors,
        };
        let waiting = |mut judged: Judged| {
            if let FindingRole::Slow(slow) = &mut judged.role {
                (slow.database_percent, slow.waited_percent) = (1.0, slow.database_percent);
            }
            judged
        };
        let late = [slow("/orders", 2_100, 96.0), slow("/carts", 800, 70.0)].map(waiting);
        let all = [&late[..], &[errors.clone(), pool.clone()]].concat();
        let findings = combine(all.clone());
        assert_eq!(findings.iter().map(|it| it.severity).collect::<Vec<_>>(), [Severity::Incident; 2]);
        let expected = ["connection pool exhausted; 2 endpoints are late for it", "60 % of requests failed"];
        assert_eq!(sentences(all), expected);
        let over =
            Judged { finding: Finding { over_since_unix_ms: Some(1), ..errors.finding }, role: FindingRole::Errors };
        assert_eq!(combine(vec![over, pool])[0].severity, Severity::Warning, "the errors are over");
    }

    #[test]
    fn who_has_the_connections_is_not_late_for_them() {
        let all = vec![slow("/reports", 2_100, 96.0), of(FindingRole::Pool, "connection pool exhausted")];
        let expected = [
            "connection pool exhausted",
            "GET /reports p99 2.1 s, objective 500 ms: 96 % of its time is in the database, or a wait for it",
        ];
        assert_eq!(sentences(all), expected);
    }

    #[test]
    fn what_stands_for_several_is_held_as_they_are() {
        let mut combined = CombinedFindings::default();
        let both = vec![slow("/orders", 2_100, 96.0), slow("/carts", 800, 70.0)];
        combined.combine(both.clone(), 1_000);
        let told = combined.combine(both[..1].to_vec(), 2_000);
        assert_eq!(told.iter().map(|it| it.over_since_unix_ms).collect::<Vec<_>>(), [None, Some(1_000)]);
        assert_eq!(told[1].since_unix_ms, 800);
        assert_eq!(combined.combine(both[..1].to_vec(), 61_000).len(), 1);
    }

    #[test]
    fn causes_stand_before_errors_and_errors_before_the_rest() {
        let errors = of(FindingRole::Errors, "7 % of requests failed");
        let all = vec![
            of(FindingRole::Other, "grows"),
            slow("/a", 900, 0.0),
            errors,
            of(FindingRole::Cause, "memory at 96 %"),
        ];
        let told = sentences(all);
        assert_eq!(told, ["memory at 96 %", "7 % of requests failed", "GET /a p99 900 ms, objective 500 ms", "grows"]);
    }

    #[test]
    fn many_slow_endpoints_are_one_finding_and_of_others_few_are_named() {
        let all = (1..6).rev().map(|number| slow(&format!("/{number}"), number * 1_000, 0.0)).collect();
        let expected =
            "5 endpoints are beyond their objective: GET /5 p99 5 s, GET /4 p99 4 s, GET /3 p99 3 s, and 2 more";
        assert_eq!(sentences(all), [expected]);
        let repeat = |number| Judged {
            finding: advice(format!("{number}"), FindingSubject::Requests),
            role: FindingRole::Repetition,
        };
        assert_eq!(sentences((1..6).map(repeat).collect()), ["1", "2", "3"]);
    }
}
