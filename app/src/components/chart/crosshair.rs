//! The span and the crosshair, which all charts of a page share.

use std::sync::Arc;

use crate::context::context;
use leptos::prelude::*;
use watchboard_wire::{MarkKind, ShownSpan, format};

/// Reads what the charts show. It is boxed, since a memo of a further type would
/// weigh some kilobytes in the bundle.
type ReadSpan = Arc<dyn Fn() -> ChartSpan + Send + Sync>;

/// Chooses what the charts show: the points from one index to another, or all.
type ChooseSpan = Arc<dyn Fn(Option<(usize, usize)>) + Send + Sync>;

/// The span of all charts of the page, by the wall clock.
#[derive(Clone, Copy)]
pub(crate) struct ChartSpan {
    pub(crate) span: ShownSpan,
    /// Whether it ended before now.
    pub(crate) is_past: bool,
    /// When the monitor was started.
    pub(crate) started_ms: u64,
    /// The time of the newest point.
    pub(crate) end_ms: u64,
}

impl ChartSpan {
    /// The time of day of the point of an index, 0 the oldest.
    pub(in crate::components) fn clock(&self, index: usize) -> String {
        let at_ms = self.end_ms.saturating_sub(self.span.seconds_before_now(index) * 1000);
        let clock = format::clock(at_ms);
        if self.span.window.is_of_days() { format!("{}, {clock}", format::day(at_ms)) } else { clock }
    }
}

/// A mark where all charts have it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ChartMark {
    /// The index of its point, 0 the oldest.
    pub(crate) index: usize,
    pub(crate) kind: MarkKind,
    pub(crate) said: String,
}

/// The state that all charts of the page share: the marks, the point under the pointer, and what they show. The layout puts it into the
/// context.
#[derive(Clone)]
pub(crate) struct Crosshair {
    /// The index of a point, 0 the oldest; `None` while the pointer is on no chart.
    pub(in crate::components) index: RwSignal<Option<usize>>,
    pub(in crate::components) span: ReadSpan,
    pub(super) marks: Memo<Vec<ChartMark>>,
    /// The other end of a span that the viewer chooses.
    anchor: RwSignal<Option<usize>>,
    choose: ChooseSpan,
    /// Whether scripts run.
    pub(in crate::components) is_scripted: RwSignal<bool>,
}

impl Crosshair {
    pub(crate) fn provide(
        span: impl Fn() -> ChartSpan + Send + Sync + 'static,
        marks: Memo<Vec<ChartMark>>,
        choose: impl Fn(Option<(usize, usize)>) + Send + Sync + 'static,
    ) {
        let is_scripted = RwSignal::new(false);
        // Effects run in the browser alone.
        Effect::new(move |_| is_scripted.set(true));
        let (index, anchor) = (RwSignal::new(None), RwSignal::new(None));
        provide_context(Self { index, span: Arc::new(span), marks, anchor, choose: Arc::new(choose), is_scripted });
    }

    /// Leaves the chart.
    pub(super) fn leave(&self) {
        self.index.set(None);
        self.anchor.set(None);
    }

    /// Begins to choose a span. A finger scrolls the page instead.
    pub(super) fn press(&self, event: &leptos::ev::PointerEvent) {
        if event.button() == 0 && event.pointer_type() != "touch" {
            let target: leptos::web_sys::HtmlElement = event_target(event);
            // Without it a span ends where the pointer leaves the chart.
            let _ = target.set_pointer_capture(event.pointer_id());
            self.anchor.set(self.index.get_untracked());
        }
    }

    /// Shows the span from the anchor to the crosshair, if it is one.
    pub(super) fn release(&self) {
        let ends = self.anchor.get_untracked().zip(self.index.get_untracked());
        self.anchor.set(None);
        let Some((from, to)) = ends.filter(|(from, to)| from != to) else { return };
        self.index.set(None);
        (self.choose)(Some((from.min(to), from.max(to))));
    }

    /// Moves the crosshair by a key. With Shift the span from where it was is chosen, which Enter shows.
    pub(super) fn step(&self, event: &leptos::ev::KeyboardEvent, points: usize) {
        let index = self.index.get_untracked();
        let by = match event.key().as_str() {
            "ArrowLeft" => -1,
            "ArrowRight" => 1,
            "Home" => -points.cast_signed(),
            "End" => points.cast_signed(),
            "Enter" => return self.release(),
            "Escape" if self.anchor.get_untracked().is_some() => {
                event.stop_propagation();
                return self.anchor.set(None);
            }
            "Escape" if (self.span)().is_past => {
                event.stop_propagation();
                return (self.choose)(None);
            }
            "Escape" => return self.index.set(None),
            _ => return,
        };
        event.prevent_default();
        let from = index.unwrap_or(points - 1);
        if !event.shift_key() {
            self.anchor.set(None);
        } else if self.anchor.get_untracked().is_none() {
            self.anchor.set(Some(from));
        }
        self.index.set(Some(from.saturating_add_signed(by).min(points - 1)));
    }
}

/// Moves the crosshair to the pointer.
pub(super) fn point_at(index: RwSignal<Option<usize>>, event: &leptos::ev::PointerEvent, points: usize) {
    let target: leptos::web_sys::HtmlElement = event_target(event);
    let width = f64::from(target.client_width()).max(1.0);
    let pointed = (f64::from(event.offset_x()) / width * (points - 1) as f64).round();
    index.set(Some((pointed.max(0.0) as usize).min(points - 1)));
}

/// The marks, the line at the crosshair and the span that is being chosen, drawn over a chart.
#[component]
pub(crate) fn CrosshairLine() -> impl IntoView {
    let Crosshair { index, span, marks, anchor, .. } = context();
    // Text and not elements, as of drawings.
    let line = |at: usize, class: &str| format!("<line class=\"{class}\" x1=\"{at}\" x2=\"{at}\" y2=\"1\"/>");
    let lines = move || {
        let marks: String = marks.with(|marks| marks.iter().map(|mark| line(mark.index, mark.kind.word())).collect());
        let Some(at) = index.get() else { return marks };
        let from = anchor.get().unwrap_or(at);
        let (x, width) = (from.min(at), from.abs_diff(at));
        format!("{marks}<rect x=\"{x}\" width=\"{width}\" height=\"1\"/>{}", line(at, "at"))
    };
    let view_box = move || format!("0 0 {} 1", span().span.points - 1);
    view! { <svg class="crosshair" viewBox=view_box preserveAspectRatio="none" aria-hidden="true" inner_html=lines></svg> }
}
