//! A selection as the query of a URL, and back. A missing value becomes the default. So does an unknown one, and the page says so.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use watchboard_wire::{EarlierSpan, InstanceScope, Window};

use super::{ColumnSet, Selection, Sort, View};

impl Selection {
    /// Its link, relative to the page.
    pub(crate) fn href(&self) -> String {
        let default = Self::default();
        let mut href = format!("?view={}", self.view.word());
        let mut add = |name: &str, value: &str, differs: bool| {
            if differs {
                href.extend(["&", name, "="]);
                utf8_percent_encode(value, RESERVED).for_each(|part| href.push_str(part));
            }
        };
        add("window", self.window.word(), self.window != default.window);
        add("endpoint", self.endpoint.as_deref().unwrap_or_default(), self.endpoint.is_some());
        add("sort", self.sort.word(), self.sort != default.sort);
        add("order", "ascending", self.ascending);
        add("columns", self.columns.word(), self.columns != default.columns);
        add("filter", &self.filter, !self.filter.is_empty());
        add("rows", "all", self.all);
        add("display", "wall", self.wall);
        let (from, to) = self.span.unwrap_or_default();
        add("from", &from.to_string(), self.span.is_some());
        add("to", &to.to_string(), self.span.is_some());
        add("earlier", self.earlier.map_or("", EarlierSpan::word), self.earlier.is_some());
        let instance = self.scope.word();
        add("instance", instance, !instance.is_empty());
        add("heat", &self.heat, !self.heat.is_empty());
        add("request", self.request.as_deref().unwrap_or_default(), self.request.is_some());
        href
    }

    /// The selection of a query.
    pub(crate) fn from_query(query: &str) -> Self {
        let mut selection = Self::default();
        let (mut from, mut to, mut is_sorted) = (None, None, false);
        for pair in query.trim_start_matches('?').split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decode(value);
            match name {
                "view" => match parse_word(View::ALL, View::word, &value) {
                    Some(view) => selection.view = view,
                    None => selection.unknown = Some(format!("There is no view “{value}”: this is the overview.")),
                },
                "window" => match parse_word(Window::ALL, Window::word, &value) {
                    Some(window) => selection.window = window,
                    None => selection.unknown = Some(unknown_window(&value)),
                },
                "endpoint" => selection.endpoint = Some(value),
                "sort" | "columns" if value.is_empty() => {}
                "sort" => match parse_word(Sort::ALL, Sort::word, &value) {
                    Some(sort) => (selection.sort, is_sorted) = (sort, true),
                    None => selection.unknown = Some(format!("There is no column “{value}” to sort by.")),
                },
                "columns" => match parse_word(ColumnSet::ALL, ColumnSet::word, &value) {
                    Some(columns) => selection.columns = columns,
                    None => selection.unknown = Some(format!("There are no columns “{value}”.")),
                },
                "order" => selection.ascending = value == "ascending",
                "filter" => selection.filter = value,
                "rows" => selection.all = value == "all",
                "display" => selection.wall = value == "wall",
                "from" => from = Some(value),
                "to" => to = Some(value),
                "earlier" => selection.earlier = parse_word(EarlierSpan::ALL, EarlierSpan::word, &value),
                "instance" => selection.scope = InstanceScope::from_word(&value),
                "heat" => selection.heat = value,
                "request" => selection.request = Some(value).filter(|key| !key.is_empty()),
                _ => {}
            }
        }
        if from.is_some() || to.is_some() {
            let second = |value: Option<String>| value.and_then(|value| value.parse::<u64>().ok());
            selection.span = second(from).zip(second(to)).filter(|(from, to)| from < to);
            if selection.span.is_none() {
                selection.unknown = Some(NO_SPAN.to_owned());
            }
        }
        // Without a span there is nothing to lay another under.
        selection.earlier = selection.earlier.filter(|_| selection.span.is_some());
        if !is_sorted && !selection.columns.shows(selection.sort) {
            selection.sort = selection.columns.own_sort();
        }
        // A table that is sorted shows by what.
        selection.columns = selection.columns.that_shows(selection.sort);
        selection
    }
}

/// The one of `all` that has this word.
fn parse_word<T: Copy, const N: usize>(all: [T; N], word: fn(T) -> &'static str, wanted: &str) -> Option<T> {
    all.into_iter().find(|one| word(*one) == wanted)
}

const NO_SPAN: &str = "“from” and “to” are Unix seconds or times as 2026-11-23T12:03 in UTC, and “from” is the earlier one: this is the window that ends now.";

fn unknown_window(value: &str) -> String {
    let words = Window::ALL.map(Window::word).join(", ");
    let default = Window::default().long_word();
    format!("There is no window “{value}”, only {words}: these are the last {default}.")
}

/// The characters that are percent-encoded: those with a meaning in a query, and those outside of ASCII.
const RESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b'*').remove(b':');

fn decode(value: &str) -> String {
    percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_url() {
        let selection = Selection {
            view: View::Requests,
            window: Window::SixHours,
            endpoint: Some("GET /users/{id}/100%&ä b".to_owned()),
            sort: Sort::P99,
            ascending: true,
            columns: ColumnSet::Latency,
            filter: "a=b&c#d+e".to_owned(),
            all: true,
            wall: true,
            span: Some((1_764_300_000, 1_764_300_060)),
            earlier: Some(EarlierSpan::Week),
            scope: InstanceScope::One("web-7 ä&=%".to_owned()),
            heat: "memory".to_owned(),
            request: Some("1764300000000.53211".to_owned()),
            unknown: None,
        };
        assert_eq!(Selection::from_query(&selection.href()), selection);
        let all = selection.to_scope(InstanceScope::All);
        assert_eq!(Selection::from_query(&all.href()), all);
        assert_eq!(Selection::from_query(&Selection::default().href()), Selection::default());
    }

    #[test]
    fn a_set_of_columns_is_reached_by_its_link_and_by_its_word_alone() {
        for set in ColumnSet::ALL {
            let linked = Selection::default().to_columns(set);
            assert_eq!(Selection::from_query(&linked.href()), linked, "{}", set.word());
            assert_eq!(Selection::from_query(&format!("?columns={}", set.word())).columns, set);
            assert!(set.shows(set.own_sort()));
        }
        let by_max = Selection::default().to_sort(Sort::Max);
        assert_eq!(by_max.columns, ColumnSet::Latency);
        assert_eq!(by_max.to_columns(ColumnSet::Load).sort, Sort::Total);
        assert_eq!(by_max.to_columns(ColumnSet::All).sort, Sort::Max);
    }

    #[test]
    fn an_unknown_view_or_window_is_told() {
        let told = |query: &str| Selection { unknown: None, ..Selection::from_query(query) } == Selection::default();
        let unknown = |query| Selection::from_query(query).unknown.unwrap_or_default();
        assert!(told("?window=7y") && unknown("?window=7y").contains("no window “7y”, only 1m, 5m, 15m"));
        assert!(told("?view=<script>") && unknown("?view=<script>").contains("no view “<script>”"));
        assert!(told("?sort=bogus") && unknown("?sort=bogus").contains("no column “bogus”"));
        assert!(told("?columns=bogus") && unknown("?columns=bogus").contains("no columns “bogus”"));
        for query in ["?from=1", "?to=1", "?from=2&to=1", "?from=a&to=5", "?from=-1&to=5", "?from=&to="] {
            assert!(told(query) && unknown(query).contains("Unix seconds"), "{query}");
        }
        assert_eq!(Selection::from_query("?window=7y").to_window(Window::Hour).unknown, None);
    }

    #[test]
    fn nonsense_is_as_if_it_were_not_there() {
        for query in ["", "?", "?sort=", "?order", "?%%%=%2", "?x=1"] {
            assert_eq!(Selection::from_query(query), Selection::default(), "{query}");
        }
        assert_eq!(Selection::from_query("window=5m&view=requests").view, View::Requests);
        assert_eq!(Selection::from_query("?filter=%zz+%c3%28").filter, "%zz \u{fffd}(");
    }
}
