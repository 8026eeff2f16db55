//! What the request that a thread works for asks of the database. The layer lends the request's trace to its thread while it polls the
//! request; whoever learns of a command meanwhile, on that thread, writes it there. Work that was moved to another task finds no trace.

use std::{
    cell::{Cell, RefCell},
    sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// Commands that are kept of one request, each with its time.
pub(crate) const STEPS: usize = 24;
/// Kinds of commands that are counted apart in one request.
pub(crate) const USES: usize = 16;
/// The same command so often in one request is one that should have been asked once: N+1.
const REPEATED: u32 = 10;
/// Traces that a thread keeps for its next requests.
const KEPT: usize = 64;
/// Stretches of time that are told apart; older ones can no longer be filled.
const STRETCHES: usize = 8;

/// Nobody writes before somebody listens: until then a request does not lend its trace.
static LISTENED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static CURRENT: Cell<Slot> = const { Cell::new(Slot::Nobody) };
    #[expect(clippy::vec_box, reason = "it is the boxes that are kept")]
    static TRACES: RefCell<Vec<Box<Trace>>> = const { RefCell::new(vec![]) };
}

/// For whom a thread works.
enum Slot {
    Nobody,
    /// A request; its trace once it has asked anything.
    Request(Option<Box<Trace>>),
}

/// One command of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The number of its shape.
    pub(crate) shape: u16,
    pub(crate) failed: bool,
    /// From the request's first command to the start of this one.
    pub(crate) at_us: u32,
    pub(crate) took_us: u32,
}

/// Commands of one shape in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) shape: u16,
    /// Tells commands of one shape by the fields that they ask for; never by values.
    fields: u32,
    goes_on: bool,
    pub(crate) calls: u32,
    pub(crate) took_us: u64,
}

impl Use {
    pub(crate) fn repeats(&self) -> bool {
        self.calls >= REPEATED && !self.goes_on
    }
}

/// What one request asked.
#[derive(Debug)]
pub(crate) struct Trace {
    /// When its first command was sent.
    pub(crate) began: Instant,
    /// Commands that were sent.
    pub(crate) commands: u32,
    /// The first that ended, in this order.
    pub(crate) steps: Vec<Step>,
    pub(crate) uses: Vec<Use>,
    covered: Covered,
    /// Gauges that count this request as waiting.
    waiting: Vec<&'static AtomicI64>,
}

impl Trace {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            commands: 0,
            steps: vec![],
            uses: vec![],
            covered: Covered::default(),
            waiting: vec![],
        }
    }

    /// A command of a shape is sent. It goes on with another where that is how it is done, as batches of one cursor are.
    pub(crate) fn send(&mut self, shape: u16, fields: u32, goes_on: bool) {
        self.commands += 1;
        if let Some(used) = self.uses.iter_mut().find(|used| (used.shape, used.fields) == (shape, fields)) {
            used.calls += 1;
        } else if self.uses.len() < USES {
            self.uses.push(Use { shape, fields, goes_on, calls: 1, took_us: 0 });
        }
    }

    /// A command has ended.
    pub(crate) fn end(&mut self, shape: u16, took: Duration, failed: bool) {
        let us = |duration: Duration| u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
        let end_us = self.began.elapsed();
        let (at_us, took_us) = (us(end_us.saturating_sub(took)), us(took));
        if self.steps.len() < STEPS {
            self.steps.push(Step { shape, failed, at_us, took_us });
        }
        if let Some(used) = self.uses.iter_mut().find(|used| used.shape == shape) {
            used.took_us += u64::from(took_us);
        }
        self.covered.add(u64::from(at_us), u64::from(us(end_us)));
    }

    /// The time in which at least one of its commands was under way, in microseconds: what ran at once counts once.
    pub(crate) fn took_us(&self) -> u64 {
        self.covered.sum()
    }

    /// Its times are not part of how long its request took: those of an event stream go on for as long as its client listens.
    pub(crate) fn forget_times(&mut self) {
        self.covered = Covered::default();
        self.steps.clear();
    }

    /// Whether it asked the same thing again and again.
    pub(crate) fn repeats(&self) -> bool {
        self.uses.iter().any(Use::repeats)
    }

    /// It waits for a connection, as the gauge counts.
    pub(crate) fn wait(&mut self, gauge: &'static AtomicI64) {
        self.waiting.push(gauge);
    }

    /// It waits no more.
    pub(crate) fn wait_no_more(&mut self, gauge: &'static AtomicI64) {
        if let Some(at) = self.waiting.iter().position(|waits| std::ptr::eq(*waits, gauge)) {
            self.waiting.swap_remove(at);
        }
    }

    /// A wait that was given up is told by nobody else.
    fn give_up(&mut self) {
        for gauge in self.waiting.drain(..) {
            gauge.fetch_sub(1, Relaxed);
        }
    }
}

/// From now on requests lend their traces.
pub(crate) fn listen() {
    LISTENED.store(true, Relaxed);
}

/// A trace that is lent to this thread, until [`Lent::take_back`]; what was lent before is lent again then, after a panic too.
pub(crate) struct Lent(Slot);

/// Lends the trace of a request; none where nobody listens.
#[inline]
pub(crate) fn lend(trace: &mut Option<Box<Trace>>) -> Option<Lent> {
    if LISTENED.load(Relaxed) { lend_it(trace) } else { None }
}

/// Apart, so that requests of whom nobody listens to a client have less to step over.
#[inline(never)]
fn lend_it(trace: &mut Option<Box<Trace>>) -> Option<Lent> {
    let before = CURRENT.try_with(|current| current.replace(Slot::Request(trace.take()))).ok()?;
    Some(Lent(before))
}

impl Lent {
    fn restore(&mut self) -> Slot {
        let before = std::mem::replace(&mut self.0, Slot::Nobody);
        CURRENT.try_with(|current| current.replace(before)).unwrap_or(Slot::Nobody)
    }

    #[inline(never)]
    pub(crate) fn take_back(mut self, trace: &mut Option<Box<Trace>>) {
        let lent = self.restore();
        std::mem::forget(self);
        if let Slot::Request(Some(lent)) = lent {
            *trace = Some(lent);
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Slot::Request(Some(trace)) = self.restore() {
            end(trace);
        }
    }
}

/// Writes into the trace of the request that this thread works for; false where it works for none.
pub(crate) fn write(work: impl FnOnce(&mut Trace)) -> bool {
    let done = CURRENT.try_with(|current| match current.replace(Slot::Nobody) {
        Slot::Nobody => false,
        Slot::Request(trace) => {
            let mut trace = trace.unwrap_or_else(a_trace);
            work(&mut trace);
            current.set(Slot::Request(Some(trace)));
            true
        }
    });
    done.unwrap_or(false)
}

/// A clean one, that was used before where there is one.
fn a_trace() -> Box<Trace> {
    let kept = TRACES.try_with(|traces| traces.borrow_mut().pop()).ok().flatten();
    let mut trace = kept.unwrap_or_else(|| Box::new(Trace::new()));
    trace.began = Instant::now();
    trace
}

/// A request has ended: what it still waited for it has given up, and its trace is kept for another.
pub(crate) fn end(mut trace: Box<Trace>) {
    trace.give_up();
    trace.commands = 0;
    trace.steps.clear();
    trace.uses.clear();
    trace.covered = Covered::default();
    let _ = TRACES.try_with(|traces| {
        let mut traces = traces.borrow_mut();
        if traces.len() < KEPT {
            traces.push(trace);
        }
    });
}

/// The length of overlapping stretches of time together, which come by their ends.
#[derive(Debug, Default)]
struct Covered {
    /// Of the stretches that are not told apart any more: their length, and the end of the last.
    before_us: u64,
    before_end: u64,
    /// Apart from each other, the oldest first.
    stretches: [(u64, u64); STRETCHES],
    count: usize,
}

impl Covered {
    fn add(&mut self, start: u64, end: u64) {
        // What would reach into those is counted from their end on.
        let mut start = start.max(self.before_end);
        while let Some((last_start, last_end)) = self.count.checked_sub(1).map(|last| self.stretches[last]) {
            if start > last_end {
                break;
            }
            start = start.min(last_start);
            self.count -= 1;
        }
        if self.count == STRETCHES {
            self.before_us += self.stretches[0].1 - self.stretches[0].0;
            self.before_end = self.stretches[0].1;
            self.stretches.rotate_left(1);
            self.count -= 1;
        }
        self.stretches[self.count] = (start, end.max(start));
        self.count += 1;
    }

    fn sum(&self) -> u64 {
        self.before_us + self.stretches[..self.count].iter().map(|(start, end)| end - start).sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ran_at_once_counts_once() {
        let covered = |stretches: &[(u64, u64)]| {
            let mut covered = Covered::default();
            for (start, end) in stretches {
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
        listen();
        let (mut outer, mut inner) = (None, None);
        assert!(!write(|_| {}), "nobody's");
        let lent = lend(&mut outer).unwrap();
        assert!(write(|trace| trace.send(1, 0, false)));
        let within = lend(&mut inner).unwrap();
        assert!(write(|trace| trace.send(2, 0, false)));
        within.take_back(&mut inner);
        assert!(write(|trace| trace.send(1, 0, false)));
        lent.take_back(&mut outer);
        let commands = |trace: &Option<Box<Trace>>| trace.as_ref().map(|trace| (trace.commands, trace.uses.len()));
        assert_eq!((commands(&outer), commands(&inner)), (Some((2, 1)), Some((1, 1))));
        let lent = lend(&mut inner);
        drop(lent);
        assert!(!write(|_| {}), "after a panic nothing is lent any more");
    }

    #[test]
    fn a_wait_that_was_given_up_ends_with_its_request() {
        let gauge: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(2)));
        let mut trace = Box::new(Trace::new());
        trace.wait(gauge);
        trace.wait(gauge);
        trace.wait_no_more(gauge);
        end(trace);
        assert_eq!(gauge.load(Relaxed), 1);
    }
}
