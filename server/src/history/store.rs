//! Where the history outlives the process. A store keeps the encoded steps of six tiers, and the names that they use, by stable keys. It
//! does not know what is in a step.

mod aside;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod damage_tests;
mod embedded;
mod kept_times;
#[cfg(test)]
mod kill_tests;
#[cfg(feature = "mongodb")]
mod mongo_merged;
#[cfg(feature = "mongodb")]
pub(crate) mod mongo_steps;
#[cfg(feature = "mongodb")]
mod mongo_trim;
#[cfg(feature = "mongodb")]
mod mongodb;
#[cfg_attr(not(feature = "mongodb"), expect(dead_code, reason = "without a driver there is no fleet to deliver to"))]
mod outbox;
mod packs;
mod past_reading;
mod record;
mod redb_errors;
mod tier;
mod writer;

use std::{fmt, ops::Range, path::PathBuf};

use sha2::{Digest, Sha256};

pub use self::kept_times::HistoryStep;
#[cfg(any(test, feature = "measures"))]
pub(crate) use self::writer::read;
pub(crate) use self::{
    embedded::EmbeddedStore,
    kept_times::KeptTimes,
    outbox::{Outbox, WantedSpan},
    tier::StoreTier,
    writer::{Earlier, PART, StoreLink, start},
};
#[cfg(feature = "mongodb")]
pub(crate) use self::{
    mongo_merged::{MAX_WRITTEN, WrittenStep},
    mongo_steps::MongoSteps,
    mongodb::{MongoStore, wait_on},
    outbox::NextDelivery,
};

/// Where the history is kept on disk, and how much of it.
#[derive(Clone, Debug)]
pub(crate) struct HistoryFolder {
    pub(crate) path: PathBuf,
    /// The bytes that its file takes on disk, at most. The file is compared with it every ten minutes.
    pub(crate) max_bytes: u64,
    pub(crate) kept_times: KeptTimes,
}

/// The key of a name in stored steps: the same in each run and on each machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NameKey(pub(crate) u64);

impl NameKey {
    /// The key of an encoded name: the first eight bytes of its SHA-256.
    pub(crate) fn of(name: &[u8]) -> Self {
        Self(Sha256::digest(name).iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte)))
    }
}

/// Marks are kept as long as the coarsest steps, and no more of them.
pub(crate) const MARKS_KEPT_SECONDS: u64 = 398 * 24 * 60 * 60;
pub(crate) const MAX_STORED_MARKS: u64 = 10_000;

/// The Unix seconds at which steps of each tier begin that are read at a start.
pub(crate) type StoredSpans = [(StoreTier, Range<u64>); StoreTier::ALL.len()];

/// A step as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredStep {
    pub(crate) tier: StoreTier,
    /// The Unix second at which it begins.
    pub(crate) start: u64,
    pub(crate) bytes: Vec<u8>,
}

/// A mark as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredMark {
    pub(crate) at_unix_ms: u64,
    pub(crate) bytes: Vec<u8>,
}

/// What the store has of a past span.
#[derive(Debug, Default)]
pub(crate) struct StoredPast {
    pub(crate) steps: Vec<StoredStep>,
    pub(crate) names: Vec<(NameKey, Vec<u8>)>,
}

/// What is stored together. A step that is there already is replaced: sent twice is stored once. The embedded store has all of a batch or
/// nothing. The one in MongoDB may have a part of one that failed, with the names of its steps, until the batch is sent again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    pub(crate) steps: Vec<StoredStep>,
    /// The encoded names that no earlier batch had.
    pub(crate) names: Vec<(NameKey, Vec<u8>)>,
    pub(crate) marks: Vec<StoredMark>,
    /// How the run stands. The next run tells by it how this one ended.
    pub(crate) run_record: Option<Vec<u8>>,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.marks.is_empty() && self.run_record.is_none()
    }
}

/// A store of one monitor's history. Its methods wait for a disk or a network: a task of its own calls them.
pub(crate) trait Store: Send {
    /// Stores a batch. It is there for good when this returns.
    fn append(&mut self, batch: &Batch) -> Result<(), StoreError>;

    /// The steps of a tier that begin within a span of Unix seconds, the oldest first.
    fn steps(&self, tier: StoreTier, span: Range<u64>) -> Result<Vec<StoredStep>, StoreError> {
        self.newest_steps(tier, span, usize::MAX)
    }

    /// The newest of them that take at most so many bytes together, the oldest first.
    fn newest_steps(&self, tier: StoreTier, span: Range<u64>, most_bytes: usize)
    -> Result<Vec<StoredStep>, StoreError>;

    /// The Unix second at which the first step of a tier begins.
    fn first(&self, tier: StoreTier) -> Result<Option<u64>, StoreError>;

    /// The Unix second at which the step of ten seconds begins that was stored last. There may be later ones: a clock was set back.
    fn last_stored(&self) -> Result<Option<u64>, StoreError>;

    /// All names, by rising key.
    fn names(&self) -> Result<Vec<(NameKey, Vec<u8>)>, StoreError>;

    /// The marks within a span of Unix milliseconds, the oldest first.
    fn marks(&self, span: Range<u64>) -> Result<Vec<StoredMark>, StoreError>;

    /// The newest [`Batch::run_record`].
    fn run_record(&self) -> Result<Option<Vec<u8>>, StoreError>;

    /// Removes the steps that are older than their tier keeps, and the oldest marks. While the others take more than `most_bytes`, the oldest of the finest
    /// tier goes, those of [`StoreTier::late_seconds`] last.
    fn trim(&mut self, now: u64, kept_times: &KeptTimes, most_bytes: u64) -> Result<(), StoreError>;

    /// The bytes of all steps, names and marks, without what the store itself needs.
    fn bytes(&self) -> Result<u64, StoreError>;
}

/// Why a store cannot be read or written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StoreError {
    /// Another process has it: the one with this id, if that can be seen.
    #[error("{} writes the history", words_of_process(*.0))]
    Taken(Option<u32>),
    /// Its file is of a newer version of Watchboard, or damaged.
    #[error("the history cannot be read: {0}")]
    Unreadable(String),
    /// The disk refuses.
    #[error("the history cannot be stored: {0}")]
    Refused(String),
}

impl StoreError {
    /// Why, without what of.
    #[cfg(feature = "mongodb")]
    pub(crate) fn into_reason(self) -> String {
        match self {
            Self::Unreadable(reason) | Self::Refused(reason) => reason,
            taken @ Self::Taken(_) => taken.to_string(),
        }
    }

    fn of_disk(error: impl fmt::Display) -> Self {
        Self::Refused(error.to_string())
    }
}

fn words_of_process(pid: Option<u32>) -> String {
    pid.map_or("another process".to_owned(), |pid| format!("process {pid}"))
}
