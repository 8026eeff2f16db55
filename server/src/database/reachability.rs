//! Whether an address accepts connections. This tells a frozen server from a server that is cut off, and a stopped server from
//! broken connections.

use std::{
    io::{self, ErrorKind},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UnixStream, lookup_host},
    time::timeout,
};

/// The time limit of a connection without a byte on it.
const OPENS_WITHIN: Duration = Duration::from_millis(200);
/// The time limit of a look-up of a name.
const RESOLVES_WITHIN: Duration = Duration::from_millis(500);

/// The result of a connection, the one that says most last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reachability {
    /// No name server answers.
    Unresolved,
    /// The name is not known, there is no route, or no such socket file.
    Unroutable,
    /// Nothing came back.
    Silent,
    /// Nothing listens.
    Refuses,
    /// A connection was accepted.
    Accepts,
}

/// The best result of the addresses, `HOST:PORT` or a path; takes at most [`RESOLVES_WITHIN`] and [`OPENS_WITHIN`]. `None` without
/// addresses.
pub(super) async fn reachability(addresses: &[String]) -> Option<Reachability> {
    join_all(addresses.iter().map(|address| reach(address))).await.into_iter().max()
}

async fn reach(address: &str) -> Reachability {
    if address.starts_with('/') {
        return open(UnixStream::connect(address)).await;
    }
    match timeout(RESOLVES_WITHIN, lookup_host(address)).await {
        Ok(Ok(addresses)) => open(TcpStream::connect(&*addresses.collect::<Vec<_>>())).await,
        Ok(Err(error)) => from_error(&error),
        Err(_) => Reachability::Unresolved,
    }
}

async fn open<T>(connection: impl Future<Output = io::Result<T>>) -> Reachability {
    match timeout(OPENS_WITHIN, connection).await {
        Ok(Ok(_)) => Reachability::Accepts,
        Ok(Err(error)) => from_error(&error),
        Err(_) => Reachability::Silent,
    }
}

fn from_error(error: &io::Error) -> Reachability {
    match error.kind() {
        ErrorKind::ConnectionRefused => Reachability::Refuses,
        // A connection was accepted, and broken off before this side saw it.
        ErrorKind::ConnectionReset => Reachability::Accepts,
        ErrorKind::TimedOut => Reachability::Silent,
        _ => Reachability::Unroutable,
    }
}

/// The greeting of a client of TLS 1.2, with the suites, groups and signatures that servers have. Each line: the record's head; the
/// message's head; 32 bytes that may be anything; no session; suites; no compression; extensions.
const CLIENT_HELLO: &[u8] = b"\x16\x03\x01\0\x4f\
    \x01\0\0\x4b\x03\x03\
    watchboard asks for TLS, no more\
    \0\
    \0\x0a\xc0\x2b\xc0\x2f\xc0\x2c\xc0\x30\0\x9c\
    \x01\0\
    \0\x18\0\x0a\0\x06\0\x04\0\x1d\0\x17\0\x0d\0\x0a\0\x08\x04\x03\x08\x04\x04\x01\x05\x03";
/// The types of the records by which a server answers: an alert, a greeting.
const TLS_RECORDS: [u8; 2] = [21, 22];

/// Whether one of the addresses answers to a greeting of TLS; takes at most [`OPENS_WITHIN`].
pub(super) async fn speaks_tls(addresses: &[String]) -> bool {
    let answers = join_all(addresses.iter().map(|address| timeout(OPENS_WITHIN, answers_tls(address)))).await;
    answers.into_iter().any(|answer| matches!(answer, Ok(Ok(true))))
}

async fn answers_tls(address: &str) -> io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(CLIENT_HELLO).await?;
    Ok(TLS_RECORDS.contains(&stream.read_u8().await?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;
    use watchboard_test_support::HeldPort;

    #[tokio::test]
    async fn the_best_door_counts() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap().to_string();
        let port = HeldPort::new();
        let gone = port.address().to_string();
        assert_eq!(reachability(&[gone.clone(), open]).await, Some(Reachability::Accepts));
        assert_eq!(reachability(&[gone, "not a name:1".into()]).await, Some(Reachability::Refuses));
        assert_eq!(reachability(&["not a name:1".into()]).await, Some(Reachability::Unroutable));
        assert_eq!(reachability(&[]).await, None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_door_that_is_shut_again_at_once_was_open() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = [listener.local_addr().unwrap().to_string()];
        tokio::spawn(async move {
            while let Ok((taken, _)) = listener.accept().await {
                taken.set_zero_linger().unwrap();
            }
        });
        // Which side is the faster one differs from time to time.
        for _ in 0..500 {
            assert_eq!(reachability(&address).await, Some(Reachability::Accepts));
        }
    }
}
