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
pub(crate) struct PassThrough(Arc<()>);

impl<S> Layer<S> for PassThrough {
    type Service = PassThroughService<S>;

    fn layer(&self, inner: S) -> PassThroughService<S> {
        PassThroughService { inner, _handle: Arc::clone(&self.0) }
    }
}

#[derive(Clone)]
pub(crate) struct PassThroughService<S> {
    inner: S,
    _handle: Arc<()>,
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for PassThroughService<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
{
    type Response = Response<PassThroughBody<ResponseBody>>;
    type Error = S::Error;
    type Future = PassThroughFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        PassThroughFuture { inner: self.inner.call(request) }
    }
}

pin_project! {
    pub(crate) struct PassThroughFuture<F> {
        #[pin]
        inner: F,
    }
}

impl<F, B, E> Future for PassThroughFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<PassThroughBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(self.project().inner.poll(cx));
        Poll::Ready(response.map(|response| response.map(|inner| PassThroughBody { inner })))
    }
}

pin_project! {
    pub(crate) struct PassThroughBody<B> {
        #[pin]
        inner: B,
    }
}

impl<B: Body> Body for PassThroughBody<B> {
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
