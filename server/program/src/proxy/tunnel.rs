//! Copies bytes both ways after an upgrade, whatever the protocol, as long as both sides are there. It counts them for the board, and the messages
//! of a WebSocket.

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
use watchboard::{ClosedBy, Tunnel};

use super::frames::FrameReader;
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

/// The sides of a tunnel, before the upgrade.
pub(super) struct UpgradedSides {
    pub(super) client: OnUpgrade,
    pub(super) application: OnUpgrade,
    /// Whether they speak WebSocket.
    pub(super) is_websocket: bool,
}

/// Copies bytes until one side has gone, or the server ends. Then both sides see a clean end, and `held` is dropped. `tunnel` gets what passes.
pub(super) fn open(sides: UpgradedSides, tunnel: Tunnel, drain: DrainWatch, held: impl Send + 'static) {
    spawn_once("tunnel", async move {
        let _held = held;
        let (client, application) = match tokio::try_join!(sides.client, sides.application) {
            Ok((client, application)) => (TokioIo::new(client), TokioIo::new(application)),
            Err(error) => return tracing::debug!(%error, "an upgrade did not come about"),
        };
        if let Err(TunnelError { by, error }) = copy(client, application, (&tunnel, sides.is_websocket), drain).await {
            tunnel.note_close(by, None);
            tracing::debug!(%error, "an upgraded connection ended early");
        }
    });
}

/// A side has gone without a clean end.
struct TunnelError {
    by: ClosedBy,
    error: io::Error,
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

async fn copy<C, U>(
    client: C,
    application: U,
    (tunnel, is_websocket): (&Tunnel, bool),
    drain: DrainWatch,
) -> Result<(), TunnelError>
where
    C: AsyncRead + AsyncWrite,
    U: AsyncRead + AsyncWrite,
{
    let ((mut from_client, mut to_client), (mut from_upstream, mut to_upstream)) = (split(client), split(application));
    let last = LastBytes::new();
    let (client, application) = (ClosedBy::Client, ClosedBy::Application);
    let observe = |from, to| Observer { tunnel, from, to, last: &last, frames: is_websocket.then(FrameReader::new) };
    let by = copy_until_end(
        copy_one_way(&mut from_client, &mut to_upstream, observe(client, application)),
        copy_one_way(&mut from_upstream, &mut to_client, observe(application, client)),
        &last,
        drain,
    )
    .await?;
    // Before the goodbye: what a side still sends is no part of it.
    tunnel.note_close(by, None);
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

/// Returns once both ways have ended, or one has and the other pauses, or the server ends: the side that ended first.
async fn copy_until_end(
    up: impl Future<Output = Result<(), TunnelError>>,
    down: impl Future<Output = Result<(), TunnelError>>,
    last: &LastBytes,
    drain: DrainWatch,
) -> Result<ClosedBy, TunnelError> {
    let (mut up, mut down, mut drained) = (pin!(up), pin!(down), pin!(drain.reach(Phase::Ended)));
    let (mut up_ended, mut down_ended, mut first) = (false, false, None);
    while !up_ended || !down_ended {
        tokio::select! {
            ended = &mut up, if !up_ended => {
                ended?;
                up_ended = true;
                first.get_or_insert(ClosedBy::Client);
            }
            ended = &mut down, if !down_ended => {
                ended?;
                down_ended = true;
                first.get_or_insert(ClosedBy::Application);
            }
            () = &mut drained => break,
            () = sleep_until(last.pause_ends()), if up_ended || down_ended => {
                if last.pause_ends() <= Instant::now() {
                    break;
                }
            }
        }
    }
    Ok(first.unwrap_or(ClosedBy::Proxy))
}

/// Looks at what passes one way.
struct Observer<'a> {
    tunnel: &'a Tunnel,
    from: ClosedBy,
    to: ClosedBy,
    last: &'a LastBytes,
    /// `None` if the protocol is not WebSocket.
    frames: Option<FrameReader>,
}

impl Observer<'_> {
    fn see(&mut self, bytes: &[u8]) {
        let seen = self.frames.as_mut().map(|frames| frames.read(bytes)).unwrap_or_default();
        match self.from {
            ClosedBy::Client => self.tunnel.count_received(bytes.len() as u64, seen.messages),
            _ => self.tunnel.count_sent(bytes.len() as u64, seen.messages),
        }
        if let Some(code) = seen.close {
            self.tunnel.note_close(self.from, Some(code));
        }
        if seen.is_malformed {
            self.tunnel.note_unparsed();
        }
    }
}

/// Copies until the end of `from`, and ends `to` then.
async fn copy_one_way(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut observer: Observer<'_>,
) -> Result<(), TunnelError> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let count = from.read(&mut buffer).await.map_err(|error| TunnelError { by: observer.from, error })?;
        observer.last.note();
        observer.see(&buffer[..count]);
        // A side of a WebSocket that ends without a close frame has dropped it, whatever the other side sends then.
        if count == 0 && observer.frames.is_some() {
            observer.tunnel.note_close(observer.from, None);
        }
        let write = async {
            if count == 0 {
                return to.shutdown().await;
            }
            to.write_all(&buffer[..count]).await?;
            to.flush().await
        };
        let written = timeout(READ_WITHIN, write).await.map_err(io::Error::from).flatten();
        written.map_err(|error| TunnelError { by: observer.to, error })?;
        if count == 0 {
            return Ok(());
        }
    }
}
