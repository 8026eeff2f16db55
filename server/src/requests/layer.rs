//! The tower layer: begins a guard for each request, catches a handler's panic, and hands the guard to the response's body.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
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
    guard::{RequestGuard, Underway},
    panics,
    passed_on::PassedOn,
    recorder::{Incoming, Recorder},
};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Records every request that passes. Apply it with [`axum::Router::layer`], after the routes: only there is the route template known.
///
/// A handler that panics is recorded as such, and its client gets a 500 instead of a broken connection.
#[derive(Clone)]
pub struct RequestsLayer {
    recorder: &'static Recorder,
}

impl RequestsLayer {
    pub(crate) fn new(recorder: &'static Recorder) -> Self {
        Self { recorder }
    }
}

impl<S> Layer<S> for RequestsLayer {
    type Service = Watched<S>;

    fn layer(&self, inner: S) -> Watched<S> {
        Watched { inner, recorder: self.recorder }
    }
}

/// A service whose requests are recorded.
#[derive(Clone)]
pub struct Watched<S> {
    inner: S,
    recorder: &'static Recorder,
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
        let (method, headers) = (request.method(), request.headers());
        let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let incoming = Incoming { method, uri: request.uri(), headers, route };
        let recorder = self.recorder;
        let row = recorder.shielded(|| recorder.begin(&incoming)).flatten();
        let mut guard = match row {
            Some(row) => RequestGuard::of(Underway::begin(recorder, row, method, headers)),
            None => RequestGuard::NONE,
        };
        // Not caught here: below axum's router all code of the host runs when the future is polled. What the proxy does at once is our own.
        let span = guard.span();
        let inner = self.inner.call(request);
        guard.allocate(span);
        WatchedFuture { inner: Some(inner), guard }
    }
}

pin_project! {
    /// The response on its way.
    pub struct WatchedFuture<F> {
        // None once it has been dropped.
        #[pin]
        inner: Option<F>,
        // None once the response is on its way.
        guard: RequestGuard,
    }

    impl<F> PinnedDrop for WatchedFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // What its request holds is freed while it still answers for it.
            this.guard.free(|| this.inner.set(None));
        }
    }
}

impl<F, B, E> Future for WatchedFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<WatchedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Pending };
        // The future is not polled again after a panic, so that what it left behind is never seen.
        let work = this.guard.begin_work();
        let polled = catch_unwind(AssertUnwindSafe(|| inner.poll(cx)));
        this.guard.end_work(work);
        let outcome = match polled {
            Ok(poll) => Ok(ready!(poll)),
            Err(panic) => Err(panic),
        };
        let mut guard = this.guard.take();
        match outcome {
            Ok(Ok(mut response)) => {
                if let Some(request) = guard.request() {
                    let promised = response.body().size_hint().exact();
                    request.respond(response.status(), response.headers(), promised);
                    let passed_on = response.extensions().get::<PassedOn>();
                    if let Some(passed_on) = passed_on {
                        request.pass_on(*passed_on);
                    }
                    let own = passed_on.is_some_and(|passed_on| passed_on.failure.is_some());
                    request.find_row(!response.status().is_client_error() && !own);
                    if request.recorder().server_timing {
                        tell_timing(request, response.headers_mut());
                    }
                }
                Poll::Ready(Ok(response.map(|body| WatchedBody::new(body, guard))))
            }
            // A service that fails without a response breaks the connection: to its client, a server error.
            Ok(Err(error)) => {
                if let Some(request) = guard.request() {
                    request.respond(StatusCode::INTERNAL_SERVER_ERROR, &HeaderMap::new(), Some(0));
                    request.fail("the service failed without a response");
                }
                Poll::Ready(Err(error))
            }
            Err(panic) => {
                if let Some(request) = guard.request() {
                    request.panic(panics::message(&*panic));
                }
                let mut response = Response::new(WatchedBody::empty(guard));
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                Poll::Ready(Ok(response))
            }
        }
    }
}

/// Adds the time until the head to what the host's own `Server-Timing` may say already.
fn tell_timing(request: &Underway, headers: &mut HeaderMap) {
    let text = format!("app;dur={:.3}", request.elapsed().as_secs_f64() * 1000.0);
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.append(SERVER_TIMING, value);
    }
}

#[cfg(test)]
#[path = "layer_tests.rs"]
mod tests;
