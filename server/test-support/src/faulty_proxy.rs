//! A TCP proxy in front of a server, which fails on demand as networks do.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};

/// The treatment of all connections, old and new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Passes everything on.
    Pass,
    /// Passes everything on after this time, each way.
    Latency(Duration),
    /// Accepts no connections and passes nothing on.
    BlackHole,
    /// Breaks connections off.
    Reset,
    /// Flips a bit now and then.
    Garble,
}

type Modes = watch::Receiver<Mode>;

/// A proxy at its own port, ended with the test.
pub struct FaultyProxy {
    pub port: u16,
    mode: watch::Sender<Mode>,
}

impl FaultyProxy {
    pub fn start(upstream: u16) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        // With so short a queue a black hole is soon full.
        let listener = socket.listen(1).expect("it listens");
        let address = listener.local_addr().expect("an address");
        let (mode, modes) = watch::channel(Mode::Pass);
        tokio::spawn(run(listener, address, ([127, 0, 0, 1], upstream).into(), modes));
        Self { port: address.port(), mode }
    }

    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    pub fn uri(&self) -> String {
        format!("mongodb://127.0.0.1:{}/?directConnection=true", self.port)
    }
}

async fn run(listener: TcpListener, address: SocketAddr, upstream: SocketAddr, mut modes: Modes) {
    loop {
        let mode = *modes.borrow_and_update();
        if mode == Mode::BlackHole {
            let full = fill(address).await;
            if modes.changed().await.is_err() {
                return;
            }
            drop(full);
            continue;
        }
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { return };
                tokio::spawn(connection(client, upstream, modes.clone()));
            }
            changed = modes.changed() => if changed.is_err() { return },
        }
    }
}

/// Fills the queue of the listener, so that the kernel accepts no more.
async fn fill(address: SocketAddr) -> Vec<TcpStream> {
    let mut waiting = vec![];
    while let Ok(Ok(stream)) = timeout(Duration::from_millis(50), TcpStream::connect(address)).await {
        waiting.push(stream);
        assert!(waiting.len() < 64, "the queue of connections has no end");
    }
    waiting
}

async fn connection(mut client: TcpStream, upstream: SocketAddr, mut modes: Modes) {
    if *modes.borrow() == Mode::Reset {
        return reset(&client);
    }
    let Ok(mut server) = TcpStream::connect(upstream).await else { return reset(&client) };
    let (to_server, to_client) = (modes.clone(), modes.clone());
    let broken = {
        let ((mut client_reads, mut client_writes), (mut server_reads, mut server_writes)) =
            (client.split(), server.split());
        tokio::select! {
            () = pass(&mut client_reads, &mut server_writes, to_server) => false,
            () = pass(&mut server_reads, &mut client_writes, to_client) => false,
            _ = modes.wait_for(|mode| *mode == Mode::Reset) => true,
        }
    };
    if broken {
        reset(&client);
        reset(&server);
    }
}

async fn pass(from: &mut (impl AsyncReadExt + Unpin), to: &mut (impl AsyncWriteExt + Unpin), mut modes: Modes) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let Ok(mode) = modes.wait_for(|mode| *mode != Mode::BlackHole).await.map(|mode| *mode) else { return };
        match mode {
            Mode::Latency(latency) => sleep(latency).await,
            Mode::Garble => {
                for _ in 0..fastrand::usize(0..3) {
                    buffer[fastrand::usize(..read)] ^= 1 << fastrand::u8(0..8);
                }
            }
            _ => {}
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// Makes the drop of a stream reset its connection.
fn reset(stream: &TcpStream) {
    stream.set_zero_linger().expect("a socket");
}
