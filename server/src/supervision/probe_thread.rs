//! A probe of the system that may block, on a thread of its own: one reading at a time, with a deadline. While one hangs, its figures are
//! unknown, with the time since it was begun, and nobody else waits for it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::Notify;
use watchboard_wire::{Reading, STALE_AFTER, Unknown, format};

use super::Faults;

/// A caller waits this long for a reading. If it takes longer its figures are unknown, unless the last ones are still fresh.
pub(crate) const PROBE_WITHIN: Duration = Duration::from_secs(2);
/// A first reading is silent after this time: a little before whoever asked for it gets an answer.
const SILENT_AFTER: Duration = Duration::from_millis(1900);
/// The thread of readings that nobody asks for ends after this time.
const IDLE: Duration = Duration::from_mins(1);

/// Makes the function that reads, with its state. After a panic it is made anew.
type NewProbe<Q, A> = Arc<dyn Fn() -> Box<dyn FnMut(Q) -> A> + Send + Sync>;

/// One kind of probe: a query is answered by `A`.
pub(crate) struct ProbeThread<Q, A> {
    name: &'static str,
    new_probe: NewProbe<Q, A>,
    supervision: Supervision,
    thread: Option<Worker<Q, A>>,
    /// When the reading that is under way was begun.
    begun: Option<Instant>,
    /// When somebody last wanted one.
    wanted: Option<Instant>,
    last: Option<(Instant, A)>,
    /// Why the last reading failed.
    failure: Option<Unknown>,
    elapsed: Duration,
    cpu: Duration,
}

/// Where probe threads report.
#[derive(Clone, Default)]
pub(crate) struct Supervision {
    pub(crate) faults: Arc<Faults>,
    /// Woken by the end of each reading.
    pub(crate) probed: Arc<Notify>,
}

struct Worker<Q, A> {
    queries: SyncSender<Q>,
    answers: Receiver<WorkerResult<A>>,
}

struct WorkerResult<A> {
    /// Or why it panicked.
    answer: Result<A, String>,
    elapsed: Duration,
    cpu: Duration,
}

impl<Q: Send + 'static, A: Send + 'static> ProbeThread<Q, A> {
    /// `new_probe` makes the function that reads; both run on that thread.
    pub(crate) fn new<L: FnMut(Q) -> A + 'static>(
        name: &'static str,
        supervision: &Supervision,
        new_probe: impl Fn() -> L + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            new_probe: Arc::new(move || Box::new(new_probe())),
            supervision: supervision.clone(),
            thread: None,
            begun: None,
            wanted: None,
            last: None,
            failure: None,
            elapsed: Duration::ZERO,
            cpu: Duration::ZERO,
        }
    }

    /// Begins a reading, unless one is under way; whether it has begun.
    pub(crate) fn begin(&mut self, query: Q) -> bool {
        self.poll();
        self.wanted = Some(Instant::now());
        if self.begun.is_some() {
            return false;
        }
        let thread = match self.thread.take().map_or_else(|| self.spawn(), Ok) {
            Ok(thread) => self.thread.insert(thread),
            Err(error) => {
                let reason = format!("no thread can be started for it: {error}");
                self.supervision.faults.record(self.name, reason.clone());
                self.failure = Some(Unknown::because(reason));
                return false;
            }
        };
        if thread.queries.try_send(query).is_ok() {
            self.begun = self.wanted;
        } else {
            self.thread = None;
        }
        self.begun.is_some()
    }

    fn spawn(&self) -> std::io::Result<Worker<Q, A>> {
        let (queries, to_answer) = sync_channel(1);
        let (answer, answers) = sync_channel(1);
        let (name, new_probe, supervision) = (self.name, Arc::clone(&self.new_probe), self.supervision.clone());
        let work = move || answer_queries(name, &to_answer, &answer, &new_probe, &supervision);
        // The kernel cuts it to 15 bytes.
        thread::Builder::new().name(format!("wb {name}")).spawn(work)?;
        Ok(Worker { queries, answers })
    }

    /// Waits for the reading that is under way.
    pub(crate) fn wait(&mut self, within: Duration) {
        let Some(thread) = self.thread.as_ref().filter(|_| self.begun.is_some()) else { return };
        match thread.answers.recv_timeout(within) {
            Ok(result) => self.take(result),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.forget_thread(),
        }
    }

    fn take(&mut self, result: WorkerResult<A>) {
        self.begun = None;
        self.elapsed = result.elapsed;
        self.cpu += result.cpu;
        match result.answer {
            Ok(answer) => {
                self.last = Some((Instant::now(), answer));
                self.failure = None;
            }
            Err(reason) => self.failure = Some(Unknown::because(reason)),
        }
    }

    fn forget_thread(&mut self) {
        (self.thread, self.begun) = (None, None);
    }

    /// The last answer, or why there is none.
    pub(crate) fn reading(&self) -> Reading<&A> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        match (&self.last, self.silent_for()) {
            (_, Some(silent)) => Err(Unknown::because(no_answer(silent))),
            (Some((_, answer)), None) => Ok(answer),
            (None, None) => Err(Unknown::because("not read yet")),
        }
    }

    /// How long it has hung: `None` while it answers, or while its last answer is fresh. An old answer is not shown in place of a reading that
    /// is under way.
    fn silent_for(&self) -> Option<Duration> {
        let silent = self.begun?.elapsed();
        match &self.last {
            Some((at, _)) => (at.elapsed() >= STALE_AFTER).then_some(silent),
            None => (silent >= SILENT_AFTER).then_some(silent),
        }
    }
}

/// What probe threads of all kinds have in common.
pub(crate) trait AnyProbeThread {
    /// Takes the answer, if there is one; whether there was. A thread that nobody asks ends.
    fn poll(&mut self) -> bool;

    /// Whether somebody who asked should wait for the reading that is under way.
    fn is_awaited(&self) -> bool;

    /// A reading that has hung for longer than figures stay fresh, in words.
    fn overdue(&self) -> Option<String>;

    /// Its name, and the time of the last reading.
    fn last_duration(&self) -> Option<(&'static str, Duration)>;

    /// The CPU time of the readings since the last call.
    fn take_cpu(&mut self) -> Duration;
}

impl<Q: Send + 'static, A: Send + 'static> AnyProbeThread for ProbeThread<Q, A> {
    fn poll(&mut self) -> bool {
        let Some(thread) = &self.thread else { return false };
        match thread.answers.try_recv() {
            Ok(result) => {
                self.take(result);
                return true;
            }
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => self.forget_thread(),
        }
        if self.begun.is_none() && self.wanted.is_none_or(|wanted| wanted.elapsed() >= IDLE) {
            self.thread = None;
        }
        false
    }

    fn is_awaited(&self) -> bool {
        self.begun.is_some_and(|begun| begun.elapsed() < PROBE_WITHIN)
    }

    fn overdue(&self) -> Option<String> {
        let silent = self.silent_for().filter(|silent| *silent >= STALE_AFTER)?;
        Some(format!("{}: {}", self.name, no_answer(silent)))
    }

    fn last_duration(&self) -> Option<(&'static str, Duration)> {
        self.last.as_ref().map(|_| (self.name, self.elapsed))
    }

    fn take_cpu(&mut self) -> Duration {
        std::mem::take(&mut self.cpu)
    }
}

/// That nothing came for so long.
pub(crate) fn no_answer(silent: Duration) -> String {
    format!("no answer for {}", format::span(silent.as_secs()))
}

/// The work of the thread. It ends with its [`ProbeThread`].
fn answer_queries<Q, A>(
    name: &'static str,
    queries: &Receiver<Q>,
    answers: &SyncSender<WorkerResult<A>>,
    new_probe: &NewProbe<Q, A>,
    supervision: &Supervision,
) {
    let mut probe = None;
    while let Ok(query) = queries.recv() {
        let (started, cpu) = (Instant::now(), thread_cpu());
        let answer =
            catch_unwind(AssertUnwindSafe(|| probe.get_or_insert_with(|| new_probe())(query))).map_err(|panic| {
                probe = None;
                supervision.faults.record_panic(name, &*panic)
            });
        let result = WorkerResult { answer, elapsed: started.elapsed(), cpu: thread_cpu().saturating_sub(cpu) };
        if answers.send(result).is_err() {
            return;
        }
        supervision.probed.notify_one();
    }
}

/// The CPU time of this thread since it began.
pub(crate) fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

#[cfg(test)]
mod tests;
