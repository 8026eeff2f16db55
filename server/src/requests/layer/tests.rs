//! The layer alone: what it records, and how it handles panics of the host's code and of ours.

use std::{
    convert::Infallible,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use axum::body::Body;
use futures_util::StreamExt as _;
use http_body_util::BodyExt;
use tower::{ServiceExt, service_fn};

use super::*;
use crate::{
    commands::attribution,
    requests::{Reader, RequestReports, recorder::Policy},
};

mod waiting;

fn recorder() -> &'static Recorder {
    Recorder::new(Policy::default())
}

/// Status and body of one request to a service behind the layer.
async fn ask<F>(recorder: &'static Recorder, service: F) -> (StatusCode, String)
where
    F: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    let watched = RequestsLayer::new(recorder).layer(service);
    let response = watched.oneshot(Request::new(Body::empty())).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

/// The number of recorded requests, and the reports on them.
fn taken(recorder: &'static Recorder) -> (u64, RequestReports) {
    let mut requests = 0;
    let reports = Reader::new(recorder).take(|_, tally| requests += tally.requests());
    (requests, reports)
}

#[tokio::test]
async fn a_panic_of_our_own_costs_the_host_nothing() {
    attribution::enable();
    let well = || service_fn(|_| async { Ok(Response::new(Body::from("well"))) });
    // Its trace makes the recording of the request's end panic.
    let breaks_end = service_fn(|_| async {
        attribution::write(attribution::tests::break_trace);
        Ok(Response::new(Body::from("well")))
    });
    let begin_panics = AtomicBool::new(true);
    let ignore = move |_: &Incoming<'_>| {
        assert!(!begin_panics.swap(false, Relaxed), "once");
        false
    };
    // One request has two pieces of our own work that can panic: its beginning and its end.
    let at_begin = Recorder::new(Policy { ignore: Some(Box::new(ignore)), ..Policy::default() });
    let at_end = recorder();
    let first = [(at_begin, ask(at_begin, well()).await), (at_end, ask(at_end, breaks_end).await)];
    for (step, (recorder, response)) in first.into_iter().enumerate() {
        assert_eq!(response, (StatusCode::OK, "well".to_owned()));
        assert_eq!(recorder.faults(), 1, "step {step} panicked");
        assert_eq!(ask(recorder, well()).await.0, StatusCode::OK);
        assert_eq!(taken(recorder).0, 1, "the next request is recorded");
    }
}

#[tokio::test]
async fn a_policy_of_the_host_that_panics_leaves_its_requests_alone() {
    let recorder = Recorder::new(Policy { ignore: Some(Box::new(|_| panic!("in the policy"))), ..Policy::default() });
    let well = service_fn(|_| async { Ok(Response::new(Body::from("well"))) });
    assert_eq!(ask(recorder, well).await.0, StatusCode::OK);
    assert_eq!((recorder.faults(), taken(recorder).0), (1, 0));
}

#[tokio::test]
async fn a_handler_that_panics_is_reported_with_message_and_place() {
    crate::supervision::panics::note_locations();
    let recorder = recorder();
    let line = line!() + 1;
    let (status, _) = ask(recorder, service_fn(|_| async { panic!("a bug of the host") })).await;
    let (requests, reports) = taken(recorder);
    let error = &reports.errors[0];
    assert_eq!((status, requests), (StatusCode::INTERNAL_SERVER_ERROR, 1));
    assert_eq!(error.text, ErrorText::Received(b"a bug of the host".to_vec()));
    let location = error.location.as_deref().unwrap();
    assert!(location.contains(&format!("layer/tests.rs:{line}:")), "{location}");
}

/// A service that panics before it has a future.
#[derive(Clone)]
struct PanicsInCall;

impl Service<Request<Body>> for PanicsInCall {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        panic!("in call")
    }
}

#[tokio::test]
async fn a_service_that_panics_in_its_call_is_recorded_as_it_goes() {
    crate::supervision::panics::note_locations();
    let recorder = recorder();
    let request = tokio::spawn(ask(recorder, PanicsInCall));
    assert!(request.await.unwrap_err().is_panic());
    let (requests, reports) = taken(recorder);
    assert_eq!((requests, &reports.errors[0].text), (1, &ErrorText::Fixed("it panicked outside of the handler")));
    assert!(reports.errors[0].location.as_deref().is_some_and(|location| location.contains("layer/tests.rs")));
}

#[tokio::test]
async fn a_call_that_its_client_cancels_is_no_error_of_the_application() {
    let recorder = recorder();
    let watch = service_fn(|_| async {
        let first = futures_util::stream::iter([Ok::<_, Infallible>(&b"\0\0\0\0\x01a\0\0\0\0\x01b"[..])]);
        let body = Body::from_stream(first.chain(futures_util::stream::pending()));
        Ok::<_, Infallible>(Response::builder().header("content-type", "application/grpc").body(body).unwrap())
    });
    let response = RequestsLayer::new(recorder).layer(watch).oneshot(Request::new(Body::empty())).await.unwrap();
    let mut body = response.into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    // The application says so itself.
    let cancelled = service_fn(|_| async {
        let head = Response::builder().header("content-type", "application/grpc").header("grpc-status", "1");
        Ok(head.body(Body::empty()).unwrap())
    });
    ask(recorder, cancelled).await;
    let mut reader = Reader::new(recorder);
    let reports = reader.take(|_, _| ());
    assert_eq!((reports.errors.len(), reader.totals()[0].requests()), (0, 2));
}

/// The tally of one request that is answered so after a time.
async fn tally_of(recorder: &'static Recorder, ms: u64, answer: fn() -> Response<Body>) -> crate::requests::Tally {
    let service = service_fn(move |_| async move {
        tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
        Ok(answer())
    });
    ask(recorder, service).await;
    let mut taken = crate::requests::Tally::default();
    Reader::new(recorder).take(|_, tally| taken = tally.clone());
    taken
}

fn answer(status: u16) -> Response<Body> {
    Response::builder().status(status).body(Body::from("done")).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_server_error_is_not_in_time_and_has_a_latency_of_its_own() {
    let objective_us = 500_000;
    let judgement = |tally: &crate::requests::Tally| {
        let latency = tally.latency();
        let is_known = (latency.succeeded.is_some(), latency.failed.is_some());
        (is_known, tally.count_within(objective_us), tally.count_judged())
    };
    for (what, ms, answer, expected) in [
        ("fast", 5, (|| answer(200)) as fn() -> _, ((true, false), 1, 1)),
        ("slow", 900, || answer(200), ((true, false), 0, 1)),
        ("a client error", 5, || answer(404), ((true, false), 1, 1)),
        ("a fast failure", 5, || answer(503), ((false, true), 0, 1)),
        ("a slow failure", 900, || answer(500), ((false, true), 0, 1)),
        ("a panic", 5, || panic!("it broke"), ((false, true), 0, 1)),
    ] {
        assert_eq!(judgement(&tally_of(recorder(), ms, answer).await), expected, "{what}");
    }
    let recorder = recorder();
    let waits = service_fn(|_| async {
        tokio::time::sleep(std::time::Duration::from_mins(1)).await;
        Ok::<_, Infallible>(answer(200))
    });
    let request = RequestsLayer::new(recorder).layer(waits).oneshot(Request::new(Body::empty()));
    tokio::time::timeout(std::time::Duration::from_secs(1), request).await.unwrap_err();
    let mut taken = crate::requests::Tally::default();
    Reader::new(recorder).take(|_, tally| taken = tally.clone());
    assert_eq!((taken.requests(), judgement(&taken)), (1, ((false, false), 0, 0)), "left by its client");
}

#[tokio::test(start_paused = true)]
async fn a_server_timing_header_is_there_when_it_is_wanted() {
    for server_timing in [true, false] {
        let recorder = Recorder::new(Policy { server_timing, ..Policy::default() });
        let service = service_fn(|_| async {
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
            Ok::<_, Infallible>(Response::new(Body::empty()))
        });
        let watched = RequestsLayer::new(recorder).layer(service);
        let response = watched.oneshot(Request::new(Body::empty())).await.unwrap();
        let value = response.headers().get("server-timing").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(value.is_some_and(|value| value.starts_with("app;dur=2")), server_timing);
    }
}

#[tokio::test(start_paused = true)]
async fn percentiles_are_those_of_the_times_that_requests_took() {
    let recorder = recorder();
    // A known distribution: 1 to 1000 ms, in no order.
    let mut all: Vec<u64> = (1..=1000).collect();
    fastrand::Rng::with_seed(2).shuffle(&mut all);
    for ms in all {
        let service = service_fn(move |_| async move {
            tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
            Ok(Response::new(Body::empty()))
        });
        ask(recorder, service).await;
    }
    let mut taken = None;
    Reader::new(recorder).take(|_, tally| taken = tally.latency().succeeded);
    let latency = taken.expect("requests were taken");
    for (exact_ms, found_us) in
        [(500.0, latency.p50_us), (950.0, latency.p95_us), (990.0, latency.p99_us), (1000.0, latency.max_us)]
    {
        // The clock of the tests wakes a millisecond late.
        let error = (found_us as f64 / 1000.0 - exact_ms) / exact_ms;
        assert!((-0.01..=0.01).contains(&error), "{found_us} µs instead of {exact_ms} ms");
    }
}

#[tokio::test]
async fn what_failed_with_one_status_is_one_total_however_it_came_about() {
    let recorder = recorder();
    let returned = service_fn(|_| async {
        let mut response = Response::new(Body::from("it broke"));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        Ok(response)
    });
    ask(recorder, returned).await;
    ask(recorder, service_fn(|_| async { panic!("a bug of the host") })).await;
    let dropped = RequestsLayer::new(recorder).layer(returned).oneshot(Request::new(Body::empty())).await.unwrap();
    drop(dropped);
    let mut reader = Reader::new(recorder);
    let reports = reader.take(|_, _| ());
    let totals = reader.totals();
    let statuses: Vec<_> = totals[0].statuses.iter().map(|total| (total.status, total.requests)).collect();
    assert_eq!(statuses, [(500, 3)]);
    let kinds: Vec<_> = reports.errors.iter().map(|error| error.kind.word()).collect();
    assert_eq!(kinds, ["server error", "panic", "server error"]);
}
