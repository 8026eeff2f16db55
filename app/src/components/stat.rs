//! The large figures at the top of a view.

use leptos::prelude::*;

/// One of them: its name, its value, its scope, and its small line over the window.
#[component]
pub(crate) fn StatTile(
    label: Memo<String>,
    value: Memo<String>,
    /// Scope and age of the figure.
    detail: Memo<String>,
    /// Its change, below the detail.
    #[prop(optional, into)]
    change: Option<Memo<String>>,
    /// The drawing of the line.
    line: Memo<String>,
    /// How bad the value is: `warn`, `bad`, or nothing.
    tone: Memo<String>,
) -> impl IntoView {
    view! {
        <div class="stat">
            <h2>{label}</h2>
            <p class=move || format!("value {}", tone.get())>{value}</p>
            <p class="detail">{detail}</p>
            {change.map(|change| view! { <p class="detail change">{change}</p> })}
            <div class="sparkline" aria-hidden="true" inner_html=move || line.get()></div>
        </div>
    }
}
