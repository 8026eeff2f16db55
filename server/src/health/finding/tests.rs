//! Findings go on, are over, and become graver.

use super::*;

#[test]
fn errors_that_are_told_in_other_words_go_on() {
    let mut held = HeldFindings::default();
    let errors =
        |sentence: &str, about| Judged { finding: warning(sentence.to_owned(), about), role: FindingRole::Errors };
    let one = || errors("GET /a fails", FindingSubject::Endpoint("GET /a".to_owned()));
    held.hold(vec![one()], 1_000);
    let now = held.hold(vec![errors("2 endpoints fail: GET /a and GET /b", FindingSubject::Requests)], 2_000);
    assert_eq!(now.iter().map(|it| (it.finding.since_unix_ms, it.is_current())).collect::<Vec<_>>(), [(1_000, true)]);
    let later = held.hold(vec![], 3_000);
    assert!(!later.is_empty() && later.iter().all(|it| !it.is_current()), "then it is over");
}

fn slow(p99: &str) -> Finding {
    let sentence = format!("GET /v1/search p99 {p99}, objective 500\u{a0}ms");
    warning(sentence, FindingSubject::Endpoint("GET /v1/search".to_owned()))
}

#[test]
fn a_finding_is_the_same_whatever_its_figures_and_units() {
    let key = |finding: &Finding| FindingKey::from(finding);
    assert_eq!(key(&slow("980\u{a0}ms")), key(&slow("2.11\u{a0}s")));
    let errors = |percent: &str, reason: &str| {
        let sentence = format!("{percent}\u{a0}% of the last minute's requests failed with a server error{reason}");
        warning(sentence, FindingSubject::Requests)
    };
    assert_eq!(key(&errors("7", "")), key(&errors("60", ", most of them because it is late")));
    let taken = |count: &str, name: &str| {
        warning(format!("{count} of 8\u{202f}192 {name} are taken"), FindingSubject::Requests)
    };
    assert_eq!(key(&taken("7\u{202f}400", "tunnels")), key(&taken("8\u{202f}192", "tunnels")));
    assert_ne!(key(&taken("7", "tunnels")), key(&taken("7", "connections")));
}

#[test]
fn what_wavers_about_its_threshold_is_held_for_a_minute() {
    let mut held = HeldFindings::default();
    let mut over = |findings: Vec<Finding>, now| -> Vec<Option<u64>> {
        let judged = findings.into_iter().map(Judged::other).collect();
        held.hold(judged, now).iter().map(|held| held.finding.over_since_unix_ms).collect()
    };
    assert_eq!(over(vec![slow("2\u{a0}s")], 1_000), [None]);
    assert_eq!(over(vec![], 2_000), [Some(1_000)]);
    assert_eq!(over(vec![slow("3\u{a0}s")], 59_000), [None], "it came back");
    assert_eq!(over(vec![], 118_999), [Some(59_000)]);
    assert_eq!(over(vec![], 119_000), []);
}

#[test]
fn a_finding_keeps_its_beginning_and_the_last_that_ended_comes_first() {
    let mut held = HeldFindings::default();
    let named = |name: &str| Judged::other(advice(name.to_owned(), FindingSubject::Memory));
    held.hold(vec![named("a"), named("b")], 1_000);
    held.hold(vec![named("b")], 2_000);
    let held = held.hold(vec![named("c")], 3_000);
    let told: Vec<_> =
        held.iter().map(|it| (&*it.finding.sentence, it.finding.since_unix_ms, it.is_current())).collect();
    assert_eq!(told, [("c", 3_000, true), ("b", 1_000, false), ("a", 1_000, false)]);
}

#[test]
fn what_becomes_graver_is_as_old_as_that() {
    let mut held = HeldFindings::default();
    let mut since = |make: fn(String, FindingSubject) -> Finding, now| {
        held.hold(vec![Judged::other(make("a".to_owned(), FindingSubject::Requests))], now)[0].finding.since_unix_ms
    };
    assert_eq!([since(warning, 1_000), since(warning, 2_000)], [1_000; 2]);
    assert_eq!([since(incident, 3_000), since(incident, 4_000), since(warning, 5_000)], [3_000; 3]);
}

#[test]
fn the_documentation_says_how_long_findings_are_held() {
    assert_documented(&[&format!("{} s below it", HOLD_MS / 1000)]);
}
