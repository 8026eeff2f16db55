//! The counters of one command on one collection.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use once_cell::race::OnceBox;

use super::Name;
use crate::histograms::{BucketRecorder, Distribution};

/// Error codes that are told apart; further ones count as errors alone.
const CODES: usize = 8;

/// How a command ended.
#[derive(Debug)]
pub(super) enum Ended<'a> {
    Fine {
        took: Duration,
        documents: u64,
    },
    /// The code is zero where there was no answer.
    Failed {
        took: Duration,
        code: i32,
        name: &'a str,
    },
    /// Whoever sent it did not wait for the answer.
    Cancelled,
}

impl Ended<'_> {
    /// How long it took, and whether it failed.
    pub(super) fn took(&self) -> Option<(Duration, bool)> {
        match self {
            Self::Fine { took, .. } => Some((*took, false)),
            Self::Failed { took, .. } => Some((*took, true)),
            Self::Cancelled => None,
        }
    }
}

pub(super) struct Shape {
    /// Of its name, by which it is found.
    pub(super) hash: u64,
    started: AtomicU64,
    fine: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
    documents: AtomicU64,
    duration_sum_us: AtomicU64,
    times: BucketRecorder,
    codes: [OnceBox<Code>; CODES],
    pub(super) name: Name,
}

struct Code {
    number: i32,
    name: String,
    count: AtomicU64,
}

/// What ended between two readings.
#[derive(Default)]
pub(crate) struct TakenShape {
    pub(crate) fine: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
    pub(crate) documents: u64,
    pub(crate) duration_sum_us: u64,
    pub(crate) times: Distribution,
}

impl Shape {
    pub(super) fn new(name: Name, hash: u64) -> Self {
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

    pub(super) fn end(&self, ended: &Ended<'_>) {
        match ended {
            Ended::Fine { documents, .. } => {
                self.fine.fetch_add(1, Relaxed);
                if *documents > 0 {
                    self.documents.fetch_add(*documents, Relaxed);
                }
            }
            Ended::Failed { code, name, .. } => {
                self.failed.fetch_add(1, Relaxed);
                self.count(*code, name);
            }
            Ended::Cancelled => _ = self.cancelled.fetch_add(1, Relaxed),
        }
        if let Some((took, _)) = ended.took() {
            let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            self.duration_sum_us.fetch_add(us, Relaxed);
            self.times.record(us);
        }
    }

    fn count(&self, code: i32, name: &str) {
        for slot in &self.codes {
            let counter =
                slot.get_or_init(|| Box::new(Code { number: code, name: name.to_owned(), count: AtomicU64::new(0) }));
            if counter.number == code {
                counter.count.fetch_add(1, Relaxed);
                return;
            }
        }
    }

    /// Sent since the start.
    pub(super) fn started(&self) -> u64 {
        self.started.load(Relaxed)
    }

    /// The errors since the start: code, name, and how many.
    pub(super) fn codes(&self) -> impl Iterator<Item = (i32, &str, u64)> {
        self.codes.iter().filter_map(OnceBox::get).map(|code| (code.number, &*code.name, code.count.load(Relaxed)))
    }

    /// Takes what ended since the last time; none where nothing did.
    pub(super) fn take(&self) -> Option<TakenShape> {
        let take = |counter: &AtomicU64| counter.swap(0, Relaxed);
        let ended = [&self.fine, &self.failed, &self.cancelled];
        if ended.iter().all(|counter| counter.load(Relaxed) == 0) {
            return None;
        }
        let [fine, failed, cancelled] = ended.map(take);
        let mut times = Distribution::default();
        self.times.take(|bucket, count| times.add(bucket, count));
        Some(TakenShape {
            fine,
            failed,
            cancelled,
            documents: take(&self.documents),
            duration_sum_us: take(&self.duration_sum_us),
            times,
        })
    }

    pub(super) fn held_bytes(&self) -> u64 {
        let Name { command, database, collection } = &self.name;
        (size_of::<Self>() + BucketRecorder::held_bytes() + command.len() + database.len() + collection.len()) as u64
    }
}
