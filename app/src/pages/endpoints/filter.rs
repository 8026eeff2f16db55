//! The filter of endpoints: words that their names contain, and figures such as `5xx>0` and `p99>200ms`.

use watchboard_wire::EndpointRow;

use crate::selection::Sort;

/// One part of a filter. An endpoint must fit all.
enum Condition {
    /// The name contains it, in small letters.
    Word(String),
    /// The figure is larger, or smaller.
    Figure(Sort, std::cmp::Ordering, f64),
}

/// A filter.
pub(super) struct Filter(Vec<Condition>);

impl Filter {
    pub(super) fn new(text: &str) -> Self {
        let term = |word: &str| figure(word).unwrap_or_else(|| Condition::Word(word.to_ascii_lowercase()));
        Self(text.split_whitespace().map(term).collect())
    }

    /// Whether an endpoint fits.
    pub(super) fn fits(&self, name: &str, row: &EndpointRow) -> bool {
        self.0.iter().all(|term| match term {
            Condition::Word(word) => name.to_ascii_lowercase().contains(word),
            // A figure that an endpoint does not have is -1, which fits nothing.
            Condition::Figure(sort, order, than) => {
                let value = sort.key(row);
                value >= 0.0 && value.partial_cmp(than) == Some(*order)
            }
        })
    }
}

/// `p99>200ms`; `None` if it is no such term.
fn figure(word: &str) -> Option<Condition> {
    let at = word.find(['<', '>'])?;
    let order = if word[at..].starts_with('>') { std::cmp::Ordering::Greater } else { std::cmp::Ordering::Less };
    let sort = match word[..at].to_ascii_lowercase().as_str() {
        "5xx" => Sort::ServerErrors,
        "4xx" => Sort::ClientErrors,
        name => Sort::ALL.into_iter().find(|sort| sort.word() == name)?,
    };
    let value = &word[at + 1..];
    let digits = value.find(|char: char| char != '.' && !char.is_ascii_digit()).unwrap_or(value.len());
    let factor = match value[digits..].to_ascii_lowercase().as_str() {
        // Times are in microseconds.
        "" | "%" | "us" | "µs" => 1.0,
        "k" | "ms" => 1e3,
        "m" | "s" => 1e6,
        _ => return None,
    };
    Some(Condition::Figure(sort, order, number(&value[..digits])? * factor))
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
        for filter in
            ["", "orders", "get ORDERS", "5xx>0", "p99>200ms", "p99<0.3s orders", "requests>1.4k", "p99>249999us"]
        {
            assert!(fits(filter), "{filter}");
        }
        for filter in
            ["users", "orders 5xx>2", "p99>1s", "p99<250ms", "commands<5", "p99>", "p99>x", "no>1", "p99>1..2"]
        {
            assert!(!fits(filter), "{filter}");
        }
    }
}
