//! The monitor's side of the registry: once a second it takes what has ended, in the terms of the history and of the totals.

use std::{collections::BTreeMap, sync::Arc};

use watchboard_wire::{EndpointName, EndpointTotals, Requests, StatusTotals};

use super::{
    endpoint::{Ending, Endpoint, Of, Taken},
    passed_on::PassedOnTally,
    recorder::Recorder,
    reports::{ReportedError, Sighting},
    tally::{Class, Tally},
};
use crate::{
    alloc::Allocated,
    commands::{TakenUsage, TakenUse},
};

/// Reads the recorder; owned by the monitor's thread.
pub(crate) struct Reader {
    recorder: &'static Recorder,
    /// By the registry's number.
    ids: Vec<Option<usize>>,
    /// By id: in the order in which endpoints were first seen.
    known: Vec<Known>,
    whole: Totals,
    errors_seen: u64,
    scratch: Tally,
}

/// An endpoint's totals since the start.
struct Known {
    number: usize,
    started: u64,
    ended: u64,
    /// What its requests asked of the database, by shape.
    uses: Vec<TakenUse>,
    /// What its requests repeated last, within a second.
    repeated: Option<Box<TakenUse>>,
    /// Whether nothing was found at the last reading.
    is_quiet: bool,
    totals: Arc<EndpointTotals>,
}

#[derive(Default)]
struct Totals {
    classes: [u64; 4],
    duration_sum_us: u64,
    response_bytes: u64,
    allocated: Allocated,
}

/// What single requests had to tell since the last reading.
pub(crate) struct Reports {
    pub(crate) errors: Vec<ReportedError>,
    pub(crate) slow: Vec<Sighting>,
}

impl Reader {
    pub(crate) fn new(recorder: &'static Recorder) -> Self {
        let ids = vec![None; recorder.registry.numbers()];
        Self { recorder, ids, known: vec![], whole: Totals::default(), errors_seen: 0, scratch: Tally::default() }
    }

    /// Takes what ended since the last time. `each` gets the tally of every endpoint where something did, in the order of
    /// their ids.
    pub(crate) fn take(&mut self, mut each: impl FnMut(usize, &Tally)) -> Reports {
        let recorder = self.recorder;
        // In this order: what is told has been counted, and is of an endpoint that is known below.
        self.errors_seen = recorder.reports.errors_seen();
        let (errors, slow) = (recorder.reports.take_errors(), recorder.reports.take_slow());
        for (number, endpoint) in recorder.registry.endpoints() {
            if self.ids[number].is_none() && endpoint.started() > 0 {
                self.ids[number] = Some(self.known.len());
                self.known.push(Known::new(number, endpoint));
            }
        }
        for (id, known) in self.known.iter_mut().enumerate() {
            let Some(endpoint) = recorder.registry.numbered(known.number as u32) else { continue };
            // Nothing began since, nothing was under way, and nothing was left over: nothing can have ended.
            if endpoint.started() == known.started && known.in_flight() == 0 && known.is_quiet {
                continue;
            }
            self.scratch.clear();
            let Tally { latencies, memory, usage, .. } = &mut self.scratch;
            let taken = endpoint.take(&mut |of, bucket, count| match of {
                Of::Latency => latencies.add(bucket, count),
                Of::Sizes => memory.sizes.add(bucket, count),
                Of::Usage => usage.get_or_insert_default().times.add(bucket, count),
            });
            self.whole.add(&mut self.scratch, &taken);
            known.add(&taken, endpoint);
            // Of a request that ends meanwhile the one part may come now and the other the next time.
            known.is_quiet = self.scratch.is_empty();
            if !known.is_quiet {
                each(id, &self.scratch);
            }
        }
        Reports { errors: self.of_named(errors), slow: self.of_named(slow) }
    }

    /// Puts the ids of endpoints in the place of the registry's numbers.
    fn of_named<T: AsMut<Sighting>>(&self, mut reports: Vec<T>) -> Vec<T> {
        reports.retain_mut(|report| {
            let sighting = report.as_mut();
            let id = self.ids.get(sighting.endpoint).copied().flatten();
            sighting.endpoint = id.unwrap_or_default();
            id.is_some()
        });
        reports
    }

    /// The totals of every endpoint, by id.
    pub(crate) fn totals(&self) -> Vec<Arc<EndpointTotals>> {
        self.known.iter().map(|known| Arc::clone(&known.totals)).collect()
    }

    /// The memory that the recorder holds: its endpoints, and what is told of single requests and waits.
    pub(crate) fn held_bytes(&self) -> u64 {
        self.recorder.registry.held_bytes() + self.recorder.reports.held_bytes()
    }

    /// The name of an endpoint.
    pub(crate) fn name(&self, id: usize) -> EndpointName {
        let totals = self.known.get(id).map(|known| &*known.totals);
        let (method, route) = totals.map(|totals| (totals.method.clone(), totals.route.clone())).unwrap_or_default();
        let named_by = self.recorder.rule(&route);
        EndpointName { method, route, objective_us: self.objective_us(id), named_by }
    }

    /// The endpoint of a name.
    pub(crate) fn id(&self, name: &str) -> Option<usize> {
        self.known.iter().position(|known| known.totals.text() == name)
    }

    /// How fast an endpoint is meant to be.
    pub(crate) fn objective_us(&self, id: usize) -> u64 {
        self.endpoint(id).map_or(u64::MAX, |endpoint| endpoint.objective_us)
    }

    /// Requests of an endpoint that are under way.
    pub(crate) fn in_flight(&self, id: usize) -> u64 {
        self.known.get(id).map_or(0, Known::in_flight)
    }

    /// The endpoints that have requests under way.
    pub(crate) fn in_flight_ids(&self) -> impl Iterator<Item = usize> {
        let busy = self.known.iter().enumerate().filter(|(_, known)| known.in_flight() > 0);
        busy.map(|(id, _)| id)
    }

    /// Requests of an endpoint by status since the start, in the order of the statuses.
    pub(crate) fn statuses(&self, id: usize) -> Vec<(u16, u64)> {
        by_status(self.known.get(id).into_iter().flat_map(|known| &known.totals.statuses))
    }

    /// What requests of an endpoint asked of the database since the start, by shape.
    pub(crate) fn uses(&self, id: usize) -> &[TakenUse] {
        self.known.get(id).map_or(&[], |known| &known.uses)
    }

    /// What requests of an endpoint repeated last, within a second.
    pub(crate) fn repeated(&self, id: usize) -> Option<TakenUse> {
        self.known.get(id)?.repeated.as_deref().copied()
    }

    fn endpoint(&self, id: usize) -> Option<&Endpoint> {
        self.known.get(id).and_then(|known| self.recorder.registry.numbered(known.number as u32))
    }

    /// From now on requests of an endpoint are worth a report when they take this long; see [`Self::tell_whole_from`].
    pub(crate) fn tell_from(&self, id: usize, duration_us: u64) {
        self.endpoint(id).into_iter().for_each(|endpoint| endpoint.set_slow_from_us(duration_us));
    }

    /// And of any endpoint when they take this long.
    pub(crate) fn tell_whole_from(&self, duration_us: u64) {
        self.recorder.reports.set_slow_from_us(duration_us);
    }

    /// All requests so far, but for their last minute.
    pub(crate) fn requests(&self) -> Requests {
        let total = self.whole.classes.iter().sum();
        Requests {
            total,
            server_errors: self.whole.classes[Class::ServerError as usize],
            client_errors: self.whole.classes[Class::ClientError as usize],
            dropped: self.whole.classes[Class::Dropped as usize],
            in_flight: self.known.iter().map(Known::in_flight).sum(),
            response_bytes: self.whole.response_bytes,
            allocated_bytes: self.whole.allocated.bytes,
            duration_mean_us: self.whole.duration_sum_us.checked_div(total),
            statuses: by_status(self.known.iter().flat_map(|known| &known.totals.statuses)),
            endpoints: self.known.len() as u32,
            errors_seen: self.errors_seen,
            faults: self.recorder.faults(),
            ..Requests::default()
        }
    }
}

fn by_status<'a>(totals: impl Iterator<Item = &'a StatusTotals>) -> Vec<(u16, u64)> {
    let mut statuses = BTreeMap::new();
    totals.for_each(|totals| *statuses.entry(totals.status).or_default() += totals.requests);
    statuses.into_iter().collect()
}

impl Totals {
    /// Adds what was taken of one endpoint here and, but for its histograms, which it has, to `tally`.
    fn add(&mut self, tally: &mut Tally, taken: &Taken) {
        for ending in &taken.endings {
            tally.classes[ending.ending.class() as usize] += ending.requests();
            tally.duration_sum_us += ending.duration_sum_us;
        }
        tally.response_bytes += taken.response_bytes;
        tally.memory.allocated = taken.allocated;
        if taken.usage != TakenUsage::default() {
            let usage = tally.usage.get_or_insert_default();
            let TakenUsage { commands, took_us, repeated, .. } = taken.usage;
            (usage.commands, usage.took_us, usage.repeated) = (commands, took_us, repeated);
        }
        if taken.passed_on != PassedOnTally::default() {
            tally.passed_on = Some(Box::new(taken.passed_on));
        }
        for (total, count) in self.classes.iter_mut().zip(tally.classes) {
            *total += count;
        }
        self.duration_sum_us += tally.duration_sum_us;
        self.response_bytes += taken.response_bytes;
        self.allocated = self.allocated.plus(taken.allocated);
    }
}

impl Known {
    fn new(number: usize, endpoint: &Endpoint) -> Self {
        let totals = EndpointTotals {
            method: endpoint.method.map(ToOwned::to_owned),
            route: endpoint.route.to_string(),
            ..EndpointTotals::default()
        };
        let totals = Arc::new(totals);
        Self { number, started: 0, ended: 0, uses: vec![], repeated: None, is_quiet: false, totals }
    }

    fn in_flight(&self) -> u64 {
        self.started.saturating_sub(self.ended)
    }

    fn add_uses(&mut self, taken: &[TakenUse]) {
        for used in taken {
            match self.uses.iter_mut().find(|known| known.shape == used.shape) {
                Some(known) => known.add(used),
                None => self.uses.push(*used),
            }
        }
        let most = taken.iter().filter(|used| used.repeated > 0).max_by_key(|used| used.most);
        self.repeated = most.map(|used| Box::new(*used)).or_else(|| self.repeated.take());
    }

    fn add(&mut self, taken: &Taken, endpoint: &Endpoint) {
        self.add_uses(&taken.usage.uses);
        // Whoever has the totals of the tick before keeps those.
        let totals = Arc::make_mut(&mut self.totals);
        for taken in &taken.endings {
            let total = of_status(&mut totals.statuses, taken.ending);
            total.requests += taken.requests();
            total.duration_sum_us += taken.duration_sum_us;
            for (bounded, count) in total.bounded.iter_mut().zip(taken.bounded) {
                *bounded += u64::from(count);
            }
            self.ended += taken.requests();
        }
        totals.response_bytes += taken.response_bytes;
        totals.allocated_bytes += taken.allocated.bytes;
        totals.freed_bytes += taken.allocated.freed_bytes;
        totals.commands += taken.usage.commands;
        totals.database_us += taken.usage.took_us;
        // Read after what ended was taken, so that no request ends that has not begun.
        self.started = endpoint.started();
        totals.in_flight = self.started.saturating_sub(self.ended);
    }
}

/// The total of an ending's status and error; there are few.
fn of_status(statuses: &mut Vec<StatusTotals>, ending: Ending) -> &mut StatusTotals {
    let (status, error) = (ending.status, ending.error());
    let known = statuses.iter().position(|total| total.status == status && total.error == error);
    let at = known.unwrap_or_else(|| {
        statuses.reserve_exact(1);
        statuses.push(StatusTotals { status, error, ..StatusTotals::default() });
        statuses.len() - 1
    });
    &mut statuses[at]
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
