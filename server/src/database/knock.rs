//! Whether anybody takes connections at an address: what tells a frozen server from one that is cut off, and one that has stopped
//! from one whose connections break.

use std::{
    io::{self, ErrorKind},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{net::TcpStream, time::timeout};

/// How long it may take: a connection, and nothing said on it.
const OPENS_WITHIN: Duration = Duration::from_millis(200);

/// What is met at an address, the one that tells most last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Door {
    /// The name or the network leads nowhere.
    Nowhere,
    /// Nothing came back.
    Silent,
    /// Nobody listens.
    Closed,
    /// A connection was taken.
    Open,
}

/// The best that is met at any of the addresses, `HOST:PORT`; takes at most [`OPENS_WITHIN`]. None without addresses.
pub(super) async fn knock(addresses: &[String]) -> Option<Door> {
    join_all(addresses.iter().map(|address| door(address))).await.into_iter().max()
}

async fn door(address: &str) -> Door {
    match timeout(OPENS_WITHIN, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Door::Open,
        Ok(Err(error)) => shut(&error),
        Err(_) => Door::Silent,
    }
}

fn shut(error: &io::Error) -> Door {
    match error.kind() {
        ErrorKind::ConnectionRefused => Door::Closed,
        // A connection was taken, and broken off before this side had looked.
        ErrorKind::ConnectionReset => Door::Open,
        ErrorKind::TimedOut => Door::Silent,
        _ => Door::Nowhere,
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_best_door_counts() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap().to_string();
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        assert_eq!(knock(&[gone.clone(), open]).await, Some(Door::Open));
        assert_eq!(knock(&[gone, "not a name:1".into()]).await, Some(Door::Closed));
        assert_eq!(knock(&["not a name:1".into()]).await, Some(Door::Nowhere));
        assert_eq!(knock(&[]).await, None);
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
            assert_eq!(knock(&address).await, Some(Door::Open));
        }
    }
}
