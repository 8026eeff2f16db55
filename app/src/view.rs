//! Which view the page shows: the `view` of the URL's query. Every link is a real one; with scripts it also goes without a reload.

use leptos::prelude::*;

/// The views of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum View {
    #[default]
    Overview,
    Requests,
    Memory,
    Database,
}

impl View {
    pub(crate) const ALL: [Self; 4] = [Self::Overview, Self::Requests, Self::Memory, Self::Database];

    /// Its word in the query and in the navigation.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Requests => "requests",
            Self::Memory => "memory",
            Self::Database => "database",
        }
    }

    /// Where it is, relative to the page.
    pub(crate) fn href(self) -> String {
        format!("?view={}", self.word())
    }

    /// The view that a query names; the overview where it names none.
    pub(crate) fn from_query(query: &str) -> Self {
        query
            .trim_start_matches('?')
            .split('&')
            .find_map(|pair| pair.strip_prefix("view="))
            .and_then(|word| Self::ALL.into_iter().find(|view| view.word() == word))
            .unwrap_or_default()
    }
}

/// The view of the URL, kept in step with it: forward, back, reload.
pub(crate) fn provide() -> RwSignal<View> {
    let view = RwSignal::new(View::from_query(&query()));
    #[cfg(feature = "hydrate")]
    {
        let listener = window_event_listener(leptos::ev::popstate, move |_| view.set(View::from_query(&query())));
        on_cleanup(move || listener.remove());
    }
    view
}

fn query() -> String {
    #[cfg(feature = "ssr")]
    return use_context::<crate::shell::PageRequest>().unwrap_or_default().query;
    #[cfg(feature = "hydrate")]
    return window().location().search().unwrap_or_default();
    #[cfg(not(any(feature = "ssr", feature = "hydrate")))]
    String::new()
}

/// Goes to `to` on a plain click; one that asks for a new tab or window is the browser's.
pub(crate) fn follow(event: &leptos::ev::MouseEvent, view: RwSignal<View>, to: View) {
    if event.button() != 0 || event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key() {
        return;
    }
    event.prevent_default();
    if view.get_untracked() != to {
        #[cfg(feature = "hydrate")]
        if let Ok(history) = window().history() {
            let _ = history.push_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&to.href()));
        }
        view.set(to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_names_the_view() {
        assert_eq!(View::from_query("?view=memory"), View::Memory);
        assert_eq!(View::from_query("window=5&view=requests"), View::Requests);
        assert_eq!(View::from_query(""), View::Overview);
        assert_eq!(View::from_query("?view=<script>"), View::Overview);
    }
}
