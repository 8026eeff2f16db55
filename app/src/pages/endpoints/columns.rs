//! The columns of the endpoints' table, in sets.

use std::sync::LazyLock;

use leptos::prelude::WithUntracked;

use crate::{
    components::{Column, numbers, words},
    live::use_live,
    selection::{ColumnSet, Sort},
};

const COLUMNS: &[Column] = &[
    words("Endpoint").sorts(Sort::Endpoint.word()),
    numbers("Total time", "of all requests together, with its share").sorts(Sort::Total.word()),
    words("Over time"),
    numbers("Requests", "that ended").sorts(Sort::Requests.word()),
    numbers("Rate", "per second"),
    numbers("Share", "of all requests"),
    numbers("5xx", "server errors: panics and broken bodies too").sorts(Sort::ServerErrors.word()),
    numbers("4xx", "client errors").sorts(Sort::ClientErrors.word()),
    numbers("Mean", "from arrival to the last byte, of those that succeeded").sorts(Sort::Mean.word()),
    numbers("p50", "half of those that succeeded were at most this slow").sorts(Sort::P50.word()),
    numbers("p95", "95 of 100 that succeeded were at most this slow").sorts(Sort::P95.word()),
    numbers("p99", "99 of 100 that succeeded were at most this slow").sorts(Sort::P99.word()),
    numbers("Max", "the slowest that succeeded").sorts(Sort::Max.word()),
    numbers("In time", "succeeded within the endpoint's objective: a server error is not in time")
        .sorts(Sort::Within.word()),
    numbers("Sent", "bytes of bodies").sorts(Sort::Sent.word()),
    numbers("In flight", "under way now").sorts(Sort::InFlight.word()),
];
/// The columns of the command listener.
const DATABASE_COLUMNS: &[Column] = &[
    numbers("Commands", "sent to the database by a request, the mean").sorts(Sort::Commands.word()),
    numbers("Database", "the time that a request waited for it, the mean, and its share of all")
        .sorts(Sort::Database.word()),
];
/// The columns of a counting allocator.
const MEMORY_COLUMNS: &[Column] = &[
    numbers("Allocated", "by all requests together while they were handled").sorts(Sort::Allocated.word()),
    numbers("A request", "allocated, the mean").sorts(Sort::AllocatedMean.word()),
    numbers("Largest", "allocated by one request").sorts(Sort::AllocatedMax.word()),
];
/// The columns of the earlier span.
const CHANGE_COLUMNS: &[Column] = &[
    numbers("± Requests", "the change of the rate from the earlier span"),
    numbers("± 5xx", "the change of the rate from the earlier span"),
    numbers("± p50", "the change from the earlier span"),
    numbers("± p99", "the change from the earlier span"),
];

/// The titles of the columns of each set. All columns that are there are in the last.
fn titles(set: ColumnSet) -> &'static [&'static str] {
    match set {
        ColumnSet::Load => {
            &["Endpoint", "Total time", "Over time", "Rate", "Requests", "5xx", "p50", "p99", "In time", "In flight"]
        }
        ColumnSet::Latency => &["Endpoint", "Requests", "Mean", "p50", "p95", "p99", "Max", "In time"],
        ColumnSet::Errors => &["Endpoint", "Over time", "Requests", "Share", "5xx", "4xx", "In time"],
        ColumnSet::Database => &["Endpoint", "Total time", "Requests", "Commands", "Database", "p99"],
        ColumnSet::Memory => &["Endpoint", "Requests", "Allocated", "A request", "Largest", "Sent"],
        ColumnSet::Change => {
            &["Endpoint", "Total time", "Requests", "± Requests", "5xx", "± 5xx", "p50", "± p50", "p99", "± p99"]
        }
        ColumnSet::All => &[],
    }
}

/// The figures of each set that a narrow screen shows.
fn lead_titles(set: ColumnSet) -> [&'static str; 3] {
    match set {
        ColumnSet::Load | ColumnSet::All => ["Total time", "Requests", "p99"],
        ColumnSet::Latency => ["p50", "p95", "p99"],
        ColumnSet::Errors => ["Requests", "5xx", "4xx"],
        ColumnSet::Database => ["Commands", "Database", "p99"],
        ColumnSet::Memory => ["Allocated", "A request", "Largest"],
        ColumnSet::Change => ["± Requests", "± 5xx", "± p99"],
    }
}

/// The columns of each set, with and without those of a listener and of an allocator.
static COLUMN_SETS: LazyLock<Vec<Vec<Column>>> = LazyLock::new(|| {
    let sources = [(false, false), (true, false), (false, true), (true, true)];
    let all = sources.map(|(listens, counts)| {
        let database = if listens { DATABASE_COLUMNS } else { &[] };
        let memory = if counts { MEMORY_COLUMNS } else { &[] };
        [COLUMNS, database, memory, CHANGE_COLUMNS].concat()
    });
    let of_set = |all: &[Column], set| {
        let is_change = |column: &Column| column.title.starts_with('±');
        let is_shown = |column: &Column| match set {
            ColumnSet::All => !is_change(column),
            _ => titles(set).contains(&column.title),
        };
        let mut shown: Vec<_> = all.iter().filter(|column| is_shown(column)).collect();
        if set == ColumnSet::Change {
            // Each change stands behind its figure.
            shown.sort_by_key(|column| titles(set).iter().position(|title| *title == column.title));
        }
        shown.into_iter().map(|column| Column { lead: lead_titles(set).contains(&column.title), ..*column }).collect()
    };
    all.iter().flat_map(|all| ColumnSet::ALL.map(|set| of_set(all, set))).collect()
});

/// The columns of a set. What the program tells of does not change while it runs.
pub(super) fn columns(set: ColumnSet) -> &'static [Column] {
    let (listens, counts) = sources();
    let source = usize::from(listens) + 2 * usize::from(counts);
    &COLUMN_SETS[source * ColumnSet::ALL.len() + set as usize]
}

/// Whether a listener, and whether an allocator has columns.
pub(super) fn sources() -> (bool, bool) {
    use_live().figures.with_untracked(|figures| (figures.snapshot.listens, figures.snapshot.memory.heap.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_columns_shows_what_it_sorts_by() {
        let all = [COLUMNS, DATABASE_COLUMNS, MEMORY_COLUMNS].concat();
        for set in ColumnSet::ALL {
            for sort in Sort::ALL {
                let column =
                    all.iter().find(|column| column.sort == Some(sort.word())).expect("each order has a column");
                let is_shown = set == ColumnSet::All || titles(set).contains(&column.title);
                assert!(lead_titles(set).iter().all(|title| set == ColumnSet::All || titles(set).contains(title)));
                assert_eq!(set.shows(sort), is_shown, "{} in {}", column.title, set.word());
            }
        }
    }

    #[test]
    fn columns_stand_in_the_order_of_the_cells() {
        let all = [COLUMNS, DATABASE_COLUMNS, MEMORY_COLUMNS].concat();
        let sets = &COLUMN_SETS[3 * ColumnSet::ALL.len()..];
        for (set, columns) in ColumnSet::ALL.iter().zip(sets) {
            let titles: Vec<_> = columns.iter().map(|column| column.title).collect();
            let figures: Vec<_> = titles.iter().filter(|title| !title.starts_with('±')).copied().collect();
            let order: Vec<_> = all.iter().map(|column| column.title).filter(|title| figures.contains(title)).collect();
            assert_eq!(figures, order, "{}", set.word());
            for (at, change) in titles.iter().enumerate().filter(|(_, title)| title.starts_with('±')) {
                assert_eq!(Some(titles[at - 1]), change.strip_prefix("± "), "a change stands behind its figure");
            }
            assert_eq!(figures.len() < titles.len(), *set == ColumnSet::Change, "{}", set.word());
        }
    }
}
