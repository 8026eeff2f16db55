//! A request under way: made when it arrives, its guard rides the future and then the body, and records when it is dropped.
//! A guard is moved a dozen times on its way, so it is one word: what is known of the request is in a box, which a thread uses again
//! and again.

use std::{cell::RefCell, num::NonZeroU32, time::Duration};

use http::{HeaderMap, Method, StatusCode, header};
use tokio::time::Instant;
use watchboard_wire::ErrorKind;

use super::{
    endpoint::{CLIENT_CLOSED_REQUEST, Ended, Ending, Endpoint, Outcome},
    panics,
    passed_on::PassedOn,
    recorder::{Newcomer, Recorder, Row, unharmed},
    reports::{EXCERPT_BYTES, ReportedError, RequestUsage, Sighting},
    request_id::RequestId,
};
use crate::{
    alloc::{Allocated, Span},
    clock::now_unix_ms,
    commands::attribution::{self, Lent, Trace},
};

/// Boxes that a thread keeps for its next requests; those of more at once are made and freed.
const KEPT: usize = 256;

thread_local! {
    #[expect(clippy::vec_box, reason = "it is the boxes that are kept")]
    static BOXES: RefCell<Vec<Box<Underway>>> = const { RefCell::new(vec![]) };
}

/// Ends its request when it is dropped. None for a request that is not recorded.
pub(super) struct RequestGuard(Option<Box<Underway>>);

impl RequestGuard {
    pub(super) const NONE: Self = Self(None);

    pub(super) fn of(underway: Underway) -> Self {
        let kept = BOXES.try_with(|boxes| boxes.borrow_mut().pop()).ok().flatten();
        Self(Some(match kept {
            Some(mut kept) => {
                *kept = underway;
                kept
            }
            None => Box::new(underway),
        }))
    }

    /// What is known of its request.
    pub(super) fn request(&mut self) -> Option<&mut Underway> {
        self.0.as_deref_mut()
    }

    pub(super) fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    /// What is allocated from now on is its request's, until [`Self::allocate`]. Not by a closure around the work: what that returns would be
    /// moved once more.
    pub(super) fn span(&self) -> Option<Span> {
        self.0.as_ref().and_then(|_| Span::begin())
    }

    pub(super) fn allocate(&mut self, span: Option<Span>) {
        if let (Some(underway), Some(span)) = (&mut self.0, span) {
            underway.allocated = Some(underway.allocated.unwrap_or_default().plus(span.end()));
        }
    }

    /// The same, and what is asked of the database too, until [`Self::end_work`].
    pub(super) fn begin_work(&mut self) -> Work {
        let lent = self.0.as_mut().and_then(|underway| attribution::lend(&mut underway.usage));
        Work { span: self.span(), lent }
    }

    pub(super) fn end_work(&mut self, work: Work) {
        if let (Some(underway), Some(lent)) = (&mut self.0, work.lent) {
            lent.take_back(&mut underway.usage);
        }
        self.allocate(work.span);
    }

    /// Drops what its request holds before it ends, so that this is freed in its name. Where nothing counts, it can go with the rest.
    #[inline]
    pub(super) fn free(&mut self, drop: impl FnOnce()) {
        let span = self.span();
        if span.is_some() {
            drop();
        }
        self.allocate(span);
    }
}

/// A stretch of work for a request.
pub(super) struct Work {
    span: Option<Span>,
    lent: Option<Lent>,
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let Some(mut underway) = self.0.take() else { return };
        if unharmed(|| underway.end()).is_none() {
            underway.recorder.count_fault();
        }
        // A thread that is ending has no place for it any more.
        let _ = BOXES.try_with(|boxes| {
            let mut boxes = boxes.borrow_mut();
            if boxes.len() < KEPT {
                boxes.push(underway);
            }
        });
    }
}

pub(super) struct Underway {
    recorder: &'static Recorder,
    row: &'static Endpoint,
    /// None once it has begun in its row.
    newcomer: Option<Box<Newcomer>>,
    started: Instant,
    response_bytes: u64,
    /// While it was polled; none where nothing counted.
    allocated: Option<Allocated>,
    /// What it asked of the database; none before it has asked anything.
    usage: Option<Box<Trace>>,
    /// None for a request that goes well.
    error: Option<Box<Details>>,
    id: RequestId,
    /// From arrival to the response's head, where the body comes in parts after it; zero before there is one.
    first_byte_us: u32,
    /// What a service that passed it on told; none of others.
    passed_on: Option<PassedOn>,
    /// The number of its endpoint.
    endpoint: u32,
    /// Zero before there is one.
    status: u16,
    outcome: Outcome,
    method_has_body: bool,
    /// Latency is the time until the head: what follows lasts as long as its client wants.
    is_event_stream: bool,
    /// What the head promised; with this many bytes sent the body has ended, even if nobody asks for its end.
    promised: Option<u64>,
    /// The response is the text of an error: its beginning is what it says.
    is_error_text: bool,
}

/// What is known of an error.
#[derive(Default)]
struct Details {
    panicked: bool,
    /// The beginning of the response's text, or what the panic said.
    excerpt: Vec<u8>,
    location: Option<String>,
}

impl Underway {
    /// A request of this row has arrived.
    pub(super) fn begin(recorder: &'static Recorder, row: Row, method: &Method, headers: &HeaderMap) -> Self {
        Self {
            recorder,
            row: row.endpoint,
            newcomer: row.newcomer,
            started: Instant::now(),
            response_bytes: 0,
            allocated: None,
            usage: None,
            error: None,
            id: RequestId::of(headers),
            first_byte_us: 0,
            passed_on: None,
            endpoint: row.number,
            status: 0,
            // Until something else is known, a guard that goes away was left by its client.
            outcome: Outcome::Dropped,
            method_has_body: *method != Method::HEAD,
            is_event_stream: false,
            promised: None,
            is_error_text: false,
        }
    }

    /// The response has a head, which promised so many bytes of a body; none where parts follow it and nobody knows how many.
    pub(super) fn respond(&mut self, status: StatusCode, headers: &HeaderMap, promised: Option<u64>) {
        self.status = status.as_u16();
        self.promised = promised;
        self.is_error_text = self.status >= 400 && is_text(headers);
        let no_body = status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if no_body || !self.method_has_body {
            // The server will not ask for a body, so its end cannot be seen.
            self.outcome = Outcome::Complete;
        } else if promised.is_none() {
            self.first_byte_us = u32::try_from(self.elapsed().as_micros()).unwrap_or(u32::MAX).max(1);
            let kind = headers.get(header::CONTENT_TYPE).map(http::HeaderValue::as_bytes).unwrap_or_default();
            self.is_event_stream = kind.starts_with(b"text/event-stream");
        }
    }

    /// A path that was new has been answered: with a client's error it counts as unmatched, as paths do that are nobody's.
    pub(super) fn find_row(&mut self, teaches: bool) {
        if let Some(newcomer) = self.newcomer.take() {
            if let Some((number, row)) = teaches.then(|| self.recorder.learn(&newcomer)).flatten() {
                (self.endpoint, self.row) = (number, row);
            }
            self.row.begin();
        }
    }

    /// The response comes from another, or tells why there is none.
    pub(super) fn pass_on(&mut self, passed_on: PassedOn) {
        self.passed_on = Some(passed_on);
        match passed_on.failure {
            Some(failure) => {
                self.is_error_text = false;
                self.error.get_or_insert_default().excerpt = failure.as_bytes().to_vec();
            }
            // Whether its body comes at once or in parts: the other's answer began here.
            None => self.first_byte_us = u32::try_from(self.elapsed().as_micros()).unwrap_or(u32::MAX).max(1),
        }
    }

    /// The time since the request arrived.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub(super) fn recorder(&self) -> &'static Recorder {
        self.recorder
    }

    /// A part of the body is on its way: so many bytes, which begin with `text`.
    pub(super) fn send(&mut self, bytes: usize, text: &[u8]) {
        self.response_bytes += bytes as u64;
        if self.is_error_text {
            let excerpt = &mut self.error.get_or_insert_default().excerpt;
            let room = EXCERPT_BYTES.saturating_sub(excerpt.len());
            excerpt.extend_from_slice(&text[..text.len().min(room)]);
        }
    }

    /// Whether all that the head promised is on its way.
    pub(super) fn has_sent_all(&self) -> bool {
        self.promised.is_some_and(|promised| self.response_bytes >= promised)
    }

    pub(super) fn complete(&mut self) {
        self.outcome = Outcome::Complete;
    }

    /// The body failed: the client sees the connection break.
    pub(super) fn fail(&mut self, error: &str) {
        self.outcome = Outcome::Failed;
        self.error.get_or_insert_default().excerpt = error.as_bytes()[..error.len().min(EXCERPT_BYTES)].to_vec();
    }

    pub(super) fn panic(&mut self, message: &str) {
        self.fail(message);
        self.status = StatusCode::INTERNAL_SERVER_ERROR.as_u16();
        let details = self.error.get_or_insert_default();
        details.panicked = true;
        details.location = panics::take_location();
    }

    fn kind(&self) -> Option<ErrorKind> {
        match (self.outcome, self.status) {
            _ if self.error.as_ref().is_some_and(|error| error.panicked) => Some(ErrorKind::Panic),
            // Whoever listens to an event stream leaves in the end.
            (Outcome::Dropped, _) if self.is_event_stream => None,
            (_, 500..) | (Outcome::Failed, _) => Some(ErrorKind::Server),
            (Outcome::Dropped, _) => Some(ErrorKind::Dropped),
            (Outcome::Complete, 400..) => Some(ErrorKind::Client),
            (Outcome::Complete, _) => None,
        }
    }

    fn end(&mut self) {
        if self.outcome == Outcome::Dropped && std::thread::panicking() {
            // A panic that nobody caught, in a body or before there was a future: the connection goes with it.
            self.panic("it panicked outside of the handler");
        }
        let kind = self.kind();
        let duration_us = if self.is_event_stream {
            self.first_byte_us.into()
        } else {
            u64::try_from(self.elapsed().as_micros()).unwrap_or(u64::MAX)
        };
        let ending = Ending {
            status: if self.status == 0 { CLIENT_CLOSED_REQUEST } else { self.status },
            outcome: if kind.is_none() { Outcome::Complete } else { self.outcome },
        };
        self.find_row(false);
        let endpoint = self.row;
        if let (true, Some(trace)) = (self.is_event_stream, &mut self.usage) {
            trace.forget_times();
        }
        let usage = self.usage.as_deref();
        endpoint.end(&Ended {
            ending,
            duration_us,
            response_bytes: self.response_bytes,
            allocated: self.allocated,
            usage,
            passed_on: self.passed_on,
        });
        let reports = &self.recorder.reports;
        let slow = duration_us >= endpoint.slow_from_us() || duration_us >= reports.slow_from_us();
        if slow || kind.is_some() {
            self.report(ending, duration_us, slow, kind);
        }
        if let Some(trace) = self.usage.take() {
            attribution::end(trace);
        }
    }

    /// Tells the monitor of the request itself, since it was slow or went wrong.
    #[cold]
    fn report(&mut self, ending: Ending, duration_us: u64, slow: bool, kind: Option<ErrorKind>) {
        let sighting = Sighting {
            endpoint: self.endpoint as usize,
            at_unix_ms: now_unix_ms(),
            ending,
            duration_us,
            first_byte_us: NonZeroU32::new(self.first_byte_us),
            connect_us: self.passed_on.and_then(PassedOn::connect_us),
            response_bytes: self.response_bytes,
            id: self.id,
            usage: slow.then(|| self.usage.as_deref().map(|trace| RequestUsage::of(trace, self.started))).flatten(),
        };
        let reports = &self.recorder.reports;
        if slow && !reports.slow(sighting.clone()) {
            // Until there is room again only a slower one is worth the attempt.
            self.row.set_slow_from_us(duration_us + 1);
            reports.set_slow_from_us(duration_us + 1);
        }
        if let Some(kind) = kind {
            let Details { excerpt, location, .. } = self.error.take().map(|details| *details).unwrap_or_default();
            reports.error(ReportedError { sighting, kind, excerpt, location });
        }
    }
}

/// Whether a body can be read as text: plain text or JSON, not compressed.
fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    (kind.starts_with("text/plain") || kind.contains("json")) && !headers.contains_key(header::CONTENT_ENCODING)
}
