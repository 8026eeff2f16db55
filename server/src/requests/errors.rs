//! The log of what went wrong: a bounded queue that the layer pushes to without waiting, and the last hundred that the monitor keeps.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use crossbeam_queue::ArrayQueue;
use watchboard_app::wire::{ErrorEvent, ErrorKind};

use super::endpoint::Endpoint;

/// Errors that are kept.
const KEPT: usize = 100;
/// Of an error's text, this much is kept.
const MESSAGE_CHARS: usize = 200;
/// What of a body the layer takes along to find its message in.
pub(super) const EXCERPT_BYTES: usize = 512;

/// One request that went wrong, as the layer reports it.
pub(super) struct Reported {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) at_unix_ms: u64,
    pub(super) status: u16,
    pub(super) kind: ErrorKind,
    /// The beginning of the response's text, or what the panic said.
    pub(super) excerpt: Vec<u8>,
    pub(super) duration_us: u64,
}

/// Where the layer reports: of more than [`KEPT`] a second only the newest are kept, all are counted.
pub(super) struct ErrorLog {
    queue: ArrayQueue<Reported>,
    seen: AtomicU64,
}

impl ErrorLog {
    pub(super) fn new() -> Self {
        Self { queue: ArrayQueue::new(KEPT), seen: AtomicU64::new(0) }
    }

    pub(super) fn report(&self, error: Reported) {
        self.seen.fetch_add(1, Relaxed);
        self.queue.force_push(error);
    }
}

/// The last errors, newest first; owned by the one who freezes.
#[derive(Default)]
pub(super) struct RecentErrors {
    pub(super) seen: u64,
    newest_first: VecDeque<ErrorEvent>,
}

impl RecentErrors {
    /// Takes in what was reported since the last time.
    pub(super) fn drain(&mut self, log: &ErrorLog) {
        self.seen = log.seen.load(Relaxed);
        while let Some(error) = log.queue.pop() {
            self.newest_first.push_front(ErrorEvent {
                at_unix_ms: error.at_unix_ms,
                endpoint: error.endpoint.name(),
                status: error.status,
                kind: error.kind,
                message: message(&error.excerpt),
                duration_us: error.duration_us,
            });
        }
        self.newest_first.truncate(KEPT);
    }

    pub(super) fn newest_first(&self) -> Vec<ErrorEvent> {
        self.newest_first.iter().cloned().collect()
    }
}

/// What an error's text says: the field that frameworks put it in where it is a JSON object, else its first line.
fn message(excerpt: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(excerpt);
    let in_json = serde_json::from_str::<serde_json::Value>(&text).ok().and_then(|json| {
        let field = ["message", "error", "detail", "title"].iter().find_map(|name| json.get(name))?;
        Some(field.as_str().map_or_else(|| field.to_string(), ToOwned::to_owned))
    });
    let text = in_json.unwrap_or_else(|| text.into_owned());
    let line: String =
        text.trim().lines().next()?.chars().filter(|char| !char.is_control()).take(MESSAGE_CHARS).collect();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_found_where_frameworks_put_it() {
        for (excerpt, expected) in [
            ("no such user\nat line 3", Some("no such user")),
            (r#"{"detail":"Not Found"}"#, Some("Not Found")),
            (r#"{"error":{"code":7}}"#, Some(r#"{"code":7}"#)),
            (r#"{"cut": "of"#, Some(r#"{"cut": "of"#)),
            ("  \u{7}\n", None),
            ("", None),
        ] {
            assert_eq!(message(excerpt.as_bytes()).as_deref(), expected);
        }
        assert_eq!(message("ä".repeat(300).as_bytes()).unwrap().chars().count(), MESSAGE_CHARS);
    }

    #[test]
    fn the_newest_hundred_are_kept_and_all_are_counted() {
        let log = ErrorLog::new();
        let mut recent = RecentErrors::default();
        let endpoint = Arc::new(Endpoint::new(Some("GET"), "/"));
        for number in 1..=250u64 {
            let excerpt = number.to_string().into_bytes();
            let endpoint = Arc::clone(&endpoint);
            log.report(Reported {
                endpoint,
                at_unix_ms: number,
                status: 500,
                kind: ErrorKind::Server,
                excerpt,
                duration_us: 1,
            });
            if number == 30 {
                recent.drain(&log);
            }
        }
        recent.drain(&log);
        let kept = recent.newest_first();
        assert_eq!((recent.seen, kept.len()), (250, KEPT));
        let newest: Vec<_> = (151..=250).rev().map(|number| Some(number.to_string())).collect();
        assert_eq!(kept.into_iter().map(|error| error.message).collect::<Vec<_>>(), newest);
    }
}
