//! Reports declared routes that no request has matched: one with a typing error would stay unnoticed.

use std::time::Duration;

use tokio::{sync::watch, time::sleep};
use watchboard::Routes;

/// By then most routes of an application in use have had a request. `/health` lists the others at any time.
const REPORT_AFTER: Duration = Duration::from_mins(10);
/// Routes that the log names.
const MAX_NAMED: usize = 10;

/// Logs them once, unless `stop` turns true before.
pub(crate) async fn report(routes: Routes, mut stop: watch::Receiver<bool>) {
    tokio::select! {
        () = sleep(REPORT_AFTER) => {}
        _ = stop.wait_for(|stop| *stop) => return,
    }
    if let Some(message) = message(&routes.unmatched()) {
        tracing::warn!("{message}");
    }
}

fn message(routes: &[String]) -> Option<String> {
    let named = routes.get(..MAX_NAMED).unwrap_or(routes).join(", ");
    let more = match routes.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!routes.is_empty()).then(|| format!("no request has matched these declared routes so far: {named}{more}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_named_and_the_rest_counted() {
        let routes = |count: usize| (0..count).map(|number| format!("/{number}")).collect::<Vec<_>>();
        assert_eq!(message(&routes(0)), None);
        assert_eq!(message(&routes(2)).unwrap(), "no request has matched these declared routes so far: /0, /1");
        assert!(message(&routes(12)).unwrap().ends_with("/9 and 2 more"));
    }
}
