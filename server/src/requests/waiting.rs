//! Requests that last as long as their client wants: long polls and streams. Their time says nothing of the application.

use std::time::Duration;

use http::{HeaderMap, HeaderName, Method, Uri, header};
use tokio::time::Instant;

/// A segment of the path that is one of these names an endpoint for long polls. The last two are those of XMPP (BOSH) and of Telegram's bots.
const SEGMENTS: [&str; 9] =
    ["poll", "polling", "longpoll", "longpolling", "long-poll", "long_poll", "comet", "http-bind", "getUpdates"];
/// A route with this end waits by its name, as Docker's `/containers/{id}/wait`.
const WAIT: &str = "/wait";
/// A parameter of the query with one of these names, whatever stands between its words, is with a number the time that the client is willing to
/// wait.
const WAITS: [&str; 17] = [
    "wait",
    "waitfor",
    "waitms",
    "waitseconds",
    "waittime",
    "waittimeseconds",
    "maxwait",
    "timeout",
    "timeoutms",
    "timeoutmillis",
    "timeoutsec",
    "timeoutseconds",
    "poll",
    "polltimeout",
    "longpoll",
    "longpolling",
    "block",
];
/// Parameters that ask for a long poll if they are set. A request that changes something may wait by them until its change is made, so only
/// those of GET count.
const FLAGS: [&str; 6] = ["watch", "wait", "follow", "longpoll", "longpolling", "blocking"];
/// The header by which a client says how long it waits (RFC 7240, 4.3).
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Parameters with a value that asks for a long poll: Engine.IO and Socket.IO, `SignalR`, `CouchDB`.
const VALUES: [(&str, &str); 6] = [
    ("transport", "polling"),
    ("transport", "longpolling"),
    ("transport", "long-polling"),
    ("feed", "longpoll"),
    ("feed", "continuous"),
    ("feed", "eventsource"),
];
/// Media types of bodies that go on while there is something to tell.
const STREAMS: [&str; 10] = [
    "text/event-stream",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/jsonlines",
    "application/x-jsonlines",
    "application/x-json-stream",
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

/// An application that waits so long between two parts of a body has nothing to send meanwhile.
const PAUSE: Duration = Duration::from_millis(10);
/// From so many pauses on, a body is a stream, whatever its type. One that is only slow to make has fewer: a head, and the rest at once.
const PAUSES_OF_A_STREAM: u32 = 3;

/// The times in which the application sent nothing of a body that it had begun.
#[derive(Clone, Copy, Default)]
pub(super) struct Pauses {
    began: Option<Instant>,
    total: Duration,
    count: u32,
}

impl Pauses {
    /// The next part of the body is not there yet.
    pub(super) fn begin(&mut self) {
        self.began.get_or_insert_with(Instant::now);
    }

    /// The next part is there, or the end.
    pub(super) fn end(&mut self) {
        if let Some(pause) = self.began.take().map(|began| began.elapsed()).filter(|pause| *pause >= PAUSE) {
            self.total += pause;
            self.count += 1;
        }
    }

    /// The time that is a stream's, and not the application's.
    pub(super) fn of_stream(self) -> Duration {
        if self.count >= PAUSES_OF_A_STREAM { self.total } else { Duration::ZERO }
    }
}

/// Whether the clients of a route ask the application to wait until something happens, by a segment of its template.
pub(super) fn is_route_of_long_polls(route: &str) -> bool {
    let is_of_polls = |segment: &str| SEGMENTS.iter().any(|name| segment.eq_ignore_ascii_case(name));
    route.split('/').any(is_of_polls) || route.ends_with(WAIT)
}

/// Whether a body of this type goes on while there is something to tell. Its client always ends it.
pub(super) fn is_stream_type(content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    STREAMS.iter().any(|stream| essence.eq_ignore_ascii_case(stream.as_bytes()))
}

/// Whether a client takes a stream: its head may come with its first event.
pub(super) fn accepts_stream(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).is_some_and(|types| types.as_bytes().split(|byte| *byte == b',').any(is_stream_type))
}

/// Whether a request asks the application to wait until something happens, by its query or by `Prefer`.
pub(super) fn asks_to_wait(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    let is_get = *method == Method::GET;
    uri.query().is_some_and(|query| query_asks_to_wait(query, is_get)) || (is_get && prefers_to_wait(headers))
}

fn query_asks_to_wait(query: &str, is_get: bool) -> bool {
    query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "true"))).any(|(name, value)| {
        let letters = || name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase());
        let is_one_of = |names: &[&str]| names.iter().any(|wait| letters().eq(wait.bytes()));
        let is_time = || value.starts_with(|first: char| matches!(first, '1'..='9'));
        let is_set = || is_get && (value == "1" || value.eq_ignore_ascii_case("true"));
        let is = |(of, wanted): &(&str, &str)| name.eq_ignore_ascii_case(of) && value.eq_ignore_ascii_case(wanted);
        (is_time() && is_one_of(&WAITS)) || (is_set() && is_one_of(&FLAGS)) || VALUES.iter().any(is)
    })
}

/// Whether a client prefers to wait for so many seconds. With `respond-async` it waits for work that the application should hurry with.
fn prefers_to_wait(headers: &HeaderMap) -> bool {
    let values = || headers.get_all(PREFER).into_iter().filter_map(|value| value.to_str().ok());
    let preferences = || values().flat_map(|value| value.split([',', ';'])).map(str::trim);
    let is_wait = |preference: &str| {
        let (name, value) = preference.split_once('=').unwrap_or_default();
        let value = value.trim().trim_start_matches('"');
        name.trim().eq_ignore_ascii_case("wait") && value.starts_with(|first: char| matches!(first, '1'..='9'))
    };
    preferences().any(is_wait) && !preferences().any(|preference| preference.eq_ignore_ascii_case("respond-async"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_asks_to_wait_is_known_by_path_or_query() {
        let polls = |target: &str| {
            let uri: Uri = target.parse().expect("a target");
            is_route_of_long_polls(uri.path()) || asks_to_wait(&Method::GET, &uri, &HeaderMap::new())
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
            "/bot/getUpdates",
            "/xmpp/http-bind",
            "/containers/7/wait",
            "/api/v1/pods?watch=true",
            "/v2/keys/a?wait=true&waitIndex=7",
            "/containers/7/logs?follow=1",
            "/events?watch",
            "/db/_changes?feed=eventsource",
        ] {
            assert!(polls(uri), "{uri}");
        }
        for uri in [
            "/votes?poll_id=7",
            "/lists?wait_list=3",
            "/polls/7/vote",
            "/pollution",
            "/search?q=timeout",
            "/sync?timeout=0",
            "/a?transport=websocket",
            "/watch?v=7",
            "/wait/list",
            "/a?watch=false&follow=0",
            "/a?follow=jane",
            "/",
        ] {
            assert!(!polls(uri), "{uri}");
        }
        let change = Uri::from_static("/collections/a/points?wait=true");
        assert!(!asks_to_wait(&Method::PUT, &change, &HeaderMap::new()), "it waits for its own work");
    }

    #[test]
    fn a_client_that_prefers_to_wait_asks_for_a_long_poll() {
        let polls = |method: &Method, value: &'static str| {
            let headers = HeaderMap::from_iter([(PREFER, http::HeaderValue::from_static(value))]);
            asks_to_wait(method, &Uri::from_static("/runners/request"), &headers)
        };
        for value in ["wait=30", "return=minimal, Wait = 30", "wait=\"30\"", "handling=lenient; a=b, wait=5"] {
            assert!(polls(&Method::GET, value), "{value}");
        }
        for value in ["wait=0", "wait", "return=minimal", "respond-async, wait=10", "await=3"] {
            assert!(!polls(&Method::GET, value), "{value}");
        }
        assert!(!polls(&Method::POST, "wait=30"), "it waits for its own work");
    }

    #[test]
    fn a_stream_is_known_by_its_type() {
        let streams = |kind: &'static str| is_stream_type(kind.as_bytes());
        assert!(streams("text/event-stream; charset=utf-8") && streams("Application/X-NDJSON"));
        assert!(!streams("application/json") && !streams("text/html") && !is_stream_type(b""));
    }
}
