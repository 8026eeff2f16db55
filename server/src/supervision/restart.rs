//! Runs a thread's or a task's work again after a panic or an early end.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::Duration,
};

use tokio::{runtime, task::JoinSet, time::sleep};

use super::Faults;

/// The pause before work that failed is started again.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs `work` on this thread until it returns `Ok`. After a panic or an error it is recorded, and starts again after a pause.
pub(crate) fn supervise(part: &'static str, faults: &Faults, mut work: impl FnMut() -> io::Result<()>) {
    loop {
        match catch_unwind(AssertUnwindSafe(&mut work)) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => faults.record(part, error.to_string()),
            Err(panic) => _ = faults.record_panic(part, &*panic),
        }
        thread::sleep(PAUSE);
    }
}

/// Runs a task for ever. If it panics or ends it is recorded, `failed` gets the reason, and the task is started again after a pause.
pub(crate) async fn supervise_task<T: Future<Output = ()> + Send + 'static>(
    part: &'static str,
    faults: &Faults,
    mut task: impl FnMut() -> T,
    mut failed: impl FnMut(&str),
) -> ! {
    // Ends the task when this is dropped.
    let mut running = JoinSet::new();
    loop {
        running.spawn(task());
        let reason = match running.join_next().await {
            Some(Err(error)) if error.is_panic() => faults.record_panic(part, &*error.into_panic()),
            _ => {
                let reason = "it ended".to_owned();
                faults.record(part, reason.clone());
                reason
            }
        };
        failed(&reason);
        sleep(PAUSE).await;
    }
}

/// The runtime of a thread. It ends without waiting for blocking calls, which may hang.
pub(crate) struct ThreadRuntime(Option<runtime::Runtime>);

impl ThreadRuntime {
    /// A runtime on the current thread, with at most so many threads for blocking calls.
    pub(crate) fn new(most_blocking: usize) -> io::Result<Self> {
        let runtime =
            runtime::Builder::new_current_thread().enable_all().max_blocking_threads(most_blocking).build()?;
        Ok(Self(Some(runtime)))
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> io::Result<T> {
        let runtime = self.0.as_ref().ok_or_else(|| io::Error::other("the runtime has ended"))?;
        Ok(runtime.block_on(future))
    }
}

impl Drop for ThreadRuntime {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(runtime::Runtime::shutdown_background);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_panics_or_fails_is_done_again_and_counted() {
        let (faults, mut runs) = (Faults::default(), 0);
        supervise("thread", &faults, || {
            runs += 1;
            match runs {
                1 => panic!("a bug"),
                2 => Err(io::Error::other("no descriptor is left")),
                _ => Ok(()),
            }
        });
        let [fault] = &*faults.all() else { panic!("one part") };
        assert_eq!((runs, fault.count, &*fault.reason), (3, 2, "no descriptor is left"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_or_ends_is_started_again_and_its_reason_is_passed_on() {
        let (faults, mut runs, mut reasons) = (Faults::default(), 0, vec![]);
        let task = || {
            runs += 1;
            let run = runs;
            async move {
                match run {
                    1 => panic!("a bug"),
                    2 => {}
                    _ => std::future::pending().await,
                }
            }
        };
        let work = supervise_task("task", &faults, task, |reason| reasons.push(reason.to_owned()));
        tokio::time::timeout(Duration::from_mins(1), work).await.unwrap_err();
        assert!(matches!(&*reasons, [panic, end] if panic.starts_with("it panicked") && end == "it ended"));
        assert_eq!((runs, faults.all()[0].count), (3, 2));
    }

    #[test]
    fn a_runtime_ends_although_a_blocking_call_hangs() {
        let (_keep, hang) = std::sync::mpsc::channel::<()>();
        let runtime = ThreadRuntime::new(1).unwrap();
        runtime.block_on(async { _ = tokio::task::spawn_blocking(move || hang.recv()) }).unwrap();
        drop(runtime);
    }
}
