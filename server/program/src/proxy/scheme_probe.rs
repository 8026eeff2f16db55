//! Finds out what an application speaks that answers nothing, as after a mistaken scheme of `--upstream`. Servers differ in what they do with
//! another protocol: some close, some say something, some wait. So the probe speaks each other protocol to it.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};
use tokio_rustls::rustls::{ClientConnection, pki_types::ServerName};

use super::{
    failure::Failure,
    spoken_protocol::{SpokenProtocol, SpokenResult, protocol_of},
    upstream::UpstreamProtocol,
    upstream_certificates::client_config,
    upstream_socket::{Dialer, UpstreamSocket},
};
use crate::tasks::spawn_once;

/// A server answers the beginning of its protocol at once, unless it is very busy.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);
const HTTP_1: &[u8] = b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
/// The preface, and settings.
const HTTP_2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const FIRST_BYTES: usize = 16;

impl Dialer {
    /// The failure, or that the application speaks another protocol. The application is asked if it has never answered.
    pub(super) async fn explain(&self, failure: Failure) -> Failure {
        let is_tls = self.upstream.protocol == UpstreamProtocol::Https;
        let may_be_mistaken = match failure {
            Failure::Closed | Failure::NotHttp | Failure::Speaks(_) => true,
            Failure::NoConnection | Failure::NoConnectionInTime => is_tls,
            _ => false,
        };
        if !may_be_mistaken || self.scheme.has_answered() {
            return failure;
        }
        let _turn = self.scheme.turn.lock().await;
        let result = if let Some(result) = self.scheme.last() {
            result
        } else {
            let result = SpokenResult(self.find_protocol().await);
            self.scheme.note(result);
            result
        };
        result.0.map_or(failure, Failure::Speaks)
    }

    /// Servers with TLS answer a request without it by a 400. An application that has answered otherwise is not asked.
    pub(super) fn probe_in_background(&self) {
        if self.scheme.has_answered() || !self.scheme.begin_probe() {
            return;
        }
        let dialer = self.clone();
        spawn_once("probe of the scheme", async move {
            _ = dialer.explain(Failure::Closed).await;
            dialer.scheme.end_probe();
        });
    }

    async fn find_protocol(&self) -> Option<SpokenProtocol> {
        use SpokenProtocol::{Http1, Http2, Tls};
        // Servers with TLS may answer a request of HTTP/1 by a refusal in HTTP/1.
        let others @ [one, two] = match self.upstream.protocol {
            UpstreamProtocol::Http => [Tls, Http2],
            UpstreamProtocol::H2c => [Tls, Http1],
            UpstreamProtocol::Https => [Http1, Http2],
        };
        // A client waits for both.
        let spoken = tokio::join!(self.answer_to(one), self.answer_to(two));
        [spoken.0, spoken.1].into_iter().flatten().find(|spoken| others.contains(spoken))
    }

    /// What the application speaks when it is spoken to in a protocol.
    async fn answer_to(&self, protocol: SpokenProtocol) -> Option<SpokenProtocol> {
        let hello = match protocol {
            SpokenProtocol::Tls => client_hello()?,
            SpokenProtocol::Http1 => HTTP_1.to_vec(),
            SpokenProtocol::Http2 => HTTP_2.to_vec(),
        };
        let answer = async {
            match self.connect_plainly().await.ok()? {
                UpstreamSocket::Unix(stream) => first_bytes(stream, &hello).await,
                UpstreamSocket::Tcp(stream) => first_bytes(stream, &hello).await,
                UpstreamSocket::Tls(_) => None,
            }
        };
        let first = timeout(ANSWERS_WITHIN, answer).await.ok().flatten().unwrap_or_default();
        protocol_of(&first)
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
