//! What recording costs in memory: nothing for a request once its endpoint is known, and a bounded amount in all.

use std::{borrow::Cow, convert::Infallible, fs, time::Duration};

use axum::{
    body::Body,
    http::{Method, Request, Response},
};
use tower::{Service, service_fn};
use tower_layer::Layer;
use watchboard::{Monitor, RequestsLayer};

/// A service that answers at once and allocates nothing, below the layer.
fn watched<B: Send + 'static>(
    layer: RequestsLayer,
) -> impl Service<Request<B>, Response = Response<impl http_body::Body>, Error = Infallible> {
    layer.layer(service_fn(|request: Request<B>| {
        // Paths end in the status that they want.
        let status = request.uri().path().rsplit('/').next().and_then(|status| status.parse().ok()).unwrap_or(200);
        let mut response = Response::new(Body::empty());
        *response.status_mut() = axum::http::StatusCode::from_u16(status).expect("a status");
        std::future::ready(Ok(response))
    }))
}

/// One request, polled to its end in place: nothing of a runtime's is in the way.
fn ask<S, R, B>(service: &mut S, request: Request<R>)
where
    S: Service<Request<R>, Response = Response<B>, Error = Infallible>,
    B: http_body::Body,
{
    let waker = std::task::Waker::noop();
    let mut context = std::task::Context::from_waker(waker);
    let mut answered = std::pin::pin!(service.call(request));
    let std::task::Poll::Ready(Ok(response)) = answered.as_mut().poll(&mut context) else {
        panic!("it answers at once")
    };
    let mut body = std::pin::pin!(response.into_body());
    while let std::task::Poll::Ready(Some(_)) = body.as_mut().poll_frame(&mut context) {}
}

/// The row that the host names: as long as it is borrowed, naming it allocates nothing.
fn by_host(request: &watchboard::Incoming<'_>) -> Option<Cow<'static, str>> {
    (request.uri().path().starts_with("/users/")).then_some(Cow::Borrowed("/users/{id}"))
}

#[test]
fn recording_a_request_allocates_nothing_once_its_endpoint_is_known() {
    let monitor = Monitor::builder().group_by(by_host).build();
    let mut service = watched(monitor.layer());
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let requests = |service: &mut _, count: usize| {
        for number in 0..count {
            let path = if number % 2 == 0 { "/users/200" } else { "/elsewhere/204" };
            let mut request = Request::new(());
            *request.uri_mut() = axum::http::Uri::from_static(path);
            request.headers_mut().insert("traceparent", axum::http::HeaderValue::from_static(parent));
            ask(service, request);
        }
    };
    requests(&mut service, 1_000);
    let bare = allocation_counter::measure(|| {
        for _ in 0..100_000 {
            let mut request = Request::new(());
            request.headers_mut().insert("traceparent", axum::http::HeaderValue::from_static(parent));
        }
    });
    let recorded = allocation_counter::measure(|| requests(&mut service, 100_000));
    // The request's own headers allocate; what is left is ours.
    assert_eq!(recorded.count_total, bare.count_total);
}

#[test]
fn recording_a_failure_allocates_nothing_after_the_first_of_its_endpoint() {
    let monitor = Monitor::builder().group_by(by_host).build();
    let mut service = watched(monitor.layer());
    let failures = |service: &mut _| {
        for _ in 0..10_000 {
            let mut request = Request::new(());
            *request.uri_mut() = axum::http::Uri::from_static("/users/500");
            ask(service, request);
        }
    };
    failures(&mut service);
    assert_eq!(allocation_counter::measure(|| failures(&mut service)).count_total, 0);
}

#[test]
fn a_request_with_a_body_costs_two_allocations() {
    const REQUESTS: u64 = 10_000;
    let monitor = Monitor::builder().build();
    let mut service = watched(monitor.layer());
    let upload = || Request::post("/users").body(Body::from("name=Ada")).expect("a request");
    let requests = |service: &mut _| (0..REQUESTS).for_each(|_| ask(service, upload()));
    requests(&mut service);
    let bare = allocation_counter::measure(|| (0..REQUESTS).for_each(|_| drop(upload())));
    let recorded = allocation_counter::measure(|| requests(&mut service));
    // The box of the watched body, and what it shares with the recording: whether the client has left.
    assert_eq!(recorded.count_total, bare.count_total + 2 * REQUESTS);
}

/// Resident memory of this process.
fn rss_bytes() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").expect("/proc");
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("pages") * 4096
}

#[test]
fn ten_million_requests_of_any_path_method_and_host_stay_within_bounds() {
    const REQUESTS: u64 = 10_000_000;
    // Every path is a row of its own as far as the host is concerned: the cap is what holds.
    let row = |request: &watchboard::Incoming<'_>| Some(Cow::Owned(request.uri().path().to_owned()));
    // Its board is asked without a connection that could tell who asks.
    let monitor = Monitor::builder().group_by(row).access(|_: &axum::http::request::Parts| true).build();
    let mut service = watched(monitor.layer());
    let mut random = fastrand::Rng::with_seed(11);
    let methods = [Method::GET, Method::POST, Method::DELETE, Method::from_bytes(b"BREW").expect("a method")];
    let mut one = |random: &mut fastrand::Rng| {
        let status = [200, 200, 200, 404, 500][random.usize(0..5)];
        let path = format!("http://{}.example/{}/{status}", random.u16(..), random.u32(..));
        let mut request = Request::new(());
        *request.uri_mut() = path.parse().expect("a URI");
        *request.method_mut() = methods[random.usize(0..4)].clone();
        ask(&mut service, request);
        status
    };
    let mut failed = u64::from(one(&mut random) == 500);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let until = |requests: u64| {
        runtime.block_on(async {
            let mut board = monitor.dashboard();
            loop {
                let response = board.call(Request::get("/health").body(Body::empty()).expect("a request")).await;
                let body =
                    axum::body::to_bytes(response.expect("an answer").into_body(), usize::MAX).await.expect("a body");
                let health: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
                if health["application"]["total_requests"] == requests {
                    return health;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
    };
    // The code that counts is in memory from the first request on; what the others bring is what is kept of them.
    until(1);
    let before = rss_bytes();
    for _ in 1..REQUESTS {
        failed += u64::from(one(&mut random) == 500);
    }
    let grown = rss_bytes().saturating_sub(before);
    println!("10 million requests: RSS grew by {} KiB", grown / 1024);
    let health = until(REQUESTS);
    let application = &health["application"];
    assert_eq!((&application["error_count"], &application["in_flight"]), (&failed.into(), &0.into()));
    let endpoints = application["endpoints"].as_object().expect("a map");
    assert!(endpoints.len() <= 512 + methods.len(), "{} endpoints", endpoints.len());
    assert_eq!(endpoints.values().filter_map(serde_json::Value::as_u64).sum::<u64>(), REQUESTS);
    assert!(grown <= 8 << 20, "RSS grew by {grown} bytes");
}
