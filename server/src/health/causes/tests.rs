//! Which findings are one, and in which order they stand.

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
    let command = |name: &str| of(FindingRole::SlowCommand, &format!("find shop.{name} p99 700 ms in the last minute"));
    let alike = vec![slow("/orders", 709, 96.0), slow("/carts", 703, 97.0), command("orders"), command("carts")];
    let expected = "the database is slow: 2 endpoints wait for it, each with a p99 of about 709 ms; 2 commands are slow, such as find shop.orders p99 700 ms in the last minute";
    assert_eq!(sentences(alike), [expected]);
    let expected = ["GET /orders p99 2.1 s, objective 500 ms: 96 % of its time is in the database, or a wait for it"];
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
    let over = Judged { finding: Finding { over_since_unix_ms: Some(1), ..errors.finding }, role: FindingRole::Errors };
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
    let all =
        vec![of(FindingRole::Other, "grows"), slow("/a", 900, 0.0), errors, of(FindingRole::Cause, "memory at 96 %")];
    let told = sentences(all);
    assert_eq!(told, ["memory at 96 %", "7 % of requests failed", "GET /a p99 900 ms, objective 500 ms", "grows"]);
}

#[test]
fn many_slow_endpoints_are_one_finding_and_of_others_few_are_named() {
    let slow = (1..6).rev().map(|number| slow(&format!("/{number}"), number * 1_000, 0.0));
    let all = [of(FindingRole::Other, "grows")].into_iter().chain(slow).collect();
    let expected = "5 endpoints are beyond their objective: GET /5 p99 5 s, GET /4 p99 4 s, GET /3 p99 3 s, and 2 more";
    assert_eq!(sentences(all), [expected, "grows"], "what hurts now comes first");
    let repeat = |number| Judged {
        finding: advice(format!("{number}"), FindingSubject::Requests),
        role: FindingRole::Repetition,
    };
    assert_eq!(sentences((1..6).map(repeat).collect()), ["1", "2", "3"]);
}
