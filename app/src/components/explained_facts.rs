//! Facts with what they mean below them. Its code comes with the views that have it.

use leptos::prelude::*;
use watchboard_wire::Reading;

use super::{
    facts::{Fact, Facts},
    hints::Hints,
};

/// A list of facts, and what they mean for those who cannot hover over them.
#[component]
pub(crate) fn ExplainedFacts(
    facts: Memo<Reading<Vec<Fact>>>,
    /// As that of [`Facts`].
    #[prop(optional)]
    lead: Option<usize>,
) -> impl IntoView {
    let hints = Memo::new(move |_| {
        let facts = facts.get().unwrap_or_default().into_iter();
        facts.filter(|(_, _, title)| is_explanation(title)).map(|(name, _, title)| (name, title)).collect::<Vec<_>>()
    });
    view! {
        <Facts facts lead />
        <Hints summary="What the figures mean" hints />
    }
}

/// Whether the title of a fact explains it. Others are all digits of the value, with its unit.
fn is_explanation(title: &str) -> bool {
    title.split(' ').filter(|word| word.chars().all(char::is_alphabetic)).nth(1).is_some()
}

#[cfg(test)]
mod tests {
    use super::is_explanation;

    #[test]
    fn words_explain_and_digits_do_not() {
        assert!(is_explanation("half were at most this slow") && is_explanation("1 in all, sent to the database"));
        assert!(!is_explanation("12\u{202f}345 bytes") && !is_explanation("5\u{a0}µs") && !is_explanation(""));
    }
}
