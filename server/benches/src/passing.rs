//! A layer that does nothing: what axum itself takes for any layer that wraps the response.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

/// With a handle of what it could record into, as every recorder has.
#[derive(Clone, Default)]
pub(crate) struct Passing(Arc<()>);

impl<S> Layer<S> for Passing {
    type Service = PassingService<S>;

    fn layer(&self, inner: S) -> PassingService<S> {
        PassingService { inner, _handle: Arc::clone(&self.0) }
    }
}

#[derive(Clone)]
pub(crate) struct PassingService<S> {
    inner: S,
    _handle: Arc<()>,
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for PassingService<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
{
    type Response = Response<PassingBody<ResponseBody>>;
    type Error = S::Error;
    type Future = PassingFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        PassingFuture { inner: self.inner.call(request) }
    }
}

pin_project! {
    pub(crate) struct PassingFuture<F> {
        #[pin]
        inner: F,
    }
}

impl<F, B, E> Future for PassingFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<PassingBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(self.project().inner.poll(cx));
        Poll::Ready(response.map(|response| response.map(|inner| PassingBody { inner })))
    }
}

pin_project! {
    pub(crate) struct PassingBody<B> {
        #[pin]
        inner: B,
    }
}

impl<B: Body> Body for PassingBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().inner.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
