//! How the figures of an endpoint have changed from an earlier span.

use watchboard_wire::{EndpointRow, format};

use crate::{
    components::Cell,
    figures::Figures,
    pages::cells::{change_cell, rate},
    selection::Sort,
};

/// The changes by the titles of their columns.
pub(super) fn change_cells(figures: &Figures, row: &EndpointRow) -> [(&'static str, Cell); 4] {
    let now = (row, figures.totals.seconds);
    let earlier = figures.earlier.as_deref().and_then(|earlier| {
        let row = earlier.endpoints.iter().find(|it| it.name == row.name)?;
        Some((row, earlier.totals.seconds))
    });
    let cell = |read: fn((&EndpointRow, u64)) -> Option<f64>, text| {
        if figures.earlier.is_some() { change_cell(read(now), earlier.and_then(read), text) } else { Cell::dash() }
    };
    // Counts by the second: the spans may have been watched for other times, and may begin and end at other steps.
    [
        ("Requests", cell(|(row, seconds)| Some(rate(row.requests, seconds)), format::per_second)),
        ("5xx", cell(|(row, seconds)| Some(rate(row.server_errors, seconds)), format::per_second)),
        ("p50", cell(|(row, _)| known_figure(row, Sort::P50), format::duration_us)),
        ("p99", cell(|(row, _)| known_figure(row, Sort::P99), format::duration_us)),
    ]
}

/// The figure that sorts, if the endpoint has it.
fn known_figure(row: &EndpointRow, sort: Sort) -> Option<f64> {
    Some(sort.key(row)).filter(|figure| *figure >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::{RefreshQuery, RefreshResponse, WindowTotals};

    #[test]
    fn the_same_rate_is_no_change_however_long_the_spans_are() {
        let row = |requests, server_errors| EndpointRow { requests, server_errors, ..EndpointRow::default() };
        let figures = |row: EndpointRow, seconds| {
            let totals = WindowTotals { seconds, ..WindowTotals::default() };
            let answer = RefreshResponse { endpoints: vec![row], totals, ..RefreshResponse::default() };
            Figures::new(RefreshQuery::default(), answer)
        };
        let mut now = figures(row(1_000, 30), 100);
        let cells = |now: &Figures| change_cells(now, &now.endpoints[0]).map(|(_, cell)| cell);
        assert_eq!(cells(&now), [Cell::dash(), Cell::dash(), Cell::dash(), Cell::dash()]);
        now.earlier = Some(Box::new(figures(row(1_800, 18), 180)));
        let change = |text: &str, before| {
            Cell::number(text.replace(' ', "\u{a0}"), format!("{} in the earlier span", format::per_second(before)))
        };
        assert_eq!(cells(&now), [change("±0 %", 10.0), change("+200 %", 0.1), Cell::dash(), Cell::dash()]);
        now.earlier = Some(Box::new(Figures::new(RefreshQuery::default(), RefreshResponse::default())));
        let new = || Cell::number("new".to_owned(), "none in the earlier span".to_owned());
        assert_eq!(cells(&now), [new(), new(), Cell::dash(), Cell::dash()]);
    }
}
