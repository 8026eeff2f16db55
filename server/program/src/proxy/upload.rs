//! The body of a request on its way to the application. It waits for the application's `100 Continue`, and ends uploads that make no progress.

use std::{
    error::Error,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed},
        },
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use thiserror::Error;
use tokio::time::{Instant, Sleep, sleep};
use watchboard::ClientLeft;

use super::{
    headers,
    held_parts::HeldParts,
    upload_rate::{UPLOAD_CHECK_EACH, UploadPace},
    upstream_link::{SentBody, UpstreamLink},
};
use crate::serve::trailers;

/// An application that ignores `Expect: 100-continue` gets the body after this time.
const GO_AHEAD_WITHIN: Duration = Duration::from_secs(1);
/// The application waits for the client this long before the client is to blame for its end.
const STALLED_AFTER: Duration = Duration::from_secs(5);

/// The client did not send the whole body.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(super) enum UploadError {
    #[error("the client broke the body off")]
    Aborted,
    #[error("the body is malformed")]
    Malformed,
    #[error("the client sends too slowly")]
    Slow,
}

impl From<hyper::Error> for UploadError {
    fn from(error: hyper::Error) -> Self {
        let reason = error.source().and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind);
        match reason {
            // hyper's decoder of chunks.
            Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => Self::Malformed,
            _ => Self::Aborted,
        }
    }
}

/// The progress of a body, for the task that waits for the answer.
pub(super) struct Progress {
    began: Instant,
    /// When the last part was sent, in milliseconds since `began`.
    last_ms: AtomicU64,
    /// Whether the body may be polled. The first poll makes hyper send `100 Continue` to the client.
    go: AtomicBool,
    waits: AtomicWaker,
    /// Whether the proxy waits for the client.
    starved: AtomicBool,
    /// Whether the application's answer has begun. From then on the two talk as they like.
    is_answered: AtomicBool,
    client: ClientLeft,
    /// The connection that carries the body.
    link: Mutex<Option<Arc<UpstreamLink>>>,
}

impl Progress {
    /// `go`: whether the body may be sent at once. `client` hears that the client has left.
    pub(super) fn new(go: bool, client: ClientLeft) -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            last_ms: AtomicU64::new(0),
            go: AtomicBool::new(go),
            waits: AtomicWaker::new(),
            starved: AtomicBool::new(false),
            is_answered: AtomicBool::new(false),
            client,
            link: Mutex::default(),
        })
    }

    /// Whether trailers are frames: HTTP/2 has no link for each request.
    fn carries_frames(&self) -> bool {
        self.link.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// The body has ended, with these trailers.
    fn end(&self, trailers: Vec<u8>) {
        if let Some(link) = self.link.lock().unwrap_or_else(PoisonError::into_inner).take() {
            link.end_request(trailers);
        }
    }

    pub(super) fn note_answer(&self) {
        self.is_answered.store(true, Relaxed);
    }

    /// The note that the client has left.
    pub(super) fn client(&self) -> ClientLeft {
        self.client.clone()
    }

    fn note(&self) {
        self.last_ms.store(self.began.elapsed().as_millis() as u64, Relaxed);
    }

    /// Whether the client has more to send, and does not send it.
    pub(super) fn waits_for_client(&self) -> bool {
        self.starved.load(Relaxed)
    }

    /// Whether the client has not sent the rest for so long that an application gives up.
    pub(super) fn is_stalled(&self) -> bool {
        self.waits_for_client() && self.last().elapsed() >= STALLED_AFTER
    }

    /// When the last part was sent.
    pub(super) fn last(&self) -> Instant {
        self.began + Duration::from_millis(self.last_ms.load(Relaxed))
    }
}

impl SentBody for Progress {
    fn go_ahead(&self) -> bool {
        let was_held = !self.go.swap(true, AcqRel);
        self.waits.wake();
        was_held
    }

    fn set_link(&self, link: Arc<UpstreamLink>) {
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = Some(link);
    }
}

/// The body of a request. Requests are moved often, so it is behind a pointer.
///
/// A copy of it sends the body from its beginning, as long as that is held.
pub(super) struct Upload(Option<UploadAttempt>);

struct UploadAttempt {
    body: Arc<Mutex<UploadBody>>,
    /// Only the last attempt that was polled may go on.
    number: u32,
    /// Parts of the body that this attempt has sent of those that are held.
    sent: usize,
}

struct UploadBody {
    inner: Incoming,
    progress: Arc<Progress>,
    pace: UploadPace,
    patience: Option<Pin<Box<Sleep>>>,
    attempt: u32,
    held: HeldParts,
}

impl Upload {
    pub(super) const NONE: Self = Self(None);

    pub(super) fn new(inner: Incoming, progress: Arc<Progress>) -> Self {
        let (pace, patience, held) = (UploadPace::default(), None, HeldParts::None);
        let body = UploadBody { inner, progress, pace, patience, attempt: 0, held };
        Self(Some(UploadAttempt { body: Arc::new(Mutex::new(body)), number: 0, sent: 0 }))
    }

    /// Another attempt to send the body. What is sent until then is held for it.
    pub(super) fn copy(&self) -> Self {
        let Some(attempt) = &self.0 else { return Self::NONE };
        attempt.lock().held.begin();
        Self(Some(UploadAttempt { body: Arc::clone(&attempt.body), number: attempt.number + 1, sent: 0 }))
    }

    /// Whether the body can be sent from its beginning.
    pub(super) fn is_whole(&self) -> bool {
        self.0.as_ref().is_none_or(|attempt| attempt.sent == 0 && !attempt.lock().held.is_lost())
    }

    /// Whether no other attempt has the body, of which the client has more to send.
    pub(super) fn is_last_and_unread(&self) -> bool {
        let Some(attempt) = &self.0 else { return false };
        Arc::strong_count(&attempt.body) == 1 && !attempt.lock().inner.is_end_stream()
    }
}

impl UploadAttempt {
    fn lock(&self) -> MutexGuard<'_, UploadBody> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UploadBody {
    /// Ready once the time from the first call on is over.
    fn is_over(&mut self, within: Duration, cx: &mut Context<'_>) -> Poll<()> {
        self.patience.get_or_insert_with(|| Box::pin(sleep(within))).as_mut().poll(cx)
    }

    /// The client sends nothing now. Ready once it has sent too little for too long.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.pace.wait();
        while !self.progress.is_answered.load(Relaxed) {
            ready!(self.is_over(UPLOAD_CHECK_EACH, cx));
            self.patience = None;
            if self.pace.is_too_slow() {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }

    /// The next part that the client sends.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        let progress = Arc::clone(&self.progress);
        if !progress.go.load(Acquire) {
            progress.waits.register(cx.waker());
            if !progress.go.load(Acquire) {
                ready!(self.is_over(GO_AHEAD_WITHIN, cx));
                progress.go_ahead();
            }
            self.patience = None;
        }
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(frame) => {
                progress.starved.store(false, Relaxed);
                progress.note();
                let frame = frame.map(|frame| frame.map_err(UploadError::from));
                if let Some(Ok(trailers)) = &frame
                    && let Some(trailers) = trailers.trailers_ref()
                {
                    self.held = HeldParts::Lost;
                    // The stream below hyper sends them. A body with a length has none.
                    if progress.carries_frames() {
                        return Poll::Ready(Some(Ok(Frame::trailers(trailers.clone()))));
                    }
                    let is_chunked = self.inner.size_hint().exact().is_none();
                    let lines = trailers::encode(trailers, headers::may_be_trailer);
                    progress.end(if is_chunked { lines } else { vec![] });
                    return Poll::Ready(None);
                }
                if frame.is_none() || self.inner.is_end_stream() {
                    progress.end(vec![]);
                }
                match &frame {
                    Some(Ok(frame)) => {
                        self.pace.add(frame.data_ref().map_or(0, Bytes::len));
                        let is_answered = progress.is_answered.load(Relaxed);
                        frame.data_ref().into_iter().for_each(|data| self.held.add(data, is_answered));
                    }
                    Some(Err(UploadError::Aborted)) => progress.client.note(),
                    _ => {}
                }
                Poll::Ready(frame)
            }
            Poll::Pending => {
                progress.starved.store(true, Relaxed);
                ready!(self.poll_patience(cx));
                Poll::Ready(Some(Err(UploadError::Slow)))
            }
        }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = UploadError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        let Some(UploadAttempt { body, number, sent }) = &mut self.0 else { return Poll::Ready(None) };
        let mut body = body.lock().unwrap_or_else(PoisonError::into_inner);
        if *number < body.attempt {
            // The stream of this attempt has failed.
            return Poll::Ready(Some(Err(UploadError::Aborted)));
        }
        body.attempt = *number;
        let part = body.held.part(*sent).cloned();
        let polled = match part {
            Some(part) => Poll::Ready(Some(Ok(Frame::data(part)))),
            None => body.poll_next(cx),
        };
        *sent += usize::from(polled.is_ready());
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|attempt| {
            let body = attempt.lock();
            body.held.part(attempt.sent).is_none() && body.inner.is_end_stream()
        })
    }

    fn size_hint(&self) -> SizeHint {
        let Some(attempt) = &self.0 else { return SizeHint::with_exact(0) };
        let body = attempt.lock();
        let (mut hint, held) = (body.inner.size_hint(), body.held.bytes_from(attempt.sent));
        match hint.exact() {
            Some(exact) => hint.set_exact(exact + held),
            None => hint.set_lower(hint.lower() + held),
        }
        hint
    }
}
