//! Attributes database commands to requests. While it polls a request, the layer keeps the request's trace in a thread-local; MongoDB's
//! event handlers write there. Commands of another task or thread find no trace.

use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use crate::sync::free_list::FreeList;

/// Commands of one request that are kept with their times.
pub(crate) const STEPS: usize = 24;
/// Kinds of commands with a count of their own in one request.
pub(crate) const USES: usize = 16;
/// A command that a request sends this often is an N+1 query.
const REPEATED: u32 = 10;
/// Traces that a thread keeps for its next requests.
const FREE_TRACES: usize = 64;
/// Intervals of time that are kept apart. Older ones are only summed.
const INTERVALS: usize = 8;

/// Whether a monitor listens to a client. Before that the layer enters no scope.
static ENABLED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static CURRENT: Cell<CurrentRequest> = const { Cell::new(CurrentRequest::Idle) };
    static TRACES: FreeList<Box<Trace>> = const { FreeList::new(FREE_TRACES) };
}

/// The request that a thread works for.
enum CurrentRequest {
    /// The thread works for no request.
    Idle,
    /// The request's trace; `None` before its first command.
    Request(Option<Box<Trace>>),
}

/// One command of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The number of the command's shape.
    pub(crate) shape: u16,
    pub(crate) failed: bool,
    /// From the request's first command to the start of this one.
    pub(crate) at_us: u32,
    pub(crate) elapsed_us: u32,
}

/// Commands of one shape in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CommandUse {
    pub(crate) shape: u16,
    /// A hash of the names of the fields that the command filters by; never of their values.
    fields: u32,
    goes_on: bool,
    pub(crate) calls: u32,
    pub(crate) elapsed_us: u64,
}

impl CommandUse {
    pub(crate) fn repeats(&self) -> bool {
        self.calls >= REPEATED && !self.goes_on
    }
}

/// The commands of one request.
#[derive(Debug)]
pub(crate) struct Trace {
    /// The time of its first command.
    pub(crate) began: Instant,
    /// Commands that were sent.
    pub(crate) commands: u32,
    /// The first commands that ended, in this order.
    pub(crate) steps: Vec<Step>,
    pub(crate) uses: Vec<CommandUse>,
    covered: CoveredTime,
    waited: CoveredTime,
    /// The gauges that count this request among those that wait for a connection, and when it began to wait.
    waiting: Vec<(&'static AtomicI64, Instant)>,
}

impl Trace {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            commands: 0,
            steps: vec![],
            uses: vec![],
            covered: CoveredTime::default(),
            waited: CoveredTime::default(),
            waiting: vec![],
        }
    }

    /// A command is sent. `goes_on` marks one that continues another, such as the next batch of a cursor.
    pub(crate) fn send(&mut self, shape: u16, fields: u32, goes_on: bool) {
        self.commands += 1;
        if let Some(used) = self.uses.iter_mut().find(|used| (used.shape, used.fields) == (shape, fields)) {
            used.calls += 1;
        } else if self.uses.len() < USES {
            self.uses.push(CommandUse { shape, fields, goes_on, calls: 1, elapsed_us: 0 });
        }
    }

    /// A command has ended.
    pub(crate) fn end(&mut self, shape: u16, elapsed: Duration, failed: bool) {
        let end_us = self.began.elapsed();
        let (at_us, elapsed_us) = (us(end_us.saturating_sub(elapsed)), us(elapsed));
        if self.steps.len() < STEPS {
            self.steps.push(Step { shape, failed, at_us, elapsed_us });
        }
        if let Some(used) = self.uses.iter_mut().find(|used| used.shape == shape) {
            used.elapsed_us += u64::from(elapsed_us);
        }
        self.covered.add(u64::from(at_us), u64::from(us(end_us)));
    }

    /// The time in which at least one of its commands was in flight, in microseconds. Commands that overlap count once.
    pub(crate) fn elapsed_us(&self) -> u64 {
        self.covered.sum()
    }

    /// The time in which it waited for a connection to the database, in microseconds. Waits that overlap count once.
    pub(crate) fn waited_us(&self) -> u64 {
        self.waited.sum()
    }

    /// The request has ended. The times of an event stream do not count: its commands go on after the time that counts as its latency.
    pub(crate) fn finish(&mut self, has_times: bool) {
        self.give_up();
        if !has_times {
            self.forget_times();
        }
    }

    fn forget_times(&mut self) {
        (self.covered, self.waited) = (CoveredTime::default(), CoveredTime::default());
        self.steps.clear();
    }

    /// Whether the request sent one command many times (N+1).
    pub(crate) fn repeats(&self) -> bool {
        self.uses.iter().any(CommandUse::repeats)
    }

    /// The request waits for a connection; `gauge` counts it.
    pub(crate) fn wait(&mut self, gauge: &'static AtomicI64) {
        self.waiting.push((gauge, Instant::now()));
    }

    /// The request waits no longer.
    pub(crate) fn wait_no_more(&mut self, gauge: &'static AtomicI64) {
        if let Some(at) = self.waiting.iter().position(|(waits, _)| std::ptr::eq(*waits, gauge)) {
            let (_, since) = self.waiting.swap_remove(at);
            let [from, to] = [since.saturating_duration_since(self.began), self.began.elapsed()].map(us);
            self.waited.add(from.into(), to.into());
        }
    }

    /// Ends the waits that the request abandoned: the driver emits no event for them.
    fn give_up(&mut self) {
        while let Some((gauge, _)) = self.waiting.last() {
            gauge.fetch_sub(1, Relaxed);
            self.wait_no_more(gauge);
        }
    }
}

/// The layer enters scopes from now on, since a monitor listens to a client.
pub(crate) fn enable() {
    ENABLED.store(true, Relaxed);
}

/// The scope in which this thread works for a request, until [`TraceScope::exit`]. It holds the outer scope's request, which comes
/// back at its end, after a panic too.
pub(crate) struct TraceScope(CurrentRequest);

/// Enters the scope of a request. `None` if no monitor listens to a client.
#[inline]
pub(crate) fn enter(trace: &mut Option<Box<Trace>>) -> Option<TraceScope> {
    if ENABLED.load(Relaxed) { enter_scope(trace) } else { None }
}

/// Not inlined, so that the usual path without a listener is short.
#[inline(never)]
fn enter_scope(trace: &mut Option<Box<Trace>>) -> Option<TraceScope> {
    let before = CURRENT.try_with(|current| current.replace(CurrentRequest::Request(trace.take()))).ok()?;
    Some(TraceScope(before))
}

impl TraceScope {
    fn restore(&mut self) -> CurrentRequest {
        let before = std::mem::replace(&mut self.0, CurrentRequest::Idle);
        CURRENT.try_with(|current| current.replace(before)).unwrap_or(CurrentRequest::Idle)
    }

    /// Leaves the scope, and gives the trace back to its request.
    #[inline(never)]
    pub(crate) fn exit(mut self, trace: &mut Option<Box<Trace>>) {
        let current = self.restore();
        std::mem::forget(self);
        if let CurrentRequest::Request(Some(written)) = current {
            *trace = Some(written);
        }
    }
}

impl Drop for TraceScope {
    fn drop(&mut self) {
        if let CurrentRequest::Request(Some(trace)) = self.restore() {
            recycle(trace);
        }
    }
}

/// Writes into the trace of the request that this thread works for; `false` if it works for none.
pub(crate) fn write(work: impl FnOnce(&mut Trace)) -> bool {
    let done = CURRENT.try_with(|current| match current.replace(CurrentRequest::Idle) {
        CurrentRequest::Idle => false,
        CurrentRequest::Request(trace) => {
            let mut trace = trace.unwrap_or_else(reuse_trace);
            work(&mut trace);
            current.set(CurrentRequest::Request(Some(trace)));
            true
        }
    });
    done.unwrap_or(false)
}

/// An empty trace, from the free list if that has one.
fn reuse_trace() -> Box<Trace> {
    let mut trace = FreeList::take(&TRACES).unwrap_or_else(|| Box::new(Trace::new()));
    trace.began = Instant::now();
    trace
}

/// A request has ended: ends its waits, and keeps its trace for another request.
pub(crate) fn recycle(mut trace: Box<Trace>) {
    trace.give_up();
    trace.commands = 0;
    trace.steps.clear();
    trace.uses.clear();
    (trace.covered, trace.waited) = (CoveredTime::default(), CoveredTime::default());
    FreeList::put(&TRACES, trace);
}

fn us(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}

/// The total length of intervals that overlap. They are added in the order of their ends.
#[derive(Debug, Default)]
struct CoveredTime {
    /// The total length of the older intervals, and the end of the last of them.
    before_us: u64,
    before_end: u64,
    /// The newer intervals, merged where they overlap, the oldest first.
    intervals: [(u64, u64); INTERVALS],
    count: usize,
}

impl CoveredTime {
    fn add(&mut self, start: u64, end: u64) {
        // The part that overlaps an older interval does not count.
        let mut start = start.max(self.before_end);
        while let Some((last_start, last_end)) = self.count.checked_sub(1).map(|last| self.intervals[last]) {
            if start > last_end {
                break;
            }
            start = start.min(last_start);
            self.count -= 1;
        }
        if self.count == INTERVALS {
            self.before_us += self.intervals[0].1 - self.intervals[0].0;
            self.before_end = self.intervals[0].1;
            self.intervals.rotate_left(1);
            self.count -= 1;
        }
        self.intervals[self.count] = (start, end.max(start));
        self.count += 1;
    }

    fn sum(&self) -> u64 {
        self.before_us + self.intervals[..self.count].iter().map(|(start, end)| end - start).sum::<u64>()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Makes a trace whose time cannot be summed: the code that records it panics.
    pub(crate) fn break_trace(trace: &mut Trace) {
        trace.covered.count = INTERVALS + 1;
    }

    #[test]
    fn what_ran_at_once_counts_once() {
        let covered = |intervals: &[(u64, u64)]| {
            let mut covered = CoveredTime::default();
            for (start, end) in intervals {
                covered.add(*start, *end);
            }
            covered.sum()
        };
        assert_eq!(covered(&[(0, 10), (20, 30)]), 20);
        assert_eq!(covered(&[(0, 10), (5, 12), (11, 20)]), 20);
        assert_eq!(covered(&[(5, 6), (0, 10)]), 10, "one that began before and ended after");
        let many: Vec<_> = (0..100).map(|at| (at * 10, at * 10 + 4)).collect();
        assert_eq!(covered(&many), 400);
        let spanned: Vec<_> = (0..20).map(|at| (at * 10, at * 10 + 4)).chain([(0, 200)]).collect();
        assert!(covered(&spanned) <= 200, "{}", covered(&spanned));
    }

    #[test]
    fn a_thread_writes_for_the_request_that_it_works_for_and_for_no_other() {
        enable();
        let (mut outer, mut inner) = (None, None);
        assert!(!write(|_| {}), "nobody's");
        let scope = enter(&mut outer).unwrap();
        assert!(write(|trace| trace.send(1, 0, false)));
        let within = enter(&mut inner).unwrap();
        assert!(write(|trace| trace.send(2, 0, false)));
        within.exit(&mut inner);
        assert!(write(|trace| trace.send(1, 0, false)));
        scope.exit(&mut outer);
        let commands = |trace: &Option<Box<Trace>>| trace.as_ref().map(|trace| (trace.commands, trace.uses.len()));
        assert_eq!((commands(&outer), commands(&inner)), (Some((2, 1)), Some((1, 1))));
        let scope = enter(&mut inner);
        drop(scope);
        assert!(!write(|_| {}), "after a panic nothing is lent any more");
    }

    #[test]
    fn waits_for_a_connection_are_time_of_the_request_and_no_other_takes_them_over() {
        let gauge: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(1)));
        let mut trace = Box::new(Trace::new());
        trace.wait(gauge);
        let began = trace.waiting[0].1;
        while began.elapsed() < Duration::from_millis(2) {}
        trace.wait_no_more(gauge);
        let waited = trace.waited_us();
        assert!((2_000..=began.elapsed().as_micros() as u64).contains(&waited), "{waited}");
        recycle(trace);
        assert_eq!(reuse_trace().waited_us(), 0);
    }

    #[test]
    fn a_wait_that_was_given_up_ends_with_its_request() {
        let gauge: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(2)));
        let mut trace = Box::new(Trace::new());
        trace.wait(gauge);
        trace.wait(gauge);
        trace.wait_no_more(gauge);
        recycle(trace);
        assert_eq!(gauge.load(Relaxed), 1);
    }
}
