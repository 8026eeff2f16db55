//! Everything that is watched, at one tick of the monitor.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{
    CommandsSnapshot, DatabaseHealth, EndpointLatency, EndpointTotals, ErrorEvent, Exemplar, Health, Memory, Reading,
    Requests, Runtime, TraceUrl, Unknown, format,
};

/// A snapshot is taken every second. Once it is older than this, it is stale: no state that it has holds any more.
pub const STALE_AFTER: Duration = Duration::from_secs(5);

/// The snapshot with every endpoint, error and command, for `/health` and `/metrics`.
#[derive(Clone, Debug)]
pub struct FullSnapshot {
    /// The part that pages get too.
    pub snapshot: Snapshot,
    /// The time at which it was taken, by the monotonic clock.
    pub taken_at: Instant,
    /// Every endpoint since the start of the monitor.
    pub endpoints: Vec<Arc<EndpointTotals>>,
    /// The last errors, newest first; at most 100.
    pub errors: Vec<ErrorEvent>,
    /// The commands that the application sent to its database; `None` without a command listener.
    pub commands: Option<CommandsSnapshot>,
    /// Late requests with an id, as examples of slow ones.
    pub exemplars: Arc<Vec<Exemplar>>,
    /// The latency of each of `endpoints` in the last minute. Empty unless somebody asked for costly figures.
    pub latencies: Vec<EndpointLatency>,
    /// How its figures reach the fleet; `None` if it is in no fleet.
    pub fleet: Option<FleetDelivery>,
}

impl Default for FullSnapshot {
    fn default() -> Self {
        Self {
            snapshot: Snapshot::default(),
            taken_at: Instant::now(),
            endpoints: vec![],
            errors: vec![],
            commands: None,
            exemplars: Arc::default(),
            latencies: vec![],
            fleet: None,
        }
    }
}

impl FullSnapshot {
    /// Its age now.
    pub fn age(&self) -> Duration {
        self.taken_at.elapsed()
    }

    /// Why it says nothing about now, if it is too old for that.
    pub fn stale(&self) -> Option<String> {
        let age = self.age();
        let text = || format!("the monitor has not taken figures for {}", format::span(age.as_secs()));
        (age > STALE_AFTER).then(text)
    }
}

/// The state of all that is watched at one tick of the monitor. It ticks once a second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The name of the watched application.
    pub service: String,
    /// Watchboard's own version.
    pub version: String,
    /// Where the traces of requests are shown; `None` if nobody named a tool for them.
    pub trace_url: Option<TraceUrl>,
    /// Where clients send their requests to a proxy; `None` if nobody said so.
    pub proxy_url: Option<String>,
    /// The time at which the monitor was built. It identifies a run of the monitor.
    pub started_at_unix_ms: u64,
    /// The second of this snapshot: the whole Unix seconds at the start of the monitor, and the seconds since then by a clock that nobody
    /// sets. So the steps of two runs and of two machines begin at the same ticks.
    pub tick: u64,
    /// The tick at the start of the monitor.
    pub first_tick: u64,
    /// The first tick of the history: of this run, or of an earlier one that stored it.
    pub oldest_tick: u64,
    /// The history on disk; `None` if none is kept.
    pub stored: Option<StoredHistory>,
    /// The name of this instance in its fleet; empty for a board that only shows the fleet, and `None` if there is none.
    pub instance: Option<String>,
    /// The time of this snapshot. All times are of one clock that nobody sets, so their differences are durations.
    pub taken_at_unix_ms: u64,
    /// How far the wall clock has been set since that clock started: negative if it was set back. Dates follow the wall clock.
    pub wall_clock_set_ms: i64,
    /// The zone in which a page shows times, in minutes east of UTC. Only pages set it.
    #[serde(skip)]
    pub zone_minutes: i32,
    /// The verdict on requests, memory and database together.
    pub health: Health,
    /// Request metrics.
    pub requests: Requests,
    /// Memory analytics.
    pub memory: Memory,
    /// Database health.
    pub database: DatabaseHealth,
    /// Whether the monitor listens to the events of the application's database client.
    pub listens: bool,
    /// The async runtime; `None` if the monitor was built outside of one.
    pub runtime: Option<Runtime>,
}

/// The history on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredHistory {
    /// Whether the last figures were stored, no error has come since, and the disk answers.
    pub is_stored: bool,
    /// The other process that has the file, in words; `None` if there is none. It is asked for again every few seconds.
    pub writer: Option<String>,
    /// The bytes of all that is stored.
    pub bytes: u64,
    /// Steps of ten seconds that could not be stored, since the start.
    pub lost: u64,
    /// Steps of earlier runs that could not be read, since the start.
    pub unreadable: u64,
}

/// How far an instance's own figures have reached the fleet's store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetDelivery {
    /// The name of this instance; empty for a board that shows the fleet and is no instance of it.
    pub instance: String,
    /// Why the store does not take its figures; `None` if it does.
    pub failure: Option<String>,
    /// It is that another process has this instance's name.
    pub is_name_taken: bool,
    /// For how many seconds figures wait; zero if none wait.
    pub waiting_seconds: u64,
    /// Up to which Unix second its figures are delivered; `None` before the first.
    pub delivered_until: Option<u64>,
    /// Steps of ten seconds that can never be delivered, since the start.
    pub lost: u64,
}

impl Snapshot {
    /// The start of the watched application: of its main process, or of the monitor within it.
    ///
    /// # Errors
    /// No process of the application is to be seen.
    pub fn application_started_at_unix_ms(&self) -> Reading<u64> {
        let Some(application) = &self.memory.application else { return Ok(self.started_at_unix_ms) };
        match (application.processes.first(), &self.memory.process) {
            (Some(main), _) => Ok(main.started_at_unix_ms),
            (None, Err(why)) => Err(why.clone()),
            (None, Ok(_)) => Err(Unknown::because("there is no process of the application to be seen")),
        }
    }

    /// Whole seconds since the start of the monitor.
    pub fn monitored_seconds(&self) -> u64 {
        self.tick.saturating_sub(self.first_tick)
    }

    /// Whole seconds for which the application has run.
    ///
    /// # Errors
    /// As [`Self::application_started_at_unix_ms`].
    pub fn uptime_seconds(&self) -> Reading<u64> {
        if self.memory.application.is_none() {
            return Ok(self.monitored_seconds());
        }
        self.application_started_at_unix_ms().map(|started| self.taken_at_unix_ms.saturating_sub(started) / 1000)
    }

    /// One of its times by the wall clock, in the zone of the page.
    pub fn wall_clock(&self, unix_ms: u64) -> u64 {
        self.in_zone(unix_ms.saturating_add_signed(self.wall_clock_set_ms))
    }

    /// A time of the wall clock in the zone of the page.
    pub fn in_zone(&self, unix_ms: u64) -> u64 {
        unix_ms.saturating_add_signed(i64::from(self.zone_minutes) * 60_000)
    }

    /// One of its times as date and time: `2026-11-23 12:03:04 UTC`.
    pub fn date_time(&self, unix_ms: u64) -> String {
        format::date_time(self.wall_clock(unix_ms), &self.zone())
    }

    /// The zone of its times: `UTC`, `UTC+02:00`.
    pub fn zone(&self) -> String {
        match self.zone_minutes {
            0 => "UTC".to_owned(),
            east => {
                let (sign, minutes) = (if east < 0 { '-' } else { '+' }, east.abs());
                format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }

    /// One of its times as a time of day in its zone: `12:03:04`.
    pub fn clock(&self, unix_ms: u64) -> String {
        format::clock(self.wall_clock(unix_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Application, ApplicationProcess, Process};

    #[test]
    fn a_watched_application_has_its_own_uptime_and_not_the_monitors() {
        let own = Snapshot {
            started_at_unix_ms: 50_000,
            first_tick: 50,
            tick: 57,
            taken_at_unix_ms: 57_000,
            ..Snapshot::default()
        };
        assert_eq!((own.application_started_at_unix_ms(), own.uptime_seconds()), (Ok(50_000), Ok(7)));
        let watched = |processes, process| Snapshot {
            memory: Memory {
                application: Some(Application { processes, ..Application::default() }),
                process,
                ..Memory::default()
            },
            ..own.clone()
        };
        let main = ApplicationProcess { started_at_unix_ms: 20_000, ..ApplicationProcess::default() };
        let runs = watched(vec![main, ApplicationProcess::default()], Ok(Process::default()));
        assert_eq!((runs.application_started_at_unix_ms(), runs.uptime_seconds()), (Ok(20_000), Ok(37)));
        let gone = watched(vec![], Err(Unknown::because("it has ended")));
        assert_eq!(gone.uptime_seconds(), Err(Unknown::because("it has ended")));
    }

    #[test]
    fn dates_follow_a_wall_clock_that_is_set() {
        let at = |wall_clock_set_ms| Snapshot { wall_clock_set_ms, ..Snapshot::default() }.date_time(7_200_000);
        assert_eq!(
            [0, -3_600_000, 3_600_000, i64::MIN].map(at).map(|date| date[11..].to_owned()),
            ["02:00:00 UTC", "01:00:00 UTC", "03:00:00 UTC", "00:00:00 UTC"]
        );
    }

    #[test]
    fn dates_are_in_the_zone_of_the_page() {
        let at = |zone_minutes| Snapshot { zone_minutes, ..Snapshot::default() }.date_time(43_200_000);
        assert_eq!(
            [0, 120, -210].map(at),
            ["1970-01-01 12:00:00 UTC", "1970-01-01 14:00:00 UTC+02:00", "1970-01-01 08:30:00 UTC-03:30"]
        );
    }
}
