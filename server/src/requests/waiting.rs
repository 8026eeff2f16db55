//! Requests that last as long as their client wants: long polls and streams. Their time says nothing of the application.

use std::time::Duration;

use tokio::time::Instant;

/// A segment of the path that is one of these names an endpoint for long polls.
const SEGMENTS: [&str; 7] = ["poll", "polling", "longpoll", "longpolling", "long-poll", "long_poll", "comet"];
/// A parameter of the query whose name has one of these, with a number, is the time that the client is willing to wait.
const WAITS: [&str; 3] = ["wait", "timeout", "poll"];
/// Parameters with a value that asks for a long poll: Engine.IO and Socket.IO, `SignalR`, `CouchDB`.
const VALUES: [(&str, &str); 5] = [
    ("transport", "polling"),
    ("transport", "longpolling"),
    ("transport", "long-polling"),
    ("feed", "longpoll"),
    ("feed", "continuous"),
];
/// Media types of bodies that go on while there is something to tell.
const STREAMS: [&str; 7] = [
    "text/event-stream",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/stream+json",
    "application/json-seq",
    "multipart/x-mixed-replace",
];

/// The time in which the client took nothing of a body: the server asked for no part of it.
#[derive(Clone, Copy, Default)]
pub(super) struct ClientWait {
    /// When the server got the last part, if another follows.
    began: Option<Instant>,
    total: Duration,
}

impl ClientWait {
    /// The server has a part of the body, and another follows.
    pub(super) fn begin(&mut self) {
        self.began = Some(Instant::now());
    }

    /// The server asks for a part of the body.
    pub(super) fn end(&mut self) {
        if let Some(began) = self.began.take() {
            self.total += began.elapsed();
        }
    }

    pub(super) fn total(self) -> Duration {
        self.total
    }
}

/// Whether the clients of a route ask the application to wait until something happens, by a segment of its template.
pub(super) fn is_route_of_long_polls(route: &str) -> bool {
    let is_of_polls = |segment: &str| SEGMENTS.iter().any(|name| segment.eq_ignore_ascii_case(name));
    route.split('/').any(is_of_polls)
}

/// Whether a body of this type goes on while there is something to tell. Its client always ends it.
pub(super) fn is_stream_type(content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    STREAMS.iter().any(|stream| essence.eq_ignore_ascii_case(stream.as_bytes()))
}

/// Whether a query asks the application to wait until something happens.
pub(super) fn asks_to_wait(query: &str) -> bool {
    query.split('&').filter_map(|pair| pair.split_once('=')).any(|(name, value)| {
        let names = |words: &[&str]| words.iter().any(|word| contains_ignoring_case(name, word));
        let is_time = value.starts_with(|first: char| matches!(first, '1'..='9'));
        let is = |(of, wanted): &(&str, &str)| name.eq_ignore_ascii_case(of) && value.eq_ignore_ascii_case(wanted);
        (is_time && names(&WAITS)) || VALUES.iter().any(is)
    })
}

fn contains_ignoring_case(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_asks_to_wait_is_known_by_path_or_query() {
        let polls = |target: &str| {
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            is_route_of_long_polls(path) || asks_to_wait(query)
        };
        for uri in [
            "/poll",
            "/longpolling/poll",
            "/socket.io/?EIO=4&transport=polling&t=abc",
            "/sync?since=s72&timeout=30000",
            "/v1/kv/key?index=7&wait=5m",
            "/?Action=ReceiveMessage&WaitTimeSeconds=20",
            "/db/_changes?feed=longpoll",
            "/bot/getUpdates?offset=1&timeout=50",
        ] {
            assert!(polls(uri), "{uri}");
        }
        for uri in
            ["/polls/7/vote", "/pollution", "/search?q=timeout", "/sync?timeout=0", "/a?transport=websocket", "/"]
        {
            assert!(!polls(uri), "{uri}");
        }
    }

    #[test]
    fn a_stream_is_known_by_its_type() {
        let streams = |kind: &'static str| is_stream_type(kind.as_bytes());
        assert!(streams("text/event-stream; charset=utf-8") && streams("Application/X-NDJSON"));
        assert!(!streams("application/json") && !streams("text/html") && !is_stream_type(b""));
    }
}
