//! The application behind the monitor: a finding if it does not run, and if its address is not known.

use watchboard_wire::{Finding, FindingSubject, Memory, RecentRequests, format};

use super::finding::incident;

/// A restart takes no longer; it is no failure unless requests fail meanwhile.
const RESTARTS_WITHIN_MS: u64 = 10_000;
const MISSED_WITHIN_MS: u64 = 3_000;

/// After this time all requests of the last minute were made without it.
const MINUTE_MS: u64 = 60_000;

/// Whether the application answers although its process is not seen: by a container's port, or after a restart with another id.
#[derive(Default)]
pub(super) struct ReachabilityState {
    is_reached: bool,
    /// What it was looked for by, and when that changed: requests of the minute before had another answer.
    found_by: String,
    moved_at_ms: Option<u64>,
}

impl ReachabilityState {
    pub(super) fn application_finding(
        &mut self,
        memory: &Memory,
        recent: &RecentRequests,
        now_unix_ms: u64,
    ) -> Option<Finding> {
        if let Some(application) = memory.application.as_ref().filter(|it| it.found_by != self.found_by) {
            let is_first = std::mem::replace(&mut self.found_by, application.found_by.clone()).is_empty();
            self.moved_at_ms = (!is_first).then_some(now_unix_ms);
            self.is_reached = false;
        }
        let gone =
            memory.application.as_ref().and_then(|application| Some((application, application.gone_since_unix_ms?)));
        let Some((application, since)) = gone else {
            self.is_reached = false;
            return None;
        };
        let gone_ms = now_unix_ms.saturating_sub(since);
        let is_unseen = application.name.is_empty() || gone_ms >= MINUTE_MS;
        let has_moved = self.moved_at_ms.is_some_and(|at| now_unix_ms.saturating_sub(at) < MINUTE_MS);
        self.is_reached |= is_unseen && !has_moved && recent.error_percent().is_some_and(|percent| percent < 100.0);
        let within_ms = if recent.server_errors > 0 { MISSED_WITHIN_MS } else { RESTARTS_WITHIN_MS };
        (gone_ms >= within_ms && !self.is_reached).then(|| {
            let gone = format::span(gone_ms / 1000);
            let why = application.last_end.as_ref().map(|end| format!(": {}", end.reason)).unwrap_or_default();
            let sentence =
                format!("the application has not been running for {gone}{why}; expected {}", application.found_by);
            Finding { since_unix_ms: since, ..incident(sentence, FindingSubject::Memory) }
        })
    }
}

/// No request reaches an application without an address.
pub(super) fn unresolved_finding(memory: &Memory) -> Option<Finding> {
    let why = memory.application.as_ref()?.unresolved.as_ref()?;
    let sentence = format!("no address of the application is known: {why}");
    Some(incident(sentence, FindingSubject::Requests))
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::Application;

    #[test]
    fn an_application_that_is_gone_for_longer_than_a_restart_takes_or_has_no_address_is_named() {
        let memory = |name: &str, gone_since_unix_ms| {
            let found_by = "listening at 127.0.0.1:8000".to_owned();
            let application = Application { found_by, name: name.into(), gone_since_unix_ms, ..Application::default() };
            Memory { application: Some(application), ..Memory::default() }
        };
        let recent = |requests, server_errors| RecentRequests { requests, server_errors, ..RecentRequests::default() };
        let found = |name: &str, gone_since_unix_ms, server_errors| {
            let found = ReachabilityState::default().application_finding(
                &memory(name, gone_since_unix_ms),
                &recent(4, server_errors),
                20_000,
            );
            found.map(|finding| finding.sentence)
        };
        let sentence =
            "the application has not been running for 12\u{a0}s; expected listening at 127.0.0.1:8000".to_owned();
        assert_eq!(found("uvicorn", Some(8_000), 0), Some(sentence.clone()));
        assert_eq!(found("", Some(8_000), 4), Some(sentence));
        assert_eq!(found("", Some(8_000), 3), None, "it answers, wherever it is");
        assert_eq!(found("uvicorn", Some(12_000), 0), None, "it is being started anew");
        assert!(
            found("uvicorn", Some(17_000), 1).is_some_and(|sentence| sentence.contains("for 3\u{a0}s")),
            "it is missed"
        );
        assert_eq!(found("uvicorn", Some(17_500), 1), None);
        assert_eq!(found("uvicorn", None, 4), None);

        let mut unresolved = memory("", None);
        assert!(unresolved_finding(&unresolved).is_none() && unresolved_finding(&Memory::default()).is_none());
        let reason = Some("app cannot be looked up: no answer within 5s".to_owned());
        unresolved.application.iter_mut().for_each(|application| application.unresolved.clone_from(&reason));
        let sentence = unresolved_finding(&unresolved).map(|finding| finding.sentence).unwrap_or_default();
        assert_eq!(sentence, "no address of the application is known: app cannot be looked up: no answer within 5s");

        // It goes on with another process id: its answers show it, also after the last request.
        let (mut state, gone) = (ReachabilityState::default(), memory("uvicorn", Some(0)));
        let mut is_found = |now, requests| state.application_finding(&gone, &recent(requests, 0), now).is_some();
        assert!(is_found(59_000, 4));
        assert!(!is_found(61_000, 4) && !is_found(200_000, 0));
        assert!(state.application_finding(&memory("uvicorn", None), &recent(0, 0), 201_000).is_none());
        assert!(state.application_finding(&gone, &recent(0, 0), 300_000).is_some());
    }

    #[test]
    fn successes_of_an_address_that_was_left_say_nothing_of_the_next() {
        let memory = |found_by: &str, gone_since_unix_ms| {
            let application =
                Application { found_by: found_by.to_owned(), gone_since_unix_ms, ..Application::default() };
            Memory { application: Some(application), ..Memory::default() }
        };
        let recent = RecentRequests { requests: 40, server_errors: 10, ..RecentRequests::default() };
        let mut state = ReachabilityState::default();
        let mut is_found =
            |found_by: &str, gone, now| state.application_finding(&memory(found_by, gone), &recent, now).is_some();
        assert!(!is_found("listening at 10.0.0.1:80", None, 0));
        assert!(!is_found("listening at 10.0.0.2:80", Some(1_000), 1_000));
        assert!(is_found("listening at 10.0.0.2:80", Some(1_000), 12_000));
        assert!(!is_found("listening at 10.0.0.2:80", Some(1_000), 61_000), "it answers there by now");
    }
}
