//! What opens over the page, from pieces that come after it.

use leptos::{html, prelude::*};

use super::dialog_content::Dialog;
use crate::pages::chunks::{self, Chunk, Chunks};

/// The dialog that is open, over the page.
#[component]
pub(crate) fn Dialogs() -> impl IntoView {
    let open = expect_context::<RwSignal<Option<Dialog>>>();
    let chunks = expect_context::<Chunks>();
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
    let label = move || if open.get() == Some(Dialog::Find) { "Find" } else { "Keys" };
    let is_open = Memo::new(move |_| open.get().is_some());
    view! {
        <dialog node_ref=element aria-label=label on:close=move |_| open.set(None)>
            {move || (is_open.get() && chunks.has(Chunk::Dialogs)).then(chunks::dialogs)}
        </dialog>
    }
}
