//! A titled part of a page.

use leptos::prelude::*;

/// A card. Its title is a plain noun, and its note explains the figures in one line.
#[component]
pub(crate) fn Card<C: IntoView + 'static>(
    title: &'static str,
    #[prop(optional)] note: &'static str,
    /// Takes the whole width of the page.
    #[prop(optional)]
    wide: bool,
    children: TypedChildren<C>,
) -> impl IntoView {
    let id = title.to_ascii_lowercase().replace(' ', "-");
    view! {
        <section class="card" class:wide=wide id=id.clone() aria-labelledby=format!("{id}-title")>
            <h2 id=format!("{id}-title")>{title}</h2>
            {(!note.is_empty()).then(|| view! { <p class="note">{note}</p> })}
            {children.into_inner()()}
        </section>
    }
}
