//! What the pages may ask of the server, and how they find it.

use std::sync::Arc;

use leptos::prelude::{ServerFnError, provide_context, use_context};

use crate::wire::{Refreshed, Seen, Snapshot, Timeline};

/// The server's side of the board: it answers in wire types. These reads take what is frozen already, so they neither wait nor fail.
pub trait Telemetry: Send + Sync + 'static {
    /// The newest snapshot.
    fn snapshot(&self) -> Arc<Snapshot>;

    /// The timeline from the point of `seen` on; all of it for a page that has seen nothing of this run.
    fn timeline(&self, seen: Option<Seen>) -> Timeline;

    /// The server's wall clock, Unix milliseconds.
    fn now_unix_ms(&self) -> u64;
}

#[derive(Clone)]
struct Port(Arc<dyn Telemetry>);

/// Makes `telemetry` what the pages and server functions of this request see.
pub fn provide_telemetry(telemetry: Arc<dyn Telemetry>) {
    provide_context(Port(telemetry));
}

/// The telemetry of the board that this request came to.
///
/// # Errors
/// When there is none: leptos keeps one registry of server functions for the process, so a host's own catch-all route can
/// reach ours, past the board and whatever guards it.
pub(crate) fn telemetry() -> Result<Arc<dyn Telemetry>, ServerFnError> {
    use_context::<Port>()
        .map(|port| port.0)
        .ok_or_else(|| ServerFnError::new("this route is not the board's: ask under the path the board is mounted at"))
}

/// The answer to a refresh, and to the first paint.
pub(crate) fn refresh(telemetry: &dyn Telemetry, seen: Option<Seen>) -> Refreshed {
    Refreshed {
        snapshot: Snapshot::clone(&telemetry.snapshot()),
        timeline: telemetry.timeline(seen),
        served_at_unix_ms: telemetry.now_unix_ms(),
    }
}
