use super::*;
use watchboard_wire::Status;

fn recent(requests: u64, server_errors: u64) -> RecentRequests {
    RecentRequests { seconds: 60, requests, server_errors, ..RecentRequests::default() }
}

#[test]
fn errors_count_by_their_share_once_there_are_enough_requests() {
    let status = |requests, errors| {
        let judged = request_findings(&recent(requests, errors), &[], None, vec![]);
        judged.first().map(|judged| judged.finding.severity.status())
    };
    assert_eq!([status(0, 0), status(2, 2), status(10, 4), status(100, 4)], [None; 4]);
    assert_eq!([status(6, 6), status(3, 3), status(10, 9)], [Some(Status::Degraded); 3], "few, but not nothing");
    assert_eq!([status(100, 6), status(100, 60)], [Some(Status::Degraded), Some(Status::Unhealthy)]);
    assert_eq!(status(10, 10), Some(Status::Unhealthy));
    let sentence = &request_findings(&recent(100, 60), &[], None, vec![])[0].finding.sentence;
    assert!(sentence.starts_with("60\u{a0}% of the last minute's requests"), "{sentence}");
    let failure = |reason| UpstreamFailure { reason, is_refusal: false };
    let failures = [(failure("it refuses connections"), 50), (failure("it is late"), 10)];
    let sentence = &request_findings(&recent(100, 60), &failures, None, vec![])[0].finding.sentence;
    assert!(sentence.ends_with("a server error, most of them because it refuses connections"), "{sentence}");
    let sentence = &request_findings(&recent(100, 60), &failures[1..], None, vec![])[0].finding.sentence;
    assert!(sentence.ends_with("a server error"), "{sentence}");
    let refusals = [(UpstreamFailure { reason: "there was no place", is_refusal: true }, 58)];
    assert_eq!(request_findings(&recent(100, 60), &refusals, None, vec![]), vec![]);
}

#[test]
fn the_endpoint_that_fails_most_is_named() {
    let ends = |count: u64| {
        let most = MostFailing {
            name: "GET /coupons/{code}".to_owned(),
            errors: count,
            requests: 100,
            endpoints: 4,
            broken: Broken::default(),
            message: (count != 30).then(|| "no rate for #".to_owned()),
        };
        let sentence = request_findings(&recent(100, 60), &[], Some(&most), vec![]).remove(0).finding.sentence;
        sentence.split_once("server error").expect("the words").1.to_owned()
    };
    let said = [60, 30, 29, 16].map(ends);
    let expected = [
        "all of GET /coupons/{code}, where 60\u{a0}% fail: no rate for #",
        "most of them of GET /coupons/{code}, where 30\u{a0}% fail",
        "across 4 endpoints: GET /coupons/{code} has the most",
        "across 4 endpoints",
    ];
    assert_eq!(said, expected.map(|end| format!(", {end}")));
}

#[test]
fn an_endpoint_that_fails_is_told_however_small_its_part_is() {
    let told = |(errors, requests), names: &[&str]| {
        let message = Some("no rate for #".to_owned());
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let broken = Broken { endpoints: names.len(), errors, names: names.into_iter().take(3).collect() };
        let most = MostFailing { name: "GET /tax".to_owned(), errors, requests, endpoints: 3, broken, message };
        let judged = request_findings(&recent(5_000, errors), &[], Some(&most), vec![]);
        judged.into_iter().next().map(|judged| (judged.finding.sentence, judged.finding.severity.status()))
    };
    let all = "100\u{a0}% of the last minute's requests of GET /tax failed with a server error: no rate for #";
    assert_eq!(told((10, 10), &["GET /tax"]), Some((all.to_owned(), Status::Degraded)));
    assert_eq!([told((9, 9), &[]), told((20, 41), &[])], [None, None]);
    let sentence = |names: &[&str]| told((40, 40), names).expect("a finding").0;
    let alike = "endpoints fail in most of the last minute's requests:";
    assert_eq!(sentence(&["GET /a", "GET /b"]), format!("2 {alike} GET /a and GET /b"));
    assert_eq!(
        sentence(&["GET /a", "GET /b", "GET /c", "GET /d"]),
        format!("4 {alike} GET /a, GET /b, GET /c and 1 more")
    );
}

#[test]
fn two_endpoints_that_fail_are_both_named_among_many_requests() {
    let names = vec!["GET /cart".to_owned(), "GET /pay".to_owned()];
    let broken = Broken { endpoints: 2, errors: 38, names };
    let most =
        MostFailing { name: "GET /cart".to_owned(), errors: 21, requests: 21, endpoints: 2, broken, message: None };
    let judged = request_findings(&recent(160, 40), &[], Some(&most), vec![]);
    assert!(judged[0].finding.sentence.ends_with(", most of them of GET /cart and GET /pay"), "{judged:?}");
}

#[test]
fn a_burst_of_slow_requests_is_no_slow_endpoint() {
    let mut judge = SlowJudge::default();
    let verdicts = |judge: &mut SlowJudge, beyond: &[u64]| -> Vec<bool> {
        beyond.iter().zip(0..).map(|(beyond, tick)| judge.lasts(tick, 7, *beyond)).collect()
    };
    assert_eq!(verdicts(&mut judge, &[3, 9, 22, 22, 22, 22, 22, 22]), [false; 8], "one page");
    let lasting = verdicts(&mut SlowJudge::default(), &[3, 4, 4, 6, 7, 8, 8]);
    assert_eq!(lasting, [false, false, false, false, false, true, true]);
}

#[test]
fn an_endpoint_is_named_once_there_are_enough_slow_requests_though_they_end_at_once_then() {
    let name = || EndpointName { route: "/jobs".into(), objective_us: 500_000, ..EndpointName::default() };
    let mut judge = SlowJudge::default();
    let mut is_named = |tick, slow: usize| {
        let sums = crate::history::tally(&vec![12_000_000; slow]);
        judge.verdict(tick, 7, (&sums, 500_000), name).is_some()
    };
    // Two end each second from the twelfth on.
    let named = (12..25).map(|tick| is_named(tick, 2 * (tick as usize - 11))).position(|named| named);
    assert_eq!(named, Some(9), "with the twentieth");
    assert!(is_named(25, 26) && !is_named(100, 0) && !is_named(101, 26), "they are forgotten");
}

#[test]
fn an_endpoint_beyond_its_objective_is_named_with_its_figures() {
    let name = || EndpointName {
        method: Some("GET".into()),
        route: "/search".into(),
        objective_us: 500_000,
        ..EndpointName::default()
    };
    let tally = |fast: usize, slow: usize| {
        let durations = [vec![1_000; fast], vec![2_100_000; slow]].concat();
        crate::history::tally(&durations)
    };
    assert!(Slow::from_sums(&tally(200, 2), name).is_none(), "an accident");
    assert!(Slow::from_sums(&tally(0, 10), name).is_none(), "too few requests");
    let failing = crate::history::tally_with_failures(&[1_000; 200], &[2_100_000; 30]);
    assert!(Slow::from_sums(&failing, name).is_none(), "slow failures are failures");
    let hidden = crate::history::tally_with_failures(&[2_100_000; 30], &[1_000; 900]);
    assert!(Slow::from_sums(&hidden, name).is_some_and(|slow| slow.p99_us > 2_000_000), "fast failures hide none");
    let found =
        request_findings(&recent(230, 0), &[], None, Slow::from_sums(&tally(200, 30), name).into_iter().collect());
    let finding = &found[0].finding;
    assert_eq!(finding.sentence.replace('\u{a0}', " "), "GET /search p99 2.11 s, objective 500 ms");
    assert_eq!(finding.about, FindingSubject::Endpoint("GET /search".into()));
}

#[test]
fn the_documentation_has_these_thresholds() {
    crate::health::finding::assert_documented(&[
        &format!(
            "{DEGRADED_ERROR_PERCENT} % of at least {ENOUGH_REQUESTS} requests, or all of at least {ENOUGH_FAILED} requests"
        ),
        &format!("From {UNHEALTHY_ERROR_PERCENT} % on the status is unhealthy"),
        &format!("at least {FEW_FAILED} failures that are {UNHEALTHY_ERROR_PERCENT} %"),
        &format!("Its p99 is above the objective, of at least {ENOUGH_REQUESTS} requests that ["),
        &format!(
            "At least {ENOUGH_BEYOND} requests are above it, the first and the last at least {LASTING_SECONDS} s apart"
        ),
    ]);
}
