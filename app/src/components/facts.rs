//! Lists of facts: names with short values.

use leptos::prelude::*;
use watchboard_wire::Reading;

use super::table::unknown_reason;

/// A fact: its name, its short value, and the exact value or an explanation.
pub(crate) type Fact = (&'static str, String, String);

/// A list of facts, or the reason why there is none.
#[component]
pub(crate) fn Facts(facts: Memo<Reading<Vec<Fact>>>) -> impl IntoView {
    let items = move || {
        let item = |(name, value, title): Fact| {
            view! {
                <div title=title>
                    <dt>{name}</dt>
                    <dd>{value}</dd>
                </div>
            }
        };
        facts.get().unwrap_or_default().into_iter().map(item).collect_view()
    };
    view! {
        <dl class="facts">{items}</dl>
        <p class="unknown">{unknown_reason(facts)}</p>
    }
}
