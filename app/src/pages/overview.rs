//! The overview: what is wrong and where, on one screen; below it the cards of all parts.

use leptos::{html, prelude::*};
use watchboard_wire::{DatabaseState, Process, Snapshot, TimelineColumns, format, reading_ref};

use super::{
    attention::Attention,
    chunks::{self, Chunk, Chunks},
    tiles::Tiles,
};
use crate::{
    components::{Card, Fact, Facts},
    context::context,
    figures::Figures,
    live::{figures_memo, snapshot_memo},
    selection::{View, use_selection},
};

#[component]
pub(crate) fn Overview() -> impl IntoView {
    let chunks = context::<Chunks>();
    let selection = use_selection();
    let is_unwatched = snapshot_memo(|snapshot| snapshot.database.state == DatabaseState::NotConfigured);
    // Text and not elements: it needs no further code in the first view.
    let watch_one = move || {
        if !is_unwatched.get() {
            return String::new();
        }
        let href = selection.with(|selection| selection.to_view(View::Database).href());
        format!("<a href=\"{href}\">None is watched: how to watch one</a>")
    };
    let is_open = RwSignal::new(false);
    let cards = NodeRef::<html::Details>::new();
    // They may have been opened before the script ran.
    Effect::new(move |_| {
        if cards.get().is_some_and(|cards| cards.has_attribute("open")) {
            is_open.set(true);
        }
    });
    view! {
        <div class="overview">
            <Tiles />
            {move || chunks.later(Chunk::Charts, "column", true, chunks::charts)}
            <div class="column">
                <Card title="Needs attention">
                    <Attention />
                </Card>
                <Card title="Memory">
                    <Facts facts=snapshot_memo(|snapshot| Ok(memory_in_brief(snapshot))) />
                </Card>
                <Card title="Database">
                    <Facts facts=figures_memo(|figures| Ok(database_in_brief(figures))) />
                    <p inner_html=watch_one></p>
                </Card>
            </div>
        </div>
        <details class="more-cards" node_ref=cards on:toggle=move |_| is_open.set(true)>
            <summary>"All figures: system, resources, application, memory, status codes, errors"</summary>
            {move || chunks.later(Chunk::Cards, "", is_open.get(), chunks::cards)}
        </details>
    }
}

/// The memory of the process and of its limit.
fn memory_in_brief(snapshot: &Snapshot) -> Vec<Fact> {
    let memory = &snapshot.memory;
    let process = reading_ref(&memory.process);
    let size = |read: fn(&Process) -> u64| match &process {
        Ok(process) => (format::bytes(read(process) as f64), String::new()),
        Err(why) => ("–".to_owned(), why.to_string()),
    };
    let of_limit = |scope: &str, used_bytes: u64, limit_bytes: u64| {
        let used = format!("{} of {}", format::bytes(used_bytes as f64), format::bytes(limit_bytes as f64));
        (used, format!("of the {scope}"))
    };
    let limit = match (memory.headline(), &memory.system) {
        (Ok(headline), _) => of_limit(headline.scope, headline.used_bytes, headline.limit_bytes),
        // The system has its memory without the application too.
        (Err(_), Ok(system)) => of_limit("system", system.used_bytes, system.total_bytes),
        (Err(why), Err(_)) => ("–".to_owned(), why.to_string()),
    };
    let is_of_container = memory.headline().is_ok_and(|headline| headline.scope == "container");
    let fact = |name, (value, title): (String, String)| (name, value, title);
    vec![
        fact("Heap and stacks", size(|process| process.anonymous_bytes)),
        fact(if is_of_container { "Container" } else { "System" }, limit),
    ]
}

/// Whether the database answers, and how fast; what the application asks of it, if its client is listened to.
fn database_in_brief(figures: &Figures) -> Vec<Fact> {
    let snapshot = &figures.snapshot;
    let database = &snapshot.database;
    let age = |since: u64| format::span(snapshot.taken_at_unix_ms.saturating_sub(since) / 1000);
    let state = match &database.state {
        DatabaseState::NotConfigured => {
            return vec![];
        }
        DatabaseState::Connecting => "connecting".to_owned(),
        // Of all instances together nobody knows since when.
        _ if database.since_unix_ms == 0 => database.status_text(),
        DatabaseState::Healthy => format!("answers, for {}", age(database.since_unix_ms)),
        DatabaseState::Failed(failure) => format!("{}, for {}", failure.kind.words(), age(database.since_unix_ms)),
    };
    let dash = || "–".to_owned();
    let round_trip = database.latency_us.map_or_else(dash, |us| format!("in {}", format::duration_us(us as f64)));
    let last = database.answered_at_unix_ms.map(|at| format!(", {} ago", age(at))).unwrap_or_default();
    let mut facts = vec![
        ("State", state, database.hosts.clone()),
        ("Last answer", format!("{round_trip}{last}"), "the round trip of the last probe that was answered".to_owned()),
    ];
    if snapshot.listens {
        facts.push(commands_in_brief(&figures.timeline.columns));
    }
    facts
}

/// The last whole point of the charts.
fn commands_in_brief(columns: &TimelineColumns) -> Fact {
    let of_late = |column: &[Option<u32>]| column.iter().nth_back(1).copied().flatten().map(f64::from);
    let dash = || "–".to_owned();
    let p99 = of_late(&columns.command_p99_us).map_or_else(dash, format::duration_us);
    let in_use = of_late(&columns.connections_in_use).map_or_else(dash, format::count);
    let waiting = of_late(&columns.connections_waiting).filter(|waiting| *waiting > 0.0);
    let waiting = waiting.map(|waiting| format!(", {} wait", format::count(waiting))).unwrap_or_default();
    let title = "from sending to the answer, and the connections of the application's pools, by the last whole point of the charts";
    ("Commands", format!("p99 {p99}, connections in use: {in_use}{waiting}"), title.to_owned())
}
