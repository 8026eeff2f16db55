//! What all charts of the page show: the window or a past span, and the marks in it.

use crate::{
    components::{ChartMark, ChartSpan},
    figures::Figures,
};

/// What the charts show: a past span, or the window that ends now.
pub(super) fn chart_span(figures: &Figures) -> ChartSpan {
    let (snapshot, span) = (&figures.snapshot, figures.span());
    let newest = span.points - 1;
    ChartSpan {
        span,
        is_past: figures.is_past(),
        started_ms: snapshot.wall_clock(snapshot.started_at_unix_ms),
        end_ms: match figures.past {
            // Where its last point begins.
            Some(_) => snapshot.in_zone(figures.seconds_of((newest, newest)).0 * 1000),
            None => snapshot.wall_clock(snapshot.taken_at_unix_ms),
        },
    }
}

/// The marks of what the charts show.
pub(super) fn chart_marks(figures: &Figures) -> Vec<ChartMark> {
    let (points, step) = (figures.span().points, figures.window().step_seconds());
    let newest = figures.newest_tick() / step;
    let placed = figures.marks.iter().filter_map(|mark| {
        let ago = newest.checked_sub(mark.at_unix_ms / 1000 / step)?;
        let index = (points - 1).checked_sub(usize::try_from(ago).ok()?)?;
        Some(ChartMark { index, kind: mark.kind, said: mark.text.clone() })
    });
    placed.collect()
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
        let placed = |past| {
            let marks = chart_marks(&Figures { past, ..figures.clone() });
            marks.into_iter().map(|mark| (mark.index, mark.said)).collect::<Vec<_>>()
        };
        let named =
            |marks: &[(usize, &str)]| marks.iter().map(|(at, said)| (*at, (*said).to_owned())).collect::<Vec<_>>();
        assert_eq!(placed(None), named(&[(0, "1000000"), (30, "1000030"), (59, "1000059")]));
        assert_eq!(placed(Some((1_000_020, 1_000_040))), named(&[(10, "1000030")]), "of a span alone");
    }
}
