//! A connection after an upgrade, as the proxy that carries it reports it to the layer around the proxy.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use http::{HeaderMap, header};
use watchboard_wire::{ClosedBy, LongLivedKind};

use super::long_lived::{LongLivedRecorder, NO_CLOSE_FRAME, OpenExchange};

/// A proxy's report on an upgraded connection, such as a WebSocket. The proxy puts a clone into the extensions of its 101 response, where the
/// layer finds it, and counts here what passes. The connection has ended when the last clone is dropped.
///
/// The layer counts it in the row of the request. What is reported before the layer has the response is not counted.
///
/// ```
/// use http::StatusCode;
/// use watchboard::{ClosedBy, Tunnel};
///
/// let tunnel = Tunnel::default();
/// let mut response = http::Response::new(());
/// *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
/// response.extensions_mut().insert(tunnel.clone());
/// // The client sends a frame of 12 bytes that is one message, and then a close frame.
/// tunnel.count_received(12, 1);
/// tunnel.note_close(ClosedBy::Client, Some(1000));
/// drop(tunnel);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Tunnel(Arc<TunnelState>);

#[derive(Default)]
struct TunnelState {
    /// Set by the layer.
    exchange: OnceLock<(LongLivedKind, OpenExchange)>,
    closed: OnceLock<(ClosedBy, Option<u16>)>,
    is_unparsed: AtomicBool,
}

impl Tunnel {
    /// Counts what the client sent: bytes as they came, and the messages of a WebSocket that ended in them.
    pub fn count_received(&self, bytes: u64, messages: u64) {
        if let Some((_, exchange)) = self.0.exchange.get() {
            exchange.receive(bytes, messages);
        }
    }

    /// Counts what the application sent to the client, as [`Self::count_received`].
    pub fn count_sent(&self, bytes: u64, messages: u64) {
        if let Some((_, exchange)) = self.0.exchange.get() {
            exchange.send(bytes, messages);
        }
    }

    /// The frames of a WebSocket cannot be read any more: no further message is counted.
    pub fn note_unparsed(&self) {
        if !self.0.is_unparsed.swap(true, Relaxed)
            && let Some((_, exchange)) = self.0.exchange.get()
        {
            exchange.note_unparsed();
        }
    }

    /// Says who closes, and by which code of a WebSocket's close frame: 1005 for a frame without a code, `None` without a frame. The first
    /// call counts.
    pub fn note_close(&self, by: ClosedBy, code: Option<u16>) {
        let _ = self.0.closed.set((by, code));
    }

    /// The layer has found the row. A tunnel that is in two responses counts in the first.
    pub(super) fn begin(&self, kind: LongLivedKind, recorder: &'static LongLivedRecorder) {
        self.0.exchange.get_or_init(|| (kind, OpenExchange::new(recorder)));
    }
}

impl Drop for TunnelState {
    fn drop(&mut self) {
        let Some((kind, exchange)) = self.exchange.get() else { return };
        let closed = self.closed.get().copied();
        let no_frame = (!self.is_unparsed.load(Relaxed)).then_some(NO_CLOSE_FRAME);
        let code = closed.filter(|_| *kind == LongLivedKind::WebSocket).and_then(|(_, code)| code.or(no_frame));
        exchange.close(code, closed.map(|(by, _)| by));
    }
}

impl std::fmt::Debug for TunnelState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TunnelState").field("closed", &self.closed).finish_non_exhaustive()
    }
}

/// Whether a 101 response with these headers opens a WebSocket.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header};
///
/// let upgrade = HeaderMap::from_iter([(header::UPGRADE, HeaderValue::from_static("WebSocket"))]);
/// assert!(watchboard::is_websocket(&upgrade));
/// ```
#[must_use]
pub fn is_websocket(headers: &HeaderMap) -> bool {
    let protocol = headers.get(header::UPGRADE).map(|protocol| protocol.as_bytes().trim_ascii());
    protocol.is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
}

/// The kind of an upgraded connection, by the head of its 101 response.
pub(super) fn upgrade_kind(headers: &HeaderMap) -> LongLivedKind {
    if is_websocket(headers) { LongLivedKind::WebSocket } else { LongLivedKind::Upgrade }
}
