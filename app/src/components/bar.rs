//! Bars: usage of a limit, and a whole in parts. Widths are SVG attributes, because the page's policy forbids inline
//! styles.

use leptos::prelude::*;
use watchboard_wire::{Reading, Unit, format};

use super::table::unknown_reason;

/// From these percentages of a limit on a bar is marked as tight, and as full.
pub(crate) const TIGHT_PERCENT: f64 = 80.0;
pub(crate) const FULL_PERCENT: f64 = 95.0;

/// The usage of a limit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Usage {
    /// In words: `34 MiB of 2 GiB`.
    pub(crate) text: String,
    /// `None` without a limit.
    pub(crate) percent: Option<f64>,
}

/// A bar from zero to a limit, below its name and value.
#[component]
pub(crate) fn Bar(label: &'static str, usage: Memo<Reading<Usage>>) -> impl IntoView {
    let percent =
        Memo::new(move |_| usage.with(|usage| usage.as_ref().ok().and_then(|usage| usage.percent).unwrap_or(0.0)));
    let text = Memo::new(move |_| {
        usage.with(|usage| usage.as_ref().map_or_else(ToString::to_string, |usage| usage.text.clone()))
    });
    let class = move || match percent.get() {
        percent if percent >= FULL_PERCENT => "bar full",
        percent if percent >= TIGHT_PERCENT => "bar tight",
        _ => "bar",
    };
    view! {
        <p class="bar-label">
            <span>{label}</span>
            <b>{text}</b>
        </p>
        <svg class=class role="img" aria-label=move || format!("{label}: {}", format::percent(percent.get()))>
            <rect class="used" height="100%" width=move || width(percent.get()) />
        </svg>
    }
}

/// A part of a whole: its name, its size, and an explanation or an empty text.
pub(crate) type Slice = (&'static str, f64, &'static str);

/// A whole in parts that add up to it, with a legend.
#[component]
pub(crate) fn StackedBar(
    label: &'static str,
    parts: Memo<Reading<Vec<Slice>>>,
    #[prop(default = Unit::Bytes)] unit: Unit,
) -> impl IntoView {
    let whole = move || parts.with(|parts| parts.iter().flatten().map(|(_, value, _)| value).sum::<f64>());
    let total = Memo::new(move |_| if parts.with(Result::is_ok) { unit.text(whole()) } else { String::new() });
    // Text and not elements: it is as short, and the charts need its code anyway.
    let rects = move || {
        let mut from = 0.0;
        let rect = |(index, (_, value, _)): (usize, Slice)| {
            let (start, share) = (from, 100.0 * value / whole().max(1.0));
            from += share;
            let class = PARTS[index % PARTS.len()];
            format!("<rect class=\"{class}\" height=\"100%\" x=\"{}\" width=\"{}\"/>", width(start), width(share))
        };
        parts.get().unwrap_or_default().into_iter().enumerate().map(rect).collect::<String>()
    };
    let legend = move || {
        let item = |(index, (name, value, note)): (usize, Slice)| {
            let share = format!("{:.1}\u{a0}%", 100.0 * value / whole().max(1.0));
            view! {
                <li class:explained=!note.is_empty() title=exact(unit, value)>
                    <svg class="swatch" aria-hidden="true">
                        <rect class=PARTS[index % PARTS.len()] width="100%" height="100%" />
                    </svg>
                    {name}
                    <b>{unit.text(value)}</b>
                    <span class="share">{share}</span>
                    {(!note.is_empty()).then(|| view! { <span class="what">{note}</span> })}
                </li>
            }
        };
        parts.get().unwrap_or_default().into_iter().enumerate().map(item).collect_view()
    };
    view! {
        <p class="bar-label">
            <span>{label}</span>
            <b>{total}</b>
        </p>
        <svg class="bar stacked" role="img" aria-label=format!("{label} in parts") inner_html=rects></svg>
        <ul class="legend">{legend}</ul>
        <p class="unknown">{unknown_reason(parts)}</p>
    }
}

/// All digits of a part.
fn exact(unit: Unit, value: f64) -> String {
    format!("{}\u{a0}{}", format::exact(value as u64), if unit == Unit::Bytes { "bytes" } else { "µs" })
}

/// The classes of a whole's parts.
const PARTS: [&str; 5] = ["part-1", "part-2", "part-3", "part-4", "part-5"];

fn width(percent: f64) -> String {
    format!("{:.2}%", percent.clamp(0.0, 100.0))
}
