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

/// The wish of an answer's reader, for the stream that it reads from.
#[derive(Default)]
pub(super) struct AckRequest {
    is_open: AtomicBool,
    connection: AtomicWaker,
}

impl AckRequest {
    /// Acknowledge at once what has come: the reader waits for more.
    pub(super) fn send(&self) {
        self.is_open.store(true, Release);
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
            // First, so that no request is missed.
            self.request.connection.register(cx.waker());
            if self.request.is_open.swap(false, AcqRel) {
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
