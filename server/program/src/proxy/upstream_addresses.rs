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
    time::Duration,
};

use tokio::{
    net::{TcpStream, lookup_host},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Look-ups by requests at once. One that hangs takes a thread until the name server's time is over.
const LOOK_UPS: usize = 4;
/// How long a request waits for the first addresses: less than for its connection, so that it is told what it lacked.
const RESOLVES_WITHIN: Duration = Duration::from_secs(4);

/// The addresses that a name had at its last look-up with a result; none for a literal address, which needs no look-up.
#[derive(Clone, Default)]
pub(crate) struct UpstreamAddresses(Arc<AddressState>);

struct AddressState {
    /// Rises with each change.
    version: AtomicU64,
    addresses: Mutex<Arc<[SocketAddr]>>,
    look_ups: Arc<Semaphore>,
}

impl Default for AddressState {
    fn default() -> Self {
        let (version, addresses) = Default::default();
        Self { version, addresses, look_ups: Arc::new(Semaphore::new(LOOK_UPS)) }
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

    /// Connects to one of the known addresses. If all of them refuse, the name is looked up again at once.
    ///
    /// # Errors
    /// No address takes the connection, or none is known.
    pub(super) async fn connect(&self, name: (&str, u16)) -> io::Result<TcpStream> {
        if let Ok(ip) = name.0.parse::<IpAddr>() {
            return TcpStream::connect((ip, name.1)).await;
        }
        let known = self.all();
        if known.is_empty() {
            let found = timeout(RESOLVES_WITHIN, self.first_addresses(name)).await.map_err(|_| {
                io::Error::other(format!("the lookup of the name has no answer within {RESOLVES_WITHIN:?}"))
            })??;
            return TcpStream::connect(&*found).await;
        }
        let failure = match TcpStream::connect(&*known).await {
            Ok(stream) => return Ok(stream),
            Err(failure) => failure,
        };
        let Ok(permit) = Arc::clone(&self.0.look_ups).try_acquire_owned() else { return Err(failure) };
        let found = look_up(name, permit).await.unwrap_or_default();
        let new: Vec<SocketAddr> = found.into_iter().filter(|address| !known.contains(address)).collect();
        if new.is_empty() { Err(failure) } else { TcpStream::connect(&*new).await }
    }

    /// The addresses of a name that had none so far.
    async fn first_addresses(&self, name: (&str, u16)) -> io::Result<Arc<[SocketAddr]>> {
        let permit = Arc::clone(&self.0.look_ups).acquire_owned().await.map_err(io::Error::other)?;
        // They may have become known during the wait.
        let known = self.all();
        if known.is_empty() { Ok(look_up(name, permit).await?.into()) } else { Ok(known) }
    }
}

/// Looks a name up. The task has the permit until the resolver's thread is free again, also if nobody waits for it any more.
async fn look_up((host, port): (&str, u16), permit: OwnedSemaphorePermit) -> io::Result<Vec<SocketAddr>> {
    let host = host.to_owned();
    let look_up = tokio::spawn(async move {
        let _permit = permit;
        lookup_host((host, port)).await.map(Iterator::collect::<Vec<_>>)
    });
    look_up.await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use watchboard_test_support::HeldPort;

    use super::{super::failure::Failure, *};

    const ALL_LOOK_UPS: u32 = LOOK_UPS as u32;

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
        let held = HeldPort::new();
        let (listener, port) = (held.listen(), held.address().port());
        let addresses = UpstreamAddresses::default();
        addresses.set(&[SocketAddr::from(([127, 0, 0, 99], port))]);
        let stream = addresses.connect(("localhost", port)).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), held.address());
        drop(listener);
        let failure = addresses.connect(("localhost", port)).await.unwrap_err();
        assert_eq!(failure.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn a_look_up_that_nobody_waits_for_has_its_place_until_it_ends() {
        let addresses = UpstreamAddresses::default();
        assert!(addresses.connect(("localhost", 1)).now_or_never().is_none());
        assert_eq!(addresses.0.look_ups.available_permits(), LOOK_UPS - 1);
        let all_free = addresses.0.look_ups.acquire_many(ALL_LOOK_UPS).await;
        assert!(all_free.is_ok());
    }

    #[tokio::test]
    async fn addresses_that_become_known_while_a_request_waits_need_no_look_up() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let addresses = UpstreamAddresses::default();
        let all_taken = addresses.0.look_ups.acquire_many(ALL_LOOK_UPS).await.unwrap();
        let become_known = async {
            addresses.set(&[address]);
            drop(all_taken);
        };
        let (connected, ()) = tokio::join!(addresses.connect(("name.invalid", address.port())), become_known);
        assert_eq!(connected.unwrap().peer_addr().unwrap(), address);
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_server_that_does_not_answer_is_told_from_an_application_that_takes_no_connection() {
        let addresses = UpstreamAddresses::default();
        let _all_taken = addresses.0.look_ups.acquire_many(ALL_LOOK_UPS).await;
        let failure = addresses.connect(("name.invalid", 1)).await.unwrap_err();
        assert_eq!(Failure::from(&failure), Failure::NoName);
    }
}
