//! What figures or columns mean, for those who cannot hover over them.

use leptos::prelude::*;

/// Names with what they mean, folded below what they belong to; nothing if there are none.
#[component]
pub(super) fn Hints(summary: &'static str, hints: Memo<Vec<(&'static str, String)>>) -> impl IntoView {
    let item = |(name, text): (&'static str, String)| {
        view! {
            <div>
                <dt>{name}</dt>
                <dd>{text}</dd>
            </div>
        }
    };
    let is_any = Memo::new(move |_| hints.with(|hints| !hints.is_empty()));
    move || {
        is_any.get().then(|| {
            view! {
                <details class="fold hints">
                    <summary>{summary}</summary>
                    <dl class="facts">{move || hints.get().into_iter().map(item).collect_view()}</dl>
                </details>
            }
        })
    }
}
