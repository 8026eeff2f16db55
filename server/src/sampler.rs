//! Once a second: freeze the requests, read the memory, look at the database, judge, remember. Runs on a thread of the
//! monitor's own, so that it goes on while the host's runtime is busy, and nothing of it can hold up a request.

use std::sync::Arc;

use watchboard_app::wire::{Database, DatabaseState, Health, POINTS, RecentRequests, STEP_SECONDS, Snapshot, Timeline};

use crate::{
    clock::now_unix_ms,
    health,
    history::{Frame, Ring, point},
    memory::Probes,
    requests::{Freezer, Interval, Registry},
};

/// Seconds that "the last minute" speaks of.
const RECENT_SECONDS: u64 = 60;
/// Seconds between two readings of the costly probes, while somebody looks and while nobody does.
const COSTLY_WATCHED_SECONDS: u64 = 5;
const COSTLY_UNWATCHED_SECONDS: u64 = 60;

/// What readers see of one tick.
pub(crate) struct Frozen {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) timeline: Timeline,
}

pub(crate) struct Sampler {
    service: String,
    started_at_unix_ms: u64,
    freezer: Freezer,
    probes: Probes,
    costly_tick: Option<u64>,
    ring: Ring,
    timeline: Timeline,
    health: Health,
}

impl Sampler {
    pub(crate) fn new(service: String, registry: Arc<Registry>) -> Self {
        let started_at_unix_ms = now_unix_ms();
        Self {
            service,
            started_at_unix_ms,
            freezer: Freezer::new(registry),
            probes: Probes::new(),
            costly_tick: None,
            ring: Ring::default(),
            timeline: Timeline { started_at_unix_ms, ..Timeline::default() },
            health: Health { since_unix_ms: started_at_unix_ms, ..Health::default() },
        }
    }

    /// `tick` is the whole seconds since the start; one that follows late leaves a gap.
    pub(crate) fn tick(&mut self, tick: u64, database: Database, watched: bool) -> Frozen {
        let every = if watched { COSTLY_WATCHED_SECONDS } else { COSTLY_UNWATCHED_SECONDS };
        let costly = self.costly_tick.is_none_or(|before| tick >= before + every);
        if costly {
            self.costly_tick = Some(tick);
        }
        let memory = self.probes.read(costly);
        let (mut requests, interval) = self.freezer.freeze();
        let process = memory.process.as_ref().ok();
        self.ring.push(Frame {
            tick,
            requests: interval,
            rss_bytes: process.map(|process| process.rss_bytes),
            memory_percent: memory.headline().ok().map(|headline| headline.percent()),
            process_cpu_percent: process.and_then(|process| process.cpu_percent),
            system_cpu_percent: memory.system.as_ref().ok().and_then(|system| system.cpu_percent),
            database_latency_us: database.latency_us.filter(|_| database.state == DatabaseState::Healthy),
        });
        requests.last_minute = self.last_minute(tick);
        let now = now_unix_ms();
        self.health = health::health(&self.health, health::judge(&requests.last_minute, &memory, &database), now);
        self.extend_timeline(tick);
        Frozen {
            snapshot: Arc::new(Snapshot {
                service: self.service.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                started_at_unix_ms: self.started_at_unix_ms,
                tick,
                taken_at_unix_ms: now,
                health: self.health.clone(),
                requests,
                memory,
                database,
            }),
            timeline: self.timeline.clone(),
        }
    }

    fn last_minute(&self, tick: u64) -> RecentRequests {
        let frames = self.ring.since((tick + 1).saturating_sub(RECENT_SECONDS)).map(|frame| &frame.requests);
        Interval::merge(frames).recent((tick + 1).min(RECENT_SECONDS))
    }

    /// Adds or fills the point of `tick`; steps that no tick fell into are gaps.
    fn extend_timeline(&mut self, tick: u64) {
        let number = tick / STEP_SECONDS;
        let next = self.timeline.first + self.timeline.len() as u64;
        for number in next.max(number.saturating_sub(POINTS as u64)).min(number)..=number {
            let frames = self.ring.since(number * STEP_SECONDS);
            self.timeline.extend(point(self.started_at_unix_ms, number, frames));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_ticks_are_gaps() {
        let mut sampler = Sampler::new("test".into(), Arc::new(Registry::new()));
        sampler.tick(0, Database::default(), false);
        let frozen = sampler.tick(12, Database::default(), false);
        let rss = &frozen.timeline.columns.rss_bytes;
        assert_eq!(rss.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
        let frozen = sampler.tick(100_000, Database::default(), false);
        assert_eq!(frozen.timeline.len(), POINTS);
        assert_eq!(frozen.timeline.first + POINTS as u64 - 1, 100_000 / STEP_SECONDS);
    }
}
