//! The layer alone: whose time it is that passes until an answer and during it.

use super::*;

/// What the reader has of one request: whether it has a latency, and how long the slowest took, in milliseconds.
fn timed(recorder: &'static Recorder) -> (bool, Option<u64>) {
    let mut is_timed = false;
    let reports = Reader::new(recorder).take(|_, tally| is_timed = tally.count_judged() > 0);
    (is_timed, reports.slow.first().map(|slow| slow.duration_us / 1000))
}

#[tokio::test(start_paused = true)]
async fn a_stream_lasts_as_long_as_its_client_wants_and_has_no_latency() {
    let recorder = recorder();
    let stream = service_fn(|_| async {
        let slow = futures_util::stream::once(async {
            tokio::time::sleep(std::time::Duration::from_mins(1)).await;
            Ok::<_, Infallible>("data: 1\n\n")
        });
        let body = Body::from_stream(slow);
        Ok(Response::builder().header("content-type", "text/event-stream").body(body).unwrap())
    });
    ask(recorder, stream).await;
    assert_eq!(timed(recorder), (false, None));
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_has_no_latency() {
    let recorder = recorder();
    let slow = service_fn(|_| async {
        tokio::time::sleep(std::time::Duration::from_secs(25)).await;
        Ok::<_, Infallible>(Response::new(Body::from("6")))
    });
    let watched = RequestsLayer::new(recorder).layer(slow);
    for (target, prefers) in [
        ("/socket.io/?EIO=4&transport=polling", "return=minimal"),
        ("/api/v1/pods?watch=true", "return=minimal"),
        ("/runners/request", "wait=30"),
    ] {
        let request = Request::get(target).header("prefer", prefers).body(Body::empty()).unwrap();
        watched.clone().oneshot(request).await.unwrap().into_body().collect().await.unwrap();
    }
    assert_eq!(timed(recorder), (false, None));
}

#[tokio::test(start_paused = true)]
async fn the_time_that_a_client_takes_to_read_is_no_latency() {
    let recorder = recorder();
    let parts = service_fn(|_| async {
        let part = |ms: u64| async move {
            tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
            Ok::<_, Infallible>("a part")
        };
        let parts = futures_util::stream::iter([20, 20]).then(part);
        Ok::<_, Infallible>(Response::new(Body::from_stream(parts)))
    });
    let response = RequestsLayer::new(recorder).layer(parts).oneshot(Request::new(Body::empty())).await.unwrap();
    let mut body = response.into_body();
    while body.frame().await.is_some() {
        // The client's connection is full: the server asks for no part.
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    }
    let (is_timed, slowest_ms) = timed(recorder);
    assert!(is_timed && slowest_ms.is_some_and(|ms| (40..60).contains(&ms)), "{slowest_ms:?} ms");
}

/// How long the slowest request took, in milliseconds, if the parts of its body come after these pauses.
async fn slowest_of_parts(pauses: &'static [u64], length: Option<u64>) -> Option<u64> {
    let recorder = recorder();
    let parts = service_fn(move |_| async move {
        let part = |ms: &u64| {
            let pause = std::time::Duration::from_millis(*ms);
            async move {
                tokio::time::sleep(pause).await;
                Ok::<_, Infallible>("a part")
            }
        };
        let body = Body::from_stream(futures_util::stream::iter(pauses).then(part));
        let response = Response::builder().header("content-type", "application/json");
        Ok::<_, Infallible>(match length {
            Some(_) => response.body(Body::from(body.collect().await.unwrap().to_bytes())).unwrap(),
            None => response.body(body).unwrap(),
        })
    });
    ask(recorder, parts).await;
    timed(recorder).1
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_with_pauses_is_a_stream_from_its_first_part_on() {
    // As the answer of a language model.
    let slowest = slowest_of_parts(&[120, 700, 700, 700, 700], None).await;
    assert!(slowest.is_some_and(|ms| (120..150).contains(&ms)), "{slowest:?} ms");
    // Its first part comes late.
    let slowest = slowest_of_parts(&[2000, 700, 700, 700, 700], None).await;
    assert!(slowest.is_some_and(|ms| (2000..2050).contains(&ms)), "{slowest:?} ms");
    for (what, pauses, length, expected) in [
        ("a beginning, and the rest when it is made", &[20, 3000][..], None, 3020),
        ("parts without a pause", &[500, 5, 5, 5, 5, 5], None, 525),
        ("a length", &[100, 300, 300, 300], Some(24), 1000),
    ] {
        let slowest = slowest_of_parts(pauses, length).await;
        assert!(slowest.is_some_and(|ms| (expected..expected + 50).contains(&ms)), "{what}: {slowest:?} ms");
    }
}

#[tokio::test]
async fn a_request_without_an_answer_is_known_while_it_hangs() {
    let recorder = recorder();
    let hangs = || service_fn(|_| std::future::pending::<Result<Response<Body>, Infallible>>());
    let waiting = |target: &str, accept: &str| {
        let request = Request::get(target).header("accept", accept).body(Body::empty()).unwrap();
        let mut answer = Box::pin(RequestsLayer::new(recorder).layer(hangs()).oneshot(request));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(answer.as_mut().poll(&mut cx).is_pending());
        answer
    };
    let unanswered = || {
        let mut reader = Reader::new(recorder);
        reader.take(|_, _| ());
        reader.awaited().map(|(_, counts)| counts.awaited - counts.answered).sum::<u64>()
    };
    let first = waiting("/", "*/*");
    let second = waiting("/", "text/html");
    let _exempt = [waiting("/?timeout=30", "*/*"), waiting("/", "text/event-stream")];
    assert_eq!(unanswered(), 2);
    drop(first);
    assert_eq!(unanswered(), 1, "its client has left");
    drop(second);
    assert_eq!(unanswered(), 0);
}

/// The errors and the server errors of a call that fails by a deadline after `parts`, each of which takes a second.
async fn errors_of_late_call(parts: &'static [&'static [u8]], timeout: Option<&str>) -> (usize, u64) {
    let recorder = recorder();
    let call = service_fn(move |_| async move {
        let trailers = http::HeaderMap::from_iter([(
            http::HeaderName::from_static("grpc-status"),
            http::HeaderValue::from_static("4"),
        )]);
        let data = parts.iter().map(|part| http_body::Frame::data(bytes::Bytes::from_static(part)));
        let frames =
            futures_util::stream::iter(data.chain([http_body::Frame::trailers(trailers)])).then(async |frame| {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                Ok::<_, Infallible>(frame)
            });
        let body = Body::new(http_body_util::StreamBody::new(frames));
        Ok::<_, Infallible>(Response::builder().header("content-type", "application/grpc").body(body).unwrap())
    });
    let mut request = Request::post("/a.Watch/Follow").header("content-type", "application/grpc");
    if let Some(timeout) = timeout {
        request = request.header("grpc-timeout", timeout);
    }
    let watched = RequestsLayer::new(recorder).layer(call);
    let response = watched.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    response.into_body().collect().await.unwrap();
    let mut failed = 0;
    let reports = Reader::new(recorder).take(|_, tally| failed += tally.count(crate::requests::Class::ServerError));
    (reports.errors.len(), failed)
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_messages_that_ends_at_its_clients_deadline_is_no_error_of_the_application() {
    const MESSAGE: &[u8] = b"\0\0\0\0\x01a";
    assert_eq!(errors_of_late_call(&[MESSAGE, MESSAGE], Some("3S")).await, (0, 0));
    for (what, parts, timeout) in [
        ("no message", &[][..], Some("1S")),
        ("no deadline of the client", &[MESSAGE, MESSAGE], None),
        ("before the client's deadline", &[MESSAGE, MESSAGE], Some("1M")),
    ] {
        assert_eq!(errors_of_late_call(parts, timeout).await, (1, 1), "{what}");
    }
}
