//! WebSockets, other upgraded connections and streams: exchanges that last as long as their sides want. All figures are since the start of
//! the monitor.

use serde::{Deserialize, Serialize};

/// Rows that a page gets, those with the most open.
pub const MAX_LONG_LIVED_ROWS: usize = 50;

/// What kind of a long-lived exchange it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LongLivedKind {
    /// A connection whose protocol became `websocket`.
    WebSocket,
    /// A connection whose protocol became another one.
    Upgrade,
    /// A response whose body goes on while there is something to tell, such as server-sent events.
    Stream,
}

impl LongLivedKind {
    /// All kinds, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::WebSocket, Self::Upgrade, Self::Stream];

    /// Its name for one of them.
    pub fn word(self) -> &'static str {
        match self {
            Self::WebSocket => "WebSocket",
            Self::Upgrade => "upgrade",
            Self::Stream => "stream",
        }
    }

    /// Its name for several, as a part of names: `websockets`.
    pub fn plural(self) -> &'static str {
        match self {
            Self::WebSocket => "websockets",
            Self::Upgrade => "upgrades",
            Self::Stream => "streams",
        }
    }
}

/// The side that closed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClosedBy {
    /// The client.
    Client,
    /// The application.
    Application,
    /// The proxy between them, because it stopped.
    Proxy,
}

impl ClosedBy {
    /// The side in a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Application => "application",
            Self::Proxy => "proxy",
        }
    }
}

/// Those that closed in one way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closes {
    /// The status code of a WebSocket's close frame; 1005 for a frame without one, 1006 if there was no frame. `None` if it is not known, or
    /// past the bound of codes that are told apart. Always `None` for the other kinds.
    pub code: Option<u16>,
    /// The side that closed first; `None` if it is not known.
    pub by: Option<ClosedBy>,
    /// Their number.
    pub count: u64,
}

/// The long-lived exchanges of one kind and one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongLivedTotals {
    /// Their kind.
    pub kind: LongLivedKind,
    /// Those that are open now, without the unobserved ones.
    pub open: u64,
    /// Those that were opened, with the unobserved ones.
    pub opened: u64,
    /// Those of which nothing but the opening can be seen: upgrades that the host handles itself.
    pub unobserved: u64,
    /// The sum of the durations of those that ended.
    pub duration_sum_us: u64,
    /// The duration of the longest that ended.
    pub duration_max_us: u64,
    /// Bytes from clients; zero for streams.
    pub received_bytes: u64,
    /// Bytes to clients.
    pub sent_bytes: u64,
    /// Messages from clients: WebSockets only, without control frames.
    pub received_messages: u64,
    /// Messages to clients: as above.
    pub sent_messages: u64,
    /// WebSockets whose frames could not be read from some point on: their later messages are not counted.
    pub unparsed: u64,
    /// How they ended.
    pub closes: Vec<Closes>,
}

impl LongLivedTotals {
    /// None of this kind so far.
    pub fn new(kind: LongLivedKind) -> Self {
        Self {
            kind,
            open: 0,
            opened: 0,
            unobserved: 0,
            duration_sum_us: 0,
            duration_max_us: 0,
            received_bytes: 0,
            sent_bytes: 0,
            received_messages: 0,
            sent_messages: 0,
            unparsed: 0,
            closes: vec![],
        }
    }

    /// Those that ended.
    pub fn ends(&self) -> u64 {
        self.closes.iter().map(|closes| closes.count).sum()
    }

    /// The mean duration of those that ended; `None` before the first end.
    pub fn duration_mean_us(&self) -> Option<u64> {
        self.duration_sum_us.checked_div(self.ends())
    }

    /// Whether more than the opening was seen of at least one.
    pub fn is_observed(&self) -> bool {
        self.opened > self.unobserved
    }

    /// Adds the counts of another endpoint. The kind stays.
    pub fn add(&mut self, more: &Self) {
        self.open += more.open;
        self.opened += more.opened;
        self.unobserved += more.unobserved;
        self.duration_sum_us += more.duration_sum_us;
        self.duration_max_us = self.duration_max_us.max(more.duration_max_us);
        self.received_bytes += more.received_bytes;
        self.sent_bytes += more.sent_bytes;
        self.received_messages += more.received_messages;
        self.sent_messages += more.sent_messages;
        self.unparsed += more.unparsed;
        for closes in &more.closes {
            let same = |sum: &&mut Closes| (sum.code, sum.by) == (closes.code, closes.by);
            match self.closes.iter_mut().find(same) {
                Some(sum) => sum.count += closes.count,
                None => self.closes.push(closes.clone()),
            }
        }
    }
}

/// A row of the page: one endpoint and one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongLivedRow {
    /// [`super::EndpointName::text`] of its endpoint.
    pub endpoint: String,
    /// Its figures.
    pub totals: LongLivedTotals,
}

/// What a WebSocket's close code means, by RFC 6455 and the registry of IANA.
pub fn close_code_name(code: u16) -> &'static str {
    match code {
        1000 => "normal",
        1001 => "going away",
        1002 => "protocol error",
        1003 => "unsupported data",
        1005 => "no code",
        1006 => "without a close frame",
        1007 => "invalid text",
        1008 => "policy violation",
        1009 => "message too big",
        1010 => "extension missing",
        1011 => "internal error",
        1012 => "service restart",
        1013 => "try again later",
        1014 => "bad gateway",
        1015 => "TLS handshake",
        3000 => "unauthorized",
        3003 => "forbidden",
        3008 => "timeout",
        _ if (3000..4000).contains(&code) => "of a library",
        _ if (4000..5000).contains(&code) => "of the application",
        _ => "reserved",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_two_rows_are_added_by_code_and_side() {
        let closes = |code, by, count| Closes { code: Some(code), by: Some(by), count };
        let totals = |closes: &[Closes], duration_max_us| LongLivedTotals {
            opened: 9,
            duration_max_us,
            closes: closes.to_vec(),
            ..LongLivedTotals::new(LongLivedKind::WebSocket)
        };
        let mut sum = totals(&[closes(1000, ClosedBy::Client, 2)], 7);
        sum.add(&totals(&[closes(1000, ClosedBy::Client, 1), closes(1000, ClosedBy::Application, 4)], 5));
        assert_eq!(sum.closes, [closes(1000, ClosedBy::Client, 3), closes(1000, ClosedBy::Application, 4)]);
        assert_eq!((sum.ends(), sum.opened, sum.duration_max_us), (7, 18, 7));
    }
}
