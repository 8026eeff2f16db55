//! The viewer's access: a session, which the page can end, or no login.

use leptos::prelude::*;

/// The access of the viewer. The server knows it, and writes it into the document for the browser.
struct Viewer {
    is_open: bool,
    sign_out: Option<String>,
}

impl Viewer {
    #[cfg(feature = "ssr")]
    fn of_page() -> Self {
        let page = use_context::<crate::page_request::PageRequest>().unwrap_or_default();
        Self { is_open: page.is_open, sign_out: page.sign_out }
    }

    #[cfg(not(feature = "ssr"))]
    fn of_page() -> Self {
        let attribute = |name| document().document_element().and_then(|html| html.get_attribute(name));
        Self { is_open: attribute("data-open").is_some(), sign_out: attribute("data-sign-out") }
    }
}

/// The button that ends the session; nothing without a session.
#[component]
pub(crate) fn SignOut() -> impl IntoView {
    Viewer::of_page().sign_out.map(|path| {
        view! {
            <form method="post" action=path>
                <button type="submit">"Sign out"</button>
            </form>
        }
    })
}

/// A note that the board needs no login; nothing if it needs one.
#[component]
pub(crate) fn OpenNote() -> impl IntoView {
    Viewer::of_page().is_open.then(|| view! { <span id="open">" Without a login: open to this machine alone."</span> })
}
