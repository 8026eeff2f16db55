use super::*;
use watchboard_wire::{ErrorCause, ErrorKind, ErrorSample, RefreshQuery, RefreshResponse, Snapshot};

fn slow(database: Option<u64>) -> SlowRequest {
    SlowRequest {
        at_unix_ms: 5_000,
        endpoint: "GET /a".to_owned(),
        status: 200,
        duration_us: 1_000,
        first_byte_us: Some(700),
        connect_us: Some(100),
        response_bytes: 9,
        request_id: Some("abc".to_owned()),
        database: database.map(|elapsed_us| RequestCommands { elapsed_us, ..RequestCommands::default() }),
    }
}

#[test]
fn the_parts_add_up_to_the_whole() {
    let us = |request: &SlowRequest| parts(request).iter().map(|(_, us, _)| *us).collect::<Vec<_>>();
    assert_eq!(us(&slow(Some(400))), [100.0, 400.0, 200.0, 300.0]);
    assert_eq!(us(&slow(None)), [100.0, 600.0, 300.0]);
    let mut waiting = slow(Some(400));
    waiting.database.as_mut().unwrap().waited_us = 150;
    assert_eq!(us(&waiting), [100.0, 150.0, 400.0, 50.0, 300.0]);
    // Commands while the body was sent, and more than the whole.
    assert_eq!(us(&slow(Some(800))), [100.0, 800.0, 100.0]);
    assert_eq!(us(&slow(Some(5_000))), [100.0, 900.0]);
    let plain = SlowRequest { first_byte_us: None, connect_us: None, ..slow(None) };
    assert_eq!(us(&plain), [1_000.0]);
}

#[test]
fn what_a_client_chose_is_text_and_leads_to_its_trace() {
    let mut request = slow(None);
    request.request_id = Some("a\"b".to_owned());
    let failure = Some(("panic", Some("<script>1 & 2</script>".to_owned())));
    let detail = RequestDetail { request, has_parts: false, failure };
    let snapshot = Snapshot { trace_url: Some("http://logs/{request_id}".parse().unwrap()), ..Snapshot::default() };
    let figures = Figures::new(RefreshQuery::default(), RefreshResponse { snapshot, ..RefreshResponse::default() });
    let html = about(&detail, &Selection::default(), &figures);
    for part in [
        "&lt;script>1 &amp; 2&lt;/script>",
        ">a&quot;b</code>",
        "href=\"http://logs/a%22b\"",
        "endpoint=GET%20/a\"",
        NO_PARTS,
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
}

#[test]
fn a_request_is_found_by_its_key_or_its_id() {
    let sample = ErrorSample {
        at_unix_ms: 7_000,
        duration_us: 30,
        request_id: Some("def".to_owned()),
        message: Some("out of stock".to_owned()),
    };
    let cause = ErrorCause { kind: ErrorKind::Server, samples: vec![sample], ..ErrorCause::default() };
    let answer = RefreshResponse { causes: vec![cause], slowest: Some(vec![slow(None)]), ..RefreshResponse::default() };
    let figures = Figures::new(RefreshQuery::default(), answer);
    for wanted in ["abc", "5000.1000"] {
        assert!(find(&figures, wanted).is_some_and(|it| it.has_parts && it.failure.is_none() && it.is(wanted)));
    }
    for wanted in ["def", "7000.30"] {
        let detail = find(&figures, wanted).unwrap();
        assert_eq!(detail.failure, Some(("server error", Some("out of stock".to_owned()))));
        assert!(!detail.has_parts && detail.is(wanted));
    }
    assert_eq!(find(&figures, "5000.1001"), None);
}
