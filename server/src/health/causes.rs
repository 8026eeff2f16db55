//! One cause is one finding, in front of what follows from it: a slow database makes every endpoint slow that asks it.

use std::{
    cmp::Reverse,
    collections::HashMap,
    mem::{Discriminant, discriminant},
};

use watchboard_wire::{Finding, FindingSubject};

use super::{
    finding::{FindingRole, Judged, warning},
    requests::MAX_NAMED,
    slow::Slow,
};

/// From so many endpoints on that wait for the database, it is the database that is slow, and not each of them.
const ENOUGH_ENDPOINTS: usize = 2;

/// The findings as they are told: the causes first, and one for each.
pub(super) fn combine(mut all: Vec<Judged>) -> Vec<Finding> {
    let slow = take(&mut all, |role| matches!(role, FindingRole::Slow(_)));
    let (by_database, mut alone): (Vec<_>, Vec<_>) =
        slow.into_iter().partition(|it| slow_of(it).is_some_and(Slow::is_by_database));
    let pool = all.iter_mut().find(|it| it.is_current() && it.role == FindingRole::Pool);
    if let Some(pool) = pool.filter(|_| !by_database.is_empty()) {
        let late = match &by_database[..] {
            [one] => format!("; {} is late for it", slow_of(one).map(Slow::text).unwrap_or_default()),
            more => format!("; {} endpoints are late for it", more.len()),
        };
        pool.finding.sentence += &late;
    } else if by_database.len() >= ENOUGH_ENDPOINTS {
        let commands = take(&mut all, |role| *role == FindingRole::SlowCommand);
        all.push(Judged::cause(slow_database(&by_database, commands.first())));
    } else {
        alone.extend(by_database);
    }
    alone.sort_by_key(|it| Reverse(slow_of(it).map(|slow| slow.p99_us)));
    if alone.len() > MAX_NAMED {
        alone = vec![Judged::other(many_slow(&alone))];
    }
    all.extend(alone);
    grave_as_their_effect(&mut all);
    all.sort_by_key(|it| (!it.is_current(), rank(&it.role)));
    few_of_each(all)
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

/// `endpoints` has the slowest first, and `command` is the slowest of the database's.
fn slow_database(endpoints: &[Judged], command: Option<&Judged>) -> Finding {
    let slowest = endpoints.first().and_then(slow_of).map(Slow::text).unwrap_or_default();
    let command = command.map(|it| format!("; {}", it.finding.sentence)).unwrap_or_default();
    let sentence =
        format!("the database is slow: {} endpoints wait for it, {slowest} the longest{command}", endpoints.len());
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
        let expected = ["GET /orders p99 2.1 s, objective 500 ms: 96 % of its time is in the database"];
        assert_eq!(sentences(vec![slow("/orders", 2_100, 96.0)]), expected);
    }

    #[test]
    fn an_exhausted_pool_explains_who_waits_and_is_as_grave_as_the_errors() {
        let pool = of(FindingRole::Pool, "connection pool exhausted");
        let errors = Judged {
            finding: incident("60 % of requests failed".to_owned(), FindingSubject::Requests),
            role: FindingRole::Errors,
        };
        let all = vec![slow("/orders", 2_100, 96.0), slow("/carts", 800, 70.0), errors.clone(), pool.clone()];
        let findings = combine(all.clone());
        assert_eq!(findings.iter().map(|it| it.severity).collect::<Vec<_>>(), [Severity::Incident; 2]);
        let expected = ["connection pool exhausted; 2 endpoints are late for it", "60 % of requests failed"];
        assert_eq!(sentences(all), expected);
        let over =
            Judged { finding: Finding { over_since_unix_ms: Some(1), ..errors.finding }, role: FindingRole::Errors };
        assert_eq!(combine(vec![over, pool])[0].severity, Severity::Warning, "the errors are over");
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
        let all = (1..6).map(|number| slow(&format!("/{number}"), number * 1_000, 0.0)).collect();
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
