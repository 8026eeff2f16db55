//! How much is served at once: as much as the flag allows, and as file descriptors and memory do. Each kind has places of its own, so that none
//! takes those of another.

use std::fmt;

use super::descriptors::raise_descriptor_limit;

/// Requests to the application in progress, at most.
const MAX_REQUESTS: u64 = 8192;
/// Idle connections to the application that a thread keeps, at most.
const MAX_IDLE: u64 = 256;
/// Descriptors for all else: the listeners, the database, `/proc`, the runtimes.
const RESERVED_DESCRIPTORS: u64 = 64;
/// Fewer places of a kind serve nobody.
const FEWEST: u64 = 4;
/// The memory of a connection whose client sends the largest head and never ends it: measured with 5,000 of them, and some more for TLS.
const CONNECTION_BYTES: u64 = 96 << 10;
/// The memory of a request whose client reads nothing of a large answer: measured with 350 of them, and some more. Two buffers of 128 KiB read from the
/// application; what the client has no room for is copied once more.
const REQUEST_BYTES: u64 = 512 << 10;
/// The memory of a tunnel.
const TUNNEL_BYTES: u64 = 64 << 10;

/// The bounds of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Connections to the board.
    pub(crate) board: u64,
    /// Connections of clients to the proxy. Tunnels do not count.
    pub(crate) connections: u64,
    pub(crate) requests: u64,
    pub(crate) tunnels: u64,
    /// Answers without an end, such as server-sent events. They get what the others leave.
    pub(crate) streams: u64,
    has_proxy: bool,
    descriptors: u64,
    memory_bytes: Option<u64>,
}

impl Bounds {
    /// The bounds of this process. It raises its limit on open files.
    pub(crate) fn for_this_process(max_connections: u32, has_proxy: bool) -> Self {
        Self::new(max_connections.into(), has_proxy, raise_descriptor_limit(), watchboard::memory_limit_bytes())
    }

    fn new(max_connections: u64, has_proxy: bool, descriptors: u64, memory_bytes: Option<u64>) -> Self {
        let free = descriptors - RESERVED_DESCRIPTORS.min(descriptors / 4);
        let memory = memory_bytes.unwrap_or(u64::MAX);
        let bound = |most: u64, resources: u64| most.min(resources).max(FEWEST);
        // As many requests as connections, so that most clients of HTTP/1 wait for a connection instead of being refused. A request takes a
        // descriptor towards the application, and a quarter as many connections are kept idle. A tunnel takes two.
        let (board, proxy) = if has_proxy { (free / 16, free / 5) } else { (free, FEWEST) };
        let requests = bound(MAX_REQUESTS, proxy.min(memory / 2 / (CONNECTION_BYTES + REQUEST_BYTES)));
        let connections = proxy.min((memory / 2).saturating_sub(requests * REQUEST_BYTES) / CONNECTION_BYTES);
        let connections = bound(max_connections, connections);
        let board = bound(max_connections, board.min(memory / 16 / CONNECTION_BYTES));
        let tunnels = bound(max_connections, (free * 3 / 16).min(memory / 8 / TUNNEL_BYTES));
        // A stream takes a descriptor and the memory of a request. Its connection counts with the others.
        let used_descriptors = board + connections + requests + requests / 4 + 2 * tunnels;
        let used_memory = (board + connections) * CONNECTION_BYTES + requests * REQUEST_BYTES + tunnels * TUNNEL_BYTES;
        let left_memory = (memory / 4 * 3).saturating_sub(used_memory) / REQUEST_BYTES;
        let left_descriptors = (free / 20 * 19).saturating_sub(used_descriptors);
        Self {
            board,
            connections,
            requests,
            tunnels,
            streams: bound(max_connections, left_descriptors.min(left_memory)),
            has_proxy,
            descriptors,
            memory_bytes,
        }
    }

    /// Idle connections to the application that each of so many threads keeps.
    pub(crate) fn idle(&self, threads: usize) -> usize {
        (self.requests / 4 / threads as u64).clamp(1, MAX_IDLE) as usize
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { board, connections, requests, tunnels, streams, has_proxy, descriptors, memory_bytes } = self;
        if *has_proxy {
            write!(f, "{connections} connections, {requests} requests in progress, {streams} streams, ")?;
            write!(f, "{tunnels} tunnels (WebSockets), ")?;
        }
        write!(f, "{board} connections to the board, for {descriptors} open files")?;
        match memory_bytes {
            Some(bytes) => write!(f, " and {} MiB of memory", bytes >> 20),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_flag_holds_where_files_and_memory_are_plenty() {
        let bounds = Bounds::new(16_384, true, 1 << 20, Some(16 << 30));
        let Bounds { board, connections, requests, tunnels, streams, .. } = bounds;
        assert_eq!((connections, requests, tunnels), (16_384, 8192, 16_384));
        assert!(board > 10_000 && streams > 8192, "{bounds:?}");
        assert_eq!(Bounds::new(10, true, 1 << 20, None).connections, 10);
        assert_eq!(Bounds::new(16_384, false, 1 << 20, None).board, 16_384);
    }

    #[test]
    fn all_bounds_together_keep_within_files_and_memory() {
        for descriptors in [64, 256, 1024, 4096, 20_000, 65_536, 1 << 20] {
            for memory in [64 * MIB, 200 * MIB, 1 << 30, 64 << 30] {
                let bounds = Bounds::new(16_384, true, descriptors, Some(memory));
                let Bounds { board, connections, requests, tunnels, streams, .. } = bounds;
                let open = board + connections + requests + streams + bounds.idle(2) as u64 + 2 * tunnels;
                assert!(open < descriptors, "{descriptors}: {bounds:?}");
                let bytes = (board + connections) * CONNECTION_BYTES
                    + (requests + streams) * REQUEST_BYTES
                    + tunnels * TUNNEL_BYTES;
                assert!(bytes <= memory * 3 / 4, "{memory}: {bounds:?}");
                assert!([board, connections, requests, tunnels, streams].iter().all(|bound| *bound >= FEWEST));
            }
        }
    }
}
