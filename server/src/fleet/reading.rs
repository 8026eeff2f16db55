//! What a page shows of the fleet, from its store: the steps of all instances, or of one, as the history shows a past span.

use watchboard_wire::{
    CommandName, CommandRow, DatabaseDetail, FleetFigures, InstanceList, InstanceScope, Part, RefreshCursor,
    RefreshQuery, RefreshResponse, Snapshot,
};

use super::{
    instances::{read_instances, without_other_loopback},
    notice::notice_html,
    source::Source,
    strips::read_strips,
};
use crate::{
    commands::{CommandReader, Listener, command_table},
    history::{
        History, NameLookup, PastSpan,
        store::{KeptTimes, MongoSteps, StoreError, StoreTier, StoredPast},
    },
    requests::{Policy, Reader, Recorder},
};

/// Figures that are not older are of now: steps of ten seconds, and the time to write and merge them.
const BEHIND_SECONDS: u64 = 15;
/// Without figures for so long a window ends now, with a gap.
const GAP_SECONDS: u64 = 30;

/// Reads the store for pages. Names of the fleet have numbers of their own here.
pub(super) struct FleetReader {
    reader: Reader,
    commands: CommandReader,
}

impl FleetReader {
    pub(super) fn new(policy: Policy) -> Self {
        Self { reader: Reader::new(Recorder::new(policy)), commands: CommandReader::new(Listener::new()) }
    }

    /// The answer to a page. `own` is the snapshot of this process.
    pub(super) async fn answer(
        &mut self,
        steps: &MongoSteps,
        query: &RefreshQuery,
        cursor: Option<RefreshCursor>,
        own: &Snapshot,
    ) -> Result<RefreshResponse, StoreError> {
        let (rows, now_unix_ms) = read_instances(steps).await?;
        let host = own.memory.system.as_ref().map(|system| &*system.host).unwrap_or_default();
        let rows: Vec<_> = rows.into_iter().map(|row| without_other_loopback(row, host)).collect();
        let mut fleet = FleetFigures::default();
        if query.part == Part::Instances {
            let strips = read_strips(steps, query.window, now_unix_ms / 10_000 * 10, &rows).await?;
            let list = InstanceList { now_unix_ms, instances: rows.clone(), strips };
            // It can fail for types alone whose length is not known.
            fleet.list = postcard::to_allocvec(&list).unwrap_or_default();
        }
        let source = match &query.scope {
            InstanceScope::Own => {
                return Ok(RefreshResponse { snapshot: own.clone(), fleet: Some(fleet), ..RefreshResponse::default() });
            }
            InstanceScope::All => Source::all(steps, &rows),
            InstanceScope::One(name) => Source::one(steps, &rows, name).await?,
        };
        let newest = source.newest(now_unix_ms).await?;
        let now = now_unix_ms / 10_000 * 10;
        let until = if now.saturating_sub(newest) <= GAP_SECONDS { newest } else { now.max(newest) };
        let oldest = source.oldest().await?.unwrap_or(until);
        let mut snapshot = source.snapshot(own, newest, now_unix_ms).await?;
        (snapshot.tick, snapshot.oldest_tick, snapshot.wall_clock_set_ms) = (until.saturating_sub(1), oldest, 0);
        // Who serves the page, whosever figures it shows.
        snapshot.instance.clone_from(&own.instance);
        fleet.notice_html = notice_html(&rows, source.row(), newest, now_unix_ms);
        let behind_seconds = (now_unix_ms / 1000).saturating_sub(newest);
        // Without figures there are none that are old.
        let age_ms = if newest == 0 || behind_seconds <= BEHIND_SECONDS { 0 } else { behind_seconds * 1000 };
        let span = match query.span {
            None => Some(PastSpan::latest(query.window, until)),
            Some(span) => PastSpan::in_store(span, (oldest, until), &KeptTimes::default()),
        };
        let Some(span) = span.filter(|span| span.ticks.0 < span.ticks.1) else {
            return Ok(RefreshResponse { snapshot, fleet: Some(fleet), age_ms, ..RefreshResponse::default() });
        };
        if cursor.is_some_and(|cursor| span.is_had_by(&cursor, snapshot.started_at_unix_ms)) {
            let (span, fleet) = (Some(span.ticks), Some(fleet));
            return Ok(RefreshResponse {
                snapshot,
                span,
                is_unchanged: true,
                fleet,
                age_ms,
                ..RefreshResponse::default()
            });
        }
        let answer = Box::pin(self.figures(&source, &span, newest, &query.part, &snapshot)).await?;
        Ok(RefreshResponse { fleet: Some(fleet), age_ms, ..answer })
    }

    /// The figures of a span.
    async fn figures(
        &mut self,
        source: &Source<'_>,
        span: &PastSpan,
        newest: u64,
        part: &Part,
        snapshot: &Snapshot,
    ) -> Result<RefreshResponse, StoreError> {
        let tier = span.stored.unwrap_or(StoreTier::TenSeconds);
        let (from, to) = span.ticks;
        let stored = StoredPast { steps: source.steps(tier, from..to, newest).await?, names: source.names().await? };
        let mut history = History::new(snapshot.started_at_unix_ms, to);
        for (instance, mark) in source.marks(from * 1000..to * 1000).await? {
            history.restore_mark(&instance, &mark);
        }
        let Self { reader, commands } = self;
        let frames = history.past_frames(span, stored, reader, &|name: &CommandName| commands.number(name));
        let names = NameLookup { reader, command: &|number| commands.name(number) };
        let (response, sums) = history.answer_past(span, part, Some(&frames), snapshot, names);
        let database = (*part == Part::Database).then(|| {
            let listens = snapshot.listens || sums.0.calls > 0;
            let row_of = |number, row| CommandRow { name: commands.name(number), ..row };
            DatabaseDetail { server: None, commands: listens.then(|| command_table(sums, row_of)) }
        });
        Ok(RefreshResponse { database, ..response })
    }
}
