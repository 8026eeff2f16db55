//! Connects to the application: by TCP, by TLS or by a Unix socket.

use std::{
    io,
    net::IpAddr,
    os::fd::{AsFd, BorrowedFd},
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
};
use tokio_rustls::{TlsConnector, client::TlsStream, rustls::pki_types::ServerName};

use super::{
    headers,
    spoken_protocol::SchemeState,
    upstream::{Upstream, UpstreamPlace, UpstreamProtocol},
    upstream_addresses::UpstreamAddresses,
    upstream_certificates::{UpstreamTlsError, client_config},
};
use crate::{serve::keep_alive, tasks::spawn_once};

/// Makes connections to one application.
#[derive(Clone)]
pub(crate) struct Dialer {
    pub(super) upstream: Upstream,
    /// Those that its name has now.
    pub(crate) addresses: UpstreamAddresses,
    tls: Option<TlsConnector>,
    pub(super) scheme: Arc<SchemeState>,
}

impl Dialer {
    /// With the certificates of an authority that has signed the application's, or those that browsers know.
    ///
    /// # Errors
    /// The file has no usable certificate.
    pub(crate) fn new(upstream: Upstream, authority: Option<&Path>) -> Result<Self, UpstreamTlsError> {
        let is_tls = upstream.protocol == UpstreamProtocol::Https;
        let tls = if is_tls { Some(TlsConnector::from(Arc::new(client_config(authority)?))) } else { None };
        Ok(Self { upstream, addresses: UpstreamAddresses::default(), tls, scheme: Arc::default() })
    }

    /// Whether a connection may turn out to speak HTTP/2.
    pub(super) fn may_speak_http_2(&self) -> bool {
        self.upstream.protocol != UpstreamProtocol::Http
    }

    /// A connection, and whether it speaks HTTP/2.
    pub(super) async fn connect(&self) -> io::Result<(UpstreamSocket, bool)> {
        let is_h2c = self.upstream.protocol == UpstreamProtocol::H2c;
        match (self.connect_plainly().await?, &self.tls) {
            (UpstreamSocket::Tcp(stream), Some(tls)) => {
                let (host, _) = self.upstream.host_and_port().unwrap_or_default();
                let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
                let stream = tls.connect(name, stream).await?;
                let is_http_2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                Ok((UpstreamSocket::Tls(Box::new(stream)), is_http_2))
            }
            (socket, _) => Ok((socket, is_h2c)),
        }
    }

    /// A connection without TLS.
    pub(super) async fn connect_plainly(&self) -> io::Result<UpstreamSocket> {
        let address = match &self.upstream.place {
            UpstreamPlace::Unix(path) => return Ok(UpstreamSocket::Unix(UnixStream::connect(path.as_path()).await?)),
            UpstreamPlace::Tcp(_) => self.upstream.host_and_port().unwrap_or_default(),
        };
        let stream = self.addresses.connect(address).await?;
        stream.set_nodelay(true).and_then(|()| keep_alive(&stream))?;
        Ok(UpstreamSocket::Tcp(stream))
    }
}

/// A single request got no response.
#[derive(Debug, Error)]
pub(super) enum DialError {
    #[error(transparent)]
    Connect(#[from] io::Error),
    #[error(transparent)]
    Http(#[from] hyper::Error),
}

impl Dialer {
    /// Sends a request on a connection of its own.
    pub(super) async fn send(&self, mut request: Request<Empty<Bytes>>) -> Result<Response<Incoming>, DialError> {
        let (socket, is_http_2) = self.connect().await?;
        if is_http_2 {
            headers::make_http_2(&mut request);
            let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(socket)).await?;
            spawn_once("connection for a document", async move { drop(connection.await) });
            return Ok(sender.send_request(request).await?);
        }
        let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
        spawn_once("connection for a document", async move { drop(connection.await) });
        Ok(sender.send_request(request).await?)
    }
}

pub(super) enum UpstreamSocket {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl UpstreamSocket {
    /// The address of the application; `None` for a Unix socket.
    pub(super) fn peer_ip(&self) -> Option<IpAddr> {
        let peer = match self {
            Self::Tcp(stream) => stream.peer_addr(),
            Self::Unix(_) => return None,
            Self::Tls(stream) => stream.get_ref().0.peer_addr(),
        };
        peer.ok().map(|peer| peer.ip())
    }
}

impl AsFd for UpstreamSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
            Self::Tls(stream) => stream.get_ref().0.as_fd(),
        }
    }
}

impl AsyncRead for UpstreamSocket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for UpstreamSocket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
