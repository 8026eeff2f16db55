//! Listens, and accepts connections within a bound.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use rustix::io::Errno;
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};
use watchboard::{Capacity, CapacityPlace};

use super::log_limit::LogLimit;

/// Connections that the kernel makes before they are accepted. It takes no more than `net.core.somaxconn`.
const BACKLOG: u32 = 4096;
/// The pause before another try at something for which the system lacks room.
pub(crate) const RESTART_PAUSE: Duration = Duration::from_millis(100);
/// Silence of a connection after which the kernel probes its peer.
const SILENT: Duration = Duration::from_mins(1);
/// A client that acknowledges nothing for this long has gone.
const ACKNOWLEDGES_WITHIN: Duration = Duration::from_mins(2);

static LOG: LogLimit = LogLimit::new();

/// Listens at an address.
///
/// # Errors
/// The address is not available.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The places for the connections of one listener.
#[derive(Clone)]
pub(super) struct ConnectionPlaces {
    free: Arc<Semaphore>,
    capacity: Capacity,
}

/// The place of a connection.
pub(super) struct ConnectionPlace {
    _permit: Option<OwnedSemaphorePermit>,
    _counted: CapacityPlace,
}

impl ConnectionPlaces {
    /// So many of the places, which listeners share.
    pub(super) fn new(count: usize, capacity: Capacity) -> Self {
        Self { free: Arc::new(Semaphore::new(count)), capacity }
    }

    /// Whether others wait for a place.
    pub(super) fn are_taken(&self) -> bool {
        self.free.available_permits() == 0
    }

    /// Waits for a free place.
    async fn find(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
            return Some(permit);
        }
        self.capacity.note_none_free();
        // It fails only after a close, and nothing closes it.
        Arc::clone(&self.free).acquire_owned().await.ok()
    }
}

/// Accepts the next connection once there is a place for it.
pub(super) async fn accept(
    listener: &TcpListener,
    places: &ConnectionPlaces,
) -> (TcpStream, SocketAddr, ConnectionPlace) {
    let permit = places.find().await;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // They fail for a client that has left.
                if let Err(error) = stream.set_nodelay(true).and_then(|()| keep_client_alive(&stream)) {
                    tracing::debug!(%peer, %error, "the client has left");
                    continue;
                }
                let place = ConnectionPlace { _permit: permit, _counted: places.capacity.enter() };
                return (stream, peer, place);
            }
            Err(error) if lacks_something(&error) => {
                if let Some(held_back) = LOG.pass() {
                    tracing::warn!(%error, held_back, "connections wait: the system lacks something for them");
                }
                sleep(RESTART_PAUSE).await;
            }
            // The client has left meanwhile.
            Err(error) => tracing::debug!(%error, "a connection was not accepted"),
        }
    }
}

/// Whether the system has no room for the connection. All other errors of accept are those of one client.
pub(crate) fn lacks_something(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM))
}

/// Makes the kernel probe a silent peer: otherwise a vanished peer keeps the connection open for ever.
pub(crate) fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    let keep_alive = TcpKeepalive::new().with_time(SILENT).with_interval(SILENT / 4);
    SockRef::from(stream).set_tcp_keepalive(&keep_alive)
}

/// The kernel probes only a peer that has acknowledged all. An application may take longer to read than a client.
fn keep_client_alive(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_tcp_user_timeout(Some(ACKNOWLEDGES_WITHIN))?;
    keep_alive(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_system_lacks_stops_accepting() {
        let lacks = |errno: Errno| lacks_something(&errno.into());
        assert!([Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM].into_iter().all(lacks));
        assert!(
            ![Errno::CONNABORTED, Errno::PROTO, Errno::HOSTUNREACH, Errno::INTR, Errno::PERM].into_iter().any(lacks)
        );
    }

    #[tokio::test]
    async fn many_connections_wait_to_be_accepted() {
        let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let connect = || tokio::time::timeout(Duration::from_millis(900), TcpStream::connect(address));
        let mut waiting = vec![];
        for number in 0..600 {
            // The kernel drops what its backlog has no room for, and the client tries again after a second.
            waiting.push(connect().await.unwrap_or_else(|_| panic!("the backlog ends at {number}")).unwrap());
        }
    }
}
