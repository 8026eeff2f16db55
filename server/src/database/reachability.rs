//! Whether an address accepts connections. This tells a frozen server from a server that is cut off, and a stopped server from
//! broken connections.

use std::{
    io::{self, ErrorKind},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{net::TcpStream, time::timeout};

/// The time limit of a connection without a byte on it.
const OPENS_WITHIN: Duration = Duration::from_millis(200);

/// The result of a connection, the one that says most last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reachability {
    /// The name is not known, or there is no route.
    Unroutable,
    /// Nothing came back.
    Silent,
    /// Nothing listens.
    Refuses,
    /// A connection was accepted.
    Accepts,
}

/// The best result of the addresses, `HOST:PORT`; takes at most [`OPENS_WITHIN`]. `None` without addresses.
pub(super) async fn reachability(addresses: &[String]) -> Option<Reachability> {
    join_all(addresses.iter().map(|address| reach(address))).await.into_iter().max()
}

async fn reach(address: &str) -> Reachability {
    match timeout(OPENS_WITHIN, TcpStream::connect(address)).await {
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn the_best_door_counts() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap().to_string();
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
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
