//! What opens over the page, from pieces that come after it.

use leptos::wasm_bindgen::JsCast;
use leptos::{either::EitherOf3, html, prelude::*};

use super::dialog_content::Dialog;
use crate::{
    context::context,
    pages::chunks::{self, Chunk, Chunks},
};

/// The dialog that is open, over the page.
#[component]
pub(crate) fn Dialogs() -> impl IntoView {
    let open = context::<RwSignal<Option<Dialog>>>();
    let chunks = context::<Chunks>();
    let element = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let is_open = open.get().is_some();
        let Some(dialog) = element.get() else { return };
        // A dialog that is open already stays.
        if is_open && !dialog.open() {
            let _ = dialog.show_modal();
        } else if !is_open {
            dialog.close();
        }
    });
    let is_there = move || open.get().is_some() && chunks.has(Chunk::Dialogs);
    // What comes into a dialog that is open has no focus yet.
    Effect::new(move |_| {
        if is_there() {
            request_animation_frame(|| {
                let field = document().query_selector("dialog [autofocus]").ok().flatten();
                let field = field.and_then(|field| field.dyn_into::<leptos::web_sys::HtmlElement>().ok());
                field.map(|field| field.focus());
            });
        }
    });
    let label = move || if open.get() == Some(Dialog::Find) { "Find" } else { "Keys" };
    let is_open = Memo::new(move |_| open.get().is_some());
    view! {
        <dialog node_ref=element aria-label=label on:close=move |_| open.set(None)>
            {move || match (is_open.get(), chunks.has(Chunk::Dialogs)) {
                (false, _) => EitherOf3::A(()),
                (true, true) => EitherOf3::B(chunks::dialogs()),
                (true, false) => EitherOf3::C(view! { <p class="unknown">"Loading. Esc closes it."</p> }),
            }}
        </dialog>
    }
}
