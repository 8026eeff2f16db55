//! The answers to pages. One of a past span may wait for the store.

use std::sync::Arc;

use tokio::sync::{
    Notify,
    oneshot::{Receiver, channel, error::TryRecvError},
};
use watchboard_wire::{FullSnapshot, RefreshCursor, RefreshQuery, RefreshResponse, Snapshot};

use super::Sampler;
use crate::{
    clock::wall_clock_set_ms,
    database::ProbeResult,
    history::{NameLookup, PastFrames, PastSpan, store::StoredPast},
};

/// A page of a past span.
pub(crate) struct PastPage {
    span: PastSpan,
    /// Whether the page has all of it.
    is_had: bool,
    /// What the store has of it, once that is read.
    reading: Option<Receiver<StoredPast>>,
    read: Option<StoredPast>,
}

impl PastPage {
    /// Whether nothing more of the store is to come.
    pub(crate) fn is_read(&mut self) -> bool {
        match self.reading.as_mut().map(Receiver::try_recv) {
            Some(Err(TryRecvError::Empty)) => return false,
            Some(Ok(past)) => self.read = Some(past),
            Some(Err(TryRecvError::Closed)) | None => {}
        }
        self.reading = None;
        true
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
        let span = self.history.past_span((tick(from), tick(to)), self.stored.is_readable())?;
        let is_had = cursor.is_some_and(|cursor| span.is_had_by(&cursor, self.started_at_unix_ms));
        let reading = span.stored.filter(|_| !is_had).map(|tier| {
            let (answer, reading) = channel();
            let is_read = Arc::clone(is_read);
            self.stored.read(tier, span.ticks, move |past| {
                let _ = answer.send(past);
                is_read.notify_one();
            });
            reading
        });
        Some(PastPage { span, is_had, reading, read: None })
    }

    /// The response to a page; `None` if it panics. The sums of windows are then made anew from the frames.
    pub(crate) fn rescued_answer(
        &mut self,
        query: &RefreshQuery,
        (cursor, past): (Option<RefreshCursor>, Option<&PastPage>),
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
        past: &PastPage,
        snapshot: &Snapshot,
        probe_result: &ProbeResult,
    ) -> RefreshResponse {
        let span = &past.span;
        if past.is_had {
            let snapshot = Snapshot { listens: self.commands.listens(), ..snapshot.clone() };
            return RefreshResponse {
                snapshot,
                span: Some(span.ticks),
                is_unchanged: true,
                ..RefreshResponse::default()
            };
        }
        let Self { history, reader, commands, .. } = self;
        let frames = past.read.as_ref().map(|read| PastFrames::new(span, read, reader, &|name| commands.number(name)));
        let names = NameLookup { reader, command: &|number| commands.name(number) };
        let (response, sums) = history.answer_past(span, &query.part, frames.as_ref(), snapshot, names);
        self.with_details(response, &query.part, probe_result, |_| sums)
    }
}
