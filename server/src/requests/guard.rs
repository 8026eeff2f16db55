//! A request under way: made when it arrives, it rides the future and then the body, and records when it is dropped.

use std::sync::Arc;

use http::{Method, StatusCode};
use tokio::time::Instant;
use watchboard_app::wire::ErrorKind;

use super::{
    Registry,
    endpoint::{CLIENT_CLOSED_REQUEST, Ended, Endpoint, Outcome},
    errors::{EXCERPT_BYTES, Reported},
};
use crate::clock::now_unix_ms;

pub(super) struct Guard {
    registry: Arc<Registry>,
    endpoint: Arc<Endpoint>,
    started: Instant,
    method_has_body: bool,
    status: Option<StatusCode>,
    outcome: Outcome,
    panicked: bool,
    response_bytes: u64,
    /// The beginning of an error's text; stays empty, and unallocated, for a request that goes well.
    excerpt: Vec<u8>,
}

impl Guard {
    pub(super) fn begin(registry: &Arc<Registry>, method: &Method, route: Option<&str>) -> Self {
        let endpoint = Arc::clone(registry.endpoint(method, route));
        endpoint.begin();
        Self {
            registry: Arc::clone(registry),
            endpoint,
            started: Instant::now(),
            method_has_body: method != Method::HEAD,
            status: None,
            // Until something else is known, a guard that goes away was left by its client.
            outcome: Outcome::Dropped,
            panicked: false,
            response_bytes: 0,
            excerpt: Vec::new(),
        }
    }

    /// The response has a head.
    pub(super) fn respond(&mut self, status: StatusCode) {
        self.status = Some(status);
        let no_body = status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if no_body || !self.method_has_body {
            // The server will not ask for a body, so its end cannot be seen.
            self.outcome = Outcome::Complete;
        }
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
        self.excerpt = error.as_bytes().to_vec();
    }

    pub(super) fn panic(&mut self, message: &str) {
        self.fail(message);
        self.panicked = true;
        self.status = Some(StatusCode::INTERNAL_SERVER_ERROR);
    }

    fn is_error(&self) -> bool {
        self.status.is_some_and(|status| status.is_client_error() || status.is_server_error())
    }

    fn kind(&self) -> Option<ErrorKind> {
        match (self.outcome, self.status) {
            _ if self.panicked => Some(ErrorKind::Panic),
            (Outcome::Dropped, _) => Some(ErrorKind::Dropped),
            (Outcome::Failed, _) => Some(ErrorKind::Server),
            (Outcome::Complete, Some(status)) if status.is_server_error() => Some(ErrorKind::Server),
            (Outcome::Complete, Some(status)) if status.is_client_error() => Some(ErrorKind::Client),
            (Outcome::Complete, _) => None,
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() && self.outcome == Outcome::Dropped {
            // A panic while the body was being made: nobody caught it, and the connection goes with it.
            self.panic("the response's body panicked");
        }
        let duration_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let Self { status, outcome, response_bytes, .. } = *self;
        self.endpoint.end(&Ended { status, outcome, duration_us, response_bytes });
        if let Some(kind) = self.kind() {
            self.registry.errors.report(Reported {
                endpoint: Arc::clone(&self.endpoint),
                at_unix_ms: now_unix_ms(),
                status: status.map_or(CLIENT_CLOSED_REQUEST, |status| status.as_u16()),
                kind,
                excerpt: std::mem::take(&mut self.excerpt),
                duration_us,
            });
        }
    }
}
