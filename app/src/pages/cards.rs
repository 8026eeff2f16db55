//! A card for each part, in full. They fold below the overview.

use leptos::{either::Either, prelude::*};
use watchboard_wire::{Mark, Snapshot, format};

use super::{
    charts::{CpuChart, RssChart},
    commands::CommandsOfLate,
    database::DatabaseFacts,
    endpoints::busiest::BusiestTable,
    errors::CauseTable,
    export_links::ExportLinks,
    memory::{ProcessFacts, ResourceBars, SystemMemory, ThreadTable, process_or_application, watches_another},
    requests::{ApplicationFacts, StatusCodes},
};
use crate::{
    components::{Card, Facts},
    live::{figures_memo, snapshot_memo},
};

/// The parts in full.
#[component]
pub(super) fn AllCards() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    crate::selection::keep_viewer_state();
    view! {
        <div class="charts">
            <RssChart />
            <CpuChart />
        </div>
        <div class="cards">
            <Card title="System overview">
                <OverviewSystemFacts />
            </Card>
            <Card title="Resource usage" note="A bar that fills up is what will run out first.">
                <ResourceBars />
            </Card>
            <Card title="Application metrics" note="Since the start of the process.">
                <ApplicationFacts />
                <StatusCodes />
            </Card>
            <Card title="Database health" note="Whether it answers, and what the application asks of it; the database view has more.">
                <DatabaseFacts />
                <CommandsOfLate />
            </Card>
            <Card
                title="Memory analysis"
                note=if watches_another() {
                    "Where the memory of this machine and of the application is."
                } else {
                    "Where the memory of this machine and of this process is."
                }
            >
                <SystemMemory />
                <ProcessFacts />
                <ThreadTable />
            </Card>
            <Card title="Endpoint usage" note="Of the window, by total time: what takes the most stands first." wide=true>
                <BusiestTable />
            </Card>
            <Card
                title="Marks"
                note="Of the window, the last first: starts, ends, new versions, findings, and what was noted by POST /marks. Charts have a line at each."
                wide=true
            >
                <MarkList />
            </Card>
            <Card title="Recent errors" note="Of the window, by cause: # stands for what differs from request to request." wide=true>
                <CauseTable most=10 />
            </Card>
        </div>
        <ExportLinks />
    }
}

/// What happened in the window.
#[component]
fn MarkList() -> impl IntoView {
    let marks = figures_memo(|figures| {
        let newest = figures.newest_tick();
        let oldest = newest.saturating_sub(figures.span().seconds());
        let marks = figures.marks.iter().rev().filter(|mark| (oldest..=newest).contains(&(mark.at_unix_ms / 1000)));
        let dated = |mark: &Mark| (figures.snapshot.date_time(mark.at_unix_ms), mark.kind.word(), mark.text.clone());
        marks.map(dated).collect::<Vec<_>>()
    });
    move || {
        let marks = marks.get();
        if marks.is_empty() {
            return Either::Left(view! { <p class="unknown">"No mark in this window."</p> });
        }
        let item = |(at, kind, text)| view! { <li class=kind><time>{at}</time>" "{text}</li> };
        Either::Right(view! { <ul class="marks">{marks.into_iter().map(item).collect_view()}</ul> })
    }
}

/// Where the history is, since when, and what it lacks.
fn history(snapshot: &Snapshot) -> (&'static str, String, String) {
    let mut details = vec![format!("since {}", snapshot.date_time(snapshot.oldest_tick * 1000))];
    let Some(stored) = &snapshot.stored else { return ("History", "in memory".to_owned(), details.remove(0)) };
    let lacking = |count: u64, what| (count > 0).then(|| format!("{} steps {what}", format::exact(count)));
    details.extend(stored.writer.as_ref().map(|writer| format!("{writer} writes the one on disk")));
    details
        .extend([lacking(stored.lost, "not stored"), lacking(stored.unreadable, "not readable")].into_iter().flatten());
    let place = if stored.is_stored {
        format!("on disk, {}", format::bytes(stored.bytes as f64))
    } else {
        "in memory, not on disk".to_owned()
    };
    ("History", place, details.join("; "))
}

/// The watched application: its status, its uptime, its database and its host.
#[component]
fn OverviewSystemFacts() -> impl IntoView {
    let facts = snapshot_memo(|snapshot| {
        let uptime = match (snapshot.uptime_seconds(), snapshot.application_started_at_unix_ms()) {
            (Ok(seconds), Ok(started)) => (format::span(seconds), format!("since {}", snapshot.date_time(started))),
            (Err(why), _) | (_, Err(why)) => ("–".to_owned(), why.to_string()),
        };
        let mut facts = vec![
            (
                "Status",
                snapshot.health.status.word().to_owned(),
                snapshot.health.sentences().collect::<Vec<_>>().join("; "),
            ),
            ("Uptime", uptime.0, uptime.1),
            ("Database", snapshot.database.status_text(), snapshot.database.hosts.clone()),
            history(snapshot),
        ];
        facts.extend(process_or_application(snapshot));
        if let Ok(system) = &snapshot.memory.system {
            facts.push(("Host", system.host.clone(), format!("{} cores", system.cpus)));
            if let Some([one, five, fifteen]) = system.load {
                let load = format!("{one:.2}, {five:.2}, {fifteen:.2} of {} cores", system.cpus);
                facts.push(("Load", load, "runnable tasks, averaged over 1, 5 and 15 minutes".to_owned()));
            }
        }
        Ok(facts)
    });
    view! { <Facts facts /> }
}
