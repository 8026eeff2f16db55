//! The filter of endpoints: words that their names contain, and figures such as `5xx>0` and `p99>200ms`.

use std::cmp::Ordering;

use watchboard_wire::EndpointRow;

use crate::selection::Sort;

/// One part of a filter. An endpoint must fit all.
enum Condition {
    /// The name contains it, in small letters.
    Word(String),
    /// The figure compares with the number in this way.
    Figure(Sort, fn(Ordering) -> bool, f64),
    /// It compares, but not a figure with a number. All endpoints fit.
    Unfinished(String),
}

/// A filter.
pub(super) struct Filter(Vec<Condition>);

impl Filter {
    pub(super) fn new(text: &str) -> Self {
        let condition = |word: &str| {
            let comparison = word.find(['<', '>', '=']).and_then(|at| figure(word, at));
            comparison.unwrap_or_else(|| {
                // The name of a route may have `=`.
                let is_word = !word.contains(['<', '>']);
                if is_word {
                    Condition::Word(word.to_ascii_lowercase())
                } else {
                    Condition::Unfinished(word.to_owned())
                }
            })
        };
        // `p99 > 20ms` is one comparison.
        let signs = ['<', '>', '='];
        let mut words: Vec<String> = vec![];
        for word in text.split_whitespace() {
            let is_number =
                |before: &String| before.ends_with(signs) && word.starts_with(|char: char| char.is_ascii_digit());
            match words.last_mut().filter(|before| word.starts_with(signs) || is_number(before)) {
                Some(before) => before.push_str(word),
                None => words.push(word.to_owned()),
            }
        }
        Self(words.iter().map(|word| condition(word)).collect())
    }

    /// What is wrong with the first part that says nothing, as a sentence.
    pub(super) fn complaint(&self) -> Option<String> {
        let unfinished = |condition: &Condition| match condition {
            Condition::Unfinished(word) => Some(word.clone()),
            _ => None,
        };
        let word = self.0.iter().find_map(unfinished)?;
        let others = figures().filter(|sort| !matches!(sort, Sort::ServerErrors | Sort::ClientErrors));
        let figures: Vec<&str> = ["5xx", "4xx"].into_iter().chain(others.map(Sort::word)).collect();
        Some(format!(
            "The filter does not understand \u{201c}{word}\u{201d}. Compare a figure with a number, as in p99>200ms, 5xx=0 or sent>1MB; \
             figures are {}. ",
            figures.join(", ")
        ))
    }

    /// Whether an endpoint fits.
    pub(super) fn fits(&self, name: &str, row: &EndpointRow) -> bool {
        self.0.iter().all(|term| match term {
            Condition::Word(word) => name.to_ascii_lowercase().contains(word),
            // A figure that an endpoint does not have is -1, which fits nothing.
            Condition::Figure(sort, compares, than) => {
                let value = sort.key(row);
                value >= 0.0 && value.partial_cmp(than).is_some_and(compares)
            }
            Condition::Unfinished(_) => true,
        })
    }
}

/// The figures that a filter compares: all that sort, but the name.
fn figures() -> impl Iterator<Item = Sort> {
    Sort::ALL.into_iter().filter(|sort| *sort != Sort::Endpoint)
}

/// `p99>200ms`, with the comparison at `at`; `None` if it is no figure, or no number.
fn figure(word: &str, at: usize) -> Option<Condition> {
    let compares = [
        (">=", Ordering::is_ge as fn(Ordering) -> bool),
        ("<=", Ordering::is_le),
        (">", Ordering::is_gt),
        ("<", Ordering::is_lt),
        ("=", Ordering::is_eq),
    ];
    let (value, compares) =
        compares.into_iter().find_map(|(sign, compares)| Some((word[at..].strip_prefix(sign)?, compares)))?;
    let sort = match word[..at].to_ascii_lowercase().as_str() {
        "5xx" => Sort::ServerErrors,
        "4xx" => Sort::ClientErrors,
        name => figures().find(|sort| sort.word() == name)?,
    };
    let digits = value.find(|char: char| char != '.' && !char.is_ascii_digit()).unwrap_or(value.len());
    let number = number(&value[..digits])?;
    let factor = match value[digits..].to_ascii_lowercase().as_str() {
        // A time without a unit could be of any.
        "" if number > 0.0 && sort.is_time() => return None,
        // Times are in microseconds.
        "" | "%" | "us" | "µs" | "b" => 1.0,
        "k" | "kb" | "ms" => 1e3,
        "m" | "mb" | "s" => 1e6,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        _ => return None,
    };
    Some(Condition::Figure(sort, compares, number * factor))
}

/// Digits with at most one point. The standard library's way is large.
fn number(text: &str) -> Option<f64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits: u64 = [whole, part].concat().parse().ok()?;
    Some(digits as f64 / part.bytes().fold(1.0, |divisor, _| divisor * 10.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::{EndpointLatency, Latency};

    #[test]
    fn words_and_figures_have_to_fit_all() {
        let latency = Latency { p99_us: 250_000, ..Latency::default() };
        let latency = EndpointLatency { succeeded: Some(latency), failed: None };
        let row = EndpointRow { requests: 1_500, server_errors: 2, latency, ..EndpointRow::default() };
        let fits = |filter: &str| Filter::new(filter).fits("GET /orders/{id}", &row);
        for filter in [
            "",
            "orders",
            "get ORDERS",
            "5xx>0",
            "5xx=2",
            "p99>200ms",
            "p99 > 200ms",
            "p99<0.3s orders",
            "requests>1.4k",
            "p99>249999us",
        ] {
            assert!(fits(filter), "{filter}");
        }
        for filter in [
            "users",
            "orders 5xx>2",
            "5xx = 0",
            "orders=x",
            "p99>1s",
            "p99<250ms",
            "commands<5",
            "5xx>=3",
            "p99<=249ms",
        ] {
            assert!(!fits(filter), "{filter}");
        }
        assert!(fits("5xx>=2 5xx<=2 p99>=250ms server-errors>1"));
    }

    #[test]
    fn what_is_not_finished_filters_nothing_and_is_told() {
        for filter in ["p99>", "p99>x", "p99>200", "rate>3", "p99>1..2", "p99>=", ">", "endpoint>2"] {
            let filter = Filter::new(&format!("{filter} users"));
            let row = EndpointRow::default();
            assert!(filter.fits("GET /users", &row) && !filter.fits("GET /orders", &row));
            assert!(
                filter.complaint().is_some_and(|complaint| complaint.contains("figures are 5xx, 4xx, requests, mean"))
            );
        }
        assert_eq!(Filter::new("orders p99>2ms p99>0").complaint(), None);
    }
}
