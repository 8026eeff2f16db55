//! The history's part of the answer to a page: what its view shows, and of that what is new.

use watchboard_app::wire::{
    Ask, EndpointDetail, EndpointRow, ErrorCause, Part, Refreshed, Seen, SlowRequest, Snapshot, Timeline,
};

use super::{
    History,
    points::endpoint_point,
    slowest::Slowest,
    tiers::tier,
    watched::{Row, Watched},
};
use crate::requests::{Class, Reader, Sighting};

/// Endpoints on the overview.
const OVERVIEW_ENDPOINTS: usize = 10;

impl History {
    /// The answer to a page. `seen` is what it has of the same question.
    pub(crate) fn answer(&mut self, ask: &Ask, seen: Option<Seen>, snapshot: &Snapshot, reader: &Reader) -> Refreshed {
        let mut watched = self.take_watched(ask.window);
        let same_run = |seen: &Seen| seen.started_at_unix_ms == self.started_at_unix_ms;
        let seen = seen.filter(|seen| same_run(seen) && watched.made_at() <= seen.tick);
        let endpoints_whole = seen.is_none() || ask.part != Part::Requests;
        let endpoints = match &ask.part {
            Part::Charts | Part::Endpoint(_) => vec![],
            Part::Overview => busiest(&mut watched, reader),
            Part::Requests => changed(&mut watched, seen, reader),
        };
        let causes = if ask.part == Part::Charts { vec![] } else { self.changed_causes(&watched, seen) };
        let slowest = (ask.part == Part::Requests).then(|| self.slow_requests(&self.slowest, &watched, reader));
        let endpoint = match &ask.part {
            Part::Endpoint(name) => reader.id(name).map(|id| self.detail(&mut watched, id, seen, reader)),
            _ => None,
        };
        let first = seen.map_or(0, |seen| seen.tick / ask.window.step_seconds());
        let answer = Refreshed {
            snapshot: snapshot.clone(),
            totals: watched.totals(),
            timeline: watched.timeline().since(first),
            endpoints_whole,
            endpoints,
            causes,
            untold_errors: self.causes.untold(snapshot.requests.errors_seen),
            slowest,
            endpoint,
            served_at_unix_ms: crate::clock::now_unix_ms(),
        };
        self.watched.push(watched);
        answer
    }

    /// Causes that changed and are of the window; of the endpoint alone, where one is asked for.
    fn changed_causes(&self, watched: &Watched, seen: Option<Seen>) -> Vec<ErrorCause> {
        let step = watched.window.step_seconds();
        let (from, to) = watched.span();
        let is_new = |tick: u64| seen.is_none_or(|seen| tick > seen.tick);
        let mut causes: Vec<ErrorCause> = self
            .causes
            .iter()
            .filter(|cause| is_new(cause.tick) && cause.tick >= from)
            .map(|cause| cause.cause.clone())
            .collect();
        causes.sort_unstable_by_key(|cause| cause.number);
        for frame in self.tiers.cover(tier(watched.window), from, to) {
            for (number, count) in frame.errors() {
                let Ok(index) = causes.binary_search_by_key(number, |cause| cause.number) else { continue };
                let (points, point) = (&mut causes[index].points, frame.start / step);
                match points.last_mut() {
                    Some((last, sum)) if *last == point => *sum += count,
                    _ => points.push((point, *count)),
                }
            }
        }
        causes
    }

    fn slow_requests(&self, slowest: &Slowest, watched: &Watched, reader: &Reader) -> Vec<SlowRequest> {
        let begins = self.started_at_unix_ms + watched.span().0 * 1000;
        slowest.since(begins).iter().map(|sighting| slow_request(sighting, reader)).collect()
    }

    fn detail(&self, watched: &mut Watched, id: usize, seen: Option<Seen>, reader: &Reader) -> EndpointDetail {
        let window = watched.window;
        let (from, to) = watched.span();
        let oldest = from / window.step_seconds();
        let first = seen.map_or(oldest, |seen| (seen.tick / window.step_seconds()).max(oldest));
        let mut timeline =
            Timeline { started_at_unix_ms: self.started_at_unix_ms, window, first, ..Timeline::default() };
        for number in first..to.div_ceil(window.step_seconds()) {
            let next =
                Timeline { first: number, columns: endpoint_point(&self.tiers, window, id, number, to), ..timeline };
            timeline.extend(next);
        }
        let slowest = self.slowest_of.get(id).map(|slowest| self.slow_requests(slowest, watched, reader));
        let first_of_line = watched.first_of_line();
        let name = Some(reader.name(id));
        let in_flight = reader.in_flight(id);
        let row = match watched.row(id) {
            Some(row) => wire_row(id, row, first_of_line, reader),
            None => EndpointRow { id: id as u32, ..EndpointRow::default() },
        };
        EndpointDetail {
            row: EndpointRow { name, in_flight, ..row },
            timeline,
            statuses: reader.statuses(id),
            slowest: slowest.unwrap_or_default(),
        }
    }
}

/// The endpoints that took most of the time.
fn busiest(watched: &mut Watched, reader: &Reader) -> Vec<EndpointRow> {
    let first = watched.first_of_line();
    let mut rows: Vec<(usize, &mut Row)> = watched.rows().filter(|(_, row)| row.sums.requests() > 0).collect();
    rows.sort_by_key(|(id, row)| (std::cmp::Reverse(row.sums.duration_sum_us), *id));
    let named = |(id, row): (usize, &mut Row)| EndpointRow {
        name: Some(reader.name(id)),
        in_flight: reader.in_flight(id),
        ..wire_row(id, row, first, reader)
    };
    rows.into_iter().take(OVERVIEW_ENDPOINTS).map(named).collect()
}

/// The endpoints that changed.
fn changed(watched: &mut Watched, seen: Option<Seen>, reader: &Reader) -> Vec<EndpointRow> {
    let (first, line_step) = (watched.first_of_line(), watched.line_step());
    let now = watched.span().1.saturating_sub(1);
    let mut rows = vec![];
    for (id, row) in watched.rows() {
        let in_flight = reader.in_flight(id);
        if in_flight != row.in_flight {
            (row.in_flight, row.changed_at) = (in_flight, now);
        }
        let is_new = |tick: u64| seen.is_none_or(|seen| tick > seen.tick);
        // One that has left the window is told once, so that the page lets it go.
        if is_new(row.changed_at) && (seen.is_some() || row.sums.requests() + in_flight > 0) {
            let name = is_new(row.came_at).then(|| reader.name(id));
            // Of a line that the page has it lacks what came since.
            let known = seen.filter(|_| name.is_none()).map_or(first, |seen| first.max(seen.tick / line_step));
            rows.push(EndpointRow { name, in_flight, ..wire_row(id, row, known, reader) });
        }
    }
    rows
}

fn wire_row(id: usize, row: &Row, first_of_line: u64, reader: &Reader) -> EndpointRow {
    let sums = &row.sums;
    let before = (first_of_line + row.line.counts.len() as u64).saturating_sub(row.line.last + 1);
    EndpointRow {
        id: id as u32,
        name: None,
        requests: sums.requests(),
        server_errors: sums.count(Class::ServerError),
        client_errors: sums.count(Class::ClientError),
        dropped: sums.count(Class::Dropped),
        in_flight: 0,
        response_bytes: sums.response_bytes,
        duration_sum_us: sums.duration_sum_us,
        latency: sums.latency(),
        within_objective: sums.within(reader.objective_us(id)),
        line_last: row.line.last,
        line: row.line.counts.iter().skip(before as usize).copied().collect(),
    }
}

fn slow_request(sighting: &Sighting, reader: &Reader) -> SlowRequest {
    SlowRequest {
        at_unix_ms: sighting.at_unix_ms,
        endpoint: reader.name(sighting.endpoint).text(),
        status: sighting.ending.status,
        duration_us: sighting.duration_us,
        first_byte_us: sighting.first_byte_us,
        response_bytes: sighting.response_bytes,
        request_id: sighting.id.text().map(ToOwned::to_owned),
    }
}
