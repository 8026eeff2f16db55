//! Links to what the view shows, as files.

use leptos::prelude::*;

use crate::selection::use_selection;

/// The links. They lead to the server, which answers with a download.
#[component]
pub(crate) fn ExportLinks() -> impl IntoView {
    let selection = use_selection();
    let link = |format: &'static str| {
        let base = base();
        move || selection.with(|selection| [&base, "/export", &selection.href(), "&format=", format].concat())
    };
    view! {
        <p class="more">
            "The figures of this view: " <a href=link("csv") download="">"CSV"</a> ", " <a href=link("json") download="">"JSON"</a>
            ". All views in a file for a report: " <a href=link("html") download="">"HTML"</a>
        </p>
    }
}

/// The address of the board, without a slash at its end.
fn base() -> String {
    #[cfg(feature = "hydrate")]
    return leptos::server_fn::client::get_server_url().to_owned();
    #[cfg(not(feature = "hydrate"))]
    use_context::<crate::page_request::PageRequest>().unwrap_or_default().base
}
