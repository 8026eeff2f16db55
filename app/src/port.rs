//! The trait by which pages ask the server, and the context in which they find it.

use std::{pin::Pin, sync::Arc};

use leptos::prelude::{ServerFnError, provide_context, use_context};
use watchboard_wire::{Fault, FullSnapshot, InstanceRow, Mark, Reading, RefreshCursor, RefreshQuery, RefreshResponse};

/// The answer to a refresh, or the reason why there is none.
pub type RefreshResult = Reading<RefreshResponse>;

/// The server's side of the board. It answers in wire types.
pub trait Telemetry: Send + Sync + 'static {
    /// The full snapshot of the last tick. It exists already, so this neither waits nor fails. Its costly figures may be
    /// old.
    fn full_snapshot(&self) -> Arc<FullSnapshot>;

    /// The full snapshot with costly figures that were read for this call, or the reason why they were not. This waits
    /// for them a second or two at most.
    fn complete_snapshot(&self) -> Pin<Box<dyn Future<Output = Arc<FullSnapshot>> + Send>>;

    /// The failures of the monitor's own parts so far.
    fn faults(&self) -> Vec<Fault>;

    /// Marks this moment with a text.
    fn note(&self, text: String) -> Pin<Box<dyn Future<Output = Reading<Mark>> + Send>>;

    /// The figures of a page, from the history. `cursor` says which the page has of the same question. This waits for
    /// the thread that keeps the history.
    fn refresh(
        &self,
        query: RefreshQuery,
        cursor: Option<RefreshCursor>,
    ) -> Pin<Box<dyn Future<Output = RefreshResult> + Send>>;

    /// The instances of the fleet, the worst first. This waits for the fleet's store.
    fn instances(&self) -> Pin<Box<dyn Future<Output = Reading<Vec<InstanceRow>>> + Send>>;

    /// The body of `/health` as an instance of the fleet last wrote it; `None` if there is none that can be read.
    fn instance_health(&self, name: String) -> Pin<Box<dyn Future<Output = Reading<Option<String>>> + Send>>;

    /// What steps do not have, as all instances of the fleet last wrote it: `status_codes` and `recent_errors` of `/health`.
    fn sums_of_runs(&self) -> Pin<Box<dyn Future<Output = Reading<String>> + Send>>;

    /// As [`refresh`](Self::refresh), with the figures of the earlier span that the question wants beside its own.
    fn refresh_with_earlier(
        &self,
        query: RefreshQuery,
        cursor: Option<RefreshCursor>,
    ) -> Pin<Box<dyn Future<Output = RefreshResult> + Send + '_>> {
        Box::pin(async move {
            let earlier = query.of_earlier();
            let answer = self.refresh(query, cursor).await?;
            match earlier {
                Some(earlier) if !answer.is_unchanged => Ok(answer.with_earlier(self.refresh(earlier, None).await?)),
                _ => Ok(answer),
            }
        })
    }
}

#[derive(Clone)]
struct TelemetryContext(Arc<dyn Telemetry>);

/// Puts `telemetry` into the context of the pages and server functions of this request.
pub fn provide_telemetry(telemetry: Arc<dyn Telemetry>) {
    provide_context(TelemetryContext(telemetry));
}

/// The telemetry of the board that received this request.
///
/// # Errors
/// The context has none. Leptos keeps one registry of server functions for the process, so a catch-all route of the
/// host can
/// call ours without the board and its access check.
pub(crate) fn telemetry() -> Result<Arc<dyn Telemetry>, ServerFnError> {
    use_context::<TelemetryContext>()
        .map(|context| context.0)
        .ok_or_else(|| ServerFnError::new("this route is not the board's: ask under the path the board is mounted at"))
}
