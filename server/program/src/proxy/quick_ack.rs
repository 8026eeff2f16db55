//! Saves 40 ms for each answer that comes in two writes without `TCP_NODELAY`, as from uvicorn with workers. The application holds the body back
//! until the head is acknowledged, and the kernel delays that. While the rest of an answer is awaited, this stream acknowledges at once.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::wake_filter::WakeFilter;

pub(super) struct QuickAck {
    stream: TcpStream,
    wake_filter: Arc<WakeFilter>,
}

impl QuickAck {
    pub(super) fn new(stream: TcpStream, wake_filter: Arc<WakeFilter>) -> Self {
        Self { stream, wake_filter }
    }
}

impl AsyncRead for QuickAck {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if polled.is_pending() && self.wake_filter.take_waiting() {
            // A failure costs a delay alone.
            _ = SockRef::from(&self.stream).set_tcp_quickack(true);
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
