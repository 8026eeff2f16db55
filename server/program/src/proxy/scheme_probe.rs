//! Finds out what an application speaks that answers nothing, as after a mistaken scheme of `--upstream`. Servers differ in what they do with
//! another protocol: some close, some say something, some wait. So the probe speaks each other protocol to it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{Instant, timeout},
};
use tokio_rustls::rustls::{ClientConnection, pki_types::ServerName};

use super::{
    failure::Failure,
    upstream::UpstreamProtocol,
    upstream_certificates::client_config,
    upstream_link::SpokenProtocol,
    upstream_socket::{Dialer, UpstreamSocket},
};

/// A server answers the beginning of its protocol at once, unless it is very busy.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);
/// A result holds so long. Meanwhile all failures have the same reason, and no connection is tried.
const HOLDS_FOR: Duration = Duration::from_secs(5);
const HTTP_1: &[u8] = b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
/// The preface, and settings.
const HTTP_2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const FIRST_BYTES: usize = 16;

/// Shared by all connections to an application.
#[derive(Default)]
pub(super) struct SchemeProbe {
    /// What has answered once speaks what `--upstream` says.
    has_answered: AtomicBool,
    /// The time and the result of the last probe.
    last: Mutex<Option<(Instant, Option<SpokenProtocol>)>>,
    /// One probe at a time.
    turn: tokio::sync::Mutex<()>,
}

impl SchemeProbe {
    pub(super) fn note_answer(&self) {
        if !self.has_answered.load(Relaxed) {
            self.has_answered.store(true, Relaxed);
        }
    }

    /// The result of the last probe, as long as it holds.
    fn last(&self) -> Option<Option<SpokenProtocol>> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.filter(|(at, _)| at.elapsed() < HOLDS_FOR).map(|(_, spoken)| spoken)
    }

    /// What the application speaks instead, if that is known.
    pub(super) fn mistake(&self) -> Option<SpokenProtocol> {
        if self.has_answered.load(Relaxed) { None } else { self.last().flatten() }
    }
}

/// What the first bytes of an application say that it speaks.
pub(super) fn protocol_of(first: &[u8]) -> Option<SpokenProtocol> {
    match first {
        [0x15 | 0x16, 3, ..] => Some(SpokenProtocol::Tls),
        _ if first.starts_with(b"HTTP/1.") => Some(SpokenProtocol::Http1),
        // A frame of settings.
        [0, 0, _, 4, _, 0, 0, 0, 0, ..] => Some(SpokenProtocol::Http2),
        _ => None,
    }
}

impl Dialer {
    /// The failure, or that the application speaks another protocol. The application is asked if it has never answered.
    pub(super) async fn explain(&self, failure: Failure) -> Failure {
        let is_tls = self.upstream.protocol == UpstreamProtocol::Https;
        let may_be_mistaken = match failure {
            Failure::Closed | Failure::NotHttp | Failure::Speaks(_) => true,
            Failure::NoConnection | Failure::NoConnectionInTime => is_tls,
            _ => false,
        };
        if !may_be_mistaken || self.scheme.has_answered.load(Relaxed) {
            return failure;
        }
        let _turn = self.scheme.turn.lock().await;
        let spoken = match self.scheme.last() {
            Some(spoken) => spoken,
            None => {
                let spoken = self.find_protocol().await;
                *self.scheme.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), spoken));
                spoken
            }
        };
        spoken.map_or(failure, Failure::Speaks)
    }

    async fn find_protocol(&self) -> Option<SpokenProtocol> {
        use SpokenProtocol::{Http1, Http2, Tls};
        // Servers with TLS may answer a request of HTTP/1 by a refusal in HTTP/1.
        let others: &[SpokenProtocol] = match self.upstream.protocol {
            UpstreamProtocol::Http => &[Tls, Http2],
            UpstreamProtocol::H2c => &[Tls, Http1],
            UpstreamProtocol::Https => &[Http1, Http2],
        };
        for other in others {
            let hello = match other {
                Tls => client_hello()?,
                Http1 => HTTP_1.to_vec(),
                Http2 => HTTP_2.to_vec(),
            };
            let answer = async {
                match self.connect_plainly().await.ok()? {
                    UpstreamSocket::Unix(stream) => first_bytes(stream, &hello).await,
                    UpstreamSocket::Tcp(stream) => first_bytes(stream, &hello).await,
                    UpstreamSocket::Tls(_) => None,
                }
            };
            let first = timeout(ANSWERS_WITHIN, answer).await.ok().flatten().unwrap_or_default();
            if let Some(spoken) = protocol_of(&first).filter(|spoken| others.contains(spoken)) {
                return Some(spoken);
            }
        }
        None
    }
}

async fn first_bytes(mut stream: impl AsyncRead + AsyncWrite + Unpin, hello: &[u8]) -> Option<Vec<u8>> {
    stream.write_all(hello).await.ok()?;
    let mut first = Vec::with_capacity(FIRST_BYTES);
    // A failed read leaves what has come.
    _ = stream.take(FIRST_BYTES as u64).read_to_end(&mut first).await;
    Some(first)
}

/// The first message of a client of TLS.
fn client_hello() -> Option<Vec<u8>> {
    let config = Arc::new(client_config(None).ok()?);
    let mut connection = ClientConnection::new(config, ServerName::try_from("localhost").ok()?).ok()?;
    let mut hello = vec![];
    connection.write_tls(&mut hello).ok()?;
    Some(hello)
}
