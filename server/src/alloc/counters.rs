//! What each thread has allocated and freed. A thread adds to counters of its own without any contention; whoever wants the
//! sums reads those of all threads.

use std::{
    cell::Cell,
    sync::atomic::{
        AtomicI32, AtomicU64, AtomicUsize,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
};

/// Threads alive at once that have counters of their own; what more of them allocate is counted together. The counters take
/// address space alone until a thread uses them.
const THREADS: usize = 4_096;

/// Nobody's, or on their way to a thread.
const FREE: i32 = 0;
const CLAIMED: i32 = -1;

/// One thread's. Those of a thread that has ended keep their sums and go to the next thread, so that no sum ever falls.
#[repr(align(128))]
struct Counters {
    /// The kernel's id of the thread.
    thread_id: AtomicI32,
    sums: Sums,
    /// Of the sums, those of the spans of requests.
    spans: Sums,
    /// The sums when the thread took them.
    before: Sums,
}

struct Sums {
    allocated_bytes: AtomicU64,
    freed_bytes: AtomicU64,
    allocations: AtomicU64,
}

/// Sums at one moment, or the difference of two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allocated {
    pub(crate) bytes: u64,
    pub(crate) freed_bytes: u64,
    /// Calls that brought bytes.
    pub(crate) allocations: u64,
}

/// Since the program began, by all threads that are and were.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Total {
    pub(crate) all: Allocated,
    /// Of it, what requests allocated.
    pub(crate) requests: Allocated,
}

static ALL: [Counters; THREADS] = [const { Counters::new() }; THREADS];
/// One past the last that was ever used.
static USED: AtomicUsize = AtomicUsize::new(0);
/// Of threads that have none of their own: those past the last, and each for the moments in which it begins and ends.
static SHARED: Sums = Sums::new();

thread_local! {
    static MINE: Cell<Option<&'static Counters>> = const { Cell::new(None) };
    /// Whether this thread counts in what is shared.
    static SHARES: Cell<bool> = const { Cell::new(false) };
    /// Gives the counters back when the thread ends.
    static LEASE: Lease = const { Lease };
}

struct Lease;

impl Drop for Lease {
    fn drop(&mut self) {
        SHARES.set(true);
        if let Some(counters) = MINE.take() {
            counters.thread_id.store(FREE, Release);
        }
    }
}

/// The counters of this thread; none where it counts in what is shared.
#[inline]
fn mine() -> Option<&'static Counters> {
    MINE.get().or_else(enter)
}

#[cold]
fn enter() -> Option<&'static Counters> {
    // While it enters, what that itself allocates is shared.
    if SHARES.replace(true) {
        return None;
    }
    let counters = claim()?;
    // A thread whose own things are being dropped already is left with what is shared.
    LEASE.try_with(|_| ()).ok()?;
    MINE.set(Some(counters));
    SHARES.set(false);
    Some(counters)
}

fn claim() -> Option<&'static Counters> {
    let is_free = |counters: &&Counters| {
        counters.thread_id.load(Relaxed) == FREE
            && counters.thread_id.compare_exchange(FREE, CLAIMED, AcqRel, Relaxed).is_ok()
    };
    let (index, counters) = ALL.iter().enumerate().find(|(_, counters)| is_free(counters))?;
    USED.fetch_max(index + 1, AcqRel);
    counters.before.set(counters.sums.get());
    counters.thread_id.store(rustix::thread::gettid().as_raw_nonzero().get(), Release);
    Some(counters)
}

#[inline]
pub(super) fn allocated(bytes: usize) {
    match mine() {
        Some(counters) => counters.sums.allocate(bytes as u64),
        None => SHARED.add(Allocated { bytes: bytes as u64, allocations: 1, freed_bytes: 0 }),
    }
}

#[inline]
pub(super) fn freed(bytes: usize) {
    match mine() {
        Some(counters) => add(&counters.sums.freed_bytes, bytes as u64),
        None => SHARED.add(Allocated { freed_bytes: bytes as u64, ..Allocated::default() }),
    }
}

pub(super) fn resized(from: usize, to: usize) {
    if to > from {
        allocated(to - from);
    } else {
        freed(from - to);
    }
}

/// Adds to a counter that no other thread writes.
#[inline]
fn add(counter: &AtomicU64, value: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(value), Relaxed);
}

impl Counters {
    const fn new() -> Self {
        Self { thread_id: AtomicI32::new(FREE), sums: Sums::new(), spans: Sums::new(), before: Sums::new() }
    }
}

impl Sums {
    const fn new() -> Self {
        Self { allocated_bytes: AtomicU64::new(0), freed_bytes: AtomicU64::new(0), allocations: AtomicU64::new(0) }
    }

    #[inline]
    fn allocate(&self, bytes: u64) {
        add(&self.allocated_bytes, bytes);
        add(&self.allocations, 1);
    }

    /// Adds to sums that other threads write too.
    fn add(&self, more: Allocated) {
        self.allocated_bytes.fetch_add(more.bytes, Relaxed);
        self.freed_bytes.fetch_add(more.freed_bytes, Relaxed);
        self.allocations.fetch_add(more.allocations, Relaxed);
    }

    fn get(&self) -> Allocated {
        Allocated {
            bytes: self.allocated_bytes.load(Relaxed),
            freed_bytes: self.freed_bytes.load(Relaxed),
            allocations: self.allocations.load(Relaxed),
        }
    }

    fn set(&self, to: Allocated) {
        self.allocated_bytes.store(to.bytes, Relaxed);
        self.freed_bytes.store(to.freed_bytes, Relaxed);
        self.allocations.store(to.allocations, Relaxed);
    }
}

impl Allocated {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.wrapping_add(other.bytes),
            freed_bytes: self.freed_bytes.wrapping_add(other.freed_bytes),
            allocations: self.allocations.wrapping_add(other.allocations),
        }
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.wrapping_sub(other.bytes),
            freed_bytes: self.freed_bytes.wrapping_sub(other.freed_bytes),
            allocations: self.allocations.wrapping_sub(other.allocations),
        }
    }
}

/// A stretch of work on this thread, for which a request answers. One within another is not counted twice.
pub(crate) struct Span {
    counters: &'static Counters,
    sums: Allocated,
    spans: Allocated,
}

impl Span {
    /// None where this thread has no counters, as it is where the allocator does not count.
    #[inline]
    pub(crate) fn begin() -> Option<Self> {
        let counters = MINE.get().or_else(|| if is_counting() { enter() } else { None })?;
        Some(Self { counters, sums: counters.sums.get(), spans: counters.spans.get() })
    }

    /// What was allocated since, and freed. To be called on the thread that began it, without having waited.
    #[inline]
    pub(crate) fn end(self) -> Allocated {
        let spans = self.counters.spans.get();
        let own = self.counters.sums.get().minus(self.sums).minus(spans.minus(self.spans));
        self.counters.spans.set(spans.plus(own));
        own
    }
}

/// Whether the program's allocator is one that counts.
pub(crate) fn is_counting() -> bool {
    USED.load(Acquire) > 0
}

/// The sums of all threads; none where the allocator does not count.
pub(crate) fn total() -> Option<Total> {
    let used = USED.load(Acquire);
    let mut total = Total { all: SHARED.get(), requests: Allocated::default() };
    for counters in &ALL[..used] {
        total.all = total.all.plus(counters.sums.get());
        total.requests = total.requests.plus(counters.spans.get());
    }
    (used > 0).then_some(total)
}

/// The threads that are alive and have counters of their own: the kernel's id, and the sums since the thread began.
pub(crate) fn by_thread() -> impl Iterator<Item = (i32, Allocated)> {
    ALL[..USED.load(Acquire)].iter().filter_map(|counters| {
        let thread_id = counters.thread_id.load(Acquire);
        let before = counters.before.get();
        let allocated = counters.sums.get().minus(before);
        // They may have gone to another thread meanwhile.
        let is_same = counters.before.get() == before && counters.thread_id.load(Acquire) == thread_id;
        (thread_id > 0 && is_same).then_some((thread_id, allocated))
    })
}
