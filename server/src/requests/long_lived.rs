//! The counters of an endpoint's WebSockets, other upgraded connections and streams. They are relaxed atomic adds, and nothing takes them: all
//! figures are since the start.

use std::sync::atomic::Ordering::Relaxed;

use tokio::time::Instant;
use watchboard_wire::{ClosedBy, Closes, LongLivedKind, LongLivedTotals};

use crate::sync::{AtomicU64, OnceBox, slots::find_or_insert};

/// The close code of a WebSocket that ended without a close frame: no frame has it.
pub(super) const NO_CLOSE_FRAME: u16 = 1006;
/// Codes that RFC 6455 defines or reserves.
const FIRST_CODE: u16 = 1000;
const CODES: usize = 16;
/// Codes that libraries and applications choose for themselves.
const PRIVATE_CODES: std::ops::Range<u16> = 3000..5000;
/// Private codes of an endpoint that are told apart. A client can send any of them. A power of two, for the table.
const MAX_PRIVATE_CODES: usize = 32;
/// The sides that can close, and that it is not known.
const SIDES: [Option<ClosedBy>; 4] = [Some(ClosedBy::Client), Some(ClosedBy::Application), Some(ClosedBy::Proxy), None];

/// The counters of one kind.
pub(super) struct LongLivedRecorder {
    opened: AtomicU64,
    unobserved: AtomicU64,
    duration_sum_us: AtomicU64,
    duration_max_us: AtomicU64,
    received: Traffic,
    sent: Traffic,
    unparsed: AtomicU64,
    codes: [ClosesBySide; CODES],
    private_codes: [OnceBox<PrivateCode>; MAX_PRIVATE_CODES],
    without_code: ClosesBySide,
}

/// What went one way.
struct Traffic {
    bytes: AtomicU64,
    messages: AtomicU64,
}

/// Ends by the side that closed first, in the order of [`SIDES`].
struct ClosesBySide([AtomicU64; SIDES.len()]);

struct PrivateCode {
    code: u16,
    sides: ClosesBySide,
}

/// One that is open.
pub(super) struct OpenExchange {
    recorder: &'static LongLivedRecorder,
    since: Instant,
}

impl OpenExchange {
    pub(super) fn new(recorder: &'static LongLivedRecorder) -> Self {
        recorder.opened.fetch_add(1, Relaxed);
        Self { recorder, since: Instant::now() }
    }

    pub(super) fn receive(&self, bytes: u64, messages: u64) {
        self.recorder.received.add(bytes, messages);
    }

    pub(super) fn send(&self, bytes: u64, messages: u64) {
        self.recorder.sent.add(bytes, messages);
    }

    pub(super) fn note_unparsed(&self) {
        self.recorder.unparsed.fetch_add(1, Relaxed);
    }

    /// It has ended.
    pub(super) fn close(&self, code: Option<u16>, by: Option<ClosedBy>) {
        let recorder = self.recorder;
        let duration_us = self.since.elapsed().as_micros() as u64;
        recorder.duration_sum_us.fetch_add(duration_us, Relaxed);
        recorder.duration_max_us.fetch_max(duration_us, Relaxed);
        recorder.closes(code).count(by);
    }
}

impl LongLivedRecorder {
    pub(super) fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            opened: zero(),
            unobserved: zero(),
            duration_sum_us: zero(),
            duration_max_us: zero(),
            received: Traffic::new(),
            sent: Traffic::new(),
            unparsed: zero(),
            codes: std::array::from_fn(|_| ClosesBySide::new()),
            private_codes: std::array::from_fn(|_| OnceBox::new()),
            without_code: ClosesBySide::new(),
        }
    }

    /// One was opened of which nothing else will be seen.
    pub(super) fn count_unobserved(&self) {
        self.unobserved.fetch_add(1, Relaxed);
        self.opened.fetch_add(1, Relaxed);
    }

    /// The ends with a code. A code that no frame may have, and a private one past the bound, counts as none.
    fn closes(&self, code: Option<u16>) -> &ClosesBySide {
        let Some(code) = code else { return &self.without_code };
        if let Some(sides) = code.checked_sub(FIRST_CODE).and_then(|index| self.codes.get(usize::from(index))) {
            return sides;
        }
        if !PRIVATE_CODES.contains(&code) {
            return &self.without_code;
        }
        let new = || Some(PrivateCode { code, sides: ClosesBySide::new() });
        let found = find_or_insert(&self.private_codes, code.into(), |entry| entry.code == code, new, |_| ());
        found.map_or(&self.without_code, |(_, entry)| &entry.sides)
    }

    pub(super) fn read(&self, kind: LongLivedKind) -> LongLivedTotals {
        let codes = (FIRST_CODE..).zip(&self.codes);
        let private = self.private_codes.iter().filter_map(OnceBox::get).map(|entry| (entry.code, &entry.sides));
        let with_code = codes.chain(private).map(|(code, sides)| (Some(code), sides));
        let closes = with_code.chain([(None, &self.without_code)]).flat_map(|(code, sides)| sides.read(code));
        let mut closes: Vec<Closes> = closes.collect();
        closes.sort_by_key(|closes| (closes.code.is_none(), closes.code, closes.by));
        let unobserved = self.unobserved.load(Relaxed);
        let mut totals = LongLivedTotals {
            unobserved,
            duration_sum_us: self.duration_sum_us.load(Relaxed),
            duration_max_us: self.duration_max_us.load(Relaxed),
            received_bytes: self.received.bytes.load(Relaxed),
            sent_bytes: self.sent.bytes.load(Relaxed),
            received_messages: self.received.messages.load(Relaxed),
            sent_messages: self.sent.messages.load(Relaxed),
            unparsed: self.unparsed.load(Relaxed),
            closes,
            ..LongLivedTotals::new(kind)
        };
        // After the ends, so that no more end than were opened.
        totals.opened = self.opened.load(Relaxed);
        totals.open = totals.opened.saturating_sub(unobserved + totals.ends());
        totals
    }

    /// The memory that it holds, in bytes.
    pub(super) fn held_bytes(&self) -> usize {
        let private = self.private_codes.iter().filter_map(OnceBox::get).count();
        size_of::<Self>() + private * size_of::<PrivateCode>()
    }
}

impl Traffic {
    fn new() -> Self {
        Self { bytes: AtomicU64::new(0), messages: AtomicU64::new(0) }
    }

    fn add(&self, bytes: u64, messages: u64) {
        self.bytes.fetch_add(bytes, Relaxed);
        if messages > 0 {
            self.messages.fetch_add(messages, Relaxed);
        }
    }
}

impl ClosesBySide {
    fn new() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }

    fn count(&self, by: Option<ClosedBy>) {
        let side = SIDES.iter().position(|side| *side == by).unwrap_or_default();
        self.0[side].fetch_add(1, Relaxed);
    }

    fn read(&self, code: Option<u16>) -> impl Iterator<Item = Closes> {
        let counts = self.0.iter().zip(SIDES).map(|(count, by)| (by, count.load(Relaxed)));
        counts.filter(|(_, count)| *count > 0).map(move |(by, count)| Closes { code, by, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_invents_codes_makes_no_more_of_them_than_the_bound_and_takes_none_of_the_standard_ones() {
        let recorder: &'static LongLivedRecorder = Box::leak(Box::new(LongLivedRecorder::new()));
        for code in 0..=u16::MAX {
            OpenExchange::new(recorder).close(Some(code), Some(ClosedBy::Client));
        }
        OpenExchange::new(recorder).close(Some(1011), Some(ClosedBy::Application));
        let totals = recorder.read(LongLivedKind::WebSocket);
        assert_eq!((totals.opened, totals.ends(), totals.open), (65_537, 65_537, 0));
        assert_eq!(totals.closes.len(), CODES + MAX_PRIVATE_CODES + 2);
        let internal = Closes { code: Some(1011), by: Some(ClosedBy::Application), count: 1 };
        assert!(totals.closes.contains(&internal), "{totals:?}");
        assert!(recorder.held_bytes() < 4096, "{} bytes", recorder.held_bytes());
    }

    #[test]
    fn what_is_open_is_what_was_opened_without_what_ended_and_what_is_not_seen() {
        let recorder: &'static LongLivedRecorder = Box::leak(Box::new(LongLivedRecorder::new()));
        let (first, _second) = (OpenExchange::new(recorder), OpenExchange::new(recorder));
        recorder.count_unobserved();
        first.receive(10, 1);
        first.send(7, 0);
        first.close(None, None);
        let totals = recorder.read(LongLivedKind::Upgrade);
        assert_eq!((totals.open, totals.opened, totals.unobserved, totals.ends()), (1, 3, 1, 1));
        assert_eq!((totals.received_bytes, totals.received_messages, totals.sent_bytes), (10, 1, 7));
    }
}
