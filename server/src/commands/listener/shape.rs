//! The counters of one command on one collection.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use once_cell::race::OnceBox;

use crate::{
    commands::CommandTally,
    histograms::{BucketRecorder, Distribution},
    sync::slots::find_or_insert,
};

/// Error codes with a counter of their own; further ones count only as errors. A power of two, for the table of counters.
const CODES: usize = 8;

/// How a command ended.
#[derive(Debug)]
pub(super) enum CommandOutcome<'a> {
    Fine {
        elapsed: Duration,
        documents: u64,
    },
    /// The code is zero if there was no reply.
    Failed {
        elapsed: Duration,
        code: i32,
        name: &'a str,
    },
    /// The sender did not wait for the reply.
    Cancelled,
}

impl CommandOutcome<'_> {
    /// The duration, and whether the command failed; `None` if it was cancelled.
    pub(super) fn duration(&self) -> Option<(Duration, bool)> {
        match self {
            Self::Fine { elapsed, .. } => Some((*elapsed, false)),
            Self::Failed { elapsed, .. } => Some((*elapsed, true)),
            Self::Cancelled => None,
        }
    }
}

/// A command on a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ShapeName {
    pub(crate) command: Box<str>,
    pub(crate) database: Box<str>,
    /// Empty if the command has none.
    pub(crate) collection: Box<str>,
}

/// The counters of one command on one collection.
pub(super) struct Shape {
    /// The hash of its name, by which it is found.
    pub(super) hash: u64,
    started: AtomicU64,
    fine: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
    documents: AtomicU64,
    duration_sum_us: AtomicU64,
    times: BucketRecorder,
    codes: [OnceBox<Code>; CODES],
    pub(super) name: ShapeName,
}

struct Code {
    number: i32,
    name: String,
    count: AtomicU64,
}

impl Shape {
    pub(super) fn new(name: ShapeName, hash: u64) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            hash,
            name,
            started: zero(),
            fine: zero(),
            failed: zero(),
            cancelled: zero(),
            documents: zero(),
            duration_sum_us: zero(),
            times: BucketRecorder::new(),
            codes: std::array::from_fn(|_| OnceBox::new()),
        }
    }

    pub(super) fn start(&self) {
        self.started.fetch_add(1, Relaxed);
    }

    pub(super) fn end(&self, outcome: &CommandOutcome<'_>) {
        match outcome {
            CommandOutcome::Fine { documents, .. } => {
                self.fine.fetch_add(1, Relaxed);
                if *documents > 0 {
                    self.documents.fetch_add(*documents, Relaxed);
                }
            }
            CommandOutcome::Failed { code, name, .. } => {
                self.failed.fetch_add(1, Relaxed);
                self.count(*code, name);
            }
            CommandOutcome::Cancelled => _ = self.cancelled.fetch_add(1, Relaxed),
        }
        if let Some((elapsed, _)) = outcome.duration() {
            let us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
            self.duration_sum_us.fetch_add(us, Relaxed);
            self.times.record(us);
        }
    }

    fn count(&self, code: i32, name: &str) {
        let new = || Some(Code { number: code, name: name.to_owned(), count: AtomicU64::new(0) });
        if let Some((_, counter)) = find_or_insert(&self.codes, 0, |counter| counter.number == code, new, |_| ()) {
            counter.count.fetch_add(1, Relaxed);
        }
    }

    /// Commands sent since the start.
    pub(super) fn started_count(&self) -> u64 {
        self.started.load(Relaxed)
    }

    /// The errors since the start: code, name, count.
    pub(super) fn codes(&self) -> impl Iterator<Item = (i32, &str, u64)> {
        self.codes.iter().filter_map(OnceBox::get).map(|code| (code.number, &*code.name, code.count.load(Relaxed)))
    }

    /// Takes the counts since the last call; `None` if no command ended.
    pub(super) fn take(&self) -> Option<CommandTally> {
        let take = |counter: &AtomicU64| counter.swap(0, Relaxed);
        let ended = [&self.fine, &self.failed, &self.cancelled];
        if ended.iter().all(|counter| counter.load(Relaxed) == 0) {
            return None;
        }
        let [fine, failed, cancelled] = ended.map(take);
        let mut times = Distribution::default();
        self.times.take(|bucket, count| times.add(bucket, count));
        Some(CommandTally {
            fine,
            failed,
            cancelled,
            documents: take(&self.documents),
            duration_sum_us: take(&self.duration_sum_us),
            times,
        })
    }

    pub(super) fn held_bytes(&self) -> u64 {
        let ShapeName { command, database, collection } = &self.name;
        let names = command.len() + database.len() + collection.len();
        let codes = self.codes.iter().filter_map(OnceBox::get);
        let codes = codes.map(|code| size_of::<Code>() + code.name.capacity()).sum::<usize>();
        (size_of::<Self>() + BucketRecorder::held_bytes() + names + codes) as u64
    }
}
