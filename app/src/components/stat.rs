//! Single figures: the golden four, and lists of facts.

use leptos::prelude::*;

use super::chart::{ChartData, sparkline};

/// One golden figure: its name, its value, what it speaks of, and its small line over the last fifteen minutes.
#[component]
pub(crate) fn Stat(
    label: &'static str,
    #[prop(into)] value: Signal<String>,
    /// Scope and age of the figure.
    #[prop(into)]
    detail: Signal<String>,
    #[prop(into)] line: Signal<ChartData>,
) -> impl IntoView {
    let drawing = Memo::new(move |_| line.with(sparkline));
    view! {
        <div class="stat">
            <h2>{label}</h2>
            <p class="value">{move || value.get()}</p>
            <p class="detail">{move || detail.get()}</p>
            <div class="sparkline" aria-hidden="true" inner_html=move || drawing.get()></div>
        </div>
    }
}

/// A list of facts: name, short value, and the exact value or a word of explanation as its title.
#[component]
pub(crate) fn Facts(#[prop(into)] facts: Signal<Vec<(&'static str, String, String)>>) -> impl IntoView {
    let row = |(name, value, title): (&'static str, String, String)| {
        view! {
            <div title=title>
                <dt>{name}</dt>
                <dd>{value}</dd>
            </div>
        }
    };
    view! { <dl class="facts">{move || facts.get().into_iter().map(row).collect_view()}</dl> }
}
