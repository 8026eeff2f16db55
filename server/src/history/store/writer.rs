//! The thread that has the store. It reads what earlier runs have stored, and then stores what the sampler sends. Nobody waits for it.

use std::{
    collections::VecDeque,
    fmt, fs, io,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, RecvError, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::{Notify, Semaphore, oneshot};
use watchboard_wire::{Reading, StoredHistory, Unknown};

use super::{
    Batch, EmbeddedStore, HistoryFolder, NameKey, Store, StoreError, StoreTier, StoredMark, StoredPast, StoredSpans,
    StoredStep, WantedSpan,
    aside::set_aside,
    past_reading::{PastReading, copy_from},
    words_of_process,
};
use crate::supervision::{PROBE_WITHIN, Supervision, no_answer, panics::take_reason, supervise};

/// The name of the thread in the list of faults.
pub(crate) const PART: &str = "history on disk";
/// Batches that wait for a slow disk, ten seconds each.
const MAX_WAITING: usize = 60;
/// Past spans that wait to be read. While a disk hangs, more of them would take the places of batches.
const MAX_READS: usize = 8;
/// The time between two looks whether another process has released the file.
const RETRY_EACH: Duration = Duration::from_secs(2);
/// A disk that has not answered for so long stores nothing: the next batch waits already.
const SILENT_AFTER: Duration = Duration::from_secs(10);
/// A start reads no more of each tier: all of them have to fit into the history's memory.
const MAX_READ_BYTES: usize = 8 << 20;
/// The time between two looks for what is too old.
const TRIM_EACH: Duration = Duration::from_mins(10);

/// Steps and names that were stored by earlier runs.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    pub(crate) steps: Vec<StoredStep>,
    /// The start of the step of ten seconds that was stored last.
    pub(crate) last_stored: Option<u64>,
    /// The steps around it, of which the longer ones are made that the last run had begun.
    pub(crate) last_steps: Vec<StoredStep>,
    pub(crate) names: Vec<(NameKey, Vec<u8>)>,
    /// All that are kept.
    pub(crate) marks: Vec<StoredMark>,
    /// The Unix seconds at which the first step of each tier begins.
    pub(crate) first_starts: Vec<(StoreTier, u64)>,
    /// How the last run stood.
    pub(crate) run_record: Option<Vec<u8>>,
}

/// What the thread is told to do.
enum StoreOrder {
    Store(Batch),
    Read(PastReading),
    /// Read all of a span that the fleet's store lacks.
    Copy(WantedSpan),
}

/// What the sampler has of the store.
pub(crate) struct StoreLink {
    orders: SyncSender<StoreOrder>,
    /// What earlier runs have stored; `None` once it was taken.
    earlier: Option<Receiver<Earlier>>,
    state: Arc<StoreState>,
    /// Places for past spans that wait to be read.
    reads: Arc<Semaphore>,
    /// Disconnected when the thread has ended.
    ended: Receiver<()>,
}

/// What is told of the store.
#[derive(Debug, Default)]
struct StoreState {
    is_stored: AtomicBool,
    /// The other process that has the file.
    writer: Mutex<Option<String>>,
    bytes: AtomicU64,
    lost: AtomicU64,
    /// When the disk was asked for what it has not answered yet.
    asked_at: Mutex<Option<Instant>>,
}

/// Starts the thread. `spans` are the steps that it reads at its start; `supervision` is told when it has.
pub(crate) fn start(folder: HistoryFolder, spans: StoredSpans, supervision: &Supervision) -> io::Result<StoreLink> {
    let Supervision { faults, probed } = supervision.clone();
    let (orders, received) = sync_channel(MAX_WAITING + MAX_READS);
    let (loaded, earlier) = sync_channel(1);
    let state = Arc::<StoreState>::default();
    let mut writer = StoreWriter {
        folder,
        spans,
        received,
        loaded: Some(loaded),
        probed,
        pending: VecDeque::new(),
        state: Arc::clone(&state),
        panics: 0,
    };
    let (alive, ended) = sync_channel(0);
    let run = move || {
        let _alive: SyncSender<()> = alive;
        supervise(PART, &faults, || writer.run());
    };
    thread::Builder::new().name("watchboard-history".to_owned()).spawn(run)?;
    Ok(StoreLink { orders, earlier: Some(earlier), state, reads: Arc::new(Semaphore::new(MAX_READS)), ended })
}

impl StoreLink {
    /// Sends a batch. If the disk is so slow that too many wait, it is lost, counted, and returned.
    pub(crate) fn send(&self, batch: Batch) -> Option<Batch> {
        if batch.is_empty() {
            return None;
        }
        let (TrySendError::Full(StoreOrder::Store(lost)) | TrySendError::Disconnected(StoreOrder::Store(lost))) =
            self.orders.try_send(StoreOrder::Store(batch)).err()?
        else {
            return None;
        };
        self.state.lost.fetch_add(1, Relaxed);
        Some(lost)
    }

    /// Asks for the steps of a past span. `is_read` is notified of the answer. Refused while too many wait for a slow disk.
    pub(crate) fn read(
        &self,
        tier: StoreTier,
        span: Range<u64>,
        is_read: Arc<Notify>,
    ) -> Reading<oneshot::Receiver<Reading<StoredPast>>> {
        let busy = || Unknown::because("the history on disk is busy: too many wait for it");
        let place = Arc::clone(&self.reads).try_acquire_owned().map_err(|_| busy())?;
        let (answer, reading) = oneshot::channel();
        let order = StoreOrder::Read(PastReading { tier, span, answer, is_read, place });
        self.orders.try_send(order).map_err(|_| busy())?;
        Ok(reading)
    }

    /// Asks for what the fleet's store lacks. Refused while too many wait for a slow disk.
    pub(crate) fn copy(&self, wanted: WantedSpan) {
        let refused = self.orders.try_send(StoreOrder::Copy(wanted)).err();
        if let Some(
            TrySendError::Full(StoreOrder::Copy(wanted)) | TrySendError::Disconnected(StoreOrder::Copy(wanted)),
        ) = refused
        {
            wanted.refuse("the history on disk is busy: too many wait for it");
        }
    }

    /// What earlier runs have stored, once: the first call after it was read has it. Waits for it so long.
    pub(crate) fn take_earlier(&mut self, wait: Duration) -> Option<Earlier> {
        let earlier = self.earlier.as_ref()?.recv_timeout(wait).ok()?;
        self.earlier = None;
        Some(earlier)
    }

    /// Whether it has just begun to read what earlier runs have stored, so that a page should wait for it.
    pub(crate) fn is_awaited(&self) -> bool {
        let asked_at = *lock(&self.state.asked_at);
        self.is_loading() && asked_at.is_some_and(|asked_at| asked_at.elapsed() < PROBE_WITHIN)
    }

    /// Whether it still reads what earlier runs have stored. What would be stored by then could be a part of a step alone.
    pub(crate) fn is_loading(&self) -> bool {
        self.earlier.is_some()
    }

    /// Sends the last batch, and waits so long until it is stored. Without a file there is nothing to wait for.
    pub(crate) fn finish(self, batch: Batch, within: Duration) {
        let Self { orders, state, ended, .. } = self;
        let is_sent = orders.try_send(StoreOrder::Store(batch)).is_ok();
        drop(orders);
        if is_sent && state.is_stored.load(Relaxed) {
            let _ = ended.recv_timeout(within);
        }
    }

    /// That the disk hangs, in words.
    pub(crate) fn overdue(&self) -> Option<String> {
        let silent = lock(&self.state.asked_at).map(|asked_at| asked_at.elapsed());
        silent.filter(|silent| *silent >= SILENT_AFTER).map(|silent| format!("{PART}: {}", no_answer(silent)))
    }

    pub(crate) fn state(&self) -> StoredHistory {
        let StoreState { is_stored, writer, bytes, lost, .. } = &*self.state;
        StoredHistory {
            is_stored: is_stored.load(Relaxed) && self.overdue().is_none(),
            writer: lock(writer).clone(),
            bytes: bytes.load(Relaxed),
            lost: lost.load(Relaxed),
            unreadable: 0,
        }
    }
}

struct StoreWriter {
    folder: HistoryFolder,
    spans: StoredSpans,
    received: Receiver<StoreOrder>,
    loaded: Option<SyncSender<Earlier>>,
    /// Notified when that is there.
    probed: Arc<Notify>,
    pending: VecDeque<Batch>,
    state: Arc<StoreState>,
    /// Since it last went on without one.
    panics: u32,
}

impl StoreWriter {
    /// Stores what comes, until the monitor ends. After an error it is called again. While another process has the file it waits.
    fn run(&mut self) -> io::Result<()> {
        self.state.is_stored.store(false, Relaxed);
        let with_path =
            |path: &Path, error: &dyn fmt::Display| io::Error::other(format!("{}: {error}", path.display()));
        let folder = &self.folder.path;
        fs::create_dir_all(folder).map_err(|error| with_path(folder, &error))?;
        let file = folder.join("history.redb");
        loop {
            match self.try_to_store(&file) {
                None => return Ok(()),
                Some(StoreError::Unreadable(reason)) => {
                    self.panics = 0;
                    return Err(io::Error::other(set_aside(&file, &reason)?));
                }
                Some(StoreError::Taken(pid)) => *lock(&self.state.writer) = Some(words_of_process(pid)),
                Some(error) => return Err(with_path(&file, &error)),
            }
            match self.received.recv_timeout(RETRY_EACH) {
                Ok(StoreOrder::Store(batch)) => self.keep_for_later(batch),
                Ok(StoreOrder::Read(reading)) => {
                    reading.answer(Err(Unknown::because("another process has the history")));
                }
                Ok(StoreOrder::Copy(wanted)) => wanted.refuse("another process has the history"),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    /// Keeps a batch until the file is free, instead of the oldest if too many wait.
    fn keep_for_later(&mut self, batch: Batch) {
        self.pending.push_back(batch);
        if self.pending.len() > MAX_WAITING {
            self.pending.pop_front();
            self.state.lost.fetch_add(1, Relaxed);
        }
    }

    /// Stores what comes. Returns why it cannot go on; `None` when the monitor ends.
    fn try_to_store(&mut self, file: &Path) -> Option<StoreError> {
        // redb can panic while it opens a damaged file.
        *lock(&self.state.asked_at) = Some(Instant::now());
        let stored = catch_unwind(AssertUnwindSafe(|| self.store_in(file)));
        *lock(&self.state.asked_at) = None;
        if let Ok(stored) = stored {
            self.panics = 0;
            return stored.err();
        }
        self.panics += 1;
        let reason = format!("its reader failed: {}", take_reason());
        // Once may be anything. Twice it is the file.
        Some(if self.panics > 1 { StoreError::Unreadable(reason) } else { StoreError::Refused(reason) })
    }

    /// Waits for an order. The disk is asked for nothing meanwhile.
    fn next_order(&self) -> Result<StoreOrder, RecvError> {
        *lock(&self.state.asked_at) = None;
        let order = self.received.recv();
        *lock(&self.state.asked_at) = Some(Instant::now());
        order
    }

    fn store_in(&mut self, file: &Path) -> Result<(), StoreError> {
        let mut store = EmbeddedStore::open(file)?;
        *lock(&self.state.writer) = None;
        if let Some(loaded) = &self.loaded {
            // The monitor may have ended.
            let _ = loaded.send(read(&store, &self.spans)?);
            self.loaded = None;
            self.probed.notify_one();
        }
        let mut trimmed: Option<Instant> = None;
        loop {
            while let Some(batch) = self.pending.front() {
                if !store.is_in_place() {
                    // What comes goes to the next file, which has to know its names.
                    self.pending.push_front(Batch { names: store.names()?, ..Batch::default() });
                    return Err(StoreError::Refused("it was removed or replaced, a new one is begun".to_owned()));
                }
                store.append(batch)?;
                self.pending.pop_front();
            }
            if trimmed.is_none_or(|trimmed| trimmed.elapsed() >= TRIM_EACH) {
                let now = crate::clock::now_unix_ms() / 1000;
                store.keep_within(now, &self.folder.kept_times, self.folder.max_bytes)?;
                trimmed = Some(Instant::now());
            }
            self.state.bytes.store(store.bytes()?, Relaxed);
            self.state.is_stored.store(true, Relaxed);
            match self.next_order() {
                Ok(StoreOrder::Store(batch)) => self.pending.push_back(batch),
                Ok(StoreOrder::Read(reading)) => reading.read_from(&store)?,
                Ok(StoreOrder::Copy(WantedSpan { span, answer })) => match copy_from(&store, &span) {
                    Ok(batch) => _ = answer.try_send(Ok(batch)),
                    Err(error) => {
                        let _ = answer.try_send(Err(Unknown::because(&error)));
                        return Err(error);
                    }
                },
                Err(_) => return Ok(()),
            }
        }
    }
}

pub(crate) fn read(store: &EmbeddedStore, spans: &StoredSpans) -> Result<Earlier, StoreError> {
    let mut earlier = Earlier {
        names: store.names()?,
        marks: store.marks(0..u64::MAX)?,
        run_record: store.run_record()?,
        ..Earlier::default()
    };
    for (tier, span) in spans {
        // Also those of other runs from the time of this one, if there are some.
        earlier.steps.extend(store.newest_steps(*tier, span.start..u64::MAX, MAX_READ_BYTES)?);
        earlier.first_starts.extend(store.first(*tier)?.map(|first| (*tier, first)));
    }
    if let Some(last) = store.last_stored()? {
        earlier.last_stored = Some(last);
        for tier in StoreTier::ALL {
            earlier.last_steps.extend(store.steps(tier, tier.longer_step_of(last))?);
        }
    }
    Ok(earlier)
}

/// A panic elsewhere does not end the writer.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl From<StoreError> for io::Error {
    fn from(error: StoreError) -> Self {
        Self::other(error)
    }
}

/// Runs the writer for one batch, until it is stored. Returns what it read before. It is started again as the supervisor does, without its
/// pauses.
#[cfg(test)]
pub(super) fn run_writer(folder: &HistoryFolder, spans: StoredSpans, batch: Batch) -> Earlier {
    let (batches, received) = sync_channel(1);
    let (loaded, earlier) = sync_channel(1);
    batches.send(StoreOrder::Store(batch)).expect("there is room");
    drop(batches);
    let mut writer = StoreWriter {
        folder: folder.clone(),
        spans,
        received,
        loaded: Some(loaded),
        probed: Arc::default(),
        pending: VecDeque::new(),
        state: Arc::default(),
        panics: 0,
    };
    let errors: Vec<String> = (0..4).map_while(|_| writer.run().err()).map(|error| error.to_string()).collect();
    assert!(errors.len() < 4, "{errors:?}");
    earlier.recv().expect("it was read")
}

#[cfg(test)]
mod tests;
