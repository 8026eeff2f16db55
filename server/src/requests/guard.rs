//! A request under way: made when it arrives, it rides the future and then the body, and records when it is dropped.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, StatusCode, header};
use tokio::time::Instant;
use watchboard_app::wire::ErrorKind;

use super::{
    endpoint::{CLIENT_CLOSED_REQUEST, Ended, Ending, Outcome},
    panics,
    recorder::{Incoming, Recorder, unharmed},
    registry::Place,
    reports::{EXCERPT_BYTES, ReportedError, Sighting},
    request_id::RequestId,
};
use crate::clock::now_unix_ms;

pub(super) struct Guard {
    recorder: Arc<Recorder>,
    place: Place,
    started: Instant,
    id: RequestId,
    method_has_body: bool,
    status: Option<StatusCode>,
    outcome: Outcome,
    panicked: bool,
    response_bytes: u64,
    /// From arrival to the response's head, where the body comes in parts after it.
    first_byte: Option<Duration>,
    /// Latency is the time until the head: what follows lasts as long as its client wants.
    is_event_stream: bool,
    /// The beginning of an error's text; stays empty, and unallocated, for a request that goes well.
    excerpt: Vec<u8>,
    location: Option<String>,
}

impl Guard {
    /// None for a request that is not to be recorded.
    pub(super) fn begin(recorder: &Arc<Recorder>, incoming: &Incoming<'_>) -> Option<Self> {
        let place = recorder.place(incoming)?;
        recorder.registry.at(place).begin();
        Some(Self {
            recorder: Arc::clone(recorder),
            place,
            started: Instant::now(),
            id: RequestId::of(incoming.headers),
            method_has_body: incoming.method != http::Method::HEAD,
            status: None,
            // Until something else is known, a guard that goes away was left by its client.
            outcome: Outcome::Dropped,
            panicked: false,
            response_bytes: 0,
            first_byte: None,
            is_event_stream: false,
            excerpt: Vec::new(),
            location: None,
        })
    }

    /// The response has a head. `in_parts` is whether its body's length is not known, so that parts follow the head.
    pub(super) fn respond(&mut self, status: StatusCode, headers: &HeaderMap, in_parts: bool) {
        self.status = Some(status);
        let no_body = status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if no_body || !self.method_has_body {
            // The server will not ask for a body, so its end cannot be seen.
            self.outcome = Outcome::Complete;
        } else if in_parts {
            self.first_byte = Some(self.started.elapsed());
            let kind = headers.get(header::CONTENT_TYPE).map(http::HeaderValue::as_bytes).unwrap_or_default();
            self.is_event_stream = kind.starts_with(b"text/event-stream");
        }
    }

    /// The time since the request arrived.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub(super) fn recorder(&self) -> &Arc<Recorder> {
        &self.recorder
    }

    /// A part of the body is on its way.
    pub(super) fn send(&mut self, data: &[u8], whole: usize, is_text: bool) {
        self.response_bytes += whole as u64;
        if is_text && self.is_error() && self.excerpt.len() < EXCERPT_BYTES {
            let room = EXCERPT_BYTES - self.excerpt.len();
            self.excerpt.extend_from_slice(&data[..data.len().min(room)]);
        }
    }

    pub(super) fn bytes_sent(&self) -> u64 {
        self.response_bytes
    }

    pub(super) fn complete(&mut self) {
        self.outcome = Outcome::Complete;
    }

    /// The body failed: the client sees the connection break.
    pub(super) fn fail(&mut self, error: &str) {
        self.outcome = Outcome::Failed;
        self.excerpt = error.as_bytes()[..error.len().min(EXCERPT_BYTES)].to_vec();
    }

    pub(super) fn panic(&mut self, message: &str) {
        self.fail(message);
        self.panicked = true;
        self.location = panics::take_location();
        self.status = Some(StatusCode::INTERNAL_SERVER_ERROR);
    }

    fn is_error(&self) -> bool {
        self.status.is_some_and(|status| status.is_client_error() || status.is_server_error())
    }

    fn kind(&self) -> Option<ErrorKind> {
        match (self.outcome, self.status) {
            _ if self.panicked => Some(ErrorKind::Panic),
            // Whoever listens to an event stream leaves in the end.
            (Outcome::Dropped, _) if self.is_event_stream => None,
            (Outcome::Dropped, _) => Some(ErrorKind::Dropped),
            (Outcome::Failed, _) => Some(ErrorKind::Server),
            (Outcome::Complete, Some(status)) if status.is_server_error() => Some(ErrorKind::Server),
            (Outcome::Complete, Some(status)) if status.is_client_error() => Some(ErrorKind::Client),
            (Outcome::Complete, _) => None,
        }
    }

    fn end(&mut self) {
        if std::thread::panicking() && self.outcome == Outcome::Dropped {
            // A panic while the body was being made: nobody caught it, and the connection goes with it.
            self.panic("the response's body panicked");
        }
        let kind = self.kind();
        let outcome = if kind.is_none() { Outcome::Complete } else { self.outcome };
        let latency = self.first_byte.filter(|_| self.is_event_stream).unwrap_or_else(|| self.started.elapsed());
        let us = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let duration_us = us(latency);
        let status = self.status.map_or(CLIENT_CLOSED_REQUEST, |status| status.as_u16());
        let ending = Ending { status, outcome };
        let (registry, reports) = (&self.recorder.registry, &self.recorder.reports);
        let endpoint = registry.at(self.place);
        endpoint.end(&Ended { ending, duration_us, response_bytes: self.response_bytes });
        let slow = duration_us >= endpoint.slow_from_us() || duration_us >= reports.slow_from_us();
        if !slow && kind.is_none() {
            return;
        }
        let sighting = Sighting {
            endpoint: registry.number(self.place),
            at_unix_ms: now_unix_ms(),
            ending,
            duration_us,
            first_byte_us: self.first_byte.map(us),
            response_bytes: self.response_bytes,
            id: self.id,
        };
        if slow {
            reports.slow(sighting);
        }
        if let Some(kind) = kind {
            let (excerpt, location) = (std::mem::take(&mut self.excerpt), self.location.take());
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
