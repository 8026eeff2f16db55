//! What a stream below hyper writes of its own: bytes that go out before the next write, and trailers behind the last chunk of a body.

use std::{
    io,
    pin::Pin,
    sync::{
        Mutex, PoisonError,
        atomic::{
            AtomicBool,
            Ordering::{Acquire, Release},
        },
    },
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use tokio::io::AsyncWrite;

/// Lines of trailers on their way to the stream. hyper writes the last chunk at once.
#[derive(Default)]
pub(crate) struct PendingTrailers {
    are_there: AtomicBool,
    lines: Mutex<Vec<u8>>,
}

impl PendingTrailers {
    pub(crate) fn send(&self, lines: Vec<u8>) {
        *self.lines.lock().unwrap_or_else(PoisonError::into_inner) = lines;
        self.are_there.store(true, Release);
    }

    pub(crate) fn are_there(&self) -> bool {
        self.are_there.load(Acquire)
    }

    fn take(&self) -> Vec<u8> {
        self.are_there.store(false, Release);
        std::mem::take(&mut self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Bytes that go out before the next write.
#[derive(Default)]
pub(crate) struct PendingOutput(BytesMut);

impl PendingOutput {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn poll_write_all<W: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut W,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.0.is_empty() {
            let count = ready!(Pin::new(&mut *stream).poll_write(cx, &self.0))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.0.advance(count);
        }
        Poll::Ready(Ok(()))
    }

    /// Writes the end of a body with its trailers. The bytes end with the last chunk, `0`, and an empty line. The trailers come before that
    /// line.
    pub(crate) fn poll_write_end<W: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut W,
        cx: &mut Context<'_>,
        bytes: &[u8],
        trailers: &PendingTrailers,
    ) -> Poll<io::Result<usize>> {
        if bytes.len() > 2 {
            return Pin::new(stream).poll_write(cx, &bytes[..bytes.len() - 2]);
        }
        self.push(&trailers.take());
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }
}
