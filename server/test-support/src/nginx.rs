//! A real nginx in front of a server, with the locations that a test gives.

use std::{net::SocketAddr, process::Stdio, time::Duration};

use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{sleep, timeout},
};

use super::free_port;

/// It ends with the test.
pub struct Nginx {
    _process: Child,
    _folder: tempfile::TempDir,
    pub address: SocketAddr,
}

impl Nginx {
    /// With these `location` blocks. To an upstream it speaks HTTP/1.1, as its newer releases do by default, and adds no headers.
    pub async fn start(locations: &str) -> Self {
        Self::listening("", locations).await
    }

    /// The same with HTTP/2 from the first byte on.
    pub async fn start_http_2(locations: &str) -> Self {
        Self::listening("http2", locations).await
    }

    async fn listening(protocol: &str, locations: &str) -> Self {
        for _ in 0..5 {
            if let Some(nginx) = Self::at_some_port(protocol, locations).await {
                return nginx;
            }
        }
        panic!("nginx ends at once, at five ports");
    }

    /// `None` if it ends: between the choice of a port and its use a connection of another test may have taken it.
    async fn at_some_port(protocol: &str, locations: &str) -> Option<Self> {
        let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
        let temporary =
            ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|kind| format!("{kind}_temp_path {kind};"));
        let configuration = format!(
            "daemon off; master_process off; pid nginx.pid; error_log stderr;
             events {{ worker_connections 64; }}
             http {{
                 access_log off; proxy_http_version 1.1; {}
                 server {{ listen 127.0.0.1:{port} {protocol}; {locations} }}
             }}",
            temporary.concat()
        );
        std::fs::write(folder.path().join("nginx.conf"), configuration).expect("it can be written");
        let mut nginx = Command::new("nginx");
        nginx.arg("-p").arg(folder.path()).args(["-c", "nginx.conf", "-e", "stderr"]).stdin(Stdio::null());
        let mut process = nginx.kill_on_drop(true).spawn().expect("nginx is installed by `cargo xtask test`");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let listens = async {
            while TcpStream::connect(address).await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let starts = async {
            tokio::select! {
                () = listens => true,
                _ = process.wait() => false,
            }
        };
        let is_there = timeout(Duration::from_secs(20), starts).await.expect("it starts or ends");
        is_there.then_some(Self { _process: process, _folder: folder, address })
    }
}
