//! The sampler: once a second it takes the requests' counts, reads memory and database, makes the findings, and feeds the history. It runs on
//! a thread of the monitor's own, so that it goes on while the host's runtime is busy, and never delays a request.
//!
//! Each part of its work is rescued: if one panics, the others go on, and what the part may have left half-done is made anew.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use watchboard_wire::{
    AppCommands, CommandRow, Cost, DatabaseDetail, DatabaseHealth, DatabaseServer, FullSnapshot, Health, Mark,
    MarkKind, Memory, MemoryDetail, Part, RefreshCursor, RefreshQuery, RefreshResponse, Requests, Snapshot, TraceUrl,
};

use crate::{
    clock::{now_unix_ms, wall_clock_set_ms},
    commands::{CommandKind, CommandReader, CommandTally, Listener, command_table},
    database::ProbeResult,
    health::{HealthInput, Judge, MonitorState, with_database, with_monitor},
    history::{
        FrameBuilder, History, Host, NameLookup,
        store::{HistoryFolder, Outbox},
    },
    memory::{OomCounters, Probes},
    requests::{Reader, Recorder, RequestReports},
    sample::{
        RuntimeProbe,
        cost::CostMeter,
        host_figures::{application_name, host_figures},
        mark_watch::{MarkWatch, changes_between_runs, stopped},
        run_record::RunRecord,
        stored_steps::StoredSteps,
    },
    supervision::{Faults, Supervision, program::faults_with},
};

/// Endpoints that it names for each.
const MAX_SENDERS: usize = 3;

/// The monitor's own cost is read at most this often.
const COST_EVERY: Duration = Duration::from_secs(5);

/// How the pages name the application, and where they find its traces.
#[derive(Debug, Default)]
pub(crate) struct ServiceLabel {
    /// Without a name the application has the name of its process.
    pub(crate) name: Option<String>,
    pub(crate) trace_url: Option<TraceUrl>,
    /// Where a proxy listens for clients.
    pub(crate) proxy_url: Option<String>,
    /// The version of the application, in words.
    pub(crate) version: Option<String>,
}

/// The figures of one monitor; owned by its thread.
pub(crate) struct Sampler {
    service: ServiceLabel,
    pub(super) started_at_unix_ms: u64,
    /// The whole Unix seconds at the start.
    first_tick: u64,
    pub(super) reader: Reader,
    pub(super) commands: CommandReader,
    runtime: Option<RuntimeProbe>,
    cost: CostMeter,
    probes: Probes,
    last_tick: Option<u64>,
    pub(super) history: History,
    pub(super) stored: StoredSteps,
    marks: MarkWatch,
    judge: Judge,
    health: Health,
    last_cost: Option<(Instant, Cost)>,
    pub(super) faults: Arc<Faults>,
}

impl Sampler {
    pub(crate) fn new(
        service: ServiceLabel,
        probes: Probes,
        recorder: &'static Recorder,
        listener: &'static Listener,
        runtime: Option<RuntimeProbe>,
        (folder, outbox): (Option<HistoryFolder>, Option<Arc<Outbox>>),
        supervision: &Supervision,
    ) -> Self {
        let started_at_unix_ms = now_unix_ms();
        let first_tick = started_at_unix_ms / 1000;
        Self {
            service,
            started_at_unix_ms,
            first_tick,
            reader: Reader::new(recorder),
            commands: CommandReader::new(listener),
            runtime,
            cost: CostMeter::default(),
            probes,
            last_tick: None,
            history: History::new(started_at_unix_ms, first_tick),
            stored: StoredSteps::new(folder, outbox, first_tick, supervision),
            marks: MarkWatch::default(),
            judge: Judge::default(),
            health: Health { since_unix_ms: started_at_unix_ms, ..Health::default() },
            last_cost: None,
            faults: Arc::clone(&supervision.faults),
        }
    }

    /// Takes over the history of earlier runs as soon as it is read. Returns the same tick with it.
    pub(crate) fn take_over_history(&mut self, frozen: &FullSnapshot) -> Option<FullSnapshot> {
        self.restore().then(|| {
            let mut updated = frozen.clone();
            updated.snapshot.oldest_tick = self.history.oldest();
            updated.snapshot.stored = self.stored.state();
            updated
        })
    }

    fn restore(&mut self) -> bool {
        let Self { reader, commands, history, .. } = self;
        self.stored.restore(self.last_tick.is_none(), history, reader, commands)
    }

    /// Takes a tick, so many whole seconds since the start. A late tick leaves a gap, and has the requests of all seconds since the last
    /// tick. A second tick within one second counts as the next second.
    pub(crate) fn tick(&mut self, seconds: u64, probe_result: &ProbeResult, watched: bool) -> FullSnapshot {
        let taken_at = Instant::now();
        let database = probe_result.current();
        self.restore();
        let tick = self.first_tick.saturating_add(seconds);
        let tick = self.last_tick.map_or(tick, |last| tick.max(last + 1));
        let seconds = self.last_tick.map_or(1, |last| tick - last);
        self.last_tick = Some(tick);
        let (frame, reports, commands) = self.take_counts(FrameBuilder::new(tick, seconds));
        // After the requests, so that the allocations of all requests that ended are in the total.
        let before = self.probes.last().heap.map(|heap| (heap, seconds));
        let memory = self.probes.read(watched);
        let connections = self.commands.take_most_connections();
        let [reading, writing] = commands.map(|count| connections.map(|_| count as f64 / seconds.max(1) as f64));
        let host = Host {
            connections_in_use: connections.map(|[in_use, _]| in_use),
            connections_waiting: connections.map(|[_, waiting]| waiting),
            commands_reading: reading,
            commands_writing: writing,
            ..host_figures(&memory, &database, before)
        };
        self.push(tick, frame, reports, host);
        let mut requests = self.reader.requests();
        requests.last_minute = self.history.last_minute();
        requests.last_ten_seconds = self.history.last_ten_seconds();
        let unix_ms = now_unix_ms();
        self.judge(tick, unix_ms, &requests, &memory, (&database, probe_result.server.as_ref()));
        let snapshot = Snapshot {
            service: self.service.name.clone().unwrap_or_else(|| application_name(&memory)),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            trace_url: self.service.trace_url.clone(),
            proxy_url: self.service.proxy_url.clone(),
            started_at_unix_ms: self.started_at_unix_ms,
            tick,
            first_tick: self.first_tick,
            oldest_tick: self.history.oldest(),
            stored: self.stored.state(),
            instance: self.stored.delivery().map(|delivery| delivery.instance),
            taken_at_unix_ms: unix_ms,
            wall_clock_set_ms: wall_clock_set_ms(),
            zone_minutes: 0,
            health: self.health.clone(),
            requests,
            memory,
            database,
            listens: self.commands.listens(),
            runtime: self.runtime.as_mut().map(RuntimeProbe::read),
        };
        self.mark(&snapshot);
        self.cost.tick(self.probes.take_cpu());
        FullSnapshot {
            snapshot,
            taken_at,
            endpoints: self.reader.totals(),
            errors: self.history.recent_errors(),
            commands: self.commands.snapshot(),
            exemplars: self.history.exemplars(),
            latencies: vec![],
            fleet: self.stored.delivery(),
        }
    }

    /// Marks what happened, and sends what the store lacks.
    fn mark(&mut self, snapshot: &Snapshot) {
        let version = self.service.version.as_deref();
        let before = self.stored.take_before();
        let ended = before.map(|run| changes_between_runs(&run, snapshot, version, OomCounters::killed_since));
        let marks = self.marks.changes(snapshot, version);
        ended.into_iter().flatten().chain(marks).for_each(|mark| self.history.mark(mark));
        let record = || RunRecord::of(snapshot, self.service.version.clone(), self.probes.oom_counters());
        self.stored.send(&mut self.history, &self.reader, &self.commands, record);
    }

    /// Marks this moment.
    pub(crate) fn note(&mut self, text: String) -> Mark {
        let mark = Mark { at_unix_ms: now_unix_ms(), kind: MarkKind::Note, text };
        self.history.mark(mark.clone());
        mark
    }

    /// The run ends in order: stores what is left of it.
    pub(crate) fn stop(&mut self, last: &Snapshot) {
        self.history.mark(stopped(last, now_unix_ms()));
        let mut record = RunRecord::of(last, self.service.version.clone(), self.probes.oom_counters());
        record.has_stopped = true;
        self.stored.stop(&mut self.history, &self.reader, &self.commands, &record);
    }

    /// Takes the counts since the last tick, also of commands that read and that write. What a panic leaves in the counters is taken by
    /// the next tick; what was taken before it is in the frame and in the totals.
    fn take_counts(&mut self, mut frame: FrameBuilder) -> (FrameBuilder, RequestReports, [u64; 2]) {
        let Self { reader, commands, probes, faults, .. } = self;
        let reports = faults.rescue("counts of requests", || {
            probes.times().time("requests", || reader.take(|id, tally| frame.endpoint(id, tally)))
        });
        let [mut reading, mut writing] = [0, 0];
        let take = |number: u16, command: &str, tally: CommandTally| {
            frame.command(number.into(), &tally);
            match CommandKind::from_name(command) {
                CommandKind::Read => reading += tally.calls(),
                CommandKind::Write => writing += tally.calls(),
                CommandKind::Other => {}
            }
        };
        faults.rescue("counts of commands", || probes.times().time("commands", || commands.take(take)));
        (frame, reports.unwrap_or_default(), [reading, writing])
    }

    /// Adds the tick to the history. After a panic the history begins anew; the totals since the start are the reader's.
    fn push(&mut self, tick: u64, frame: FrameBuilder, reports: RequestReports, host: Host) {
        let Self { reader, history, probes, faults, .. } = self;
        let push = || probes.times().time("history", || history.push(tick, frame, reports, host, reader));
        if faults.rescue("history", push).is_none() {
            self.history = History::new(self.started_at_unix_ms, self.first_tick);
        }
    }

    /// Makes the findings. After a panic the detectors begin anew.
    fn judge(
        &mut self,
        tick: u64,
        unix_ms: u64,
        requests: &Requests,
        memory: &Memory,
        (database, server): (&DatabaseHealth, Option<&DatabaseServer>),
    ) {
        let Self { reader, commands, history, probes, faults, judge, health, stored, .. } = self;
        let writer = stored.state().and_then(|stored| stored.writer);
        let overdue: Vec<String> = probes.overdue().into_iter().chain(stored.overdue()).collect();
        let delivery = stored.delivery();
        let state = MonitorState {
            faults: &faults_with(faults),
            overdue: &overdue,
            history_writer: writer.as_deref(),
            delivery: delivery.as_ref(),
        };
        let input = HealthInput {
            tick,
            unix_ms,
            recent: &requests.last_minute,
            capacities: &requests.capacities,
            memory,
            database,
            server,
            history,
            reader,
            commands,
            monitor: state,
        };
        let judged = faults.rescue("findings", || probes.times().time("findings", || judge.judge(health, input)));
        self.health = judged.unwrap_or_else(|| {
            self.judge = Judge::default();
            with_monitor(
                &self.health,
                MonitorState { faults: &faults_with(&self.faults), overdue: &[], history_writer: None, delivery: None },
                unix_ms,
            )
        });
    }

    /// Somebody asks: begins to read the costly figures that are old, with the devices for the memory view.
    pub(crate) fn begin_costly(&mut self, with_devices: bool) {
        self.probes.begin_costly();
        if with_devices {
            self.probes.begin_devices();
        }
    }

    /// Whether whoever asked should wait for figures that are being read.
    pub(crate) fn are_awaited(&self, with_devices: bool) -> bool {
        self.stored.is_awaited() || self.probes.are_awaited(with_devices)
    }

    /// Returns the same tick with the figures that were read since, or with the reason why they were not. `None` if there are none, and nobody is
    /// about to get an answer.
    pub(crate) fn update_memory(&mut self, frozen: &FullSnapshot, is_requested: bool) -> Option<FullSnapshot> {
        self.probes.update(is_requested).then(|| {
            let mut updated = frozen.clone();
            updated.snapshot.memory = self.probes.last().clone();
            if is_requested {
                updated.latencies = self.history.latencies(&updated.endpoints);
            }
            updated
        })
    }

    /// The database's state was probed between two ticks. Returns the same tick with the new state, if it has changed.
    pub(crate) fn update_database(&mut self, frozen: &FullSnapshot, database: &DatabaseHealth) -> Option<FullSnapshot> {
        (database.state != frozen.snapshot.database.state).then(|| {
            self.health = with_database(&self.health, &frozen.snapshot.database, database, now_unix_ms());
            let mut updated = frozen.clone();
            updated.snapshot.database = database.clone();
            updated.snapshot.health = self.health.clone();
            updated
        })
    }

    /// The response to a page: `snapshot` and the view's part of the history.
    pub(crate) fn answer(
        &mut self,
        query: &RefreshQuery,
        cursor: Option<RefreshCursor>,
        snapshot: &Snapshot,
        probe_result: &ProbeResult,
    ) -> RefreshResponse {
        let names = NameLookup { reader: &self.reader, command: &|number| self.commands.name(number) };
        let answer = self.history.answer(query, cursor, snapshot, names);
        self.with_details(answer, &query.part, probe_result, |history| history.commands(query.window))
    }

    /// An answer with what its view alone shows. `sums` are those of the commands.
    pub(super) fn with_details(
        &mut self,
        answer: RefreshResponse,
        part: &Part,
        probe_result: &ProbeResult,
        sums: impl FnOnce(&mut History) -> (CommandRow, Vec<(u16, CommandRow)>),
    ) -> RefreshResponse {
        // A client may have been added since the last tick.
        let listens = self.commands.listens();
        let memory = (*part == Part::Memory).then(|| self.detail());
        let database = (*part == Part::Database).then(|| {
            let sums = listens.then(|| sums(&mut self.history));
            DatabaseDetail { server: probe_result.server.clone(), commands: sums.map(|sums| self.app_commands(sums)) }
        });
        let snapshot = Snapshot { listens, ..answer.snapshot };
        RefreshResponse { snapshot, memory, database, ..answer }
    }

    /// The application's database commands, by their sums.
    fn app_commands(&self, sums: (CommandRow, Vec<(u16, CommandRow)>)) -> AppCommands {
        let named = |number, row| CommandRow {
            name: self.commands.name(number),
            senders: self.reader.senders(number, MAX_SENDERS),
            ..row
        };
        let (sent_for_requests, sent_by_others) = self.commands.sent_counts();
        AppCommands {
            in_flight: self.commands.in_flight(),
            sent_for_requests,
            sent_by_others,
            errors: self.commands.errors(),
            pools: self.commands.pools(),
            deployments: self.commands.deployments(),
            faults: self.commands.faults(),
            ..command_table(sums, named)
        }
    }

    /// The memory view's figures beyond the snapshot.
    fn detail(&mut self) -> MemoryDetail {
        let fresh = self.last_cost.take().filter(|(read_at, _)| read_at.elapsed() < COST_EVERY);
        let cost = fresh.unwrap_or_else(|| {
            let held = [self.reader.held_bytes(), self.history.held_bytes(), self.commands.held_bytes()];
            let held = ["endpoints", "history", "commands"].map(str::to_owned).into_iter().zip(held).collect();
            (Instant::now(), self.cost.read(held, self.probes.times().to_vec()))
        });
        let cost = self.last_cost.insert(cost).1.clone();
        let Self { probes, .. } = self;
        MemoryDetail { threads: probes.threads_by_name(), devices: probes.devices(), disks: probes.disks(), cost }
    }
}

#[cfg(test)]
pub(super) mod tests;
