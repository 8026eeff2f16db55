//! Connections to the application, each with the time that it took to make.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use tokio::{net::TcpStream, time::timeout};
use tower_service::Service;

/// A local application takes a connection at once; one that does not is overwhelmed or gone.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How long its connection took to be made; in the extensions of a response.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) took: Duration,
    used: Arc<AtomicBool>,
}

impl Made {
    /// The time, for the first request on the connection.
    pub(super) fn first(&self) -> Option<Duration> {
        (!self.used.swap(true, Relaxed)).then_some(self.took)
    }
}

#[derive(Clone)]
pub(super) struct Connector;

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(async move {
            let began = Instant::now();
            let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
            let address = (host, uri.port_u16().unwrap_or(80));
            let stream = timeout(CONNECT_WITHIN, TcpStream::connect(address)).await??;
            stream.set_nodelay(true)?;
            let made = Made { took: began.elapsed(), used: Arc::default() };
            Ok(Stream { inner: TokioIo::new(stream), made })
        })
    }
}

pub(super) struct Stream {
    inner: TokioIo<TcpStream>,
    made: Made,
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new().extra(self.made.clone())
    }
}

impl Read for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, buffers)
    }
}
