//! The tower layer: begins a guard for each request, catches a handler's panic, and hands the guard to the response's body.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::extract::MatchedPath;
use http::{Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::{Registry, WatchedBody, guard::Guard};

/// Records every request that passes. Apply it with [`axum::Router::layer`], after the routes: only there is the route template known.
///
/// A handler that panics is recorded as such, and its client gets a 500 instead of a broken connection.
#[derive(Clone)]
pub struct RequestsLayer {
    registry: Arc<Registry>,
}

impl RequestsLayer {
    pub(crate) fn new(registry: Arc<Registry>) -> Self {
        Self { registry }
    }
}

impl<S> Layer<S> for RequestsLayer {
    type Service = Watched<S>;

    fn layer(&self, inner: S) -> Watched<S> {
        Watched { inner, registry: Arc::clone(&self.registry) }
    }
}

/// A service whose requests are recorded.
#[derive(Clone)]
pub struct Watched<S> {
    inner: S,
    registry: Arc<Registry>,
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
        let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let guard = Guard::begin(&self.registry, request.method(), route);
        WatchedFuture { inner: self.inner.call(request), guard: Some(guard) }
    }
}

pin_project! {
    /// The response on its way.
    pub struct WatchedFuture<F> {
        #[pin]
        inner: F,
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
        // The future is not polled again after a panic, so that what it left behind is never seen.
        let polled = catch_unwind(AssertUnwindSafe(|| this.inner.poll(cx)));
        let outcome = match polled {
            Ok(poll) => Ok(ready!(poll)),
            Err(panic) => Err(panic),
        };
        let mut guard = this.guard.take().expect("a future is not polled after it was ready");
        match outcome {
            Ok(Ok(response)) => {
                guard.respond(response.status());
                let (parts, body) = response.into_parts();
                let body = WatchedBody::new(body, &parts.headers, guard);
                Poll::Ready(Ok(Response::from_parts(parts, body)))
            }
            // A service that fails without a response breaks the connection: to its client, a server error.
            Ok(Err(error)) => {
                guard.respond(StatusCode::INTERNAL_SERVER_ERROR);
                guard.fail("the service failed without a response");
                Poll::Ready(Err(error))
            }
            Err(panic) => {
                guard.panic(panic_message(&*panic));
                let mut response = Response::new(WatchedBody::empty(guard));
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                Poll::Ready(Ok(response))
            }
        }
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without a message")
}
