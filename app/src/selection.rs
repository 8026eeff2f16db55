//! The selection: the view, its window and its order. The URL's query holds all of it. Every link is a real link, and with
//! scripts one listener follows all links without a reload.

#[cfg(feature = "hydrate")]
mod elements;
mod navigation;
#[cfg(feature = "hydrate")]
mod place;
mod query;
mod sort;
#[cfg(feature = "hydrate")]
mod viewer_state;

use watchboard_wire::{EarlierSpan, FindingSubject, InstanceScope, Part, RefreshQuery, Window};

pub(crate) use navigation::{navigate, provide, use_selection};
pub(crate) use sort::{ColumnSet, Sort};
#[cfg(feature = "hydrate")]
pub(crate) use viewer_state::keep_viewer_state;

/// The views of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum View {
    #[default]
    Overview,
    Requests,
    Memory,
    Database,
    /// The instances of the fleet.
    Instances,
}

impl View {
    pub(crate) const ALL: [Self; 5] = [Self::Overview, Self::Requests, Self::Memory, Self::Database, Self::Instances];

    /// Its word in the query and in the navigation.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Requests => "requests",
            Self::Memory => "memory",
            Self::Database => "database",
            Self::Instances => "instances",
        }
    }
}

/// The contents of the URL's query.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Selection {
    pub(crate) view: View,
    pub(crate) window: Window,
    /// The name of the endpoint that the page shows.
    pub(crate) endpoint: Option<String>,
    pub(crate) sort: Sort,
    /// The columns of the endpoints' table.
    pub(crate) columns: ColumnSet,
    /// Whether the smallest comes first.
    pub(crate) ascending: bool,
    /// The text that the names of endpoints must contain.
    pub(crate) filter: String,
    /// Whether one table has every endpoint. Pages without scripts need it, because they cannot load more rows.
    pub(crate) all: bool,
    /// Whether the page is for a screen on a wall: larger figures, no controls.
    pub(crate) wall: bool,
    /// The span of the past that the page shows, from one Unix second to another; `None` for the window that ends now.
    pub(crate) span: Option<(u64, u64)>,
    /// The earlier span that is laid under the past one.
    pub(crate) earlier: Option<EarlierSpan>,
    /// Whose figures the page shows.
    pub(crate) scope: InstanceScope,
    /// What the map of the instances shows, by its word.
    pub(crate) heat: String,
    /// The request in the drawer, by its key or its id.
    pub(crate) request: Option<String>,
    /// What the URL asks for that the page does not know, in a sentence.
    pub(crate) unknown: Option<String>,
}

impl Selection {
    /// Another view of the same window.
    pub(crate) fn to_view(&self, view: View) -> Self {
        let Self { window, wall, span, earlier, ref scope, .. } = *self;
        Self { view, window, wall, span, earlier, scope: scope.clone(), ..Self::default() }
    }

    /// The same view of other instances. An endpoint is of all of them, a request of one.
    pub(crate) fn to_scope(&self, scope: InstanceScope) -> Self {
        Self { scope, request: None, unknown: None, ..self.clone() }
    }

    /// The same view of another window.
    pub(crate) fn to_window(&self, window: Window) -> Self {
        Self { window, ..self.to_span(None) }
    }

    /// The same view of a past span, or of the window that ends now.
    pub(crate) fn to_span(&self, span: Option<(u64, u64)>) -> Self {
        Self { span, earlier: self.earlier.filter(|_| span.is_some()), unknown: None, ..self.clone() }
    }

    /// The same span with an earlier one under it, or alone. The table shows the changes.
    pub(crate) fn to_earlier(&self, earlier: Option<EarlierSpan>) -> Self {
        let columns = if earlier.is_some() { ColumnSet::Change } else { ColumnSet::default() };
        Self { earlier, ..self.to_columns(columns) }
    }

    /// An endpoint. The way back leads to this selection.
    pub(crate) fn to_endpoint(&self, name: &str) -> Self {
        Self { view: View::Requests, endpoint: Some(name.to_owned()), request: None, unknown: None, ..self.clone() }
    }

    /// The view that shows the subject of a finding.
    pub(crate) fn to_finding(&self, about: &FindingSubject) -> Self {
        match about {
            FindingSubject::Requests => self.to_view(View::Requests),
            FindingSubject::Endpoint(name) => self.to_view(View::Requests).to_endpoint(name),
            FindingSubject::Memory => self.to_view(View::Memory),
            FindingSubject::Database => self.to_view(View::Database),
            FindingSubject::Instance(name) => self.to_view(View::Overview).to_scope(InstanceScope::One(name.clone())),
        }
    }

    /// The list of all endpoints.
    pub(crate) fn to_endpoints(&self) -> Self {
        Self { endpoint: None, request: None, unknown: None, ..self.clone() }
    }

    /// The same view with a request in the drawer.
    pub(crate) fn to_request(&self, key: String) -> Self {
        Self { request: Some(key), unknown: None, ..self.clone() }
    }

    /// The same view without the drawer.
    pub(crate) fn without_request(&self) -> Self {
        Self { request: None, unknown: None, ..self.clone() }
    }

    /// The requests sorted by a column. The current column reverses its order.
    pub(crate) fn to_sort(&self, sort: Sort) -> Self {
        let ascending = if self.sort == sort { !self.ascending } else { sort == Sort::Endpoint };
        let columns = self.columns.that_shows(sort);
        Self { view: View::Requests, sort, columns, ascending, unknown: None, ..self.clone() }
    }

    /// The requests with a set of columns, in the same order if the set shows it.
    pub(crate) fn to_columns(&self, columns: ColumnSet) -> Self {
        let (sort, ascending) =
            if columns.shows(self.sort) { (self.sort, self.ascending) } else { (columns.own_sort(), false) };
        Self { columns, sort, ascending, unknown: None, ..self.clone() }
    }

    /// The question that this view asks the server.
    pub(crate) fn refresh_query(&self) -> RefreshQuery {
        let part = match (self.view, &self.endpoint) {
            (View::Overview, _) => Part::Overview,
            (View::Requests, None) => Part::Requests,
            (View::Requests, Some(name)) => Part::Endpoint(name.clone()),
            (View::Memory, _) => Part::Memory,
            (View::Database, _) => Part::Database,
            (View::Instances, _) => Part::Instances,
        };
        RefreshQuery { window: self.window, part, span: self.span, earlier: self.earlier, scope: self.scope.clone() }
    }
}
