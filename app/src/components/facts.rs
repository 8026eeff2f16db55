//! Lists of facts: names with short values.

use leptos::prelude::*;
use watchboard_wire::Reading;

use super::table::unknown_reason;

/// A fact: its name, its short value, and the exact value or an explanation.
pub(crate) type Fact = (&'static str, String, String);

/// A list of facts, or the reason why there is none.
#[component]
pub(crate) fn Facts(
    facts: Memo<Reading<Vec<Fact>>>,
    /// Shows only those of the first so many that are not zero, and folds the whole list below them.
    #[prop(default = None)]
    lead: Option<usize>,
) -> impl IntoView {
    let items = move |lead: Option<usize>| {
        let item = |(name, value, title): Fact| {
            view! {
                <div title=title>
                    <dt>{name}</dt>
                    <dd>{value}</dd>
                </div>
            }
        };
        let is_shown = |(at, fact): &(usize, Fact)| lead.is_none_or(|lead| *at < lead && !is_zero(&fact.1));
        let facts = facts.get().unwrap_or_default().into_iter().enumerate();
        facts.filter(is_shown).map(|(_, fact)| item(fact)).collect_view()
    };
    let all = move || {
        view! {
            <details class="fold">
                <summary>"All fields"</summary>
                <dl class="facts">{move || items(None)}</dl>
            </details>
        }
    };
    view! {
        <dl class="facts">{move || items(lead)}</dl>
        {lead.map(|_| all())}
        <p class="unknown">{unknown_reason(facts)}</p>
    }
}

/// Whether a value says nothing: zero in any unit, or unknown.
fn is_zero(value: &str) -> bool {
    matches!(value.split('\u{a0}').next(), Some("0" | "–"))
}

#[cfg(test)]
mod tests {
    use super::is_zero;
    use watchboard_wire::format;

    #[test]
    fn zero_is_zero_in_any_unit() {
        let zeros =
            [format::bytes(0.0), format::percent(0.0), format::per_second(0.0), format::exact(0), "–".to_owned()];
        assert!(zeros.iter().all(|zero| is_zero(zero)), "{zeros:?}");
        let others = [format::bytes(0.5), format::percent(10.0), format::exact(20), "none".to_owned()];
        assert!(!others.iter().any(|other| is_zero(other)), "{others:?}");
    }
}
