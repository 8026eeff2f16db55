//! The body that the guard rides: a request ends when its body ends, or when the client drops it.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http::{HeaderMap, header};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::guard::Guard;
use crate::alloc::Span;

pin_project! {
    /// A response body that passes everything through and tells its guard.
    pub struct WatchedBody<B> {
        // None after a panic: there is a status and no body.
        #[pin]
        inner: Option<B>,
        // None once the end has been recorded, and for a request that is not.
        guard: Option<Guard>,
        // What the head promised; with this many bytes sent the body has ended, even if nobody asks for its end.
        promised: Option<u64>,
        // The text of an error: its beginning is what it says.
        is_error_text: bool,
    }

    impl<B> PinnedDrop for WatchedBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // A body that did not end: what it holds is freed while its request still answers for it.
            if let Some(guard) = this.guard {
                let span = Span::begin();
                this.inner.set(None);
                guard.allocate(span);
            }
        }
    }
}

impl<B: Body> WatchedBody<B> {
    pub(super) fn new(inner: B, promised: Option<u64>, is_error_text: bool, mut guard: Guard) -> Self {
        if promised == Some(0) || inner.is_end_stream() {
            guard.complete();
        }
        Self { promised, inner: Some(inner), guard: Some(guard), is_error_text }
    }

    /// Of a request that is not recorded.
    pub(super) fn unwatched(inner: B) -> Self {
        Self { promised: None, inner: Some(inner), guard: None, is_error_text: false }
    }

    /// Of a panic.
    pub(super) fn empty(guard: Option<Guard>) -> Self {
        Self { inner: None, guard, promised: Some(0), is_error_text: false }
    }
}

/// Whether the body can be read as text: plain text or JSON, not compressed.
pub(super) fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    (kind.starts_with("text/plain") || kind.contains("json")) && !headers.contains_key(header::CONTENT_ENCODING)
}

impl<B> Body for WatchedBody<B>
where
    B: Body,
    B::Error: std::fmt::Display,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(mut inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let span = this.guard.as_ref().and_then(|_| Span::begin());
        let polled = inner.as_mut().poll_frame(cx);
        if let Some(guard) = this.guard {
            guard.allocate(span);
        }
        let frame = ready!(polled);
        let Some(guard) = this.guard else { return Poll::Ready(frame) };
        match &frame {
            None => guard.complete(),
            Some(Err(error)) => {
                // The error's text is the host's code.
                let text = guard.recorder().shielded(|| error.to_string());
                guard.fail(&text.unwrap_or_default());
            }
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    guard.send(data.remaining(), this.is_error_text.then(|| data.chunk()));
                }
                if this.promised.is_some_and(|promised| guard.bytes_sent() >= promised) || inner.is_end_stream() {
                    guard.complete();
                }
            }
        }
        if matches!(frame, None | Some(Err(_))) {
            *this.guard = None;
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
