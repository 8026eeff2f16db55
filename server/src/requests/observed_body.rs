//! The body of a request to the host, which notes that its client has left. Many handlers answer an incomplete body with an error of their own;
//! nobody gets that answer.

use std::{
    any::Any,
    error::Error,
    io::{self, ErrorKind},
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::{Body as AxumBody, Bytes};
use http::Request;
use http_body::{Body, Frame, SizeHint};

use super::client_left::ClientLeft;

struct ObservedBody {
    inner: AxumBody,
    client: ClientLeft,
}

/// Watches the body of an axum request, if it has one. Other bodies are those of a proxy, which notes that by itself. Only this allocates for
/// a request: axum boxes each body anyway.
pub(super) fn watch<B: 'static>(request: &mut Request<B>) -> Option<ClientLeft> {
    let request: &mut dyn Any = request;
    let body = request.downcast_mut::<Request<AxumBody>>()?.body_mut();
    if body.is_end_stream() {
        return None;
    }
    let client = ClientLeft::default();
    let inner = std::mem::take(body);
    *body = AxumBody::new(ObservedBody { inner, client: client.clone() });
    Some(client)
}

impl Body for ObservedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Err(error))) = &polled
            && !is_malformed(error)
        {
            self.client.note();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Whether the client sent what is no body: it waits for the answer.
fn is_malformed(error: &axum::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(kind, Some(ErrorKind::InvalidInput | ErrorKind::InvalidData)) {
            return true;
        }
        source = error.source();
    }
    false
}
