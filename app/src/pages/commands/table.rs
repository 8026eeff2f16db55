//! The table of the application's database commands, with their changes from an earlier span.

use leptos::prelude::*;
use watchboard_wire::{CommandRow, format};

use super::{
    super::cells::{RangeScale, change_cell, flagged_count_cell, rate, share},
    app_commands,
};
use crate::{
    components::{Cell, Column, Table, TableRow, numbers, words},
    live::figures_memo,
    selection::use_selection,
};

const COMMANDS: &[Column] = &[
    words("Command"),
    numbers("Load", "the share of the time that all commands took"),
    numbers("Rate", "per second, of those that ended"),
    numbers("p50 to p99", "from sending to the answer: the bar is on a scale that all rows share"),
    numbers("Failed", "refused in whole or in part, or without an answer"),
    words("Sent by"),
];
/// The same beside an earlier span: each change stands behind its figure.
const COMMANDS_WITH_CHANGES: &[Column] = &[
    COMMANDS[0],
    COMMANDS[1],
    COMMANDS[2],
    numbers("± Rate", "the change from the earlier span"),
    COMMANDS[3],
    numbers("± p99", "the change from the earlier span"),
    COMMANDS[4],
    numbers("± Failed", "the change of the rate from the earlier span"),
    COMMANDS[5],
];

#[component]
pub(in crate::pages) fn CommandTable() -> impl IntoView {
    let selection = use_selection();
    let rows = figures_memo(move |figures| {
        let all = app_commands(figures)?;
        let earlier = figures.earlier.as_deref().map(|earlier| (app_commands(earlier), earlier.totals.seconds));
        let scale = RangeScale::new(all.rows.iter().filter_map(|row| row.latency));
        let link = |name: &String| selection.with(|selection| selection.to_endpoint(name).href());
        let with_sender = |command: &CommandRow| {
            let mut cells = command_row(command, &all.whole, figures.totals.seconds, &scale);
            if let Some((earlier, seconds)) = &earlier {
                let before = earlier.iter().flat_map(|earlier| &earlier.rows).find(|it| it.name == command.name);
                add_changes(&mut cells, (command, figures.totals.seconds), before.map(|before| (before, *seconds)));
            }
            cells.push(match &*command.senders {
                [] => Cell::words("no request").with_title("spawned tasks, or tasks in the background".to_owned()),
                [first, more @ ..] => {
                    let text = if more.is_empty() { first.clone() } else { format!("{first} +{}", more.len()) };
                    Cell::words(text).with_link(link(first)).with_title(command.senders.join(", "))
                }
            });
            cells
        };
        Ok(all.rows.iter().map(with_sender).collect())
    });
    let foot = figures_memo(|figures| match app_commands(figures) {
        Err(_) => String::new(),
        Ok(all) if all.kinds == 0 => "No command in this window.".to_owned(),
        Ok(all) if all.kinds as usize > all.rows.len() => {
            format!("{} of the window's {} kinds of commands.", all.rows.len(), all.kinds)
        }
        Ok(all) => format!("{} kinds of commands in this window.", all.kinds),
    });
    let is_compared = figures_memo(|figures| figures.earlier.is_some());
    let columns = move || if is_compared.get() { COMMANDS_WITH_CHANGES } else { COMMANDS };
    view! {
        {move || view! { <Table caption="Commands" quiet=true columns=columns() rows /> }}
        <p class="more">{foot}</p>
    }
}

/// Adds how a command has changed from the earlier span, behind its figures. Both are with the seconds of their span.
fn add_changes(cells: &mut TableRow, now: (&CommandRow, u64), before: Option<(&CommandRow, u64)>) {
    let change =
        |read: fn((&CommandRow, u64)) -> Option<f64>, text| change_cell(read(now), before.and_then(read), text);
    let rate_change = change(|(row, seconds)| Some(rate(row.calls, seconds)), format::per_second);
    let p99 = change(|(row, _)| row.latency.map(|latency| latency.p99_us as f64), format::duration_us);
    let failed = change(|(row, seconds)| Some(rate(row.failed, seconds)), format::per_second);
    // From the last one on, so that the places of the others stay.
    for (at, cell) in [(5, failed), (4, p99), (3, rate_change)] {
        cells.insert(at, cell);
    }
}

fn command_row(row: &CommandRow, whole: &CommandRow, seconds: u64, scale: &RangeScale) -> TableRow {
    let answered = row.calls - row.cancelled;
    let each = row.documents as f64 / answered.max(1) as f64;
    let load = 100.0 * row.duration_sum_us as f64 / whole.duration_sum_us.max(1) as f64;
    let time = |us: u64| format::duration_us(us as f64);
    let title = row.latency.map_or_else(String::new, |latency| {
        let mean = row.duration_sum_us.checked_div(answered).unwrap_or_default();
        format!("mean {}, p95 {}, at most {}", time(mean), time(latency.p95_us), time(latency.max_us))
    });
    let latency = scale.cell(row.latency.as_ref(), title);
    let calls = format!("{} commands, {} documents each", format::exact(row.calls), format::count(each));
    let failed = match (row.failed, row.cancelled) {
        (0, cancelled) if cancelled > 0 => {
            Cell::number(format!("{} cancelled", format::count(cancelled as f64)), String::new()).class("number warn")
        }
        (failed, cancelled) => flagged_count_cell(failed, "number bad").with_title(format!(
            "{} failed, and the senders of {} did not wait",
            format::exact(failed),
            format::exact(cancelled)
        )),
    };
    vec![
        Cell::words(row.name.text()),
        Cell::bar(share(row.duration_sum_us, whole.duration_sum_us), load, time(row.duration_sum_us)),
        Cell::number(format::per_second(rate(row.calls, seconds)), calls),
        latency,
        failed,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::Latency;

    #[test]
    fn changes_stand_behind_their_figures() {
        let row = |calls, failed, p99_us| CommandRow {
            calls,
            failed,
            latency: Some(Latency { p99_us, ..Latency::default() }),
            ..CommandRow::default()
        };
        let (now, before) = (row(300, 3, 9_000), row(200, 0, 6_000));
        let changes = |before: Option<(&CommandRow, u64)>| {
            let scale = RangeScale::new(now.latency.into_iter());
            let mut cells = command_row(&now, &now, 10, &scale);
            add_changes(&mut cells, (&now, 10), before);
            [3, 5, 7].map(|at| cells[at].clone())
        };
        let change = |text: &str, title: String| Cell::number(text.replace(' ', "\u{a0}"), title);
        let than = |before: String| format!("{before} in the earlier span");
        let new = || change("new", "none in the earlier span".to_owned());
        // In twice the seconds the same rate is twice as many.
        let (rate, p99) = (format::per_second(10.0), format::duration_us(6_000.0));
        assert_eq!(changes(Some((&before, 20))), [change("+200 %", than(rate)), change("+50 %", than(p99)), new()]);
        let same = [format::per_second(30.0), format::duration_us(9_000.0), format::per_second(0.3)];
        assert_eq!(changes(Some((&now, 10))), same.map(|figure| change("±0 %", than(figure))));
        assert_eq!(changes(None), [new(), new(), new()]);
        let titles: Vec<_> = COMMANDS_WITH_CHANGES.iter().map(|column| column.title).collect();
        assert_eq!([titles[3], titles[5], titles[7]], ["± Rate", "± p99", "± Failed"]);
        assert_eq!(titles.len(), COMMANDS.len() + 3);
    }
}
