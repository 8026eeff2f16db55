//! Starts a task again that panics or ends early. Each failure is logged, counted and shown.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{sync::watch, task::JoinSet, time::sleep};
use watchboard::program::{extend_fault, record_fault, record_panic};

/// The pause before a restart: what fails at once shall not fail without a pause.
const RESTART_PAUSE: Duration = Duration::from_millis(500);

/// Runs the task that `start` makes until `stop` turns true, and starts it again whenever it ends before. After the stop, `start` with all that it
/// holds is dropped, and the task has the time that it takes.
pub(crate) async fn supervise<F>(part: &'static str, mut stop: watch::Receiver<bool>, mut start: impl FnMut() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    // Whoever drops this future ends the task with it.
    let mut task = JoinSet::new();
    loop {
        task.spawn(run_recorded(part, start()));
        let ended = tokio::select! {
            ended = task.join_next() => ended,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        // It saw the stop before we did.
        if *stop.borrow() {
            return;
        }
        if !matches!(ended, Some(Ok(TaskEnd::Panic))) {
            record_fault(part, "it ended early");
        }
        tracing::error!("the {part} failed, and is started again");
        tokio::select! {
            () = sleep(RESTART_PAUSE) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
    drop(start);
    while task.join_next().await.is_some() {}
}

/// Between two beats of a thread.
pub(crate) const BEAT: Duration = Duration::from_secs(1);
/// A thread that misses so many beats is stuck.
const MISSED: u32 = 5;

/// Watches the beats of a thread: one that is stuck is a fault for as long as it lasts.
pub(crate) fn watch(part: &'static str, beats: Arc<AtomicU64>, mut stop: watch::Receiver<bool>) {
    tokio::spawn(async move {
        let (mut last, mut missed) = (0, 0);
        loop {
            tokio::select! {
                () = sleep(BEAT) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            let now = beats.load(Relaxed);
            (last, missed) = (now, if now == last { missed + 1 } else { 0 });
            if missed == MISSED {
                tracing::error!("a {part} does not work any more");
                record_fault(part, "it does not work any more: its requests wait");
            } else if missed > MISSED {
                extend_fault(part);
            }
        }
    });
}

/// How a task ended.
pub(crate) enum TaskEnd {
    End,
    Panic,
}

/// Runs a future. A panic of it is recorded; the log has it by the hook of panics.
pub(crate) async fn run_recorded(part: &'static str, future: impl Future<Output = ()>) -> TaskEnd {
    // Whatever it holds is dropped.
    if AssertUnwindSafe(future).catch_unwind().await.is_ok() {
        return TaskEnd::End;
    }
    record_panic(part);
    TaskEnd::Panic
}

/// Supervises a task beside the others.
pub(crate) fn spawn<F>(part: &'static str, stop: watch::Receiver<bool>, start: impl FnMut() -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(async move { supervise(part, stop, start).await });
}

/// Spawns a task that ends, such as that of one connection. A panic of it is recorded.
pub(crate) fn spawn_once(part: &'static str, task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(run_recorded(part, task));
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use tokio::time::{pause, timeout};

    use super::*;

    #[tokio::test]
    async fn what_panics_or_ends_early_runs_again_until_the_stop() {
        pause();
        let (stop, stopped) = watch::channel(false);
        let runs = Arc::new(AtomicU32::new(0));
        let (counted, stop_of_task) = (Arc::clone(&runs), stopped.clone());
        let supervised = tokio::spawn(async move {
            supervise("a test", stopped, || {
                let (run, mut stop) = (counted.fetch_add(1, Relaxed), stop_of_task.clone());
                async move {
                    assert!(run > 0, "the first run fails");
                    if run > 1 {
                        let _ = stop.wait_for(|stop| *stop).await;
                    }
                }
            })
            .await;
        });
        let third = async {
            while runs.load(Relaxed) < 3 {
                sleep(RESTART_PAUSE).await;
            }
        };
        timeout(RESTART_PAUSE * 20, third).await.expect("it runs a third time");
        stop.send_replace(true);
        timeout(RESTART_PAUSE * 20, supervised).await.expect("it ends").unwrap();
        assert_eq!(runs.load(Relaxed), 3);
    }

    #[tokio::test]
    async fn what_it_starts_from_is_dropped_at_the_stop() {
        let (stop, stopped) = watch::channel(false);
        let resource = Arc::new(());
        let weak = Arc::downgrade(&resource);
        let task = || async move {
            while weak.upgrade().is_some() {
                tokio::task::yield_now().await;
            }
        };
        let mut first = Some(task());
        stop.send_replace(true);
        let start = move || {
            let (_held, first) = (&resource, first.take());
            async move { first.expect("one run").await }
        };
        timeout(Duration::from_secs(10), supervise("a test", stopped, start)).await.expect("it ends");
    }
}
