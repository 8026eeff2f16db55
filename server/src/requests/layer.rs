//! The tower layer. It begins a guard for each request, catches the handler's panic, and hands the guard to the response's body.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
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
    RequestsBody,
    error_text::ErrorText,
    guard::RequestGuard,
    in_flight::InFlightRequest,
    observed_body,
    outer_layer::{self, OuterScope, RequestKey},
    recorder::{Incoming, Recorder},
    tunnel::Tunnel,
    upstream::UpstreamTiming,
};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// The layer that records every request. Apply it with [`axum::Router::layer`], after the routes: axum knows the route template only
/// there. [`Monitor::layer`](crate::Monitor::layer) makes it.
///
/// If a handler panics, the layer records a panic, and the client gets a 500 instead of a broken connection.
/// [`Builder::resume_panics`](crate::Builder::resume_panics) leaves the response to a layer outside of this one.
///
/// A request that passes the layer of one monitor twice is recorded once. Its row is that of the outer layer's route; if there is none, that
/// of the inner layer's.
#[derive(Clone, Debug)]
pub struct RequestsLayer {
    recorder: &'static Recorder,
}

impl RequestsLayer {
    pub(crate) fn new(recorder: &'static Recorder) -> Self {
        Self { recorder }
    }
}

impl<S> Layer<S> for RequestsLayer {
    type Service = RequestsService<S>;

    fn layer(&self, inner: S) -> RequestsService<S> {
        RequestsService { inner, recorder: self.recorder }
    }
}

/// The service of [`RequestsLayer`]: records each request and passes it to the service `S`.
#[derive(Clone, Debug)]
pub struct RequestsService<S> {
    inner: S,
    recorder: &'static Recorder,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for RequestsService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ReqBody: 'static,
    ResBody: Body,
{
    type Response = Response<RequestsBody<ResBody>>;
    type Error = S::Error;
    type Future = RequestsFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let (method, headers) = (request.method(), request.headers());
        let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let incoming = Incoming::new(method, request.uri(), headers, route);
        let recorder = self.recorder;
        let key = RequestKey::new(recorder, &request);
        let row = recorder.catch_panic(|| {
            if key.has_outer_layer() {
                recorder.route_row(&incoming).into_iter().for_each(outer_layer::note_row);
                return None;
            }
            recorder.begin(&incoming)
        });
        let row = row.flatten();
        let mut guard = match row {
            Some(row) => RequestGuard::new(InFlightRequest::begin(recorder, row, (method, request.uri(), headers))),
            None => RequestGuard::NONE,
        };
        if let Some(in_flight) = guard.request()
            && let Some(client) = observed_body::watch(&mut request)
        {
            in_flight.set_client(client);
        }
        // Panics are not caught here: below axum's router all of the host's code runs in the future's poll.
        let span = guard.span();
        let scope = guard.request().is_some().then(|| key.enter());
        let inner = self.inner.call(request);
        note_inner_row(&mut guard, scope);
        guard.allocate(span);
        RequestsFuture { inner: Some(inner), guard, key, resume_panics: recorder.resume_panics }
    }
}

pin_project! {
    /// The future of [`RequestsService`]: resolves to the inner service's response, with its body in a [`RequestsBody`].
    #[derive(Debug)]
    pub struct RequestsFuture<F> {
        // `None` once it has been dropped.
        #[pin]
        inner: Option<F>,
        // Empty once the response's body has the guard.
        guard: RequestGuard,
        key: RequestKey,
        resume_panics: bool,
    }

    impl<F> PinnedDrop for RequestsFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // The memory that the inner future frees counts as the request's.
            this.guard.free(|| this.inner.set(None));
        }
    }
}

impl<F, B, E> Future for RequestsFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<RequestsBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Pending };
        // The future is not polled again after a panic, so no code sees a broken state.
        let work = this.guard.begin_work();
        let scope = this.guard.request().is_some().then(|| this.key.enter());
        let polled = catch_unwind(AssertUnwindSafe(|| inner.poll(cx)));
        note_inner_row(this.guard, scope);
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
                    let upstream = response.extensions().get::<UpstreamTiming>();
                    if let Some(upstream) = upstream {
                        request.set_upstream(upstream.clone());
                    }
                    request.note_response();
                    let is_proxys_own = upstream.is_some_and(|upstream| upstream.failure.is_some());
                    request.find_row(!request.is_client_error() && !is_proxys_own);
                    let tunnel = response.extensions_mut().remove::<Tunnel>();
                    request.open_long_lived(response.headers(), tunnel);
                    if request.recorder().server_timing {
                        append_server_timing(request, response.headers_mut());
                    }
                }
                Poll::Ready(Ok(response.map(|body| RequestsBody::new(body, guard))))
            }
            // If a service fails without a response, the connection breaks. To the client that is a server error.
            Ok(Err(error)) => {
                if let Some(request) = guard.request() {
                    request.respond(StatusCode::INTERNAL_SERVER_ERROR, &HeaderMap::new(), Some(0));
                    request.fail(ErrorText::Fixed("the service failed without a response"));
                    request.note_response();
                }
                Poll::Ready(Err(error))
            }
            Err(panic) => {
                if let Some(request) = guard.request() {
                    request.panic(ErrorText::from_panic(&*panic));
                }
                if *this.resume_panics {
                    drop(guard);
                    resume_unwind(panic);
                }
                let mut response = Response::new(RequestsBody::empty(guard));
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                Poll::Ready(Ok(response))
            }
        }
    }
}

/// Puts a request without a route into the row that an inner layer found.
fn note_inner_row(guard: &mut RequestGuard, scope: Option<OuterScope>) {
    if let (Some(request), Some(row)) = (guard.request(), scope.and_then(OuterScope::exit)) {
        request.set_inner_row(row);
    }
}

/// Appends the time until the head, beside a `Server-Timing` header of the host's own.
fn append_server_timing(request: &InFlightRequest, headers: &mut HeaderMap) {
    let text = format!("app;dur={:.3}", request.elapsed().as_secs_f64() * 1000.0);
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.append(SERVER_TIMING, value);
    }
}

#[cfg(test)]
mod tests;
