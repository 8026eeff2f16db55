//! A request between its arrival and its end: what is noted of it, and what of that is recorded.

use std::{num::NonZeroU32, time::Duration};

use http::{HeaderMap, Method, StatusCode, Uri};
use tokio::time::Instant;
use watchboard_wire::{ClosedBy, ErrorKind, LongLivedKind};

use super::{
    client_left::ClientLeft,
    ending::{CLIENT_CLOSED_REQUEST, Ending, Outcome},
    endpoint::{Endpoint, RequestRecord},
    error_text::{EXCERPT_BYTES, ErrorDetails, ErrorText, is_text},
    grpc::{self, GrpcStatus},
    long_lived::OpenExchange,
    recorder::{NewPath, Recorder, RequestRow},
    reports::{ReportedError, RequestUsage, Sighting},
    request_id::RequestId,
    response_kind::{ResponseKind, error_kind},
    tunnel::{Tunnel, upgrade_kind},
    upstream::UpstreamTiming,
    waiting::{self, ClientWait, Pauses},
};
use crate::{
    alloc::AllocationSums,
    clock::now_unix_ms,
    commands::attribution::{self, Trace},
    supervision::panics,
};

/// A request between its arrival and its end.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct InFlightRequest {
    pub(super) recorder: &'static Recorder,
    pub(super) row: &'static Endpoint,
    /// A path without a row until the response. `None` once the request has begun in a row.
    new_path: Option<Box<NewPath>>,
    has_begun: bool,
    /// The row that counts it as one that the application is to answer.
    awaited_in: Option<&'static Endpoint>,
    started: Instant,
    response_bytes: u64,
    /// During its polls; `None` if the allocator does not count.
    pub(super) allocated: Option<AllocationSums>,
    /// Its database commands; `None` before the first.
    pub(super) usage: Option<Box<Trace>>,
    /// `None` as long as nothing fails.
    error: Option<Box<ErrorDetails>>,
    id: RequestId,
    /// From arrival to the response's head, if the body comes in parts after it. Zero before that.
    first_byte_us: u32,
    /// What a proxy below the layer reports.
    upstream: Option<UpstreamTiming>,
    /// Whether the client has left, if its request has a body.
    client: Option<ClientLeft>,
    /// The number of its endpoint.
    endpoint: u32,
    /// Zero before the response.
    status: u16,
    outcome: Outcome,
    method_has_body: bool,
    response_kind: ResponseKind,
    /// A response that is a stream, from its head on.
    stream: Option<OpenExchange>,
    /// The bytes of the first message of a gRPC response, with its head; zero before that. If more follow, the call is a stream.
    first_message_bytes: u64,
    /// Whether the client asks the application to wait until something happens: its time is no latency then.
    asks_to_wait: bool,
    /// How long the client of a gRPC call waits.
    deadline: Option<Duration>,
    pub(super) client_wait: ClientWait,
    pauses: Pauses,
    /// The body's length by the response's head. Once as many bytes are sent the body has ended, even if the server does not poll for its
    /// end.
    promised: Option<u64>,
    /// The response is an error whose body is text: its beginning is the error's message.
    is_error_text: bool,
}

impl InFlightRequest {
    /// A request has arrived that counts in `row`.
    pub(super) fn begin(
        recorder: &'static Recorder,
        row: RequestRow,
        (method, uri, headers): (&Method, &Uri, &HeaderMap),
    ) -> Self {
        let asks_to_wait = waiting::asks_to_wait(method, uri, headers);
        let is_awaited = row.new_path.is_none()
            && *method == Method::GET
            && !(asks_to_wait || row.endpoint.is_long_poll || waiting::accepts_stream(headers));
        let awaited_in = is_awaited.then_some(row.endpoint);
        awaited_in.inspect(|row| row.await_answer());
        Self {
            recorder,
            row: row.endpoint,
            new_path: row.new_path,
            has_begun: row.has_begun,
            awaited_in,
            started: Instant::now(),
            response_bytes: 0,
            allocated: None,
            usage: None,
            error: None,
            id: RequestId::from_headers(headers),
            first_byte_us: 0,
            upstream: None,
            client: None,
            endpoint: row.number,
            status: 0,
            // A guard that is dropped before the response ends was left by its client.
            outcome: Outcome::Dropped,
            method_has_body: *method != Method::HEAD,
            response_kind: ResponseKind::Plain,
            stream: None,
            first_message_bytes: 0,
            asks_to_wait,
            deadline: if *method == Method::POST { grpc::deadline(headers) } else { None },
            client_wait: ClientWait::default(),
            pauses: Pauses::default(),
            promised: None,
            is_error_text: false,
        }
    }

    /// The response has a head. `promised` is the body's length in bytes, if it is known.
    pub(super) fn respond(&mut self, status: StatusCode, headers: &HeaderMap, promised: Option<u64>) {
        self.status = status.as_u16();
        self.promised = promised;
        self.is_error_text = self.status >= 400 && is_text(headers);
        // What has something else to tell at its end has no length. A call of gRPC may fail without a body.
        if promised.is_none_or(|length| length == 0) {
            self.response_kind = ResponseKind::from(headers);
            if self.response_kind == ResponseKind::Grpc {
                self.note_trailers(headers);
            }
        }
        let no_body = status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if no_body || !self.method_has_body || promised.is_some() {
            self.response_kind = self.response_kind.with_length();
        }
        if no_body || !self.method_has_body {
            // The server does not poll this body, so the layer cannot see its end.
            self.outcome = Outcome::Complete;
        } else if promised.is_none() {
            self.first_byte_us = u32::try_from(self.elapsed().as_micros()).unwrap_or(u32::MAX).max(1);
        }
    }

    /// Trailers end the response. Those of gRPC have its outcome, as has the head of a response without a body.
    pub(super) fn note_trailers(&mut self, fields: &HeaderMap) {
        if let Some(status) = GrpcStatus::from_fields(fields) {
            // A stream that has sent messages until its client's deadline has done its work, as one that its client cancels.
            let is_over = || self.deadline.is_some_and(|deadline| self.elapsed() >= deadline);
            let is_clients = status.is_deadline() && self.response_bytes > 0 && is_over();
            self.status = if is_clients { CLIENT_CLOSED_REQUEST } else { status.http };
            self.error.get_or_insert_default().text = ErrorText::Fixed(status.text);
        }
    }

    /// Whether the response is an error of the client, such as a path that does not exist.
    pub(super) fn is_client_error(&self) -> bool {
        (400..500).contains(&self.status)
    }

    /// Chooses the row of a request whose path was new. If the response shows that the path `exists`, its template gets a row of its own;
    /// else the request counts as unmatched.
    pub(super) fn find_row(&mut self, exists: bool) {
        if let Some(new_path) = self.new_path.take() {
            // A client chooses the type of its request: only an application that answers in gRPC has calls.
            let exists = exists && (!new_path.is_call || self.response_kind == ResponseKind::Grpc);
            if let Some((number, row)) = exists.then(|| self.recorder.learn(&new_path)).flatten() {
                (self.endpoint, self.row) = (number, row);
            }
        }
        if !std::mem::replace(&mut self.has_begun, true) {
            self.row.begin();
        }
        if let Some(row) = self.awaited_in.take() {
            row.note_answer();
        }
    }

    /// The response makes a connection or a body that lasts as long as its sides want. The request has its row.
    pub(super) fn open_long_lived(&mut self, headers: &HeaderMap, tunnel: Option<Tunnel>) {
        if self.status == StatusCode::SWITCHING_PROTOCOLS {
            let kind = upgrade_kind(headers);
            let recorder = self.row.long_lived(kind);
            match tunnel {
                Some(tunnel) => tunnel.begin(kind, recorder),
                None => recorder.count_unobserved(),
            }
        } else if self.response_kind == ResponseKind::Stream {
            self.stream = Some(OpenExchange::new(self.row.long_lived(LongLivedKind::Stream)));
        }
    }

    /// An inner layer knows the request's route, and this one does not: the request begins in that row.
    pub(super) fn set_inner_row(&mut self, number: u32) {
        if let (false, Some(row)) = (self.has_begun, self.recorder.registry.by_number(number)) {
            self.new_path = None;
            (self.endpoint, self.row, self.has_begun) = (number, row, true);
            row.begin();
            if let Some(awaited_in) = &mut self.awaited_in {
                awaited_in.note_answer();
                row.await_answer();
                *awaited_in = row;
            }
        }
    }

    /// The response comes from an upstream, or says why the upstream gave none.
    pub(super) fn set_upstream(&mut self, upstream: UpstreamTiming) {
        let failure = upstream.failure;
        self.client = upstream.client.clone().or(self.client.take());
        self.upstream = Some(upstream);
        match failure {
            Some(failure) => {
                self.is_error_text = false;
                self.error.get_or_insert_default().text = ErrorText::Fixed(failure.reason);
            }
            // The first byte of the upstream's response, whether its body comes at once or in parts.
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

    /// A part of the body is sent: `bytes` bytes, which begin with `text`.
    pub(super) fn send(&mut self, bytes: usize, text: &[u8]) {
        if self.response_kind == ResponseKind::Grpc && self.response_bytes == 0 {
            self.first_message_bytes = grpc::message_bytes(text);
        }
        self.response_bytes += bytes as u64;
        if let Some(stream) = &self.stream {
            stream.send(bytes as u64, 0);
        }
        if self.is_error_text
            && let ErrorText::Received(excerpt) = &mut self.error.get_or_insert_default().text
        {
            let room = EXCERPT_BYTES.saturating_sub(excerpt.len());
            excerpt.extend_from_slice(&text[..text.len().min(room)]);
        }
    }

    /// The next part of the body is not there yet. One whose length is known is no stream.
    pub(super) fn pause(&mut self) {
        if self.response_bytes > 0 && self.promised.is_none() {
            self.pauses.begin();
        }
    }

    /// The next part is there, or the end.
    pub(super) fn resume(&mut self) {
        self.pauses.end();
    }

    /// Whether as many bytes are sent as the head promised.
    pub(super) fn has_sent_all(&self) -> bool {
        self.promised.is_some_and(|promised| self.response_bytes >= promised)
    }

    pub(super) fn complete(&mut self) {
        self.outcome = Outcome::Complete;
    }

    /// The body failed: the client sees the connection break.
    pub(super) fn fail(&mut self, text: ErrorText) {
        self.outcome = Outcome::Failed;
        self.error.get_or_insert_default().text = text;
    }

    pub(super) fn panic(&mut self, text: ErrorText) {
        self.fail(text);
        self.status = StatusCode::INTERNAL_SERVER_ERROR.as_u16();
        let details = self.error.get_or_insert_default();
        details.panicked = true;
        details.location = panics::take_location();
    }

    /// By this the layer or a proxy notes that the client has left.
    pub(super) fn set_client(&mut self, client: ClientLeft) {
        self.client = Some(client);
    }

    /// There is a response: nobody gets it if the client has left.
    pub(super) fn note_response(&mut self) {
        if self.client_has_left() {
            self.status = 0;
        }
    }

    fn client_has_left(&self) -> bool {
        self.client.as_ref().is_some_and(ClientLeft::is_noted)
    }

    /// The client broke its request off: a body that broke off with it is no failure. A panic of the handler stays one.
    fn leave(&mut self) {
        if self.error.as_ref().is_some_and(|error| error.panicked) {
            return;
        }
        self.outcome = Outcome::Dropped;
        self.error = None;
    }

    pub(super) fn end(&mut self) {
        if self.outcome == Outcome::Dropped && std::thread::panicking() {
            // A panic outside the future's poll, which the layer does not catch: in a body, or before there was a future.
            self.panic(ErrorText::Fixed("it panicked outside of the handler"));
        }
        if self.client_has_left() {
            self.leave();
        }
        if let Some(stream) = self.stream.take() {
            let by = if self.outcome == Outcome::Dropped { ClosedBy::Client } else { ClosedBy::Application };
            stream.close(None, Some(by));
        }
        let panicked = self.error.as_ref().is_some_and(|error| error.panicked);
        let is_stream_of_calls = self.first_message_bytes > 0 && self.response_bytes > self.first_message_bytes;
        let is_stream = self.response_kind == ResponseKind::Stream || is_stream_of_calls;
        let kind = error_kind(self.outcome, self.status, panicked, self.response_kind);
        // What the client took to send and to read is not the application's.
        self.client_wait.end();
        let upload = self.upstream.as_ref().and_then(|upstream| upstream.upload).unwrap_or_default();
        let not_its_own = upload + self.client_wait.total() + self.pauses.of_stream();
        let own = self.elapsed().saturating_sub(not_its_own);
        let duration_us = u64::try_from(own.as_micros()).unwrap_or(u64::MAX);
        let ending = Ending {
            status: if self.status == 0 { CLIENT_CLOSED_REQUEST } else { self.status },
            outcome: if is_stream && kind.is_none() { Outcome::Complete } else { self.outcome },
        };
        self.find_row(false);
        let endpoint = self.row;
        let lasts_as_wanted = self.asks_to_wait || endpoint.is_long_poll || is_stream;
        let is_timed = !lasts_as_wanted && !self.client_has_left();
        if let Some(trace) = &mut self.usage {
            trace.finish(!lasts_as_wanted);
        }
        let usage = self.usage.as_deref();
        endpoint.end(&RequestRecord {
            ending,
            duration_us,
            // A body that its client left says nothing of its time.
            is_timed: is_timed && self.outcome != Outcome::Dropped,
            response_bytes: self.response_bytes,
            allocated: self.allocated,
            usage,
            upstream: self.upstream.as_ref(),
        });
        if let (Some(ErrorKind::Server), Some(upstream)) = (kind, &self.upstream)
            && let Some(failure) = upstream.failure
        {
            self.recorder.upstream_failures.count(failure);
        }
        let reports = &self.recorder.reports;
        let slow = is_timed && (duration_us >= endpoint.slow_from_us() || duration_us >= reports.slow_from_us());
        if slow || kind.is_some() {
            self.report(ending, duration_us, slow, kind);
        }
        if let Some(trace) = self.usage.take() {
            attribution::recycle(trace);
        }
    }

    /// Reports a request that was slow or failed to the monitor.
    #[cold]
    fn report(&mut self, ending: Ending, duration_us: u64, slow: bool, kind: Option<ErrorKind>) {
        let sighting = Sighting {
            endpoint: self.endpoint as usize,
            at_unix_ms: now_unix_ms(),
            ending,
            duration_us,
            first_byte_us: NonZeroU32::new(self.first_byte_us),
            connect_us: self.upstream.as_ref().and_then(UpstreamTiming::connect_us),
            response_bytes: self.response_bytes,
            id: self.id,
            usage: slow
                .then(|| self.usage.as_deref().map(|trace| RequestUsage::from_trace(trace, self.started)))
                .flatten(),
        };
        let reports = &self.recorder.reports;
        if slow && !reports.slow(sighting.clone()) {
            // The queue is full: until the monitor empties it, only a slower request tries again.
            self.row.set_slow_from_us(duration_us + 1);
            reports.set_slow_from_us(duration_us + 1);
        }
        if let Some(kind) = kind {
            let ErrorDetails { text, location, .. } = self.error.take().map(|details| *details).unwrap_or_default();
            reports.error(ReportedError { sighting, kind, text, location });
        }
    }
}
