//! The history's part of the response to a page: the figures of its view that are new since the page's cursor.

use watchboard_wire::{
    CommandName, CommandRow, CommandStep, EndpointCommand, EndpointDetail, EndpointRow, EndpointStrip, ErrorCause,
    LongLivedRow, MAX_LONG_LIVED_ROWS, Part, RefreshCursor, RefreshQuery, RefreshResponse, RequestCommands,
    SlowRequest, Snapshot, Timeline, Window,
};

use super::{
    History,
    causes::Causes,
    marks::Marks,
    points::{self, endpoint_point},
    reported::Reported,
    slowest::LISTED,
    tiers::{Tiers, tier},
    window_sums::{SumsRow, WindowSums},
};
use crate::{
    commands::{CommandTally, CommandUseDelta, attribution::Step},
    requests::{Aliases, Class, Reader, RequestUsage, SlowSighting, Tally},
};

/// Endpoints in a view that shows only the top ones.
const MAX_ENDPOINTS: usize = 10;

/// So many of the slowest requests are of one endpoint, which would hide those of others.
const MAX_OF_ONE: usize = 2;

/// Endpoints whose latency is shown over time.
const MAX_STRIPS: usize = 20;

/// Looks up the names for the numbers in the history.
#[derive(Clone, Copy)]
pub(crate) struct NameLookup<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) command: &'a dyn Fn(u16) -> CommandName,
}

#[cfg(any(test, feature = "measures"))]
impl<'a> NameLookup<'a> {
    /// Looks up the names of endpoints alone.
    pub(super) fn of_endpoints(reader: &'a Reader) -> Self {
        Self { reader, command: &|_| CommandName::default() }
    }
}

impl History {
    /// The response to a page, by the points of the window that suffices for what there is. `cursor` is the page's cursor of its last response
    /// to the same query.
    pub(crate) fn answer(
        &mut self,
        query: &RefreshQuery,
        cursor: Option<RefreshCursor>,
        snapshot: &Snapshot,
        names: NameLookup<'_>,
    ) -> RefreshResponse {
        let window = query.window.that_suffices(self.oldest, self.now.saturating_sub(1));
        self.answer_in(window, &query.part, cursor, snapshot, names)
    }

    /// The response by the points of a window. `cursor` is the page's cursor of its last response to the same query.
    pub(super) fn answer_in(
        &mut self,
        window: Window,
        part: &Part,
        cursor: Option<RefreshCursor>,
        snapshot: &Snapshot,
        names: NameLookup<'_>,
    ) -> RefreshResponse {
        let Self { started_at_unix_ms, tiers, reported, marks, windows, aliases, now, .. } = self;
        let window_sums = &mut windows[window as usize];
        window_sums.advance(tiers, aliases, *now);
        names.reader.busy_ids().for_each(|id| window_sums.know(id));
        let is_of_these =
            |cursor: &RefreshCursor| (cursor.started_at_unix_ms, cursor.window) == (*started_at_unix_ms, window);
        let cursor = cursor.filter(|cursor| is_of_these(cursor) && window_sums.made_at() <= cursor.tick);
        let figures = AnswerFigures { window_sums, tiers, aliases, reported, marks };
        figures.answer(part, cursor, snapshot, names)
    }
}

/// What the answer to a page is made of: the sums of its span, and the history that they are of.
pub(super) struct AnswerFigures<'a> {
    pub(super) window_sums: &'a mut WindowSums,
    pub(super) tiers: &'a Tiers,
    pub(super) aliases: &'a Aliases,
    pub(super) reported: &'a Reported,
    pub(super) marks: &'a Marks,
}

impl AnswerFigures<'_> {
    pub(super) fn answer(
        self,
        part: &Part,
        cursor: Option<RefreshCursor>,
        snapshot: &Snapshot,
        names: NameLookup<'_>,
    ) -> RefreshResponse {
        let Self { window_sums, tiers, aliases, reported, marks } = self;
        let reader = names.reader;
        let endpoints = match part {
            Part::Charts | Part::Database | Part::Instances | Part::Endpoint(_) => vec![],
            Part::Overview => top_endpoints(window_sums, reader, |sums| sums.duration_sum_us),
            Part::Memory => top_endpoints(window_sums, reader, |sums| sums.memory.allocated.bytes),
            Part::Requests => changed_endpoints(window_sums, cursor, reader),
        };
        let endpoint = match part {
            Part::Endpoint(name) => {
                reader.id(name).map(|id| detail(id, window_sums, (tiers, aliases), reported, cursor, names))
            }
            _ => None,
        };
        let first = cursor.map_or(0, |cursor| cursor.tick / window_sums.window.step_seconds());
        RefreshResponse {
            earlier: None,
            snapshot: snapshot.clone(),
            span: None,
            is_unchanged: false,
            unread: None,
            totals: window_sums.totals(),
            timeline: window_sums.timeline().points_since(first),
            endpoints_whole: cursor.is_none() || *part != Part::Requests,
            endpoints,
            strips: match part {
                Part::Requests => strips(window_sums, (tiers, aliases)),
                _ => vec![],
            },
            causes: if matches!(part, Part::Charts | Part::Database | Part::Instances | Part::Memory) {
                vec![]
            } else {
                changed_causes(&reported.causes, window_sums, tiers, cursor)
            },
            uncounted_errors: reported.causes.uncounted_errors(snapshot.requests.errors_seen),
            slowest: (*part == Part::Requests).then(|| slowest_of_all(reported, window_sums, names)),
            long_lived: match part {
                Part::Requests => most_open(reader, |_| true),
                Part::Endpoint(name) => {
                    reader.id(name).map(|own| most_open(reader, |id| id == own)).unwrap_or_default()
                }
                _ => vec![],
            },
            endpoint,
            memory: None,
            database: None,
            fleet: None,
            marks: cursor.is_none_or(|cursor| marks.changed_at > cursor.tick).then(|| marks.iter().cloned().collect()),
            // Whoever has the snapshot knows its age.
            age_ms: 0,
        }
    }
}

impl History {
    /// The sum of a window's commands without the waits for a connection, and the commands by their shape's number with the waits.
    pub(crate) fn commands(&mut self, window: Window) -> (CommandRow, Vec<(u16, CommandRow)>) {
        let window_sums = &mut self.windows[window as usize];
        window_sums.advance(&self.tiers, &self.aliases, self.now);
        command_rows(window_sums)
    }
}

/// The sum of all commands without the waits for a connection, and the commands by their shape's number with the waits.
pub(super) fn command_rows(window_sums: &WindowSums) -> (CommandRow, Vec<(u16, CommandRow)>) {
    let rows = window_sums.commands().map(|(shape, sums)| (shape as u16, command_row(sums))).collect();
    (command_row(window_sums.all_commands()), rows)
}

/// The sums of commands, without a name.
fn command_row(sums: &CommandTally) -> CommandRow {
    CommandRow {
        calls: sums.calls(),
        failed: sums.failed,
        cancelled: sums.cancelled,
        documents: sums.documents,
        duration_sum_us: sums.duration_sum_us,
        latency: sums.latency(),
        ..CommandRow::default()
    }
}

/// The causes with errors in the window that changed since the cursor.
fn changed_causes(
    causes: &Causes,
    window_sums: &WindowSums,
    tiers: &Tiers,
    cursor: Option<RefreshCursor>,
) -> Vec<ErrorCause> {
    let step = window_sums.window.step_seconds();
    let (from, to) = window_sums.span();
    let is_new = |tick: u64| cursor.is_none_or(|cursor| tick > cursor.tick);
    let changed = causes.iter().filter(|cause| is_new(cause.tick) && cause.tick >= from);
    let mut changed: Vec<ErrorCause> = changed.map(|cause| cause.cause.clone()).collect();
    changed.sort_unstable_by_key(|cause| cause.number);
    for frame in tiers.cover(tier(window_sums.window), from, to) {
        for (number, count) in frame.errors() {
            let Ok(index) = changed.binary_search_by_key(number, |cause| cause.number) else { continue };
            let (points, point) = (&mut changed[index].points, frame.start / step);
            match points.last_mut() {
                Some((last, sum)) if *last == point => *sum += count,
                _ => points.push((point, *count)),
            }
        }
    }
    changed
}

/// The WebSockets, other upgraded connections and streams of these endpoints: the rows with the most open first.
fn most_open(reader: &Reader, is_wanted: impl Fn(usize) -> bool) -> Vec<LongLivedRow> {
    let rows = reader.long_lived().filter(|(id, _)| is_wanted(*id));
    let mut rows: Vec<LongLivedRow> = rows.map(|(_, row)| row).collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.totals.open, row.totals.opened)));
    rows.truncate(MAX_LONG_LIVED_ROWS);
    rows
}

fn slowest_of_all(reported: &Reported, window_sums: &WindowSums, names: NameLookup<'_>) -> Vec<SlowRequest> {
    let (from, to) = window_sums.span();
    slow_requests(&reported.slowest_of_all(&(from..to), LISTED, MAX_OF_ONE), names)
}

fn slow_requests(sightings: &[&SlowSighting], names: NameLookup<'_>) -> Vec<SlowRequest> {
    sightings.iter().map(|sighting| slow_request(sighting, names)).collect()
}

fn detail(
    id: usize,
    window_sums: &mut WindowSums,
    (tiers, aliases): (&Tiers, &Aliases),
    reported: &Reported,
    cursor: Option<RefreshCursor>,
    names: NameLookup<'_>,
) -> EndpointDetail {
    let reader = names.reader;
    let window = window_sums.window;
    let (from, to) = window_sums.span();
    let oldest = from / window.step_seconds();
    let first = cursor.map_or(oldest, |cursor| (cursor.tick / window.step_seconds()).max(oldest));
    let started_at_unix_ms = window_sums.timeline().started_at_unix_ms;
    let mut timeline = Timeline { started_at_unix_ms, window, first, ..Timeline::default() };
    for number in first..to.div_ceil(window.step_seconds()) {
        let columns = endpoint_point((tiers, aliases), window, id, number, to);
        timeline.extend(Timeline { first: number, columns, ..timeline });
    }
    let first_of_line = window_sums.first_of_line();
    let row = match window_sums.row(id) {
        Some(row) => wire_row(id, row, first_of_line, reader),
        None => EndpointRow { id: id as u32, ..EndpointRow::default() },
    };
    let recent = points::last_ten_seconds(tiers, to);
    EndpointDetail {
        recent: points::endpoint_sums(&recent, aliases, id).recent(points::seconds(&recent)),
        row: EndpointRow { name: Some(reader.name(id)), in_flight: reader.in_flight(id), open: reader.open(id), ..row },
        timeline,
        statuses: reader.statuses(id),
        commands: commands(id, names),
        slowest: slow_requests(&reported.slowest_of(id, from..to), names),
    }
}

/// The endpoints with the largest values of `key`.
fn top_endpoints(window_sums: &mut WindowSums, reader: &Reader, key: fn(&Tally) -> u64) -> Vec<EndpointRow> {
    let first = window_sums.first_of_line();
    let mut rows: Vec<(usize, &mut SumsRow)> = window_sums
        .rows()
        .filter(|(id, row)| row.sums.requests() + reader.in_flight(*id) + reader.open(*id) > 0)
        .collect();
    rows.sort_by_key(|(id, row)| (std::cmp::Reverse(key(&row.sums)), *id));
    let named = |(id, row): (usize, &mut SumsRow)| EndpointRow {
        name: Some(reader.name(id)),
        in_flight: reader.in_flight(id),
        open: reader.open(id),
        ..wire_row(id, row, first, reader)
    };
    rows.into_iter().take(MAX_ENDPOINTS).map(named).collect()
}

/// The endpoints that take the most time, over the window.
fn strips(window_sums: &mut WindowSums, (tiers, aliases): (&Tiers, &Aliases)) -> Vec<EndpointStrip> {
    let mut load: Vec<_> =
        window_sums.rows().map(|(id, row)| (std::cmp::Reverse(row.sums.duration_sum_us), id)).collect();
    load.sort_unstable();
    let with_load = load.iter().filter(|(load, _)| load.0 > 0).take(MAX_STRIPS);
    let ids: Vec<usize> = with_load.map(|(_, id)| *id).collect();
    let (window, first, to) = (window_sums.window, window_sums.first_of_line(), window_sums.span().1);
    window_sums.strips.strips(&ids, (tiers, aliases), window, (first, to))
}

/// The endpoints that changed since the cursor.
fn changed_endpoints(window_sums: &mut WindowSums, cursor: Option<RefreshCursor>, reader: &Reader) -> Vec<EndpointRow> {
    let (first, line_step) = (window_sums.first_of_line(), window_sums.window.line_step_seconds());
    let now = window_sums.span().1.saturating_sub(1);
    let mut rows = vec![];
    for (id, row) in window_sums.rows() {
        let (in_flight, open) = (reader.in_flight(id), reader.open(id));
        if (in_flight, open) != (row.in_flight, row.open) {
            if row.in_flight + row.open + row.sums.requests() == 0 {
                row.came_at = now;
            }
            (row.in_flight, row.open, row.changed_at) = (in_flight, open, now);
        }
        let is_new = |tick: u64| cursor.is_none_or(|cursor| tick > cursor.tick);
        // An endpoint that has left the window is sent once, so that the page drops it.
        if is_new(row.changed_at) && (cursor.is_some() || row.sums.requests() + in_flight + open > 0) {
            let name = is_new(row.came_at).then(|| reader.name(id));
            // The page has the line up to its cursor.
            let known = cursor.filter(|_| name.is_none()).map_or(first, |cursor| first.max(cursor.tick / line_step));
            rows.push(EndpointRow { name, in_flight, open, ..wire_row(id, row, known, reader) });
        }
    }
    rows
}

fn wire_row(id: usize, row: &SumsRow, first_of_line: u64, reader: &Reader) -> EndpointRow {
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
        open: 0,
        response_bytes: sums.response_bytes,
        duration_sum_us: sums.duration_sum_us,
        latency: sums.latency(),
        memory: sums.memory(),
        database: sums.usage(),
        upstream: sums.upstream(),
        judged: sums.count_judged(),
        within_objective: sums.count_within(reader.objective_us(id)),
        line_last: row.line.last,
        line: row.line.counts.iter().skip(before as usize).map(|count| u64::from(*count)).collect(),
    }
}

/// The database commands of an endpoint's requests, those that took the most time first.
fn commands(id: usize, names: NameLookup<'_>) -> Vec<EndpointCommand> {
    let command = |used: &CommandUseDelta| EndpointCommand {
        name: (names.command)(used.shape),
        requests: used.requests,
        calls: used.calls,
        duration_sum_us: used.elapsed_us,
        most: used.most,
        repeated: used.repeated,
    };
    let mut commands: Vec<EndpointCommand> = names.reader.uses(id).iter().map(command).collect();
    commands.sort_by_key(|command| std::cmp::Reverse(command.duration_sum_us));
    commands
}

fn slow_request(sighting: &SlowSighting, names: NameLookup<'_>) -> SlowRequest {
    SlowRequest {
        at_unix_ms: sighting.at_unix_ms,
        endpoint: names.reader.name(sighting.endpoint as usize).text(),
        status: sighting.ending.status,
        duration_us: sighting.duration_us,
        first_byte_us: sighting.first_byte_us.map(|us| us.get().into()),
        connect_us: sighting.connect_us.map(|us| us.get().into()),
        response_bytes: sighting.response_bytes,
        request_id: sighting.id.as_deref().map(ToOwned::to_owned),
        database: sighting.usage.as_deref().map(|usage| request_commands(usage, names)),
    }
}

fn request_commands(usage: &RequestUsage, names: NameLookup<'_>) -> RequestCommands {
    let mut shapes: Vec<u16> = vec![];
    let step = |step: &Step| {
        let name = shapes.iter().position(|shape| *shape == step.shape).unwrap_or_else(|| {
            shapes.push(step.shape);
            shapes.len() - 1
        });
        let at_us = usage.began_us + u64::from(step.at_us);
        CommandStep { name: name as u8, at_us, elapsed_us: step.elapsed_us, failed: step.failed }
    };
    RequestCommands {
        commands: usage.commands,
        elapsed_us: usage.elapsed_us,
        waited_us: usage.waited_us,
        steps: usage.steps.iter().map(step).collect(),
        names: shapes.iter().map(|shape| (names.command)(*shape).text()).collect(),
    }
}
