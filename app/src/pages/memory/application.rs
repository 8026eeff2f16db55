//! The processes of an application that the monitor watches from outside.

use leptos::prelude::*;
use watchboard_wire::{ApplicationProcess, Snapshot, format, reading_ref};

use crate::{
    components::{Cell, Column, Table, numbers, words},
    live::{snapshot_memo, snapshot_text, use_live},
};

/// Whether the monitor watches other processes than its own. This does not change while it runs.
pub(crate) fn watches_another() -> bool {
    use_live().figures.with_untracked(|figures| figures.snapshot.memory.application.is_some())
}

const COLUMNS: &[Column] = &[
    words("Process"),
    numbers("Id", "the kernel's"),
    words("Role"),
    numbers("RSS", "resident memory, the pages included that it shares with the others"),
    numbers("Threads", ""),
    numbers("Open files", "regular files, read every five seconds"),
    numbers("Descriptors", "open file descriptors of every kind"),
    numbers("CPU", "of one core, over the last second"),
    numbers("Since", "when it was started, UTC"),
];

/// The watched application, and each of its processes.
#[component]
pub(crate) fn ApplicationTable() -> impl IntoView {
    let rows = snapshot_memo(|snapshot| {
        reading_ref(&snapshot.memory.process)?;
        let processes = snapshot.memory.application.iter().flat_map(|application| &application.processes);
        Ok(processes.map(|process| process_row(process, snapshot)).collect())
    });
    view! {
        <p class="more">{snapshot_text(scope_text)}</p>
        <Table caption="Processes of the application" quiet=true columns=COLUMNS rows />
    }
}

/// The watched application in sentences.
fn scope_text(snapshot: &Snapshot) -> String {
    let Some(application) = &snapshot.memory.application else { return String::new() };
    let mut sentences = vec![format!("{}.", application.words())];
    if application.unread_processes > 0 {
        let (read, more) = (application.processes.len(), application.unread_processes);
        sentences.push(format!("The first {read} are read; {more} more are in no figure."));
    }
    if let [before @ .., last] = &*application.restarted_at_unix_ms {
        let last = snapshot.date_time(*last);
        sentences.push(match before.len() {
            0 => format!("Restarted at {last}."),
            1 => format!("Restarted at {last}, and once before."),
            more => format!("Restarted at {last}, and {more} times before."),
        });
    }
    sentences.join(" ")
}

fn process_row(process: &ApplicationProcess, snapshot: &Snapshot) -> Vec<Cell> {
    let number = |number: Option<u64>| match number {
        Some(number) => Cell::number(format::exact(number), String::new()),
        None => Cell::dash().with_title("not read yet, or not to be seen".to_owned()),
    };
    let age = format::span(snapshot.taken_at_unix_ms.saturating_sub(process.started_at_unix_ms) / 1000);
    vec![
        Cell::words(process.command.clone()),
        Cell::number(process.pid.to_string(), String::new()),
        Cell::words(process.role.word()),
        Cell::bytes(process.rss_bytes),
        number(Some(process.num_threads)),
        number(process.open_files),
        number(process.descriptors),
        process.cpu_percent.map_or_else(Cell::dash, |cpu| Cell::number(format::percent(cpu), String::new())),
        Cell::number(
            snapshot.clock(process.started_at_unix_ms),
            format!("{}, {age} ago", snapshot.date_time(process.started_at_unix_ms)),
        ),
    ]
}

/// The process or the application as a fact of the overview.
pub(crate) fn process_or_application(snapshot: &Snapshot) -> Option<(&'static str, String, String)> {
    if let Some(application) = &snapshot.memory.application {
        let why = snapshot.memory.process.as_ref().err().map(ToString::to_string).unwrap_or_default();
        return Some(("Application", application.words(), why));
    }
    let process = snapshot.memory.process.as_ref().ok()?;
    Some(("Process", format!("{} ({})", process.name, process.pid), "name and process id".to_owned()))
}
