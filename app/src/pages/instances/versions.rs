//! The versions that run side by side, while a deploy rolls.

use std::collections::BTreeMap;

use leptos::prelude::*;
use watchboard_wire::{InstanceList, InstanceRow, InstanceState, format};

use crate::components::{Card, Cell, Column, Table, TableRow, numbers, words};

const COLUMNS: &[Column] = &[
    words("Version"),
    numbers("Instances", "that run"),
    numbers("Requests", "a second, of all of them"),
    numbers("5xx", "server errors of their requests"),
    numbers("p99", "of the fastest and of the slowest of them, of requests that succeeded"),
    numbers("Memory", "mean of them"),
    numbers("CPU", "mean of them, of one core"),
];

/// The card with the table; nothing while all have one version.
#[component]
pub(super) fn VersionCard(list: Memo<InstanceList>) -> impl IntoView {
    let rows = Memo::new(move |_| Ok(list.with(|list| version_rows(&list.instances))));
    let has_several = Memo::new(move |_| rows.with(|rows| rows.as_ref().is_ok_and(|rows| rows.len() > 1)));
    move || {
        has_several.get().then(|| {
            view! {
                <Card title="Versions" note="Of the instances that run, in the last minute of each." wide=true>
                    <Table caption="Versions" quiet=true columns=COLUMNS rows />
                </Card>
            }
        })
    }
}

fn version_rows(instances: &[InstanceRow]) -> Vec<TableRow> {
    let mut by_version = BTreeMap::<&str, Vec<&InstanceRow>>::new();
    for row in instances.iter().filter(|row| row.state == InstanceState::Running) {
        by_version.entry(row.version.as_deref().unwrap_or("unknown")).or_default().push(row);
    }
    by_version.into_iter().map(|(version, rows)| version_row(version, &rows)).collect()
}

fn version_row(version: &str, rows: &[&InstanceRow]) -> TableRow {
    let requests: f64 = rows.iter().map(|row| row.figures.requests_per_second).sum();
    let failed = rows.iter().filter_map(|row| Some(row.figures.error_percent? * row.figures.requests_per_second));
    let failed: f64 = failed.sum();
    let p99: Vec<u64> = rows.iter().filter_map(|row| row.figures.p99_us).collect();
    let time = |us: u64| format::duration_us(us as f64);
    let range = |(least, most): (&u64, &u64)| {
        let [least, most] = [*least, *most].map(time);
        if least == most { least } else { format!("{least} – {most}") }
    };
    let p99 = p99.iter().min().zip(p99.iter().max()).map(range);
    let text = |text: Option<String>| text.map_or_else(Cell::dash, |text| Cell::number(text, String::new()));
    let bytes = mean(rows.iter().filter_map(|row| row.figures.memory_bytes).map(|bytes| bytes as f64));
    let errors = (requests > 0.0).then(|| failed / requests);
    let errors_cell = text(errors.map(format::percent));
    vec![
        Cell::words(version.to_owned()),
        Cell::number(format::exact(rows.len() as u64), String::new()),
        Cell::number(format::per_second(requests), String::new()),
        if errors > Some(0.0) { errors_cell.class("number bad") } else { errors_cell },
        text(p99),
        text(bytes.map(format::bytes)),
        text(mean(rows.iter().filter_map(|row| row.figures.cpu_percent)).map(format::percent)),
    ]
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0_u32, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::InstanceFigures;

    #[test]
    fn each_version_that_runs_has_the_figures_of_its_instances() {
        let row = |version: &str, state, requests_per_second, error_percent, p99_us| InstanceRow {
            version: Some(version.to_owned()),
            state,
            figures: InstanceFigures {
                requests_per_second,
                error_percent: Some(error_percent),
                p99_us: Some(p99_us),
                ..InstanceFigures::default()
            },
            ..InstanceRow::default()
        };
        let (runs, gone) = (InstanceState::Running, InstanceState::Gone);
        let instances = [
            row("1.4", runs, 30.0, 1.0, 9_000),
            row("1.4", runs, 10.0, 5.0, 4_000),
            row("1.5", runs, 5.0, 0.0, 7_000),
            row("1.3", gone, 99.0, 9.0, 1),
        ];
        let rows = version_rows(&instances);
        assert_eq!(rows.len(), 2);
        let number = |text: String| Cell::number(text, String::new());
        assert_eq!(
            rows[0][1..4],
            [
                number("2".to_owned()),
                number(format::per_second(40.0)),
                number(format::percent(2.0)).class("number bad"),
            ]
        );
        assert_eq!(rows[1][3], number(format::percent(0.0)));
    }
}
