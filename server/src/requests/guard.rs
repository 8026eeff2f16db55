//! A request under way: made when it arrives, it rides the future and then the body, and records when it is dropped.
//! It is moved a dozen times on its way, so it is small: what only an error needs is in a box of its own.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode, header};
use tokio::time::Instant;
use watchboard_app::wire::ErrorKind;

use super::{
    endpoint::{CLIENT_CLOSED_REQUEST, Ended, Ending, Outcome},
    panics,
    recorder::{Recorder, unharmed},
    reports::{EXCERPT_BYTES, ReportedError, Sighting},
    request_id::RequestId,
};
use crate::{
    alloc::{Allocated, Span},
    clock::now_unix_ms,
};

pub(super) struct Guard {
    recorder: &'static Recorder,
    started: Instant,
    response_bytes: u64,
    /// While it was polled.
    allocated: Allocated,
    /// None for a request that goes well.
    error: Option<Box<Details>>,
    id: RequestId,
    /// From arrival to the response's head, where the body comes in parts after it; zero before there is one.
    first_byte_us: u32,
    /// The number of its endpoint.
    endpoint: u32,
    /// Zero before there is one.
    status: u16,
    outcome: Outcome,
    method_has_body: bool,
    /// Whether anything counted what it allocated.
    is_counted: bool,
    /// Latency is the time until the head: what follows lasts as long as its client wants.
    is_event_stream: bool,
}

/// What is known of an error.
#[derive(Default)]
struct Details {
    panicked: bool,
    /// The beginning of the response's text, or what the panic said.
    excerpt: Vec<u8>,
    location: Option<String>,
}

impl Guard {
    /// A request of the endpoint of this number has arrived.
    pub(super) fn begin(recorder: &'static Recorder, endpoint: u32, method: &Method, headers: &HeaderMap) -> Self {
        Self {
            recorder,
            started: Instant::now(),
            response_bytes: 0,
            allocated: Allocated::default(),
            error: None,
            id: RequestId::of(headers),
            first_byte_us: 0,
            endpoint,
            status: 0,
            // Until something else is known, a guard that goes away was left by its client.
            outcome: Outcome::Dropped,
            method_has_body: *method != Method::HEAD,
            is_counted: false,
            is_event_stream: false,
        }
    }

    /// The response has a head. `in_parts` is whether its body's length is not known, so that parts follow the head.
    pub(super) fn respond(&mut self, status: StatusCode, headers: &HeaderMap, in_parts: bool) {
        self.status = status.as_u16();
        let no_body = status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if no_body || !self.method_has_body {
            // The server will not ask for a body, so its end cannot be seen.
            self.outcome = Outcome::Complete;
        } else if in_parts {
            self.first_byte_us = u32::try_from(self.elapsed().as_micros()).unwrap_or(u32::MAX).max(1);
            let kind = headers.get(header::CONTENT_TYPE).map(http::HeaderValue::as_bytes).unwrap_or_default();
            self.is_event_stream = kind.starts_with(b"text/event-stream");
        }
    }

    /// The time since the request arrived.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub(super) fn recorder(&self) -> &'static Recorder {
        self.recorder
    }

    pub(super) fn is_error(&self) -> bool {
        self.status >= 400
    }

    /// A part of the body is on its way: so many bytes, which begin with `text` where they are the text of an error.
    pub(super) fn send(&mut self, bytes: usize, text: Option<&[u8]>) {
        self.response_bytes += bytes as u64;
        if let Some(text) = text {
            let excerpt = &mut self.error.get_or_insert_default().excerpt;
            let room = EXCERPT_BYTES.saturating_sub(excerpt.len());
            excerpt.extend_from_slice(&text[..text.len().min(room)]);
        }
    }

    pub(super) fn bytes_sent(&self) -> u64 {
        self.response_bytes
    }

    /// What some work for it allocated.
    pub(super) fn allocate(&mut self, span: Option<Span>) {
        if let Some(span) = span {
            self.allocated = self.allocated.plus(span.end());
            self.is_counted = true;
        }
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
        let Some(endpoint) = self.recorder.registry.numbered(self.endpoint) else { return };
        endpoint.end(&Ended {
            ending,
            duration_us,
            response_bytes: self.response_bytes,
            allocated: self.is_counted.then_some(self.allocated),
        });
        let reports = &self.recorder.reports;
        let slow = duration_us >= endpoint.slow_from_us() || duration_us >= reports.slow_from_us();
        if slow || kind.is_some() {
            self.report(ending, duration_us, slow, kind);
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
            first_byte_us: (self.first_byte_us > 0).then_some(self.first_byte_us.into()),
            response_bytes: self.response_bytes,
            id: self.id,
        };
        let Recorder { registry, reports, .. } = self.recorder;
        if slow && !reports.slow(sighting) {
            // Until there is room again only a slower one is worth the attempt.
            registry.numbered(self.endpoint).into_iter().for_each(|it| it.set_slow_from_us(duration_us + 1));
            reports.set_slow_from_us(duration_us + 1);
        }
        if let Some(kind) = kind {
            let Details { excerpt, location, .. } = self.error.take().map(|details| *details).unwrap_or_default();
            reports.error(ReportedError { sighting, kind, excerpt, location });
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if unharmed(|| self.end()).is_none() {
            self.recorder.count_fault();
        }
    }
}
