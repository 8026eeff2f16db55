//! The body of an answer: the application's as it comes, or a page of our own. With its end the request's place is free again, and
//! its connection.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;

use super::upstream_pool::PooledConnection;

pub(crate) struct ResponseBody {
    inner: Either<Incoming, Full<Bytes>>,
    has_ended: bool,
    /// None for a page of our own.
    connection: Option<PooledConnection>,
    /// Its place among those under way.
    _place: Option<OwnedSemaphorePermit>,
}

impl ResponseBody {
    pub(super) fn from_upstream(inner: Incoming, connection: PooledConnection, place: OwnedSemaphorePermit) -> Self {
        Self { inner: Either::Left(inner), has_ended: false, connection: Some(connection), _place: Some(place) }
    }

    pub(super) fn from_page(page: Full<Bytes>) -> Self {
        Self { inner: Either::Right(page), has_ended: false, connection: None, _place: None }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Self { inner, connection, .. } = &mut *self;
        if let Some(taken) = connection {
            taken.open.wake_filter.hold();
        }
        let polled = Pin::new(&mut *inner).poll_frame(cx);
        if let Some(taken) = connection {
            if polled.is_pending() {
                taken.open.wake_filter.wait();
            }
            // After the last of a body whose length was promised the connection has nothing to do.
            taken.open.wake_filter.open(!inner.is_end_stream());
        }
        let frame = ready!(polled);
        // Nobody asks for what follows trailers.
        self.has_ended = frame.as_ref().is_none_or(|frame| frame.as_ref().is_ok_and(Frame::is_trailers));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        // Of a body whose length was promised nobody asks for the end.
        if self.has_ended || self.inner.is_end_stream() {
            self.connection.take().into_iter().for_each(PooledConnection::give_back);
        }
    }
}
