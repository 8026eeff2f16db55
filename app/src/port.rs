//! What the pages may ask of the server, and how they find it.

use std::{pin::Pin, sync::Arc};

use leptos::prelude::{ServerFnError, provide_context, use_context};
use watchboard_wire::{Ask, FullSnapshot, Reading, RefreshCursor, RefreshResponse};

/// The answer to a refresh, or the reason why there is none.
pub type RefreshResult = Reading<RefreshResponse>;

/// The server's side of the board: it answers in wire types.
pub trait Telemetry: Send + Sync + 'static {
    /// The whole at the last tick. This takes what is frozen already, so it neither waits nor fails.
    fn full_snapshot(&self) -> Arc<FullSnapshot>;

    /// What a page shows, from the history; `cursor` says what it has of the same question. It waits for whoever keeps the history.
    fn refresh(&self, ask: Ask, cursor: Option<RefreshCursor>) -> Pin<Box<dyn Future<Output = RefreshResult> + Send>>;
}

#[derive(Clone)]
struct TelemetryContext(Arc<dyn Telemetry>);

/// Makes `telemetry` what the server functions of this request see.
pub fn provide_telemetry(telemetry: Arc<dyn Telemetry>) {
    provide_context(TelemetryContext(telemetry));
}

/// The telemetry of the board that this request came to.
///
/// # Errors
/// When there is none: leptos keeps one registry of server functions for the process, so a host's own catch-all route can
/// reach ours, past the board and whatever guards it.
pub(crate) fn telemetry() -> Result<Arc<dyn Telemetry>, ServerFnError> {
    use_context::<TelemetryContext>()
        .map(|context| context.0)
        .ok_or_else(|| ServerFnError::new("this route is not the board's: ask under the path the board is mounted at"))
}
