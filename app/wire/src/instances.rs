//! The instances of a fleet: those that write into the same MongoDB.

use serde::{Deserialize, Serialize};

use super::{Snapshot, Status};

/// What runs of an instance, as the fleet's store tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InstanceState {
    /// It has not been seen for ten seconds, and has not said that it ends.
    Gone,
    /// It was seen within ten seconds.
    #[default]
    Running,
    /// It has ended in order.
    Stopped,
}

impl InstanceState {
    /// The word on the page and in `/health`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Running => "running",
            Self::Stopped => "stopped",
        }
    }
}

/// The characters of an instance's name, at most.
pub const MAX_INSTANCE_NAME: usize = 100;

/// Whether an instance can have this name. That of all instances is nobody's. Characters that are not seen, or that turn the text around, could
/// make one name look like another.
pub fn is_instance_name(name: &str) -> bool {
    let count = name.chars().take(MAX_INSTANCE_NAME + 1).count();
    let is_unseen = |char: char| {
        char.is_control()
            || matches!(char, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    (1..=MAX_INSTANCE_NAME).contains(&count) && !name.contains(is_unseen) && name != InstanceScope::ALL
}

/// The bytes of a database's name, at most.
const MAX_DATABASE_NAME: usize = 63;

/// Whether a MongoDB can have the figures of a fleet in a database of this name: it allows the name, and the database is not its own.
pub fn is_fleet_database(name: &str) -> bool {
    let is_allowed =
        (1..=MAX_DATABASE_NAME).contains(&name.len()) && !name.contains(['/', '\\', '.', ' ', '"', '$', '\0']);
    is_allowed && !["admin", "local", "config"].contains(&name.to_ascii_lowercase().as_str())
}

/// Whose figures a page wants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum InstanceScope {
    /// Those of the instance that serves the page, as they are in its memory.
    #[default]
    Own,
    /// Those of all instances of the fleet.
    All,
    /// Those of the instance with this name, as it wrote them.
    One(String),
}

impl InstanceScope {
    /// The word for all instances, in the place of the name of one.
    pub const ALL: &str = "all";

    /// The scope of a word: nothing, that for all, or the name of an instance.
    pub fn from_word(word: &str) -> Self {
        match word {
            "" => Self::Own,
            Self::ALL => Self::All,
            name => Self::One(name.to_owned()),
        }
    }

    /// Its word.
    pub fn word(&self) -> &str {
        match self {
            Self::Own => "",
            Self::All => Self::ALL,
            Self::One(name) => name,
        }
    }
}

/// An instance of the fleet, as it last said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InstanceRow {
    /// Its name, of which the fleet has one.
    pub name: String,
    /// Whether it runs.
    pub state: InstanceState,
    /// The application that it is an instance of.
    pub service: String,
    /// The version of the application; `None` if it is not known.
    pub version: Option<String>,
    /// The machine's name.
    pub host: String,
    /// The address of its own board; `None` if it has not said one.
    pub url: Option<String>,
    /// The start of its monitor.
    pub started_at_unix_ms: u64,
    /// When it last wrote, by the clock of the fleet's store.
    pub last_seen_unix_ms: u64,
    /// How long ago that was, by the same clock.
    pub age_ms: u64,
    /// Its figures then.
    pub figures: InstanceFigures,
}

/// The figures of an instance in the list of all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InstanceFigures {
    /// Its verdict on itself.
    pub health: Status,
    /// Its worst finding; `None` if it has none.
    pub finding: Option<String>,
    /// Requests per second in its last minute.
    pub requests_per_second: f64,
    /// Server errors in percent of them; `None` without requests.
    pub error_percent: Option<f64>,
    /// The 99th percentile of those that succeeded; `None` without such requests.
    pub p99_us: Option<u64>,
    /// The resident memory of the application; `None` if it is not known.
    pub memory_bytes: Option<u64>,
    /// The memory that is used of the container's or the system's limit, in percent; `None` if it is not known.
    pub memory_percent: Option<f64>,
    /// The CPU time of the application, in percent of one core; `None` if it is not known.
    pub cpu_percent: Option<f64>,
    /// The state of its database, in the words of `/health`.
    pub database: String,
}

impl InstanceFigures {
    /// Those of a snapshot.
    pub fn of(snapshot: &Snapshot) -> Self {
        let minute = &snapshot.requests.last_minute;
        let process = snapshot.memory.process.as_ref().ok();
        Self {
            health: snapshot.health.status,
            finding: snapshot.health.findings.first().map(|finding| finding.sentence.clone()),
            requests_per_second: minute.per_second(),
            error_percent: minute.error_percent(),
            p99_us: minute.latency.map(|latency| latency.p99_us),
            memory_bytes: process.map(|process| process.rss_bytes),
            memory_percent: snapshot.memory.headline().ok().map(|headline| headline.percent()),
            cpu_percent: process.and_then(|process| process.cpu_percent),
            database: snapshot.database.status_text(),
        }
    }
}

/// What the fleet's store tells of the fleet. It is little, since every page has the code that reads it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FleetFigures {
    /// Whose figures the answer has, and how old they are, as HTML with all texts escaped; empty for those of this instance.
    pub notice_html: String,
    /// An [`InstanceList`] in postcard, which the view of the instances reads; empty for the others.
    pub list: Vec<u8>,
}

/// The instances of the fleet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InstanceList {
    /// The store's own time in Unix milliseconds.
    pub now_unix_ms: u64,
    /// Those of the last days, the worst first.
    pub instances: Vec<InstanceRow>,
    /// The first hundred of them over the window.
    pub strips: Vec<InstanceStrip>,
}

/// An instance over the window, at the points of the small lines; the oldest first. `None` where there is nothing of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InstanceStrip {
    /// The highest p99 of ten seconds, of requests that succeeded.
    pub p99_us: Vec<Option<u32>>,
    /// Server errors in percent of the requests.
    pub error_percent: Vec<Option<f32>>,
    /// The highest use of the limit of memory.
    pub memory_percent: Vec<Option<f32>>,
    /// The highest use of CPU in ten seconds, in percent of a core.
    pub cpu_percent: Vec<Option<f32>>,
}
