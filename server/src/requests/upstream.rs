//! The time that a proxy's upstream takes for each request, as the proxy reports it to the layer around it.

use std::{num::NonZeroU32, sync::atomic::Ordering::Relaxed, time::Duration};

use super::client_left::ClientLeft;
use crate::sync::AtomicU64;

/// A proxy's report on one forwarded request. The proxy puts it into the extensions of its response, and the layer around the
/// proxy takes it from there.
///
/// ```
/// use std::time::Duration;
///
/// use watchboard::UpstreamTiming;
///
/// let mut response = http::Response::new(());
/// response.extensions_mut().insert(UpstreamTiming::from_response(Duration::from_millis(12), None));
/// ```
#[derive(Clone, Debug, Default)]
pub struct UpstreamTiming {
    pub(super) first_byte: Option<Duration>,
    pub(super) connect: Option<Duration>,
    pub(super) upload: Option<Duration>,
    pub(super) failure: Option<UpstreamFailure>,
    pub(super) client: Option<ClientLeft>,
}

impl UpstreamTiming {
    /// The upstream responded. `first_byte` is the time from the request to the first byte of the response. `connect` is the part of it
    /// that a new connection took; `None` if the proxy reused a connection.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (first_byte, connect) = (Duration::from_millis(12), Duration::from_millis(1));
    /// let timing = watchboard::UpstreamTiming::from_response(first_byte, Some(connect));
    /// ```
    #[must_use]
    pub fn from_response(first_byte: Duration, connect: Option<Duration>) -> Self {
        Self { first_byte: Some(first_byte), connect, ..Self::default() }
    }

    /// The upstream gave no response, for this reason; the response is the proxy's own. The board shows the reason as the error's message.
    ///
    /// ```
    /// let timing = watchboard::UpstreamTiming::from_failure("the upstream refused the connection");
    /// ```
    #[must_use]
    pub fn from_failure(reason: &'static str) -> Self {
        Self { failure: Some(UpstreamFailure { reason, is_refusal: false }), ..Self::default() }
    }

    /// The proxy had no place for the request, for this reason. The board names the [`Capacity`](crate::Capacity) that is full. The response
    /// is a server error, but the upstream is not to blame: the rate of errors that is judged leaves it out.
    ///
    /// ```
    /// let timing = watchboard::UpstreamTiming::from_refusal("too many requests were in progress");
    /// ```
    #[must_use]
    pub fn from_refusal(reason: &'static str) -> Self {
        Self { failure: Some(UpstreamFailure { reason, is_refusal: true }), ..Self::default() }
    }

    /// Adds the time that the client took to send its request. It is no part of the request's duration.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use watchboard::UpstreamTiming;
    ///
    /// let timing = UpstreamTiming::from_response(Duration::from_millis(12), None).with_upload(Duration::from_secs(3));
    /// ```
    #[must_use]
    pub fn with_upload(mut self, duration: Duration) -> Self {
        self.upload = Some(duration);
        self
    }

    /// Adds the note by which the proxy says that the client has left.
    ///
    /// ```
    /// use std::time::Duration;
    /// use watchboard::{ClientLeft, UpstreamTiming};
    ///
    /// // The proxy keeps one clone with the client's connection, and notes there that it has closed.
    /// let client = ClientLeft::default();
    /// let timing = UpstreamTiming::from_response(Duration::from_millis(12), None).with_client(client.clone());
    /// client.note();
    /// ```
    #[must_use]
    pub fn with_client(mut self, client: ClientLeft) -> Self {
        self.client = Some(client);
        self
    }

    pub(super) fn connect_us(&self) -> Option<NonZeroU32> {
        let us = self.connect?.as_micros();
        NonZeroU32::new(u32::try_from(us).unwrap_or(u32::MAX).max(1))
    }
}

/// Why a proxy gave a response of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UpstreamFailure {
    pub(crate) reason: &'static str,
    /// The proxy had no place for the request.
    pub(crate) is_refusal: bool,
}

/// Counters of an endpoint whose requests a proxy forwards.
pub(super) struct UpstreamRecorder {
    answered: AtomicU64,
    first_byte_sum_us: AtomicU64,
    connects: AtomicU64,
    connect_sum_us: AtomicU64,
}

/// Sums over the requests that an upstream got, between two readings or over a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct UpstreamTally {
    /// Requests with a response of the upstream.
    pub(crate) answered: u64,
    /// The times to the first byte, added up.
    pub(crate) first_byte_sum_us: u64,
    /// New connections.
    pub(crate) connects: u64,
    pub(crate) connect_sum_us: u64,
}

impl UpstreamRecorder {
    pub(super) fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self { answered: zero(), first_byte_sum_us: zero(), connects: zero(), connect_sum_us: zero() }
    }

    pub(super) fn record(&self, timing: &UpstreamTiming) {
        if let Some(first_byte) = timing.first_byte {
            self.answered.fetch_add(1, Relaxed);
            self.first_byte_sum_us.fetch_add(first_byte.as_micros() as u64, Relaxed);
        }
        if let Some(connect) = timing.connect {
            self.connects.fetch_add(1, Relaxed);
            self.connect_sum_us.fetch_add(connect.as_micros() as u64, Relaxed);
        }
    }

    pub(super) fn take(&self) -> UpstreamTally {
        UpstreamTally {
            answered: self.answered.swap(0, Relaxed),
            first_byte_sum_us: self.first_byte_sum_us.swap(0, Relaxed),
            connects: self.connects.swap(0, Relaxed),
            connect_sum_us: self.connect_sum_us.swap(0, Relaxed),
        }
    }
}
