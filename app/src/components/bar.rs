//! Usage against a limit, and a whole in parts. Widths are attributes of SVG: the page's policy forbids inline styles.

use leptos::prelude::*;

use crate::format;

/// Past these percentages of a limit a bar asks for attention, and for action.
const TIGHT_PERCENT: f64 = 80.0;
const FULL_PERCENT: f64 = 95.0;

/// A bar from nothing to a limit.
#[component]
pub(crate) fn Bar(label: &'static str, #[prop(into)] percent: Signal<f64>) -> impl IntoView {
    let level = move || match percent.get() {
        percent if percent >= FULL_PERCENT => "bar full",
        percent if percent >= TIGHT_PERCENT => "bar tight",
        _ => "bar",
    };
    let text = move || format::percent(percent.get());
    view! {
        <svg class=level role="img" aria-label=move || format!("{label}: {}", text())>
            <rect class="used" height="100%" width=move || format!("{:.2}%", percent.get().clamp(0.0, 100.0)) />
        </svg>
    }
}

/// A whole in parts that add up to it, with a legend.
#[component]
pub(crate) fn StackedBar(label: &'static str, #[prop(into)] parts: Signal<Vec<(&'static str, f64)>>) -> impl IntoView {
    let shares = Memo::new(move |_| {
        let parts = parts.get();
        let whole = parts.iter().map(|(_, value)| value).sum::<f64>().max(f64::MIN_POSITIVE);
        let mut from = 0.0;
        parts
            .into_iter()
            .enumerate()
            .map(|(index, (name, value))| {
                let (start, width) = (from, 100.0 * value / whole);
                from += width;
                (index + 1, name, value, start, width)
            })
            .collect::<Vec<_>>()
    });
    let rects = move || {
        shares.get().into_iter().map(|(part, _, _, start, width)| view! {
            <rect class=format!("part-{part}") height="100%" x=format!("{start:.3}%") width=format!("{width:.3}%") />
        }).collect_view()
    };
    let legend = move || {
        shares.get().into_iter().map(|(part, name, value, _, width)| view! {
            <li title=format!("{} bytes", format::exact(value as u64))>
                <svg class="swatch" aria-hidden="true"><rect class=format!("part-{part}") width="100%" height="100%" /></svg>
                {name}
                <b>{format::bytes(value)}</b>
                <span class="share">{format!("{width:.1}\u{a0}%")}</span>
            </li>
        }).collect_view()
    };
    view! {
        <svg class="bar stacked" role="img" aria-label=label>{rects}</svg>
        <ul class="legend">{legend}</ul>
    }
}
