//! What the stream of an HTTP/1 client and the requests on it tell each other, beside what hyper carries.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, Weak,
    atomic::{
        AtomicBool,
        Ordering::{AcqRel, Acquire, Release},
    },
};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http::Version;
use watchboard::ClientLeft;

use super::{pending_output::PendingTrailers, request_head::HeadError};

/// Interim responses that wait for a client, in bytes. Further ones are dropped.
const MAX_INTERIM_BYTES: usize = 64 << 10;

/// Hears that the client has sent all, and will send nothing more.
pub(crate) trait ClientEnd: Send + Sync {
    fn client_ended(&self);
}

/// One for each connection. A request that follows another begins after its end.
#[derive(Default)]
pub(crate) struct ClientLink {
    /// Whether a request has no whole response yet.
    is_busy: AtomicBool,
    /// Whether the client has closed its side.
    has_ended: AtomicBool,
    is_tunnel: AtomicBool,
    has_interim: AtomicBool,
    has_request_note: AtomicBool,
    /// Whether the request is one of HTTP/1.1: older clients know no chunks.
    takes_trailers: AtomicBool,
    notes: Mutex<Notes>,
    /// Those of the response.
    pub(crate) trailers: PendingTrailers,
    pub(super) connection: AtomicWaker,
    left: ClientLeft,
}

#[derive(Default)]
struct Notes {
    request: RequestNote,
    interim: Vec<u8>,
    upstream: Option<Weak<dyn ClientEnd>>,
}

/// What hyper does not say of a request.
#[derive(Debug, Default)]
pub(crate) struct RequestNote {
    /// The head is refused: the request that hyper has stands in its place.
    pub(crate) refusal: Option<HeadError>,
    /// The target as it came, if hyper has an escaped one.
    pub(crate) target: Option<Bytes>,
}

impl ClientLink {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request has come. The guard lives as long as its response.
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> BusyGuard {
        self.is_busy.store(true, Release);
        self.takes_trailers.store(version == Version::HTTP_11, Release);
        BusyGuard(Arc::clone(self))
    }

    pub(crate) fn takes_trailers(&self) -> bool {
        self.takes_trailers.load(Acquire)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.is_busy.load(Acquire)
    }

    /// The client and the application speak another protocol from now on.
    pub(super) fn become_tunnel(&self) {
        self.is_tunnel.store(true, Release);
    }

    pub(super) fn is_tunnel(&self) -> bool {
        self.is_tunnel.load(Acquire)
    }

    pub(super) fn note_request(&self, note: RequestNote) {
        self.notes().request = note;
        self.has_request_note.store(true, Release);
    }

    /// The note on the request that has just come, if there is one.
    pub(crate) fn take_request_note(&self) -> Option<RequestNote> {
        let is_there = self.has_request_note.load(Acquire) && self.has_request_note.swap(false, AcqRel);
        is_there.then(|| std::mem::take(&mut self.notes().request))
    }

    /// Whether the client has left, for the record of a request.
    pub(crate) fn left(&self) -> &ClientLeft {
        &self.left
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(Acquire)
    }

    /// The client has sent all.
    pub(super) fn end(&self) {
        let upstream = {
            let notes = self.notes();
            self.has_ended.store(true, Release);
            notes.upstream.as_ref().and_then(Weak::upgrade)
        };
        upstream.inspect(|upstream| upstream.client_ended());
    }

    /// The connection that carries the request to the application hears of the client's end.
    pub(crate) fn set_upstream(&self, upstream: Weak<dyn ClientEnd>) {
        let ended = {
            let mut notes = self.notes();
            notes.upstream = Some(upstream);
            if self.has_ended() { notes.upstream.as_ref().and_then(Weak::upgrade) } else { None }
        };
        ended.inspect(|upstream| upstream.client_ended());
    }

    /// Sends an interim response before the response. It is a whole head.
    pub(crate) fn send_interim(&self, head: &[u8]) {
        let mut notes = self.notes();
        if notes.interim.len() + head.len() <= MAX_INTERIM_BYTES {
            notes.interim.extend_from_slice(head);
            self.has_interim.store(true, Release);
        }
        drop(notes);
        self.connection.wake();
    }

    pub(super) fn take_interim(&self) -> Option<Vec<u8>> {
        let is_there = self.has_interim.load(Acquire) && self.has_interim.swap(false, AcqRel);
        is_there.then(|| std::mem::take(&mut self.notes().interim))
    }
}

/// Lives from a request until its response has been handed over.
pub(super) struct BusyGuard(Arc<ClientLink>);

impl Drop for BusyGuard {
    fn drop(&mut self) {
        self.0.is_busy.store(false, Release);
        // Its connection serves other clients from now on.
        self.0.notes().upstream = None;
    }
}
