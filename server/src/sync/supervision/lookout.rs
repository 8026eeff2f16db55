//! A look at the system that may block, on a thread of its own: one look at a time, with a deadline. While one hangs, its figures are
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

/// Whoever asks waits this long for a look. If it takes longer its figures are unknown, unless the last ones are still fresh.
pub(crate) const LOOK_WITHIN: Duration = Duration::from_secs(2);
/// A first look is silent after this time: a little before whoever asked for it gets an answer.
const SILENT_AFTER: Duration = Duration::from_millis(1900);
/// The thread of looks that nobody asks for ends after this time.
const IDLE: Duration = Duration::from_mins(1);

/// Makes the function that looks, with its state. After a panic it is made anew.
type NewLook<Q, A> = Arc<dyn Fn() -> Box<dyn FnMut(Q) -> A> + Send + Sync>;

/// One kind of look: a question is answered by `A`.
pub(crate) struct Lookout<Q, A> {
    name: &'static str,
    new_look: NewLook<Q, A>,
    supervision: Supervision,
    thread: Option<LookThread<Q, A>>,
    /// When the look that is under way was begun.
    begun: Option<Instant>,
    /// When somebody last wanted one.
    wanted: Option<Instant>,
    last: Option<(Instant, A)>,
    /// Why the last look failed.
    failure: Option<Unknown>,
    took: Duration,
    cpu: Duration,
}

/// Where lookouts report.
#[derive(Clone, Default)]
pub(crate) struct Supervision {
    pub(crate) faults: Arc<Faults>,
    /// Woken by the end of each look.
    pub(crate) looked: Arc<Notify>,
}

struct LookThread<Q, A> {
    questions: SyncSender<Q>,
    answers: Receiver<LookResult<A>>,
}

struct LookResult<A> {
    /// Or why it panicked.
    answer: Result<A, String>,
    took: Duration,
    cpu: Duration,
}

impl<Q: Send + 'static, A: Send + 'static> Lookout<Q, A> {
    /// `new_look` makes the function that looks; both run on the lookout's thread.
    pub(crate) fn new<L: FnMut(Q) -> A + 'static>(
        name: &'static str,
        supervision: &Supervision,
        new_look: impl Fn() -> L + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            new_look: Arc::new(move || Box::new(new_look())),
            supervision: supervision.clone(),
            thread: None,
            begun: None,
            wanted: None,
            last: None,
            failure: None,
            took: Duration::ZERO,
            cpu: Duration::ZERO,
        }
    }

    /// Begins a look, unless one is under way; whether it has begun.
    pub(crate) fn begin(&mut self, question: Q) -> bool {
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
        if thread.questions.try_send(question).is_ok() {
            self.begun = self.wanted;
        } else {
            self.thread = None;
        }
        self.begun.is_some()
    }

    fn spawn(&self) -> std::io::Result<LookThread<Q, A>> {
        let (questions, to_answer) = sync_channel(1);
        let (answer, answers) = sync_channel(1);
        let (name, new_look, supervision) = (self.name, Arc::clone(&self.new_look), self.supervision.clone());
        let look = move || look_for_questions(name, &to_answer, &answer, &new_look, &supervision);
        // The kernel cuts it to 15 bytes.
        thread::Builder::new().name(format!("wb {name}")).spawn(look)?;
        Ok(LookThread { questions, answers })
    }

    /// Waits for the look that is under way.
    pub(crate) fn wait(&mut self, within: Duration) {
        let Some(thread) = self.thread.as_ref().filter(|_| self.begun.is_some()) else { return };
        match thread.answers.recv_timeout(within) {
            Ok(result) => self.take(result),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.forget_thread(),
        }
    }

    fn take(&mut self, result: LookResult<A>) {
        self.begun = None;
        self.took = result.took;
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

    /// How long it has hung: `None` while it answers, or while its last answer is fresh. An old answer is not shown in place of a look that
    /// is under way.
    fn silent_for(&self) -> Option<Duration> {
        let silent = self.begun?.elapsed();
        match &self.last {
            Some((at, _)) => (at.elapsed() >= STALE_AFTER).then_some(silent),
            None => (silent >= SILENT_AFTER).then_some(silent),
        }
    }
}

/// What lookouts of all kinds have in common.
pub(crate) trait Look {
    /// Takes the answer, if there is one; whether there was. A thread that nobody asks ends.
    fn poll(&mut self) -> bool;

    /// Whether somebody who asked should wait for the look that is under way.
    fn is_awaited(&self) -> bool;

    /// A look that has hung for longer than figures stay fresh, in words.
    fn overdue(&self) -> Option<String>;

    /// Its name, and the time of the last look.
    fn last_duration(&self) -> Option<(&'static str, Duration)>;

    /// The CPU time of the looks since the last call.
    fn take_cpu(&mut self) -> Duration;
}

impl<Q: Send + 'static, A: Send + 'static> Look for Lookout<Q, A> {
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
        self.begun.is_some_and(|begun| begun.elapsed() < LOOK_WITHIN)
    }

    fn overdue(&self) -> Option<String> {
        let silent = self.silent_for().filter(|silent| *silent >= STALE_AFTER)?;
        Some(format!("{}: {}", self.name, no_answer(silent)))
    }

    fn last_duration(&self) -> Option<(&'static str, Duration)> {
        self.last.as_ref().map(|_| (self.name, self.took))
    }

    fn take_cpu(&mut self) -> Duration {
        std::mem::take(&mut self.cpu)
    }
}

fn no_answer(silent: Duration) -> String {
    format!("no answer for {}", format::span(silent.as_secs()))
}

/// The work of a lookout's thread. It ends with the lookout.
fn look_for_questions<Q, A>(
    name: &'static str,
    questions: &Receiver<Q>,
    answers: &SyncSender<LookResult<A>>,
    new_look: &NewLook<Q, A>,
    supervision: &Supervision,
) {
    let mut look = None;
    while let Ok(question) = questions.recv() {
        let (started, cpu) = (Instant::now(), thread_cpu());
        let answer =
            catch_unwind(AssertUnwindSafe(|| look.get_or_insert_with(|| new_look())(question))).map_err(|panic| {
                look = None;
                supervision.faults.record_panic(name, &*panic)
            });
        let result = LookResult { answer, took: started.elapsed(), cpu: thread_cpu().saturating_sub(cpu) };
        if answers.send(result).is_err() {
            return;
        }
        supervision.looked.notify_one();
    }
}

/// The CPU time of this thread since it began.
pub(crate) fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

#[cfg(test)]
#[path = "lookout_tests.rs"]
mod tests;
