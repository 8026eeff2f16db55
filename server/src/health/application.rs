//! The application behind the monitor: that it does not run.

use watchboard_app::{
    format,
    wire::{About, Finding, Memory, RecentRequests, Status},
};

/// A restart takes no longer, and is no failure.
const RESTARTS_WITHIN_MS: u64 = 10_000;

pub(super) fn find(memory: &Memory, recent: &RecentRequests, now_unix_ms: u64) -> Option<Finding> {
    let application = memory.application.as_ref()?;
    let gone_ms = now_unix_ms.saturating_sub(application.gone_since_unix_ms?);
    // What was never seen may be reached by a way that is not (a container's port).
    let is_reached = application.name.is_empty() && recent.error_percent().is_some_and(|percent| percent < 100.0);
    (gone_ms >= RESTARTS_WITHIN_MS && !is_reached).then(|| {
        let gone = format::span(gone_ms / 1000);
        let sentence = format!("the application ({}) has not been running for {gone}", application.found_by);
        Finding { status: Status::Unhealthy, sentence, about: About::Memory }
    })
}

#[cfg(test)]
mod tests {
    use watchboard_app::wire::Application;

    use super::*;

    #[test]
    fn an_application_that_is_gone_for_longer_than_a_restart_takes_is_named() {
        let found = |name: &str, gone_since_unix_ms, server_errors| {
            let found_by = "listening at 127.0.0.1:8000".to_owned();
            let application = Application { found_by, name: name.into(), gone_since_unix_ms, ..Application::default() };
            let memory = Memory { application: Some(application), ..Memory::unread() };
            let recent = RecentRequests { requests: 4, server_errors, ..RecentRequests::default() };
            find(&memory, &recent, 20_000).map(|finding| finding.sentence)
        };
        let sentence = "the application (listening at 127.0.0.1:8000) has not been running for 12\u{a0}s".to_owned();
        assert_eq!(found("uvicorn", Some(8_000), 0), Some(sentence.clone()));
        assert_eq!(found("", Some(8_000), 4), Some(sentence));
        assert_eq!(found("", Some(8_000), 3), None, "it answers, wherever it is");
        assert_eq!(found("uvicorn", Some(12_000), 4), None, "it is being started anew");
        assert_eq!(found("uvicorn", None, 4), None);
    }
}
