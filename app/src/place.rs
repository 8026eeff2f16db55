//! Which view the page shows, of which window, in which order: all of it in the URL's query. Every link is a real one, and
//! with scripts one listener follows them all without a reload.

mod navigation;
mod query;
mod sort;

use watchboard_wire::{Ask, FindingSubject, Part, Window};

pub(crate) use navigation::{navigate, provide, use_place};
pub(crate) use sort::Sort;

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
