//! The bytes that each thread has allocated and freed. A thread adds to counters of its own without contention; a reader of the sums
//! reads the counters of all threads.

use std::{
    cell::Cell,
    ops::{Add, Sub},
    sync::atomic::{
        AtomicI32, AtomicU64, AtomicUsize,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
};

/// Threads alive at once with counters of their own; further threads share one. Counters that no thread has used take address space
/// only.
const THREADS: usize = 4_096;

/// The id of counters that no thread has.
const FREE: i32 = 0;
/// The id of counters that a thread is taking.
const CLAIMED: i32 = -1;

/// The counters of one thread. When the thread ends, they keep their sums and go to the next thread, so that no sum ever falls.
#[repr(align(128))]
struct ThreadCounters {
    /// The kernel's id of the thread.
    thread_id: AtomicI32,
    sums: Sums,
    /// The part of the sums that belongs to requests' spans.
    spans: Sums,
    /// The sums when the thread took them.
    before: Sums,
}

struct Sums {
    allocated_bytes: AtomicU64,
    freed_bytes: AtomicU64,
    allocations: AtomicU64,
}

/// Sums at one time, or the difference of two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AllocationSums {
    pub(crate) bytes: u64,
    pub(crate) freed_bytes: u64,
    /// Calls that allocated.
    pub(crate) allocations: u64,
}

/// Sums since the program began, over all threads, also those that have ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Total {
    pub(crate) all: AllocationSums,
    /// The part that requests allocated.
    pub(crate) requests: AllocationSums,
}

static ALL: [ThreadCounters; THREADS] = [const { ThreadCounters::new() }; THREADS];
/// One past the last that was ever used.
static USED: AtomicUsize = AtomicUsize::new(0);
/// The sums of threads without counters of their own: those beyond the bound, and each thread while it begins and ends.
static SHARED: Sums = Sums::new();

thread_local! {
    static MINE: Cell<Option<&'static ThreadCounters>> = const { Cell::new(None) };
    /// Whether this thread counts in [`SHARED`].
    static SHARES: Cell<bool> = const { Cell::new(false) };
    /// Releases the counters when the thread ends.
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

/// The counters of this thread; `None` if it counts in [`SHARED`].
#[inline]
fn thread_counters() -> Option<&'static ThreadCounters> {
    MINE.get().or_else(enter)
}

#[cold]
fn enter() -> Option<&'static ThreadCounters> {
    // Allocations of this function itself count in `SHARED`.
    if SHARES.replace(true) {
        return None;
    }
    let counters = claim()?;
    // A thread whose thread-locals are already dropped stays with `SHARED`.
    LEASE.try_with(|_| ()).ok()?;
    MINE.set(Some(counters));
    SHARES.set(false);
    Some(counters)
}

fn claim() -> Option<&'static ThreadCounters> {
    let is_free = |counters: &&ThreadCounters| {
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
pub(super) fn count_allocation(bytes: usize) {
    match thread_counters() {
        Some(counters) => counters.sums.allocate(bytes as u64),
        None => SHARED.add(AllocationSums { bytes: bytes as u64, allocations: 1, freed_bytes: 0 }),
    }
}

#[inline]
pub(super) fn count_deallocation(bytes: usize) {
    match thread_counters() {
        Some(counters) => add(&counters.sums.freed_bytes, bytes as u64),
        None => SHARED.add(AllocationSums { freed_bytes: bytes as u64, ..AllocationSums::default() }),
    }
}

pub(super) fn count_reallocation(from: usize, to: usize) {
    if to > from {
        count_allocation(to - from);
    } else {
        count_deallocation(from - to);
    }
}

/// Adds to a counter that no other thread writes.
#[inline]
fn add(counter: &AtomicU64, value: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(value), Relaxed);
}

impl ThreadCounters {
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
    fn add(&self, more: AllocationSums) {
        self.allocated_bytes.fetch_add(more.bytes, Relaxed);
        self.freed_bytes.fetch_add(more.freed_bytes, Relaxed);
        self.allocations.fetch_add(more.allocations, Relaxed);
    }

    fn get(&self) -> AllocationSums {
        AllocationSums {
            bytes: self.allocated_bytes.load(Relaxed),
            freed_bytes: self.freed_bytes.load(Relaxed),
            allocations: self.allocations.load(Relaxed),
        }
    }

    fn set(&self, to: AllocationSums) {
        self.allocated_bytes.store(to.bytes, Relaxed);
        self.freed_bytes.store(to.freed_bytes, Relaxed);
        self.allocations.store(to.allocations, Relaxed);
    }
}

/// Wraps, as the counters do.
impl Add for AllocationSums {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.wrapping_add(other.bytes),
            freed_bytes: self.freed_bytes.wrapping_add(other.freed_bytes),
            allocations: self.allocations.wrapping_add(other.allocations),
        }
    }
}

/// Wraps, as the counters do.
impl Sub for AllocationSums {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.wrapping_sub(other.bytes),
            freed_bytes: self.freed_bytes.wrapping_sub(other.freed_bytes),
            allocations: self.allocations.wrapping_sub(other.allocations),
        }
    }
}

/// A span of work on this thread that belongs to a request. An inner span does not count twice.
pub(crate) struct Span {
    counters: &'static ThreadCounters,
    sums: AllocationSums,
    spans: AllocationSums,
}

impl Span {
    /// Begins a span. `None` if this thread has no counters, as when the allocator does not count.
    #[inline]
    pub(crate) fn begin() -> Option<Self> {
        let counters = MINE.get().or_else(|| if is_counting() { enter() } else { None })?;
        Some(Self { counters, sums: counters.sums.get(), spans: counters.spans.get() })
    }

    /// The allocations since the span began. Call it on the same thread, without an `await` between.
    #[inline]
    pub(crate) fn end(self) -> AllocationSums {
        let spans = self.counters.spans.get();
        let own = (self.counters.sums.get() - self.sums) - (spans - self.spans);
        self.counters.spans.set(spans + own);
        own
    }
}

/// Whether the program's allocator counts.
pub(crate) fn is_counting() -> bool {
    USED.load(Acquire) > 0
}

/// The sums of all threads; `None` if the allocator does not count.
pub(crate) fn total() -> Option<Total> {
    let used = USED.load(Acquire);
    let mut total = Total { all: SHARED.get(), requests: AllocationSums::default() };
    for counters in &ALL[..used] {
        total.all = total.all + counters.sums.get();
        total.requests = total.requests + counters.spans.get();
    }
    (used > 0).then_some(total)
}

/// The live threads with counters of their own: the kernel's id, and the sums since the thread began.
pub(crate) fn by_thread() -> impl Iterator<Item = (i32, AllocationSums)> {
    ALL[..USED.load(Acquire)].iter().filter_map(|counters| {
        let thread_id = counters.thread_id.load(Acquire);
        let before = counters.before.get();
        let allocated = counters.sums.get() - before;
        // Another thread may have taken the counters meanwhile.
        let is_same = counters.before.get() == before && counters.thread_id.load(Acquire) == thread_id;
        (thread_id > 0 && is_same).then_some((thread_id, allocated))
    })
}
