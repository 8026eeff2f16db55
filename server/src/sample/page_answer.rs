//! The answers to pages. One of a past span may wait for the store.

use std::sync::Arc;

use tokio::sync::{
    Notify,
    oneshot::{Receiver, error::TryRecvError},
};
use watchboard_wire::{
    FullSnapshot, Reading, RefreshCursor, RefreshQuery, RefreshResponse, Snapshot, Timeline, Unknown,
};

use super::Sampler;
use crate::{
    clock::wall_clock_set_ms,
    database::ProbeResult,
    history::{NameLookup, PastSpan, store::StoredPast},
    supervision::PROBE_WITHIN,
};

/// A page of a past span.
pub(crate) struct PastPage {
    span: PastSpan,
    /// Whether the page has all of it.
    is_had: bool,
    /// What the store has of it; `None` if the frames in memory suffice.
    stored: Option<StoreReading>,
}

/// What the store has of a span, or will have.
enum StoreReading {
    Awaited(Receiver<Reading<StoredPast>>),
    Read(Reading<StoredPast>),
}

impl PastPage {
    /// Whether nothing more of the store is to come.
    pub(crate) fn is_read(&mut self) -> bool {
        let Some(StoreReading::Awaited(reading)) = &mut self.stored else { return true };
        let read = match reading.try_recv() {
            Err(TryRecvError::Empty) => return false,
            Err(TryRecvError::Closed) => Err(Unknown::because("the history on disk has failed: see the log")),
            Ok(read) => read,
        };
        self.stored = Some(StoreReading::Read(read));
        true
    }
}

impl StoreReading {
    fn read(self) -> Reading<StoredPast> {
        match self {
            Self::Read(read) => read,
            Self::Awaited(_) => Err(Unknown::because(format!("the disk has not answered within {PROBE_WITHIN:?}"))),
        }
    }
}

impl Sampler {
    /// Begins to read what the store has of the past span that a page asks for. `is_read` is notified when it is there. `None` if the page
    /// asks for the window that ends now, or the history has nothing of the span.
    pub(crate) fn begin_past(
        &self,
        query: &RefreshQuery,
        cursor: Option<RefreshCursor>,
        is_read: &Arc<Notify>,
    ) -> Option<PastPage> {
        let tick = |second: u64| second.saturating_add_signed(-wall_clock_set_ms() / 1000);
        let (from, to) = query.span?;
        let span = self.history.past_span((tick(from), tick(to)), self.stored.readable())?;
        let is_had = cursor.is_some_and(|cursor| span.is_had_by(&cursor, self.started_at_unix_ms));
        let stored = span.stored.filter(|_| !is_had).map(|tier| match self.stored.read(tier, span.ticks, is_read) {
            Ok(reading) => StoreReading::Awaited(reading),
            Err(unknown) => StoreReading::Read(Err(unknown)),
        });
        Some(PastPage { span, is_had, stored })
    }

    /// The response to a page; `None` if it panics. The sums of windows are then made anew from the frames.
    pub(crate) fn rescued_answer(
        &mut self,
        query: &RefreshQuery,
        (cursor, past): (Option<RefreshCursor>, Option<PastPage>),
        frozen: &FullSnapshot,
        probe_result: &ProbeResult,
    ) -> Option<RefreshResponse> {
        let faults = Arc::clone(&self.faults);
        let answer = faults.rescue("answers", || match past {
            Some(past) => self.answer_past(query, past, &frozen.snapshot, probe_result),
            None => self.answer(query, cursor, &frozen.snapshot, probe_result),
        });
        if answer.is_none() {
            self.history.forget_sums();
        }
        answer.map(|answer| RefreshResponse { age_ms: frozen.age().as_millis() as u64, ..answer })
    }

    /// The response to a page of a past span.
    fn answer_past(
        &mut self,
        query: &RefreshQuery,
        past: PastPage,
        snapshot: &Snapshot,
        probe_result: &ProbeResult,
    ) -> RefreshResponse {
        let PastPage { span, is_had, stored } = past;
        let without_figures = || {
            let snapshot = Snapshot { listens: self.commands.listens(), ..snapshot.clone() };
            let timeline = Timeline { window: span.window, ..Timeline::default() };
            RefreshResponse { snapshot, span: Some(span.ticks), timeline, ..RefreshResponse::default() }
        };
        if is_had {
            return RefreshResponse { is_unchanged: true, ..without_figures() };
        }
        let stored = match stored.map(StoreReading::read).transpose() {
            Ok(stored) => stored,
            Err(_) if span.is_held => None,
            Err(unknown) => return RefreshResponse { unread: Some(unknown), ..without_figures() },
        };
        let Self { history, reader, commands, .. } = self;
        let frames = stored.map(|read| history.past_frames(&span, read, reader, &|name| commands.number(name)));
        let names = NameLookup { reader, command: &|number| commands.name(number) };
        let (response, sums) = history.answer_past(&span, &query.part, frames.as_ref(), snapshot, names);
        self.with_details(response, &query.part, probe_result, |_| sums)
    }
}

#[cfg(test)]
mod tests;
