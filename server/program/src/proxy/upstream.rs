//! The address of the application, and the protocol that it speaks there.

use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc};

use http::uri::Authority;

/// Where requests go on to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upstream {
    pub(crate) protocol: UpstreamProtocol,
    pub(crate) place: UpstreamPlace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UpstreamProtocol {
    /// HTTP/1.1.
    Http,
    /// HTTP/2 from the first byte on.
    H2c,
    /// TLS, with HTTP/2 or HTTP/1.1 as the application chooses.
    Https,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UpstreamPlace {
    Tcp(Authority),
    Unix(Arc<PathBuf>),
}

impl Upstream {
    /// The host for a request that names none.
    pub(crate) fn host(&self) -> &str {
        match &self.place {
            UpstreamPlace::Tcp(authority) => authority.as_str(),
            UpstreamPlace::Unix(_) => "localhost",
        }
    }

    /// Its address, if that is no name.
    pub(crate) fn socket_address(&self) -> Option<SocketAddr> {
        let (host, port) = self.host_and_port()?;
        Some(SocketAddr::new(host.parse().ok()?, port))
    }

    /// Its host, without the brackets of IPv6, and its port. A file has none.
    pub(crate) fn host_and_port(&self) -> Option<(&str, u16)> {
        let UpstreamPlace::Tcp(authority) = &self.place else { return None };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        Some((host, authority.port_u16().unwrap_or(if self.protocol == UpstreamProtocol::Https { 443 } else { 80 })))
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.protocol {
            UpstreamProtocol::Http => "http",
            UpstreamProtocol::H2c => "h2c",
            UpstreamProtocol::Https => "https",
        };
        match &self.place {
            UpstreamPlace::Tcp(authority) => write!(f, "{scheme}://{authority}"),
            UpstreamPlace::Unix(path) if self.protocol == UpstreamProtocol::Http => {
                write!(f, "unix:{}", path.display())
            }
            UpstreamPlace::Unix(path) => write!(f, "{scheme}+unix:{}", path.display()),
        }
    }
}
