//! Finds HTTP/2 connections whose client reads nothing of a stream or sends no request. The write timeout of the connection is not enough: a client
//! can leave one stream unread while it reads others.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::client_link::BusyGuard;

/// The stream does not wait for its client.
const NOT_AWAITED: u64 = 0;

/// The streams of one connection.
pub(super) struct Streams {
    began: Instant,
    /// Streams that have not ended.
    open: AtomicUsize,
    /// When the last stream ended.
    last_ms: AtomicU64,
    /// Since when each stream waits for its client to read.
    waiting: Mutex<Vec<Weak<AtomicU64>>>,
}

impl Streams {
    pub(super) fn new() -> Arc<Self> {
        let (open, last_ms, waiting) = (AtomicUsize::new(0), AtomicU64::new(0), Mutex::default());
        Arc::new(Self { began: Instant::now(), open, last_ms, waiting })
    }

    /// Adds the stream of a new request.
    pub(super) fn open(self: &Arc<Self>) -> Stream {
        self.open.fetch_add(1, Relaxed);
        let since = Arc::new(AtomicU64::new(NOT_AWAITED));
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|other| other.strong_count() > 0);
        waiting.push(Arc::downgrade(&since));
        Stream { all: Arc::clone(self), since }
    }

    /// Whether there ever was a stream. HTTP/1 has none.
    pub(super) fn are_used(&self) -> bool {
        self.open.load(Relaxed) > 0 || self.last_ms.load(Relaxed) > 0
    }

    /// The reason to close the connection, if its client has read nothing of a stream or sent no request for so long.
    pub(super) fn verdict(&self, patience: Duration) -> Option<&'static str> {
        let is_over = |since_ms: u64| self.began.elapsed() > patience + Duration::from_millis(since_ms);
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut since = waiting.iter().filter_map(Weak::upgrade).map(|since| since.load(Relaxed));
        if since.any(|since| since != NOT_AWAITED && is_over(since)) {
            return Some("the client takes nothing of an answer");
        }
        (self.open.load(Relaxed) == 0 && is_over(self.last_ms.load(Relaxed))).then_some("the client asks for nothing")
    }

    fn now_ms(&self) -> u64 {
        (self.began.elapsed().as_millis() as u64).max(NOT_AWAITED + 1)
    }
}

/// One request, until the end of its answer.
pub(super) struct Stream {
    all: Arc<Streams>,
    since: Arc<AtomicU64>,
}

impl Stream {
    fn await_client(&self, awaits: bool) {
        self.since.store(if awaits { self.all.now_ms() } else { NOT_AWAITED }, Relaxed);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.all.last_ms.store(self.all.now_ms(), Relaxed);
        self.all.open.fetch_sub(1, Relaxed);
    }
}

pin_project! {
    /// A body that records whether it waits for the client or for the application.
    pub(super) struct TrackedBody<B> {
        #[pin]
        inner: B,
        // HTTP/1 has none.
        stream: Option<Stream>,
        // HTTP/1 alone has one.
        busy: Option<BusyGuard>,
    }
}

impl<B> TrackedBody<B> {
    /// Waits for the client until it reads the first part.
    pub(super) fn new(inner: B, stream: Option<Stream>, busy: Option<BusyGuard>) -> Self {
        if let Some(stream) = &stream {
            stream.await_client(true);
        }
        Self { inner, stream, busy }
    }
}

impl<B: Body> Body for TrackedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let polled = this.inner.poll_frame(cx);
        if let Some(stream) = this.stream {
            stream.await_client(matches!(polled, Poll::Ready(Some(_))));
        }
        Poll::Ready(ready!(polled))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http_body_util::{BodyExt, Full};
    use tokio::time::advance;

    const PATIENCE: Duration = Duration::from_mins(1);

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_and_who_asks_for_nothing_is_not_waited_for() {
        let streams = Streams::new();
        assert!(!streams.are_used());
        let stream = streams.open();
        assert!(streams.are_used());
        advance(PATIENCE * 2).await;
        assert_eq!(streams.verdict(PATIENCE), None, "the application takes its time");
        let mut answer = TrackedBody::new(Full::new(Bytes::from("all of it")), Some(stream), None);
        advance(PATIENCE).await;
        assert_eq!(streams.verdict(PATIENCE), None);
        advance(PATIENCE / 30).await;
        assert_eq!(streams.verdict(PATIENCE), Some("the client takes nothing of an answer"));
        assert!(answer.frame().await.is_some());
        assert_eq!(streams.verdict(PATIENCE), None, "it has asked for some of it just now");
        drop(answer);
        assert!(streams.are_used());
        advance(PATIENCE / 2).await;
        assert_eq!(streams.verdict(PATIENCE), None);
        advance(PATIENCE).await;
        assert_eq!(streams.verdict(PATIENCE), Some("the client asks for nothing"));
    }
}
