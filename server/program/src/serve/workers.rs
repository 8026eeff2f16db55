//! The proxy's own threads: one for each core, with a runtime each, so that a request stays on the thread that took its connection.

use std::{io, num::NonZero, thread};

use tokio::{net::TcpListener, runtime, sync::oneshot};

/// Runs the future that `serve` makes of the listener on each thread, and returns when all have ended.
///
/// # Errors
/// When a thread or what it needs cannot be had.
pub(crate) async fn run<F, M>(listener: TcpListener, serve: M) -> io::Result<()>
where
    F: Future<Output = ()>,
    M: Fn(TcpListener, usize) -> F + Clone + Send + 'static,
{
    let listener = listener.into_std()?;
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let mut ends = vec![];
    for number in 0..threads {
        let (listener, serve) = (listener.try_clone()?, serve.clone());
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (end, ended) = oneshot::channel::<()>();
        thread::Builder::new().name(format!("proxy-{number}")).spawn(move || {
            let _end = end;
            match runtime.block_on(async { TcpListener::from_std(listener).map(|listener| serve(listener, threads)) }) {
                Ok(serving) => runtime.block_on(serving),
                Err(error) => tracing::error!(%error, "a thread of the proxy cannot listen"),
            }
        })?;
        ends.push(ended);
    }
    // The threads have their own: when these are gone, nobody listens.
    drop(listener);
    for ended in ends {
        // It only ever ends by being dropped.
        let _ = ended.await;
    }
    Ok(())
}
