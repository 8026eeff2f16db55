//! Copies bytes both ways after an upgrade, whatever the protocol, as long as both sides are there.

use std::{
    io,
    pin::pin,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, sink, split},
    time::{Instant, sleep_until, timeout},
};

use crate::{
    serve::drain::{DrainWatch, Phase},
    tasks::spawn_once,
};

/// After the end of one side, the other may go on as long as it pauses no longer than this. Most protocols end with either side; in some, one
/// side says that it has sent all, and waits for the rest of the other's.
const PAUSE_AFTER_END: Duration = Duration::from_secs(15);
/// A side that reads nothing for this long, while there is something for it, has gone.
const READ_WITHIN: Duration = Duration::from_mins(1);
/// The time for both sides to read the end.
const GOODBYE_WITHIN: Duration = Duration::from_millis(500);
const BUFFER_BYTES: usize = 8 << 10;

/// Copies bytes until one side has gone, or the server ends. Then both sides see a clean end, and `held` is dropped.
pub(super) fn open(client: OnUpgrade, upstream: OnUpgrade, drain: DrainWatch, held: impl Send + 'static) {
    spawn_once("tunnel", async move {
        let _held = held;
        let (client, upstream) = match tokio::try_join!(client, upstream) {
            Ok((client, upstream)) => (TokioIo::new(client), TokioIo::new(upstream)),
            Err(error) => return tracing::debug!(%error, "an upgrade did not come about"),
        };
        if let Err(error) = copy(client, upstream, drain).await {
            tracing::debug!(%error, "an upgraded connection ended early");
        }
    });
}

/// When the last bytes passed, in milliseconds since the beginning.
struct LastBytes {
    began: Instant,
    ms: AtomicU64,
}

impl LastBytes {
    fn new() -> Self {
        Self { began: Instant::now(), ms: AtomicU64::new(0) }
    }

    fn note(&self) {
        self.ms.store(self.began.elapsed().as_millis() as u64, Relaxed);
    }

    fn pause_ends(&self) -> Instant {
        self.began + Duration::from_millis(self.ms.load(Relaxed)) + PAUSE_AFTER_END
    }
}

async fn copy<C, U>(client: C, upstream: U, drain: DrainWatch) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite,
    U: AsyncRead + AsyncWrite,
{
    let ((mut from_client, mut to_client), (mut from_upstream, mut to_upstream)) = (split(client), split(upstream));
    let last = LastBytes::new();
    copy_until_end(
        copy_one_way(&mut from_client, &mut to_upstream, &last),
        copy_one_way(&mut from_upstream, &mut to_client, &last),
        &last,
        drain,
    )
    .await?;
    // What a side still sends is read, so that the kernel resets nothing.
    let goodbye = async {
        let _ = tokio::join!(to_client.shutdown(), to_upstream.shutdown());
        let (mut client_rest, mut upstream_rest) = (sink(), sink());
        let _ = tokio::join!(
            tokio::io::copy(&mut from_client, &mut client_rest),
            tokio::io::copy(&mut from_upstream, &mut upstream_rest)
        );
    };
    // A side that says no goodbye has gone.
    let _ = timeout(GOODBYE_WITHIN, goodbye).await;
    Ok(())
}

/// Returns once both ways have ended, or one has and the other pauses, or the server ends.
async fn copy_until_end(
    up: impl Future<Output = io::Result<()>>,
    down: impl Future<Output = io::Result<()>>,
    last: &LastBytes,
    drain: DrainWatch,
) -> io::Result<()> {
    let (mut up, mut down, mut drained) = (pin!(up), pin!(down), pin!(drain.reach(Phase::Ended)));
    let (mut up_ended, mut down_ended) = (false, false);
    while !up_ended || !down_ended {
        tokio::select! {
            ended = &mut up, if !up_ended => { ended?; up_ended = true; }
            ended = &mut down, if !down_ended => { ended?; down_ended = true; }
            () = &mut drained => return Ok(()),
            () = sleep_until(last.pause_ends()), if up_ended || down_ended => {
                if last.pause_ends() <= Instant::now() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Copies until the end of `from`, and ends `to` then.
async fn copy_one_way(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    last: &LastBytes,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let count = from.read(&mut buffer).await?;
        last.note();
        let write = async {
            if count == 0 {
                return to.shutdown().await;
            }
            to.write_all(&buffer[..count]).await?;
            to.flush().await
        };
        timeout(READ_WITHIN, write).await??;
        if count == 0 {
            return Ok(());
        }
    }
}
