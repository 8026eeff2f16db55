//! A port at which nothing listens, and that nobody else is given meanwhile.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

/// Bound, without listening: connections to it are refused, and no other test gets the port by chance.
pub struct HeldPort(Socket);

impl HeldPort {
    pub fn new() -> Self {
        Self(bound(0))
    }

    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("it is bound").as_socket().expect("of IPv4")
    }

    /// Listens there, until the listener is dropped.
    pub fn listen(&self) -> TcpListener {
        let socket = bound(self.address().port());
        socket.listen(16).expect("a listener");
        socket.into()
    }
}

impl Default for HeldPort {
    fn default() -> Self {
        Self::new()
    }
}

fn bound(port: u16) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_reuse_port(true).expect("an option of Linux");
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).expect("a free port");
    socket
}
