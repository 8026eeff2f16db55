//! The threads of the proxy: one for each core, each with a runtime. A request stays on the thread that accepted its connection.

use std::{
    io,
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use futures_util::future::try_join_all;
use tokio::{
    net::TcpListener,
    runtime::{self, Runtime},
    sync::{oneshot, watch},
    time::sleep,
};

use crate::tasks::{self, BEAT, supervise};

/// Starts the threads. Each runs the future that `serve` makes of the listener, and runs it again if it ends before `stop`. None accepts before all
/// have their descriptors, which early connections could take. The returned future ends when all threads have ended.
///
/// # Errors
/// A thread, its runtime or its listener is not available; the future's error is that a thread has failed.
pub(crate) async fn start<F, M>(
    listener: TcpListener,
    stop: watch::Receiver<bool>,
    serve: M,
) -> io::Result<impl Future<Output = io::Result<()>>>
where
    F: Future<Output = ()> + Send + 'static,
    M: Fn(Arc<TcpListener>, usize) -> F + Clone + Send + 'static,
{
    let listener = listener.into_std()?;
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let (all_ready, can_accept) = watch::channel(false);
    let mut ends = vec![];
    for number in 0..threads {
        let (listener, serve, stop) = (listener.try_clone()?, serve.clone(), stop.clone());
        let mut can_accept = can_accept.clone();
        let ((ready, is_ready), (end, ended)) = (oneshot::channel(), oneshot::channel());
        let beats = Arc::<AtomicU64>::default();
        tasks::watch("proxy thread", Arc::clone(&beats), stop.clone());
        let run = move || {
            // Whoever waits for a thread that fails gets the error of a sender that was dropped.
            let (runtime, listener) = match runtime_with(listener) {
                Ok(both) => both,
                Err(error) => return drop(ready.send(Err(error))),
            };
            let _ = ready.send(Ok(()));
            runtime.spawn(beat(beats));
            if runtime.block_on(can_accept.wait_for(|ready| *ready)).is_err() {
                return; // Another thread could not start.
            }
            runtime.block_on(supervise("proxy thread", stop, move || serve(Arc::clone(&listener), threads)));
            let _ = end.send(());
        };
        thread::Builder::new().name(format!("proxy-{number}")).spawn(run)?;
        is_ready.await.map_err(|_| failure())??;
        ends.push(async { ended.await.map_err(|_| failure()) });
    }
    all_ready.send_replace(true);
    // The threads have copies. After them nothing listens any more.
    drop(listener);
    Ok(async { try_join_all(ends).await.map(drop) })
}

/// Counts as long as the thread works.
async fn beat(beats: Arc<AtomicU64>) {
    loop {
        beats.fetch_add(1, Relaxed);
        sleep(BEAT).await;
    }
}

fn runtime_with(listener: std::net::TcpListener) -> io::Result<(Runtime, Arc<TcpListener>)> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = runtime.block_on(async { TcpListener::from_std(listener) })?;
    Ok((runtime, Arc::new(listener)))
}

fn failure() -> io::Error {
    io::Error::other("one of its threads has failed")
}

#[cfg(test)]
mod tests {
    use std::{sync::atomic::AtomicUsize, time::Duration};

    use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

    use super::*;

    #[tokio::test]
    async fn a_listener_outlives_the_panic_of_its_thread() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        let serve = move |listener: Arc<TcpListener>, threads| {
            let run = counted.fetch_add(1, Relaxed);
            async move {
                assert!(run >= threads, "each thread fails once");
                while listener.accept().await.is_ok() {}
            }
        };
        let running = tokio::spawn(start(listener, stopped, serve).await.unwrap());
        let mut client = TcpStream::connect(address).await.unwrap();
        let closed = timeout(Duration::from_secs(20), client.read_to_end(&mut vec![])).await;
        closed.expect("a thread accepts it, and closes it").unwrap();
        stop.send_replace(true);
        drop(running);
    }

    #[tokio::test]
    async fn a_thread_that_cannot_go_on_ends_all() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (_stop, stopped) = watch::channel(false);
        let serve = |_, _| -> std::future::Pending<()> { panic!("there is nothing to supervise") };
        let running = start(listener, stopped, serve).await.unwrap();
        let ended = timeout(Duration::from_secs(20), running).await.expect("it ends");
        assert!(ended.unwrap_err().to_string().contains("has failed"));
    }

    #[tokio::test]
    async fn all_threads_end_at_the_stop() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, mut stopped) = watch::channel(false);
        let stops = stopped.clone();
        let serve = move |listener: Arc<TcpListener>, _| {
            let mut stop = stops.clone();
            async move {
                let _ = stop.wait_for(|stop| *stop).await;
                drop(listener);
            }
        };
        let running = tokio::spawn(start(listener, stopped.clone(), serve).await.unwrap());
        stop.send_replace(true);
        let _ = stopped.wait_for(|stop| *stop).await;
        timeout(Duration::from_secs(20), running).await.expect("they end").unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err(), "nothing listens any more");
    }
}
