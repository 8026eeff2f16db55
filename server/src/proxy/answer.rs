//! The body of an answer: the application's as it comes, or a page of our own. Its request is under way until its end.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;

pub(crate) struct Answer {
    inner: Either<Incoming, Full<Bytes>>,
    /// Its place among those under way.
    _place: Option<OwnedSemaphorePermit>,
}

impl Answer {
    pub(super) fn of_upstream(inner: Incoming, place: OwnedSemaphorePermit) -> Self {
        Self { inner: Either::Left(inner), _place: Some(place) }
    }

    pub(super) fn of_ours(page: Full<Bytes>) -> Self {
        Self { inner: Either::Right(page), _place: None }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
