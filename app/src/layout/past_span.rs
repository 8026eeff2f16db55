//! The notice that the page shows a past span, with the ways to its neighbours and back to now.

use leptos::prelude::*;
use watchboard_wire::{EarlierSpan, format};

use crate::{figures::Figures, live::use_live, selection::use_selection};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// As other notices it is hidden and not gone, which is less code.
#[component]
pub(super) fn PastSpanNotice() -> impl IntoView {
    let (selection, figures) = (use_selection(), use_live().figures);
    let span = Memo::new(move |_| selection.with(|selection| selection.span));
    let words = Memo::new(move |_| {
        let Some(span) = span.get() else { return String::new() };
        figures.with(|figures| words(figures, span))
    });
    let link = move |to: fn((u64, u64)) -> (u64, u64)| {
        move || selection.with(|selection| selection.to_span(selection.span.map(to)).href())
    };
    // The one that is shown leads back to the span alone.
    let beside = move |earlier: EarlierSpan| {
        let is_shown = move || selection.with(|selection| selection.earlier == Some(earlier));
        let href = move || {
            let to = (!is_shown()).then_some(earlier);
            selection.with(|selection| selection.to_earlier(to).href())
        };
        view! { <a href=href aria-current=move || is_shown().then_some("true")>{earlier.word()} " before"</a>" " }
    };
    let now = move || selection.with(|selection| selection.to_span(None).href());
    view! {
        <aside class="notice" id="past-span" aria-label="Past span" hidden=move || words.with(String::is_empty)>
            {words}
            <a href=link(before)>"Before"</a>" "
            <a href=link(after)>"After"</a>" "
            <a href=now>"Back to now"</a>
            " Compare with: "
            {EarlierSpan::ALL.map(beside)}
        </aside>
    }
}

/// The span of the same length that ends where this one begins.
fn before((from, to): (u64, u64)) -> (u64, u64) {
    (from.saturating_sub(to - from), from)
}

/// The span of the same length that begins where this one ends.
fn after((from, to): (u64, u64)) -> (u64, u64) {
    (to, to.saturating_add(to - from))
}

fn words(figures: &Figures, asked: (u64, u64)) -> String {
    let snapshot = &figures.snapshot;
    let times = |(from, to): (u64, u64)| {
        let times = [from, to].map(|second| snapshot.in_zone(second.saturating_mul(1000)));
        let today = snapshot.wall_clock(snapshot.taken_at_unix_ms) / DAY_MS;
        let text = |ms: u64| {
            if times.iter().all(|ms| ms / DAY_MS == today) {
                format::clock(ms)
            } else {
                format::date_time(ms, &snapshot.zone())
            }
        };
        format!("{} to {}", text(times[0]), text(times[1]))
    };
    if figures.past.is_none() {
        let begins = snapshot.date_time(snapshot.oldest_tick * 1000);
        return format!(
            "{}: the history has nothing of it. It begins at {begins}, and this is the {}. ",
            times(asked),
            figures.window_text()
        );
    }
    let whole = |figures: &Figures| times(figures.seconds_of((0, figures.span().points - 1)));
    let earlier = match (&figures.earlier, figures.query.earlier) {
        (Some(earlier), _) => format!(" Dashed: {}.", whole(earlier)),
        (None, Some(earlier)) => format!(" The history has nothing of the {} before.", earlier.word()),
        (None, None) => String::new(),
    };
    format!("{}.{earlier} Findings, and what is open or in flight, are of now. ", whole(figures))
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::{RefreshQuery, RefreshResponse, Snapshot};

    #[test]
    fn the_neighbours_of_a_span_are_as_long() {
        assert_eq!((before((100, 160)), after((100, 160))), ((40, 100), (160, 220)));
        assert_eq!((before((10, 60)), after((0, u64::MAX))), ((0, 10), (u64::MAX, u64::MAX)));
    }

    #[test]
    fn a_span_is_told_with_dates_unless_it_is_of_today() {
        let day = 1_772_323_200;
        let snapshot = Snapshot {
            oldest_tick: day - 5_000,
            tick: day + 3_000,
            taken_at_unix_ms: (day + 3_000) * 1_000,
            ..Snapshot::default()
        };
        let figures = |past| {
            let answer = RefreshResponse { snapshot: snapshot.clone(), span: past, ..RefreshResponse::default() };
            Figures::new(RefreshQuery::default(), answer)
        };
        let today = words(&figures(Some((day + 1_200, day + 1_260))), (0, 1));
        assert_eq!(today, "00:20:00 to 00:21:00. Findings, and what is open or in flight, are of now. ");
        let earlier = words(&figures(Some((day - 600, day))), (0, 1));
        assert!(earlier.starts_with("2026-02-28 23:50:00 UTC to 2026-03-01 00:00:00 UTC."), "{earlier}");
        let none = words(&figures(None), (0, 60));
        assert!(
            none.starts_with("1970-01-01 00:00:00 UTC to 1970-01-01 00:01:00 UTC: the history has nothing"),
            "{none}"
        );
    }
}
