//! What a service that passes requests on to another knows of each, told to the layer around it.

use std::{num::NonZeroU32, sync::atomic::Ordering::Relaxed, time::Duration};

use crate::sync::AtomicU64;

/// What a service that passes requests on, a proxy, tells of one: to be put into the extensions of its response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassedOn {
    pub(super) first_byte: Option<Duration>,
    pub(super) connect: Option<Duration>,
    pub(super) failure: Option<&'static str>,
}

impl PassedOn {
    /// The other answered: so long after it was asked came the beginning of the response, in which it took `connect` to make a connection;
    /// none where there was one.
    pub fn answered(first_byte: Duration, connect: Option<Duration>) -> Self {
        Self { first_byte: Some(first_byte), connect, failure: None }
    }

    /// The other gave no answer, for this reason; the response is the service's own. The board lists the reason as the error's message.
    pub fn failed(reason: &'static str) -> Self {
        Self { failure: Some(reason), ..Self::default() }
    }

    pub(super) fn connect_us(self) -> Option<NonZeroU32> {
        let us = self.connect?.as_micros();
        NonZeroU32::new(u32::try_from(us).unwrap_or(u32::MAX).max(1))
    }
}

/// Counters of an endpoint whose requests are passed on.
pub(super) struct PassedOnRecorder {
    answered: AtomicU64,
    first_byte_sum_us: AtomicU64,
    connects: AtomicU64,
    connect_sum_us: AtomicU64,
}

/// What the other took, between two readings or over a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PassedOnTally {
    /// Requests that it answered.
    pub(crate) answered: u64,
    /// Until the beginning of its response, all of them together.
    pub(crate) first_byte_sum_us: u64,
    /// Connections that were made.
    pub(crate) connects: u64,
    pub(crate) connect_sum_us: u64,
}

impl PassedOnRecorder {
    pub(super) fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self { answered: zero(), first_byte_sum_us: zero(), connects: zero(), connect_sum_us: zero() }
    }

    pub(super) fn record(&self, passed_on: PassedOn) {
        if let Some(first_byte) = passed_on.first_byte {
            self.answered.fetch_add(1, Relaxed);
            self.first_byte_sum_us.fetch_add(first_byte.as_micros() as u64, Relaxed);
        }
        if let Some(connect) = passed_on.connect {
            self.connects.fetch_add(1, Relaxed);
            self.connect_sum_us.fetch_add(connect.as_micros() as u64, Relaxed);
        }
    }

    pub(super) fn take(&self) -> PassedOnTally {
        PassedOnTally {
            answered: self.answered.swap(0, Relaxed),
            first_byte_sum_us: self.first_byte_sum_us.swap(0, Relaxed),
            connects: self.connects.swap(0, Relaxed),
            connect_sum_us: self.connect_sum_us.swap(0, Relaxed),
        }
    }
}
