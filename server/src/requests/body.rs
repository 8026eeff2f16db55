//! The response body that carries the guard. A request ends when its body ends, or when the client drops it.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{error_text::ErrorText, guard::RequestGuard};

pin_project! {
    /// The body of [`RequestsService`](crate::RequestsService)'s responses: passes all frames through, and records the request when
    /// the body ends or is dropped.
    #[derive(Debug)]
    pub struct RequestsBody<B> {
        // `None` after a panic: the response has no body.
        #[pin]
        inner: Option<B>,
        // Empty once the end has been recorded.
        guard: RequestGuard,
    }

    impl<B> PinnedDrop for RequestsBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // The memory that a body frees counts as the request's, if the body did not end before.
            this.guard.free(|| this.inner.set(None));
        }
    }
}

impl<B: Body> RequestsBody<B> {
    pub(super) fn new(inner: B, mut guard: RequestGuard) -> Self {
        if let Some(request) = guard.request()
            && (request.has_sent_all() || inner.is_end_stream())
        {
            request.complete();
        }
        Self { inner: Some(inner), guard }
    }

    /// The body of a response to a panic.
    pub(super) fn empty(guard: RequestGuard) -> Self {
        Self { inner: None, guard }
    }
}

impl<B> Body for RequestsBody<B>
where
    B: Body,
    B::Error: std::fmt::Display,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(mut inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        if let Some(request) = this.guard.request() {
            request.client_wait.end();
        }
        let work = this.guard.begin_work();
        let polled = inner.as_mut().poll_frame(cx);
        this.guard.end_work(work);
        let Some(request) = this.guard.request() else { return polled };
        if polled.is_pending() {
            request.pause();
        }
        let frame = ready!(polled);
        request.resume();
        match &frame {
            None => request.complete(),
            Some(Err(error)) => {
                // The error's `Display` is the host's code and can panic.
                let text = request.recorder().catch_panic(|| error.to_string());
                request.fail(ErrorText::received(text.unwrap_or_default().as_bytes()));
            }
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    request.note_trailers(trailers);
                }
                if let Some(data) = frame.data_ref() {
                    request.send(data.remaining(), data.chunk());
                }
                // No frame follows trailers, and the server does not poll for one.
                if request.has_sent_all() || inner.is_end_stream() || frame.is_trailers() {
                    request.complete();
                } else {
                    request.client_wait.begin();
                }
            }
        }
        if matches!(frame, None | Some(Err(_))) {
            *this.guard = RequestGuard::NONE;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
