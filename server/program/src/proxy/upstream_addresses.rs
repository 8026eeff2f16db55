//! The addresses that the application's host name has now, for the connections to it.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{
            AtomicU64,
            Ordering::{Acquire, Release},
        },
    },
};

use tokio::{
    net::{TcpStream, lookup_host},
    sync::Semaphore,
};

/// Look-ups by requests at once. One that hangs takes a thread until the name server's time is over.
const LOOK_UPS: usize = 4;

/// The addresses that a name had at its last look-up with a result; none for a literal address, which needs no look-up.
#[derive(Clone, Default)]
pub(crate) struct UpstreamAddresses(Arc<AddressState>);

struct AddressState {
    /// Rises with each change.
    version: AtomicU64,
    addresses: Mutex<Arc<[SocketAddr]>>,
    look_ups: Semaphore,
}

impl Default for AddressState {
    fn default() -> Self {
        let (version, addresses) = Default::default();
        Self { version, addresses, look_ups: Semaphore::new(LOOK_UPS) }
    }
}

impl UpstreamAddresses {
    /// The number of changes so far.
    pub(super) fn version(&self) -> u64 {
        self.0.version.load(Acquire)
    }

    /// Empty until the first look-up with a result.
    pub(crate) fn all(&self) -> Arc<[SocketAddr]> {
        Arc::clone(&self.0.addresses.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the name has this address.
    pub(super) fn contains(&self, ip: IpAddr) -> bool {
        self.all().iter().any(|address| address.ip() == ip)
    }

    /// Sets the addresses; whether they are others than before. Name servers change their order at each look-up.
    pub(crate) fn set(&self, new: &[SocketAddr]) -> bool {
        let mut addresses = self.0.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if new.len() == addresses.len() && new.iter().all(|address| addresses.contains(address)) {
            return false;
        }
        *addresses = new.into();
        self.0.version.fetch_add(1, Release);
        true
    }

    /// Connects to one of the known addresses. If none takes the connection, the name is looked up again at once.
    ///
    /// # Errors
    /// No address takes the connection, or none is known.
    pub(super) async fn connect(&self, name: (&str, u16)) -> io::Result<TcpStream> {
        if let Ok(ip) = name.0.parse::<IpAddr>() {
            return TcpStream::connect((ip, name.1)).await;
        }
        let known = self.all();
        if known.is_empty() {
            let _permit = self.0.look_ups.acquire().await.map_err(io::Error::other)?;
            return TcpStream::connect(name).await;
        }
        let failure = match TcpStream::connect(&*known).await {
            Ok(stream) => return Ok(stream),
            Err(failure) => failure,
        };
        let Ok(_permit) = self.0.look_ups.try_acquire() else { return Err(failure) };
        let found: Vec<SocketAddr> = lookup_host(name).await.map(Iterator::collect).unwrap_or_default();
        let new: Vec<SocketAddr> = found.into_iter().filter(|address| !known.contains(address)).collect();
        if new.is_empty() { Err(failure) } else { TcpStream::connect(&*new).await }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_addresses_is_no_change() {
        let addresses = UpstreamAddresses::default();
        let [a, b]: [SocketAddr; 2] = ["127.0.0.1:80", "[::1]:80"].map(|address| address.parse().unwrap());
        assert!(addresses.set(&[a, b]) && !addresses.set(&[b, a]) && addresses.version() == 1);
        assert!(addresses.set(&[b]) && addresses.version() == 2);
        assert!(addresses.contains(b.ip()) && !addresses.contains(a.ip()));
    }

    #[tokio::test]
    async fn an_address_that_is_gone_is_looked_up_again_at_once() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let addresses = UpstreamAddresses::default();
        addresses.set(&[SocketAddr::from(([127, 0, 0, 99], port))]);
        let stream = addresses.connect(("localhost", port)).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
        drop(listener);
        let failure = addresses.connect(("localhost", port)).await.unwrap_err();
        assert_eq!(failure.kind(), io::ErrorKind::ConnectionRefused);
    }
}
