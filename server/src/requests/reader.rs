//! The monitor's side of the registry: once a second it takes the counts of requests that ended, for the history and the totals.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use watchboard_wire::{
    EndpointName, EndpointTotals, LongLivedKind, LongLivedRow, LongLivedTotals, Requests, StatusTotals,
};

use super::{
    aliases::Aliases,
    capacity::Capacity,
    ending::Class,
    endpoint::{AwaitedCounts, Endpoint, EndpointDelta, HistogramKind},
    endpoint_state::{EndpointState, add_uses},
    naming::is_held_route,
    recorder::Recorder,
    reports::{ReportedError, Sighting},
    tally::Tally,
    upstream::{UpstreamFailure, UpstreamTally},
};
use crate::{
    alloc::AllocationSums,
    commands::{CommandUseDelta, UsageDelta},
};

/// Reads the recorder; owned by the monitor's thread.
pub(crate) struct Reader {
    recorder: &'static Recorder,
    /// Ids by the registry's number.
    ids: Vec<Option<usize>>,
    /// By id, in the order in which endpoints got their first request.
    states: Vec<EndpointState>,
    aliases: Aliases,
    /// The state of the routes that the aliases are of.
    aliases_version: u64,
    whole: RunningTotals,
    errors_seen: u64,
    scratch: Tally,
}

#[derive(Default)]
struct RunningTotals {
    classes: [u64; 4],
    /// Requests with a latency, and the sum of their latencies.
    timed: u64,
    latency_sum_us: u64,
    response_bytes: u64,
    allocated: AllocationSums,
}

/// The reports on single requests since the last reading.
#[derive(Default)]
pub(crate) struct RequestReports {
    pub(crate) errors: Vec<ReportedError>,
    pub(crate) slow: Vec<Sighting>,
}

impl Reader {
    pub(crate) fn new(recorder: &'static Recorder) -> Self {
        let ids = vec![None; recorder.registry.numbers()];
        Self {
            recorder,
            ids,
            states: vec![],
            aliases: Aliases::default(),
            aliases_version: 0,
            whole: RunningTotals::default(),
            errors_seen: 0,
            scratch: Tally::default(),
        }
    }

    /// Takes the counts since the last call. `each` gets the tally of every endpoint with requests that ended, by rising id.
    pub(crate) fn take(&mut self, mut each: impl FnMut(usize, &Tally)) -> RequestReports {
        let recorder = self.recorder;
        // First, so that every reported request has been counted, and its endpoint has an id below.
        self.errors_seen = recorder.reports.errors_seen();
        let (errors, slow) = (recorder.reports.take_errors(), recorder.reports.take_slow());
        for (number, endpoint) in recorder.registry.endpoints() {
            // Behind a proxy, a request begins with its answer.
            if endpoint.started_count() > 0 || endpoint.awaited_counts().awaited > 0 {
                self.id_of(number, endpoint);
            }
        }
        self.find_aliases();
        for (id, state) in self.states.iter_mut().enumerate() {
            let Some(endpoint) = recorder.registry.by_number(state.number as u32) else { continue };
            state.read_long_lived(endpoint);
            state.awaited = endpoint.awaited_counts();
            // No request began since, all had ended, and no part of one is left: none can have ended.
            if endpoint.started_count() == state.started && state.started == state.ended && state.is_quiet {
                continue;
            }
            self.scratch.clear();
            let Tally { latencies, failures, memory, usage, .. } = &mut self.scratch;
            let taken = endpoint.take(&mut |of, bucket, count| match of {
                HistogramKind::Latency => latencies.add(bucket, count),
                HistogramKind::Failures => failures.add(bucket, count),
                HistogramKind::Sizes => memory.sizes.add(bucket, count),
                HistogramKind::Usage => usage.get_or_insert_default().times.add(bucket, count),
            });
            self.whole.add(&mut self.scratch, &taken);
            state.add(&taken, endpoint);
            // A request that ends during the reading may be taken in part now and in part by the next reading.
            state.is_quiet = self.scratch.is_empty();
            if !state.is_quiet {
                each(id, &self.scratch);
            }
        }
        RequestReports { errors: self.resolve_endpoints(errors), slow: self.resolve_endpoints(slow) }
    }

    /// The id of the endpoint with a number.
    fn id_of(&mut self, number: usize, endpoint: &Endpoint) -> usize {
        *self.ids[number].get_or_insert_with(|| {
            self.states.push(EndpointState::new(self.states.len(), number, endpoint));
            self.states.len() - 1
        })
    }

    /// The id of an endpoint that an earlier run had; `None` if the rules ignore it now.
    pub(crate) fn id_of_name(&mut self, method: Option<&str>, route: &str) -> Option<usize> {
        let recorder = self.recorder;
        let number = recorder.registry.find_stored(method, route)?;
        let endpoint = recorder.registry.by_number(number)?;
        Some(self.id_of(number as usize, endpoint))
    }

    /// Finds the rows that were merged, if some were since the last reading.
    fn find_aliases(&mut self) {
        let recorder = self.recorder;
        let version = recorder.forget_routes(Instant::now());
        if version == self.aliases_version {
            return;
        }
        self.aliases_version = version;
        let mut aliases = Aliases::default();
        let mut merged = 0;
        for id in 0..self.states.len() {
            let Some(endpoint) = self.endpoint(id) else { continue };
            if let Some(number) = recorder.merged_row(endpoint)
                && let Some(row) = recorder.registry.by_number(number)
            {
                // Endpoints of held requests do not count towards the cap.
                merged += usize::from(!is_held_route(&endpoint.route));
                aliases.insert(id, self.id_of(number as usize, row));
            }
        }
        recorder.registry.set_merged(merged);
        self.aliases = aliases;
    }

    /// The rows that were merged into others.
    pub(crate) fn aliases(&self) -> &Aliases {
        &self.aliases
    }

    /// Replaces the registry's numbers by the ids of endpoints.
    fn resolve_endpoints<T: AsMut<Sighting>>(&self, mut reports: Vec<T>) -> Vec<T> {
        reports.retain_mut(|report| {
            let sighting = report.as_mut();
            let id = self.ids.get(sighting.endpoint).copied().flatten();
            sighting.endpoint = id.unwrap_or_default();
            id.is_some()
        });
        reports
    }

    /// The totals of every row.
    pub(crate) fn totals(&self) -> Vec<Arc<EndpointTotals>> {
        let totals = self.rows().map(|id| {
            let mut members = self.members(id);
            let mut totals = members.next().map(|own| Arc::clone(&own.totals)).unwrap_or_default();
            members.for_each(|member| Arc::make_mut(&mut totals).add(&member.totals));
            totals
        });
        totals.collect()
    }

    /// The rows that have had requests: the one of unmatched requests may have lost those that it had.
    fn rows(&self) -> impl Iterator<Item = usize> {
        let is_used = |id: &usize| self.members(*id).any(|state| state.started > 0);
        (0..self.states.len()).filter(|id| self.aliases.is_row(*id)).filter(is_used)
    }

    /// The endpoints of a row, its own first.
    fn members(&self, id: usize) -> impl Iterator<Item = &EndpointState> {
        self.aliases.members(id).filter_map(|id| self.states.get(id))
    }

    /// Whether errors' texts are kept as they were.
    pub(crate) fn keeps_error_text(&self) -> bool {
        self.recorder.keep_error_text
    }

    /// The memory of the recorder and of its totals in bytes: its endpoints, its queues of reports, and what was read from them.
    pub(crate) fn held_bytes(&self) -> u64 {
        let totals = self.states.iter().map(EndpointState::held_bytes).sum::<usize>()
            + self.states.capacity() * size_of::<EndpointState>()
            + self.ids.capacity() * size_of::<Option<usize>>();
        self.recorder.registry.held_bytes() + self.recorder.reports.held_bytes() + totals as u64
    }

    /// The name of an endpoint.
    pub(crate) fn name(&self, id: usize) -> EndpointName {
        let totals = self.states.get(self.aliases.row(id)).map(|state| &*state.totals);
        let (method, route) = totals.map(|totals| (totals.method.clone(), totals.route.clone())).unwrap_or_default();
        let named_by = self.recorder.rule(&route);
        EndpointName { method, route, objective_us: self.objective_us(id), named_by }
    }

    /// The endpoint of a name.
    pub(crate) fn id(&self, name: &str) -> Option<usize> {
        self.states.iter().position(|state| state.totals.text() == name).map(|id| self.aliases.row(id))
    }

    /// The objective for the duration of an endpoint's requests.
    pub(crate) fn objective_us(&self, id: usize) -> u64 {
        self.endpoint(self.aliases.row(id)).map_or(u64::MAX, |endpoint| endpoint.objective_us)
    }

    /// Requests of an endpoint in flight.
    pub(crate) fn in_flight(&self, id: usize) -> u64 {
        self.members(id).map(EndpointState::in_flight).sum()
    }

    /// Rows with requests that the application is to answer.
    pub(crate) fn awaited(&self) -> impl Iterator<Item = (usize, AwaitedCounts)> {
        let counts = |id| {
            self.members(id).fold(AwaitedCounts::default(), |sum, member| AwaitedCounts {
                awaited: sum.awaited + member.awaited.awaited,
                answered: sum.answered + member.awaited.answered,
            })
        };
        let rows = (0..self.states.len()).filter(|id| self.aliases.is_row(*id)).map(move |id| (id, counts(id)));
        rows.filter(|(_, counts)| counts.awaited > counts.answered)
    }

    /// WebSockets, other upgraded connections and streams of an endpoint that are open.
    pub(crate) fn open(&self, id: usize) -> u64 {
        self.members(id).flat_map(|state| &state.totals.long_lived).map(|totals| totals.open).sum()
    }

    /// The same since the start.
    pub(crate) fn opened(&self, id: usize) -> u64 {
        self.members(id).flat_map(|state| &state.totals.long_lived).map(|totals| totals.opened).sum()
    }

    /// WebSockets, other upgraded connections and streams since the start, by row and kind.
    pub(crate) fn long_lived(&self) -> impl Iterator<Item = (usize, LongLivedRow)> {
        let rows = (0..self.states.len()).filter(|id| self.aliases.is_row(*id));
        let of_row = move |id: usize| {
            let kinds = LongLivedKind::ALL.into_iter().filter_map(move |kind| self.long_lived_of(id, kind));
            kinds.map(move |totals| (id, LongLivedRow { endpoint: self.name(id).text(), totals }))
        };
        rows.flat_map(of_row)
    }

    fn long_lived_of(&self, id: usize, kind: LongLivedKind) -> Option<LongLivedTotals> {
        let mut members = self.members(id).filter_map(|state| state.long_lived(kind));
        let mut sum = members.next()?.clone();
        members.for_each(|more| sum.add(more));
        Some(sum)
    }

    /// The endpoints with requests in flight, or with something open.
    pub(crate) fn busy_ids(&self) -> impl Iterator<Item = usize> {
        let busy = self.states.iter().enumerate().filter(|(_, state)| state.is_busy());
        busy.map(|(id, _)| self.aliases.row(id))
    }

    /// Requests of an endpoint by status since the start, in the order of the statuses.
    pub(crate) fn statuses(&self, id: usize) -> Vec<(u16, u64)> {
        by_status(self.members(id).flat_map(|state| &state.totals.statuses))
    }

    /// The database commands of an endpoint's requests since the start, by shape.
    pub(crate) fn uses(&self, id: usize) -> Vec<CommandUseDelta> {
        let mut uses = vec![];
        self.members(id).for_each(|state| add_uses(&mut uses, &state.uses));
        uses
    }

    /// The endpoints whose requests have sent a command since the start, by its shape: those with the most time first, at most `most`.
    pub(crate) fn senders(&self, shape: u16, most: usize) -> Vec<String> {
        let elapsed_us = |id: usize| {
            let uses = self.members(id).flat_map(|state| &state.uses).filter(|used| used.shape == shape);
            uses.map(|used| used.elapsed_us).reduce(|sum, more| sum + more)
        };
        let rows = (0..self.states.len()).filter(|id| self.aliases.is_row(*id));
        let mut senders: Vec<(u64, usize)> = rows.filter_map(|id| Some((elapsed_us(id)?, id))).collect();
        senders.sort_unstable_by_key(|(elapsed_us, id)| (std::cmp::Reverse(*elapsed_us), *id));
        senders.iter().take(most).map(|(_, id)| self.states[*id].totals.text()).collect()
    }

    /// The command that requests of an endpoint repeated last, within a second.
    pub(crate) fn last_repetition(&self, id: usize) -> Option<CommandUseDelta> {
        self.states.get(id)?.last_repetition.as_deref().copied()
    }

    fn endpoint(&self, id: usize) -> Option<&Endpoint> {
        self.states.get(id).and_then(|state| self.recorder.registry.by_number(state.number as u32))
    }

    /// Sets the duration from which requests of an endpoint are reported; see [`Self::set_overall_slow_from_us`].
    pub(crate) fn set_slow_from_us(&self, id: usize, duration_us: u64) {
        self.endpoint(id).into_iter().for_each(|endpoint| endpoint.set_slow_from_us(duration_us));
    }

    /// Sets the duration from which requests of any endpoint are reported.
    pub(crate) fn set_overall_slow_from_us(&self, duration_us: u64) {
        self.recorder.reports.set_slow_from_us(duration_us);
    }

    /// Server errors of a proxy since the start, by its reasons.
    pub(crate) fn upstream_failures(&self) -> Vec<(UpstreamFailure, u64)> {
        self.recorder.upstream_failures.to_vec()
    }

    /// How many of each kind that was opened are open; `None` if that cannot be seen.
    fn open_by_kind(&self) -> Vec<(LongLivedKind, Option<u64>)> {
        let of_kind = |kind| {
            let totals = || self.states.iter().filter_map(move |state| state.long_lived(kind));
            let is_observed = totals().any(LongLivedTotals::is_observed);
            totals().next()?;
            Some((kind, is_observed.then(|| totals().map(|totals| totals.open).sum())))
        };
        LongLivedKind::ALL.into_iter().filter_map(of_kind).collect()
    }

    /// All requests since the start, without the last minute's figures.
    pub(crate) fn requests(&self) -> Requests {
        let total = self.whole.classes.iter().sum();
        Requests {
            total,
            server_errors: self.whole.classes[Class::ServerError as usize],
            client_errors: self.whole.classes[Class::ClientError as usize],
            dropped: self.whole.classes[Class::Dropped as usize],
            in_flight: self.states.iter().map(EndpointState::in_flight).sum(),
            open: self.open_by_kind(),
            response_bytes: self.whole.response_bytes,
            allocated_bytes: self.whole.allocated.bytes,
            latency_mean_us: self.whole.latency_sum_us.checked_div(self.whole.timed),
            statuses: by_status(self.states.iter().flat_map(|state| &state.totals.statuses)),
            endpoints: self.rows().count() as u32,
            errors_seen: self.errors_seen,
            faults: self.recorder.faults(),
            capacities: self.recorder.capacities.iter().map(Capacity::read).collect(),
            ..Requests::default()
        }
    }
}

fn by_status<'a>(totals: impl Iterator<Item = &'a StatusTotals>) -> Vec<(u16, u64)> {
    let mut statuses = BTreeMap::new();
    totals.for_each(|totals| *statuses.entry(totals.status).or_default() += totals.requests);
    statuses.into_iter().collect()
}

impl RunningTotals {
    /// Adds the counts of one endpoint here and to `tally`, which has its histograms already.
    fn add(&mut self, tally: &mut Tally, taken: &EndpointDelta) {
        for ending in &taken.endings {
            tally.classes[ending.ending.class() as usize] += ending.requests();
            tally.duration_sum_us += ending.duration_sum_us;
        }
        tally.response_bytes += taken.response_bytes;
        tally.memory.allocated = taken.allocated;
        if taken.usage != UsageDelta::default() {
            let usage = tally.usage.get_or_insert_default();
            let UsageDelta { commands, elapsed_us, waited_us, repeated, .. } = taken.usage;
            (usage.commands, usage.repeated) = (commands, repeated);
            (usage.elapsed_us, usage.waited_us) = (elapsed_us, waited_us);
        }
        if taken.upstream != UpstreamTally::default() {
            tally.upstream = Some(Box::new(taken.upstream));
        }
        for (total, count) in self.classes.iter_mut().zip(tally.classes) {
            *total += count;
        }
        self.timed += tally.latencies.count();
        self.latency_sum_us += tally.latencies.sum();
        self.response_bytes += taken.response_bytes;
        self.allocated = self.allocated + taken.allocated;
    }
}

impl AsMut<Sighting> for Sighting {
    fn as_mut(&mut self) -> &mut Sighting {
        self
    }
}

impl AsMut<Sighting> for ReportedError {
    fn as_mut(&mut self) -> &mut Sighting {
        &mut self.sighting
    }
}
