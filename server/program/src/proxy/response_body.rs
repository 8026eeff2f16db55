//! The body of a response: the application's, or a page of the proxy. At its end it frees the request's place and returns the connection to the
//! pool.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use watchboard::CapacityPlace;

use super::upstream_pool::PooledConnection;
use crate::serve::{ClientLink, trailers};

/// The largest piece for the client's connection: it takes one whole, whatever its client reads.
const PIECE_BYTES: usize = 32 << 10;

/// The body of a response to a client of the proxy.
pub(crate) struct ResponseBody {
    inner: Either<Incoming, Full<Bytes>>,
    /// What is left of the last frame.
    rest: Bytes,
    has_ended: bool,
    /// The length that the head declares although there is no body. hyper sends it if the body claims it.
    declared: Option<u64>,
    /// The client, if it speaks HTTP/1.
    client: Option<Arc<ClientLink>>,
    /// A page of the proxy has none.
    connection: Option<PooledConnection>,
    /// The place among the requests under way.
    _place: Option<CapacityPlace>,
}

impl ResponseBody {
    pub(super) fn from_upstream(
        inner: Incoming,
        declared: Option<u64>,
        client: Option<Arc<ClientLink>>,
        connection: PooledConnection,
        place: CapacityPlace,
    ) -> Self {
        Self {
            inner: Either::Left(inner),
            rest: Bytes::new(),
            has_ended: false,
            declared,
            client,
            connection: Some(connection),
            _place: Some(place),
        }
    }

    fn next_piece(&mut self) -> Option<Bytes> {
        let length = self.rest.len().min(PIECE_BYTES);
        (length > 0).then(|| self.rest.split_to(length))
    }

    pub(super) fn from_page(page: Full<Bytes>) -> Self {
        let (inner, rest) = (Either::Right(page), Bytes::new());
        Self { inner, rest, has_ended: false, declared: None, client: None, connection: None, _place: None }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(piece) = self.next_piece() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        let Self { inner, connection, client, has_ended, .. } = &mut *self;
        let polled = Pin::new(&mut *inner).poll_frame(cx);
        if let (Poll::Pending, Some(connection)) = (&polled, connection) {
            connection.open.link.acknowledge();
        }
        let frame = ready!(polled);
        // Nothing follows trailers.
        *has_ended = frame.as_ref().is_none_or(|frame| frame.as_ref().is_ok_and(Frame::is_trailers));
        match (&frame, client) {
            (Some(Ok(trailers)), Some(client)) if trailers.is_trailers() => {
                // The stream below hyper sends them, unless the body has a length.
                if let (Some(trailers), None) = (trailers.trailers_ref(), inner.size_hint().exact()) {
                    let lines = trailers::encode(trailers, |_| true);
                    if !lines.is_empty() && client.takes_trailers() {
                        client.trailers.send(lines);
                    }
                }
                return Poll::Ready(None);
            }
            // An application may end its answer when its client has closed its side.
            (Some(Err(_)), Some(client)) if client.has_ended() => client.left().note(),
            _ => {}
        }
        match frame {
            Some(Ok(frame)) if frame.data_ref().is_some_and(|data| data.len() > PIECE_BYTES) => {
                self.rest = frame.into_data().unwrap_or_default();
                Poll::Ready(self.next_piece().map(|piece| Ok(Frame::data(piece))))
            }
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.declared.is_none() && self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if let Some(declared) = self.declared {
            return SizeHint::with_exact(declared);
        }
        let (mut hint, rest) = (self.inner.size_hint(), self.rest.len() as u64);
        // Of an unknown end the lower bound alone is known.
        match hint.exact() {
            Some(exact) => hint.set_exact(exact + rest),
            None => hint.set_lower(hint.lower() + rest),
        }
        hint
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        // hyper does not poll a body with a known length to its end.
        if self.has_ended || self.inner.is_end_stream() {
            self.connection.take().into_iter().for_each(PooledConnection::give_back);
        }
    }
}
