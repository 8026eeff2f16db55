//! What the monitor says that it holds, beside what a counting allocator has given it.

use std::{convert::Infallible, time::Duration};

use axum::{body::Body, http::Request, response::Response};
use futures_util::FutureExt;
use tower::{Service, service_fn};
use tower_layer::Layer;

use super::*;
use crate::{
    UpstreamTiming,
    requests::{Policy, Recorder, RequestsLayer},
};

const ENDPOINTS: usize = 200;

#[test]
fn it_holds_what_it_says() {
    let mut kept = None;
    let allocated = allocation_counter::measure(|| {
        let by_path = |request: &crate::Incoming<'_>| Some(request.uri().path().to_owned().into());
        let recorder = Recorder::new(Policy { group: Some(Box::new(by_path)), ..Policy::default() });
        let (mut reader, mut history) = (Reader::new(recorder), History::new(0, 0));
        // As a proxy, whose upstream fails now and then.
        let mut forwarded = RequestsLayer::new(recorder).layer(service_fn(|request: Request<Body>| {
            let mut response = Response::new(Body::empty());
            response.extensions_mut().insert(UpstreamTiming::from_response(Duration::from_millis(3), None));
            if request.uri().path().ends_with('7') {
                *response.status_mut() = axum::http::StatusCode::NOT_FOUND;
            }
            std::future::ready(Ok::<_, Infallible>(response))
        }));
        for tick in 0..60 {
            for endpoint in 0..ENDPOINTS {
                let mut request = Request::new(Body::empty());
                let path = format!("/a-long-name-of-a-route/{endpoint}");
                *request.uri_mut() = path.parse().expect("a path");
                forwarded.call(request).now_or_never().expect("it answers at once").expect("it cannot fail");
            }
            let mut frame = FrameBuilder::new(tick, 1);
            let reports = reader.take(|id, tally| frame.endpoint(id, tally));
            history.push(tick, frame, reports, Host::default(), &reader);
        }
        kept = Some((reader, history));
    });
    let (reader, history) = kept.expect("both");
    let (held, allocated) = (reader.held_bytes() + history.held_bytes(), allocated.bytes_current as u64);
    println!("{ENDPOINTS} endpoints: {held} bytes held, {allocated} allocated");
    assert!(held.abs_diff(allocated) * 20 < allocated, "{held} of {allocated}");
}
