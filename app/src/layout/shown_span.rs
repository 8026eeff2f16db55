//! What all charts of the page show: the window or a span of it, and the marks in it.

use leptos::prelude::*;
use watchboard_wire::ShownSpan;

use crate::{
    components::{ChartMark, ChartSpan},
    figures::Figures,
    selection::Selection,
};

/// What the charts show: the span of the URL, or all of the window.
pub(super) fn chart_span(figures: &Figures, span: Option<(u64, u64)>) -> ChartSpan {
    let snapshot = &figures.snapshot;
    let whole = ChartSpan {
        span: figures.span(),
        hidden: None,
        started_ms: snapshot.wall_clock(snapshot.started_at_unix_ms),
        end_ms: snapshot.wall_clock(snapshot.taken_at_unix_ms),
    };
    let Some((first, last)) = span.and_then(|span| figures.points_of(span)) else { return whole };
    ChartSpan {
        span: ShownSpan { points: last + 1 - first, ..whole.span },
        hidden: Some(whole.span.points - 1 - last),
        // Where its last point begins.
        end_ms: snapshot.in_zone(figures.seconds_of((last, last)).0 * 1000),
        ..whole
    }
}

/// The marks of what the charts show.
pub(super) fn chart_marks(figures: &Figures, span: Option<(u64, u64)>) -> Vec<ChartMark> {
    let (whole, step) = (figures.span().points, figures.window().step_seconds());
    let (first, last) = span.and_then(|span| figures.points_of(span)).unwrap_or((0, whole - 1));
    let now = figures.snapshot.tick / step;
    let placed = figures.marks.iter().filter_map(|mark| {
        let ago = now.saturating_sub(mark.at_unix_ms / 1000 / step) as usize;
        let index = (whole - 1).checked_sub(ago).filter(|index| (first..=last).contains(index))? - first;
        Some(ChartMark { index, kind: mark.kind, said: mark.text.clone() })
    });
    placed.collect()
}

/// Points of the charts as points of the window.
pub(super) fn offset(
    figures: &Figures,
    selection: RwSignal<Selection>,
    (first, last): (usize, usize),
) -> (usize, usize) {
    let shown = selection.with_untracked(|selection| selection.span).and_then(|span| figures.points_of(span));
    let before = shown.map_or(0, |(first, _)| first);
    (before + first, before + last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::{Mark, RefreshQuery, RefreshResponse, Snapshot, Timeline, Window};

    #[test]
    fn a_mark_stands_at_the_point_of_its_time() {
        let snapshot = Snapshot { tick: 1_000_059, oldest_tick: 0, ..Snapshot::default() };
        let mark = |second: u64| Mark { at_unix_ms: second * 1_000 + 999, text: second.to_string(), ..Mark::default() };
        let marks = Some([999_000, 1_000_000, 1_000_030, 1_000_059].map(mark).to_vec());
        let timeline = Timeline { window: Window::Minute, ..Timeline::default() };
        let first = RefreshResponse { snapshot, marks, timeline, ..RefreshResponse::default() };
        let figures = Figures::new(RefreshQuery { window: Window::Minute, ..RefreshQuery::default() }, first);
        let placed = |span| {
            let marks = chart_marks(&figures, span);
            marks.into_iter().map(|mark| (mark.index, mark.said)).collect::<Vec<_>>()
        };
        let named =
            |marks: &[(usize, &str)]| marks.iter().map(|(at, said)| (*at, (*said).to_owned())).collect::<Vec<_>>();
        assert_eq!(placed(None), named(&[(0, "1000000"), (30, "1000030"), (59, "1000059")]));
        assert_eq!(placed(Some((1_000_020, 1_000_040))), named(&[(10, "1000030")]), "of a span alone");
    }
}
