//! The body of a request on its way to the application, with its limits of time. It waits for the application's `100 Continue`.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};

/// A client that sends nothing for this long has gone.
const SENT_WITHIN: Duration = Duration::from_mins(1);
/// An application that ignores `Expect: 100-continue` gets the body after this time.
const GO_AHEAD_WITHIN: Duration = Duration::from_secs(1);

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
}

impl Progress {
    pub(super) fn new(go: bool) -> Arc<Self> {
        let (last_ms, go) = (AtomicU64::new(0), AtomicBool::new(go));
        Arc::new(Self {
            began: Instant::now(),
            last_ms,
            go,
            waits: AtomicWaker::new(),
            starved: AtomicBool::new(false),
        })
    }

    pub(super) fn go_ahead(&self) {
        self.go.store(true, Relaxed);
        self.waits.wake();
    }

    fn note(&self) {
        self.last_ms.store(self.began.elapsed().as_millis() as u64, Relaxed);
    }

    /// Whether the client has more to send, and does not send it.
    pub(super) fn waits_for_client(&self) -> bool {
        self.starved.load(Relaxed)
    }

    /// When the last part was sent.
    pub(super) fn last(&self) -> Instant {
        self.began + Duration::from_millis(self.last_ms.load(Relaxed))
    }
}

/// The body of a request. It is boxed, since requests are moved often.
pub(super) struct Upload(Option<Box<UploadBody>>);

struct UploadBody {
    inner: Incoming,
    progress: Arc<Progress>,
    patience: Option<Pin<Box<Sleep>>>,
}

impl Upload {
    pub(super) const NONE: Self = Self(None);

    pub(super) fn new(inner: Incoming, progress: Arc<Progress>) -> Self {
        Self(Some(Box::new(UploadBody { inner, progress, patience: None })))
    }
}

impl UploadBody {
    /// Ready once the time from the first call on is over.
    fn is_over(&mut self, within: Duration, cx: &mut Context<'_>) -> Poll<()> {
        self.patience.get_or_insert_with(|| Box::pin(sleep(within))).as_mut().poll(cx)
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(upload) = &mut self.0 else { return Poll::Ready(None) };
        let progress = Arc::clone(&upload.progress);
        if !progress.go.load(Relaxed) {
            progress.waits.register(cx.waker());
            if !progress.go.load(Relaxed) {
                ready!(upload.is_over(GO_AHEAD_WITHIN, cx));
                progress.go_ahead();
            }
            upload.patience = None;
        }
        match Pin::new(&mut upload.inner).poll_frame(cx) {
            Poll::Ready(frame) => {
                upload.patience = None;
                progress.starved.store(false, Relaxed);
                progress.note();
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending => {
                progress.starved.store(true, Relaxed);
                ready!(upload.is_over(SENT_WITHIN, cx));
                let late = io::Error::new(io::ErrorKind::TimedOut, "the client sent nothing more");
                Poll::Ready(Some(Err(late.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|upload| upload.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), |upload| upload.inner.size_hint())
    }
}
