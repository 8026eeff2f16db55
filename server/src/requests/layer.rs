//! The tower layer: begins a guard for each request, catches a handler's panic, and hands the guard to the response's body.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::extract::MatchedPath;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::{
    WatchedBody,
    guard::Guard,
    panics,
    recorder::{Incoming, Recorder},
};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Records every request that passes. Apply it with [`axum::Router::layer`], after the routes: only there is the route template known.
///
/// A handler that panics is recorded as such, and its client gets a 500 instead of a broken connection.
#[derive(Clone)]
pub struct RequestsLayer {
    recorder: Arc<Recorder>,
}

impl RequestsLayer {
    pub(crate) fn new(recorder: Arc<Recorder>) -> Self {
        Self { recorder }
    }
}

impl<S> Layer<S> for RequestsLayer {
    type Service = Watched<S>;

    fn layer(&self, inner: S) -> Watched<S> {
        Watched { inner, recorder: Arc::clone(&self.recorder) }
    }
}

/// A service whose requests are recorded.
#[derive(Clone)]
pub struct Watched<S> {
    inner: S,
    recorder: Arc<Recorder>,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Watched<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body,
{
    type Response = Response<WatchedBody<ResBody>>;
    type Error = S::Error;
    type Future = WatchedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let begin = || {
            let incoming = Incoming {
                method: request.method(),
                uri: request.uri(),
                headers: request.headers(),
                route: request.extensions().get::<MatchedPath>().map(MatchedPath::as_str),
            };
            Guard::begin(&self.recorder, &incoming)
        };
        let mut guard = self.recorder.shielded(begin).flatten();
        match catch_unwind(AssertUnwindSafe(|| self.inner.call(request))) {
            Ok(inner) => WatchedFuture { inner: Some(inner), guard },
            Err(panic) => {
                note_panic(guard.as_mut(), &*panic);
                WatchedFuture { inner: None, guard }
            }
        }
    }
}

pin_project! {
    /// The response on its way.
    pub struct WatchedFuture<F> {
        // None where the service panicked before there was a future.
        #[pin]
        inner: Option<F>,
        // None for a request that is not recorded.
        guard: Option<Guard>,
    }
}

impl<F, B, E> Future for WatchedFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<WatchedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(inner) = this.inner.as_pin_mut() else { return Poll::Ready(Ok(internal_error(this.guard.take()))) };
        // The future is not polled again after a panic, so that what it left behind is never seen.
        let polled = catch_unwind(AssertUnwindSafe(|| inner.poll(cx)));
        let outcome = match polled {
            Ok(poll) => Ok(ready!(poll)),
            Err(panic) => Err(panic),
        };
        let mut guard = this.guard.take();
        match outcome {
            Ok(Ok(response)) => {
                let (mut parts, body) = response.into_parts();
                if let Some(guard) = &mut guard {
                    let in_parts = body.size_hint().exact().is_none();
                    guard.respond(parts.status, &parts.headers, in_parts);
                    if guard.recorder().server_timing {
                        tell_timing(guard, &mut parts.headers);
                    }
                }
                let body = WatchedBody::new(body, &parts.headers, guard);
                Poll::Ready(Ok(Response::from_parts(parts, body)))
            }
            // A service that fails without a response breaks the connection: to its client, a server error.
            Ok(Err(error)) => {
                if let Some(guard) = &mut guard {
                    guard.respond(StatusCode::INTERNAL_SERVER_ERROR, &HeaderMap::new(), false);
                    guard.fail("the service failed without a response");
                }
                Poll::Ready(Err(error))
            }
            Err(panic) => {
                note_panic(guard.as_mut(), &*panic);
                Poll::Ready(Ok(internal_error(guard)))
            }
        }
    }
}

fn note_panic(guard: Option<&mut Guard>, panic: &(dyn Any + Send)) {
    if let Some(guard) = guard {
        guard.panic(panics::message(panic));
    }
}

fn internal_error<B: Body>(guard: Option<Guard>) -> Response<WatchedBody<B>> {
    let mut response = Response::new(WatchedBody::empty(guard));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// Adds the time until the head to what the host's own `Server-Timing` may say already.
fn tell_timing(guard: &Guard, headers: &mut HeaderMap) {
    let text = format!("app;dur={:.3}", guard.elapsed().as_secs_f64() * 1000.0);
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.append(SERVER_TIMING, value);
    }
}

#[cfg(test)]
#[path = "layer_tests.rs"]
mod tests;
