//! The crosshair and the time axis, which all charts of a page share.

use std::sync::Arc;

use leptos::prelude::*;
use watchboard_wire::{ShownSpan, Window, format};

/// Reads what the charts show. It is boxed, since a memo of a further type would
/// weigh some kilobytes in the bundle.
type ReadSpan = Arc<dyn Fn() -> ChartSpan + Send + Sync>;

/// The span of all charts of the page, by the wall clock.
#[derive(Clone, Copy)]
pub(crate) struct ChartSpan {
    pub(crate) span: ShownSpan,
    /// When the monitor was started.
    pub(crate) started_ms: u64,
    /// The time of the newest point.
    pub(crate) end_ms: u64,
}

/// The state that all charts of the page share: the point under the pointer, and what they show. The layout puts it into the
/// context.
#[derive(Clone)]
pub(crate) struct Crosshair {
    /// The index of a point, 0 the oldest; `None` while the pointer is on no chart.
    pub(in crate::components) index: RwSignal<Option<usize>>,
    pub(in crate::components) span: ReadSpan,
    /// Whether scripts run.
    pub(in crate::components) is_scripted: RwSignal<bool>,
}

impl Crosshair {
    pub(crate) fn provide(span: impl Fn() -> ChartSpan + Send + Sync + 'static) {
        let is_scripted = RwSignal::new(false);
        // Effects run in the browser alone.
        Effect::new(move |_| is_scripted.set(true));
        provide_context(Self { index: RwSignal::new(None), span: Arc::new(span), is_scripted });
    }
}

/// Moves the crosshair to the pointer.
pub(super) fn point_at(index: RwSignal<Option<usize>>, event: &leptos::ev::PointerEvent, points: usize) {
    let target: leptos::web_sys::HtmlElement = event_target(event);
    let width = f64::from(target.client_width()).max(1.0);
    let pointed = (f64::from(event.offset_x()) / width * (points - 1) as f64).round();
    index.set(Some((pointed.max(0.0) as usize).min(points - 1)));
}

/// Moves the crosshair by a key.
pub(super) fn step(index: RwSignal<Option<usize>>, event: &leptos::ev::KeyboardEvent, points: usize) {
    let by = match event.key().as_str() {
        "ArrowLeft" => -1,
        "ArrowRight" => 1,
        "Escape" => return index.set(None),
        _ => return,
    };
    event.prevent_default();
    let from = index.get_untracked().unwrap_or(points - 1);
    index.set(Some(from.saturating_add_signed(by).min(points - 1)));
}

/// The line at the crosshair, drawn over a chart.
#[component]
pub(crate) fn CrosshairLine() -> impl IntoView {
    let Crosshair { index, span, .. } = expect_context();
    let line = move || index.get().map(|index| view! { <line x1=index x2=index y1="0" y2="1" /> });
    let view_box = move || format!("0 0 {} 1", span().span.points - 1);
    view! { <svg class="crosshair" viewBox=view_box preserveAspectRatio="none" aria-hidden="true">{line}</svg> }
}

/// The times below a chart.
#[component]
pub(crate) fn TimeAxis() -> impl IntoView {
    let Crosshair { span, .. } = expect_context();
    let ticks = move || {
        let ChartSpan { span, started_ms, end_ms } = span();
        let tick = |tick: &str| view! { <span>{tick.to_owned()}</span> };
        if span.is_whole() {
            return words(span.window).iter().map(|word| tick(word)).collect_view();
        }
        // A young monitor: the axis begins about when it was started, or before.
        let seconds = span.seconds_before_now(0);
        let began = if end_ms.saturating_sub(started_ms) / 1000 + span.window.step_seconds() < seconds {
            format!("{} ago", format::span(seconds))
        } else {
            format!("started {}", format::clock(started_ms))
        };
        let half = format!("{} ago", format::span(seconds / 2));
        [began, half, "now".to_owned()].iter().map(|word| tick(word)).collect_view()
    };
    view! { <div class="x-axis" aria-hidden="true">{ticks}</div> }
}

/// The times of a whole window, evenly apart.
fn words(window: Window) -> &'static [&'static str] {
    match window {
        Window::Minute => &["60\u{a0}s ago", "40", "20", "now"],
        Window::FiveMinutes => &["5\u{a0}min ago", "4", "3", "2", "1", "now"],
        Window::FifteenMinutes => &["15\u{a0}min ago", "10", "5", "now"],
        Window::Hour => &["60\u{a0}min ago", "40", "20", "now"],
        Window::SixHours => &["6\u{a0}h ago", "4", "2", "now"],
        Window::Day => &["24\u{a0}h ago", "16", "8", "now"],
    }
}
