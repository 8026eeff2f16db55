//! The application's side of a connection, which tells the application at once what has come where the rest of an answer is waited for. One that
//! writes head and body apart, without `TCP_NODELAY`, keeps the body until then (uvicorn with workers): by the system's own time, 40 ms.

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
            // Only a delay, if it fails.
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
