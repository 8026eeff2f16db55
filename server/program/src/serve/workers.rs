//! The threads of the proxy: one for each core, each with a runtime. A request stays on the thread that accepted its connection.

use std::{io, num::NonZero, thread};

use tokio::{net::TcpListener, runtime, sync::oneshot};

/// Runs the future that `serve` makes of the listener on each thread, and returns when all have ended.
///
/// # Errors
/// A thread, its runtime or its listener is not available.
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
    // The threads have copies. After them nothing listens any more.
    drop(listener);
    for ended in ends {
        // The thread drops the sender; it never sends.
        let _ = ended.await;
    }
    Ok(())
}
