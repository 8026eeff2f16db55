//! Once a second: freeze the requests, read the memory, look at the database, judge, remember. Runs on a thread of the
//! monitor's own, so that it goes on while the host's runtime is busy, and nothing of it can hold up a request.

use std::time::{Duration, Instant};

use watchboard_wire::{
    AppCommands, Ask, CommandRow, DatabaseDetail, DatabaseHealth, DatabaseState, FullSnapshot, Health, Heap, Memory,
    MemoryDetail, Part, RefreshCursor, RefreshResponse, Snapshot, Window,
};

use crate::{
    clock::now_unix_ms,
    commands::{CHECK_OUT, CommandReader, Listener, TakenShape},
    database::ProbeResult,
    health::{HealthInput, Judge, with_database},
    history::{Builder, History, Host, Names},
    memory::Probes,
    requests::{Class, Reader, Recorder, Tally},
    sample::{RuntimeProbe, cost::CostMeter},
};

/// Kinds of commands that the database view lists.
const MOST_COMMANDS: usize = 50;

/// The memory view's own figures are read no more often than this.
const DETAIL_EVERY: Duration = Duration::from_secs(5);

pub(crate) struct Sampler {
    service: Option<String>,
    started_at_unix_ms: u64,
    reader: Reader,
    commands: CommandReader,
    runtime: Option<RuntimeProbe>,
    cost: CostMeter,
    probes: Probes,
    last_tick: Option<u64>,
    history: History,
    judge: Judge,
    health: Health,
    detail: Option<(Instant, MemoryDetail)>,
}

impl Sampler {
    pub(crate) fn new(
        service: Option<String>,
        probes: Probes,
        recorder: &'static Recorder,
        listener: &'static Listener,
        runtime: Option<RuntimeProbe>,
    ) -> Self {
        let started_at_unix_ms = now_unix_ms();
        Self {
            service,
            started_at_unix_ms,
            reader: Reader::new(recorder),
            commands: CommandReader::new(listener),
            runtime,
            cost: CostMeter::default(),
            probes,
            last_tick: None,
            history: History::new(started_at_unix_ms),
            judge: Judge::default(),
            health: Health { since_unix_ms: started_at_unix_ms, ..Health::default() },
            detail: None,
        }
    }

    /// One of its own process, without a database or a runtime.
    #[cfg(test)]
    pub(crate) fn for_tests(recorder: &'static Recorder) -> Self {
        Self::new(None, Probes::new(None), recorder, Listener::new(), None)
    }

    /// `tick` is the whole seconds since the start. One that follows late leaves a gap, and its requests are those of all the
    /// seconds since the one before; one that comes too early to be another second counts as the next.
    pub(crate) fn tick(&mut self, tick: u64, found: &ProbeResult, watched: bool) -> FullSnapshot {
        let database = found.database.clone();
        let tick = self.last_tick.map_or(tick, |last| tick.max(last + 1));
        let seconds = self.last_tick.map_or(1, |last| tick - last);
        self.last_tick = Some(tick);
        let mut frame = Builder::new(tick, seconds);
        let reader = &mut self.reader;
        let told = self.probes.times().time("requests", || reader.take(|id, tally| frame.endpoint(id, tally)));
        let commands = &mut self.commands;
        self.probes
            .times()
            .time("commands", || commands.take(|number, taken| frame.command(number.into(), &tally(taken))));
        // After the requests: what those allocated that have ended is then in the whole.
        let before = self.probes.last().heap.map(|heap| (heap, seconds));
        let memory = self.probes.read(watched);
        let connections = self.commands.take_most_connections();
        let host = Host {
            connections_in_use: connections.map(|[in_use, _]| in_use),
            connections_waiting: connections.map(|[_, waiting]| waiting),
            ..host(&memory, &database, before)
        };
        let (history, reader) = (&mut self.history, &self.reader);
        self.probes.times().time("history", || history.push(tick, frame, told, host, reader));
        let mut requests = self.reader.requests();
        requests.last_minute = self.history.last_minute();
        let unix_ms = now_unix_ms();
        let now = HealthInput {
            tick,
            unix_ms,
            recent: &requests.last_minute,
            memory: &memory,
            database: &database,
            server: found.server.as_ref(),
            history: &mut self.history,
            reader: &self.reader,
            commands: &self.commands,
        };
        let (judge, health) = (&mut self.judge, &self.health);
        self.health = self.probes.times().time("findings", || judge.judge(health, now));
        let snapshot = Snapshot {
            service: self.service.clone().unwrap_or_else(|| application_name(&memory)),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at_unix_ms: self.started_at_unix_ms,
            tick,
            taken_at_unix_ms: unix_ms,
            health: self.health.clone(),
            requests,
            memory,
            database,
            listens: self.commands.listens(),
            runtime: self.runtime.as_mut().map(RuntimeProbe::read),
        };
        self.cost.tick();
        FullSnapshot {
            snapshot,
            endpoints: self.reader.totals(),
            errors: self.history.recent_errors(),
            commands: self.commands.frozen(),
        }
    }

    /// Somebody looks: what has not been read for long, since nobody did, is read now. The same tick with these figures, if there are any.
    pub(crate) fn look(&mut self, frozen: &FullSnapshot) -> Option<FullSnapshot> {
        self.probes.read_costly().then(|| {
            let mut again = frozen.clone();
            again.snapshot.memory = self.probes.last().clone();
            again
        })
    }

    /// The database has changed between two ticks: the same tick with what it is now, if that is another state.
    pub(crate) fn database(&mut self, frozen: &FullSnapshot, database: &DatabaseHealth) -> Option<FullSnapshot> {
        (database.state != frozen.snapshot.database.state).then(|| {
            self.health = with_database(&self.health, &frozen.snapshot.database, database, now_unix_ms());
            let mut again = frozen.clone();
            again.snapshot.database = database.clone();
            again.snapshot.health = self.health.clone();
            again
        })
    }

    /// The answer to a page: `snapshot` and what its view shows of the history.
    pub(crate) fn answer(
        &mut self,
        ask: &Ask,
        seen: Option<RefreshCursor>,
        snapshot: &Snapshot,
        found: &ProbeResult,
    ) -> RefreshResponse {
        let memory = (ask.part == Part::Memory).then(|| self.detail());
        let database = (ask.part == Part::Database).then(|| DatabaseDetail {
            server: found.server.clone(),
            commands: self.commands.listens().then(|| self.app_commands(ask.window)),
        });
        let names = Names { reader: &self.reader, command: &|number| self.commands.name(number) };
        let mut answer = RefreshResponse { memory, database, ..self.history.answer(ask, seen, snapshot, names) };
        // A client that is listened to since the last tick is no news to the page that comes first.
        answer.snapshot.listens = self.commands.listens();
        answer
    }

    /// What the application asks of its database, in a window.
    fn app_commands(&mut self, window: Window) -> AppCommands {
        let (whole, rows) = self.history.commands(window);
        let mut commands = AppCommands {
            in_flight: self.commands.in_flight(),
            errors: self.commands.errors(),
            pools: self.commands.pools(),
            deployments: self.commands.deployments(),
            faults: self.commands.faults(),
            whole,
            ..AppCommands::default()
        };
        (commands.sent_for_requests, commands.sent_by_others) = self.commands.sent();
        for (number, row) in rows {
            if number == CHECK_OUT {
                commands.waits = row;
            } else {
                commands.rows.push(CommandRow { name: self.commands.name(number), ..row });
            }
        }
        commands.kinds = commands.rows.len() as u32;
        commands.rows.sort_by_key(|row| std::cmp::Reverse(row.duration_sum_us));
        commands.rows.truncate(MOST_COMMANDS);
        commands
    }

    /// What the memory view shows beyond the snapshot; read anew when it has become old.
    fn detail(&mut self) -> MemoryDetail {
        let fresh = self.detail.take().filter(|(read_at, _)| read_at.elapsed() < DETAIL_EVERY);
        let detail = fresh.unwrap_or_else(|| {
            let (threads, devices) = (self.probes.threads_by_name(), self.probes.devices());
            let held = [self.reader.held_bytes(), self.history.held_bytes(), self.commands.held_bytes()];
            let held = ["endpoints", "history", "commands"].map(str::to_owned).into_iter().zip(held).collect();
            let cost = self.cost.read(held, self.probes.times().to_vec());
            (Instant::now(), MemoryDetail { threads, devices, cost })
        });
        self.detail.insert(detail).1.clone()
    }
}

/// Of an application that nobody has named.
fn application_name(memory: &Memory) -> String {
    let application = memory.application.as_ref();
    let name = application.map(|application| match &*application.name {
        "" => application.found_by.trim_start_matches("listening at "),
        name => name,
    });
    name.unwrap_or("application").to_owned()
}

/// Commands are counted as requests are: refused ones as errors of the server, documents in the place of bytes.
fn tally(taken: TakenShape) -> Tally {
    let mut tally = Tally {
        response_bytes: taken.documents,
        duration_sum_us: taken.duration_sum_us,
        latencies: taken.times,
        ..Tally::default()
    };
    tally.classes[Class::Fine as usize] = taken.fine;
    tally.classes[Class::ServerError as usize] = taken.failed;
    tally.classes[Class::Dropped as usize] = taken.cancelled;
    tally
}

/// `before` is the heap as it was so many seconds ago.
fn host(memory: &Memory, database: &DatabaseHealth, before: Option<(Heap, u64)>) -> Host {
    let process = memory.process.as_ref().ok();
    let rate = |read: fn(&Heap) -> u64| {
        let (before, seconds) = before?;
        Some(read(&memory.heap?).saturating_sub(read(&before)) as f64 / seconds.max(1) as f64)
    };
    Host {
        rss_bytes: process.map(|process| process.rss_bytes),
        anonymous_bytes: process.map(|process| process.anonymous_bytes),
        live_heap_bytes: memory.heap.map(|heap| heap.live_bytes()),
        requests_allocate: rate(|heap| heap.requests_allocated_bytes),
        others_allocate: rate(Heap::unattributed_bytes),
        memory_percent: memory.headline().ok().map(|headline| headline.percent()),
        process_cpu_percent: process.and_then(|process| process.cpu_percent),
        system_cpu_percent: memory.system.as_ref().ok().and_then(|system| system.cpu_percent),
        database_latency_us: database.latency_us.filter(|_| database.state == DatabaseState::Healthy),
        ..Host::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::Policy;

    #[test]
    fn missed_ticks_are_gaps() {
        let mut sampler = Sampler::for_tests(Recorder::new(Policy::default()));
        sampler.tick(0, &ProbeResult::default(), false);
        let frozen = sampler.tick(25, &ProbeResult::default(), false);
        let ask = Ask { window: Window::FifteenMinutes, part: Part::Charts };
        let timeline = sampler.answer(&ask, None, &frozen.snapshot, &ProbeResult::default()).timeline;
        let rss = &timeline.columns.rss_bytes;
        assert_eq!(rss.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
        let frozen = sampler.tick(100_000, &ProbeResult::default(), false);
        let timeline = sampler.answer(&ask, None, &frozen.snapshot, &ProbeResult::default()).timeline;
        assert_eq!((timeline.len(), timeline.first + 89), (90, 100_000 / 10));
        assert_eq!(timeline.columns.rss_bytes.iter().flatten().count(), 1);
    }

    #[test]
    fn the_same_tick_twice_is_two_seconds_and_a_late_one_is_all_since_the_last() {
        let recorder = Recorder::new(Policy::default());
        let mut sampler = Sampler::for_tests(recorder);
        let ask = Ask { window: Window::Minute, part: Part::Requests };
        let mut totals = |tick| {
            recorder.record_for_tests("/a", 10);
            let frozen = sampler.tick(tick, &ProbeResult::default(), false);
            let answer = sampler.answer(&ask, None, &frozen.snapshot, &ProbeResult::default());
            (frozen.snapshot.tick, answer.totals.requests, answer.totals.seconds)
        };
        assert_eq!([totals(1), totals(2), totals(2), totals(8)], [(1, 1, 1), (2, 2, 2), (3, 3, 3), (8, 4, 8)]);
        for tick in 60..200 {
            totals(tick);
        }
        assert_eq!(totals(200), (200, 60, 60), "what was pushed twice has left once");
    }
}
