//! What a connection to the application and the request on it tell each other, beside what hyper carries.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{
        AtomicBool,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::spoken_protocol::SpokenProtocol;
use crate::serve::{ClientEnd, ClientLink, PendingTrailers};

/// The body of a request on its way to the application.
pub(super) trait SentBody: Send + Sync {
    /// The body may be sent. Returns whether it was held back until now.
    fn go_ahead(&self) -> bool;

    /// The connection that carries the body, and hears of its end.
    fn set_link(&self, link: Arc<UpstreamLink>);
}

/// A request and its response, for the stream that carries them.
#[derive(Clone, Default)]
pub(super) struct Exchange {
    /// The client, if it speaks HTTP/1.
    pub(super) client: Option<Arc<ClientLink>>,
    /// Whether the client understands interim responses: HTTP/1.0 has none.
    pub(super) takes_interim: bool,
    /// The target as it came, if hyper has an escaped one.
    pub(super) target: Option<Bytes>,
    /// The reason phrase of the response, if hyper drops it.
    pub(super) reason: Option<Bytes>,
    /// The request's body, if it has one.
    pub(super) body: Option<Arc<dyn SentBody>>,
}

/// Requests of HTTP/2 that a connection takes at once, if the application sets no limit.
const MAX_STREAMS: u32 = 1_000;

pub(super) struct UpstreamLink {
    needs_ack: AtomicBool,
    checks_for_end: AtomicBool,
    /// Whether the next bytes begin a response.
    awaits_response: AtomicBool,
    has_target: AtomicBool,
    has_reason: AtomicBool,
    /// Whether the whole request was handed over.
    has_request: AtomicBool,
    has_client_ended: AtomicBool,
    exchange: Mutex<Exchange>,
    /// Those of the request.
    pub(super) trailers: PendingTrailers,
    is_http_2: bool,
    /// What the application speaks instead.
    mismatch: Mutex<Option<SpokenProtocol>>,
    /// The application has said that it ends the connection of HTTP/2.
    is_ending: AtomicBool,
    /// Requests of HTTP/2 that the application takes at once; none before its settings are known.
    streams: Arc<Semaphore>,
    knows_streams: AtomicBool,
    pub(super) connection: AtomicWaker,
}

impl UpstreamLink {
    pub(super) fn new(is_http_2: bool) -> Self {
        Self {
            needs_ack: AtomicBool::default(),
            checks_for_end: AtomicBool::default(),
            awaits_response: AtomicBool::default(),
            has_target: AtomicBool::default(),
            has_reason: AtomicBool::default(),
            has_request: AtomicBool::default(),
            has_client_ended: AtomicBool::default(),
            exchange: Mutex::default(),
            trailers: PendingTrailers::default(),
            is_http_2,
            mismatch: Mutex::default(),
            is_ending: AtomicBool::default(),
            streams: Arc::new(Semaphore::new(0)),
            knows_streams: AtomicBool::default(),
            connection: AtomicWaker::default(),
        }
    }

    /// The application takes so many requests of HTTP/2 at once; `None`: it sets no limit. The first call counts.
    pub(super) fn note_streams(&self, most: Option<u32>) {
        if !self.knows_streams.swap(true, AcqRel) {
            self.streams.add_permits(most.map_or(MAX_STREAMS, |most| most.clamp(1, MAX_STREAMS)) as usize);
        }
    }

    /// A place for a request of HTTP/2, if there is one.
    pub(super) fn stream(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.streams).try_acquire_owned().ok()
    }

    /// The first place, once the application has said how many there are.
    pub(super) async fn first_stream(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.streams).acquire_owned().await.ok()
    }

    /// Requests of HTTP/2 share the connection: nothing below concerns one of them.
    pub(super) fn is_http_2(&self) -> bool {
        self.is_http_2
    }

    /// What the application speaks instead, if its first bytes say so.
    pub(super) fn mismatch(&self) -> Option<SpokenProtocol> {
        *self.mismatch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note_mismatch(&self, protocol: SpokenProtocol) {
        *self.mismatch.lock().unwrap_or_else(PoisonError::into_inner) = Some(protocol);
    }

    pub(super) fn note_ending(&self) {
        self.is_ending.store(true, Release);
    }

    /// Whether further requests may go out on this connection of HTTP/2.
    pub(super) fn takes_requests(&self) -> bool {
        !self.is_ending.load(Acquire) && self.mismatch().is_none()
    }

    fn exchange(&self) -> MutexGuard<'_, Exchange> {
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request goes out now.
    pub(super) fn begin(self: &Arc<Self>, exchange: &Exchange) {
        if self.is_http_2 {
            return;
        }
        self.has_request.store(exchange.body.is_none(), Release);
        self.has_target.store(exchange.target.is_some(), Release);
        self.awaits_response.store(true, Release);
        self.exchange().clone_from(exchange);
        if let Some(body) = &exchange.body {
            body.set_link(Arc::clone(self));
        }
        if let Some(client) = &exchange.client {
            let this: Arc<dyn ClientEnd> = Arc::<Self>::clone(self);
            client.set_upstream(Arc::downgrade(&this));
        }
    }

    /// Makes the stream acknowledge what has come, since the reader waits for more.
    pub(super) fn acknowledge(&self) {
        self.needs_ack.store(true, Release);
        self.connection.wake();
    }

    pub(super) fn takes_ack(&self) -> bool {
        self.needs_ack.swap(false, AcqRel)
    }

    /// Makes the stream ask the kernel at its next read whether the application has closed it. The runtime learns that later.
    pub(super) fn check_for_end(&self) {
        self.checks_for_end.store(true, Release);
    }

    pub(super) fn takes_check(&self) -> bool {
        self.checks_for_end.load(Relaxed) && self.checks_for_end.swap(false, AcqRel)
    }

    pub(super) fn awaits_response(&self) -> bool {
        self.awaits_response.load(Acquire)
    }

    /// A response has begun that is no interim one, with a reason phrase that hyper drops, if it has one.
    pub(super) fn begin_response(&self, reason: Option<&[u8]>) {
        if let Some(reason) = reason {
            self.exchange().reason = Some(Bytes::copy_from_slice(reason));
            self.has_reason.store(true, Release);
        }
        self.awaits_response.store(false, Release);
    }

    pub(super) fn take_reason(&self) -> Option<Bytes> {
        let is_there = self.has_reason.load(Acquire) && self.has_reason.swap(false, AcqRel);
        if is_there { self.exchange().reason.take() } else { None }
    }

    /// Passes an interim response on.
    pub(super) fn pass_interim(&self, code: u16, head: &[u8]) {
        let exchange = self.exchange();
        // hyper sends `100 Continue` itself, when the body is read.
        if code == 100
            && let Some(body) = &exchange.body
            && body.go_ahead()
        {
            return;
        }
        if let Some(client) = exchange.client.as_ref().filter(|_| exchange.takes_interim) {
            client.send_interim(head);
        }
    }

    /// The target for the request that is written now, if hyper has another.
    pub(super) fn take_target(&self) -> Option<Bytes> {
        let is_there = self.has_target.load(Acquire) && self.has_target.swap(false, AcqRel);
        if is_there { self.exchange().target.take() } else { None }
    }

    /// The body of the request has ended, with these lines behind its last chunk.
    pub(super) fn end_request(&self, trailers: Vec<u8>) {
        if !trailers.is_empty() {
            self.trailers.send(trailers);
        }
        self.has_request.store(true, Release);
    }

    /// Whether the client has closed its side, and the whole request was handed over.
    pub(super) fn has_client_ended(&self) -> bool {
        self.has_client_ended.load(Acquire) && self.has_request.load(Acquire)
    }
}

impl ClientEnd for UpstreamLink {
    fn client_ended(&self) {
        self.has_client_ended.store(true, Release);
        self.connection.wake();
    }
}
