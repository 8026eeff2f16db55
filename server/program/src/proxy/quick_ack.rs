//! Saves 40 ms for each answer that comes in two writes without `TCP_NODELAY`: without it 0.05 times the requests per second, and 0.27 times
//! before uvicorn with two workers. The application holds the body back until the head is acknowledged, and the kernel delays that. While the
//! rest of an answer is awaited, this stream acknowledges at once.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{
            AtomicBool,
            Ordering::{AcqRel, Release},
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
    connection: AtomicWaker,
}

impl AckRequest {
    /// Makes the stream acknowledge what has come, since the reader waits for more.
    pub(super) fn send(&self) {
        self.is_pending.store(true, Release);
        self.connection.wake();
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
