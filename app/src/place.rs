//! Which view the page shows, of which window, in which order: all of it in the URL's query. Every link is a real one, and
//! with scripts one listener follows them all without a reload.

mod query;
mod sort;

use leptos::prelude::*;

pub(crate) use sort::Sort;

use watchboard_wire::{Ask, FindingSubject, Part, Window};

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
}

/// What the URL says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Place {
    pub(crate) view: View,
    pub(crate) window: Window,
    /// The endpoint that is looked at, by its name.
    pub(crate) endpoint: Option<String>,
    pub(crate) sort: Sort,
    /// The smallest first.
    pub(crate) ascending: bool,
    /// Endpoints whose name holds this.
    pub(crate) filter: String,
    /// Every endpoint in one table: for pages without scripts, which cannot scroll further.
    pub(crate) all: bool,
}

impl Place {
    /// Another view, of the same window.
    pub(crate) fn to_view(&self, view: View) -> Self {
        Self { view, window: self.window, ..Self::default() }
    }

    /// The same of another window.
    pub(crate) fn to_window(&self, window: Window) -> Self {
        Self { window, ..self.clone() }
    }

    /// One endpoint, and by `back` to where this was.
    pub(crate) fn to_endpoint(&self, name: &str) -> Self {
        Self { view: View::Requests, endpoint: Some(name.to_owned()), ..self.clone() }
    }

    /// Where a finding can be looked at.
    pub(crate) fn to_finding(&self, about: &FindingSubject) -> Self {
        match about {
            FindingSubject::Requests => self.to_view(View::Requests),
            FindingSubject::Endpoint(name) => self.to_view(View::Requests).to_endpoint(name),
            FindingSubject::Memory => self.to_view(View::Memory),
            FindingSubject::Database => self.to_view(View::Database),
        }
    }

    /// All endpoints again.
    pub(crate) fn to_endpoints(&self) -> Self {
        Self { endpoint: None, ..self.clone() }
    }

    /// The requests, sorted by a column; by the same column once more, the other way round.
    pub(crate) fn to_sort(&self, sort: Sort) -> Self {
        let ascending = if self.sort == sort { !self.ascending } else { sort == Sort::Endpoint };
        Self { view: View::Requests, sort, ascending, ..self.clone() }
    }

    /// What this view asks of the server.
    pub(crate) fn ask(&self) -> Ask {
        let part = match (self.view, &self.endpoint) {
            (View::Overview, _) => Part::Overview,
            (View::Requests, None) => Part::Requests,
            (View::Requests, Some(name)) => Part::Endpoint(name.clone()),
            (View::Memory, _) => Part::Memory,
            (View::Database, _) => Part::Database,
        };
        Ask { window: self.window, part }
    }
}

/// The place of the URL, kept in step with it: forward, back, reload.
pub(crate) fn provide() -> RwSignal<Place> {
    let place = RwSignal::new(Place::from_query(&query()));
    provide_context(place);
    #[cfg(feature = "hydrate")]
    {
        let listener = window_event_listener_untyped("popstate", move |_| place.set(Place::from_query(&query())));
        let clicks = window_event_listener(leptos::ev::click, move |event| follow(&event, place));
        on_cleanup(move || {
            listener.remove();
            clicks.remove();
        });
    }
    place
}

/// The place of this page.
pub(crate) fn use_place() -> RwSignal<Place> {
    expect_context()
}

fn query() -> String {
    #[cfg(feature = "ssr")]
    return use_context::<crate::shell::PageRequest>().unwrap_or_default().query;
    #[cfg(feature = "hydrate")]
    return window().location().search().unwrap_or_default();
    #[cfg(not(any(feature = "ssr", feature = "hydrate")))]
    String::new()
}

/// Follows a plain click on a link of the page without a reload; one that asks for a new tab or window is the browser's.
#[cfg(feature = "hydrate")]
fn follow(event: &web_sys::MouseEvent, place: RwSignal<Place>) {
    use wasm_bindgen::JsCast;
    let plain = event.button() == 0 && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key());
    if !plain || event.default_prevented() {
        return;
    }
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let link = target.and_then(|target| target.closest("a[href^='?']").ok().flatten());
    if let Some(href) = link.and_then(|link| link.get_attribute("href")) {
        event.prevent_default();
        go(place, true, Place::from_query(&href));
    }
}

/// Goes to `to`, as a step that the way back leads over or in place of this one.
pub(crate) fn go(place: RwSignal<Place>, step: bool, to: Place) {
    if place.with_untracked(|place| *place == to) {
        return;
    }
    #[cfg(feature = "hydrate")]
    if let Ok(history) = window().history() {
        let (state, url) = (wasm_bindgen::JsValue::NULL, to.href());
        let _ = if step {
            history.push_state_with_url(&state, "", Some(&url))
        } else {
            history.replace_state_with_url(&state, "", Some(&url))
        };
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = step;
    place.set(to);
}
