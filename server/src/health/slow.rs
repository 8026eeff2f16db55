//! An endpoint that is slow, and whether the database makes it so.

use watchboard_wire::{EndpointName, format};

/// An endpoint is slow because of what takes this share of its time.
const MOST_PERCENT: f64 = 50.0;

/// An endpoint whose last minute was slower than its objective.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slow {
    pub(super) name: EndpointName,
    pub(super) p99_us: u64,
    /// The share of its time in which the database worked for it, and in which it waited for a connection.
    pub(super) database_percent: f64,
    pub(super) waited_percent: f64,
}

impl Slow {
    /// `GET /orders p99 2.1 s`.
    pub(super) fn text(&self) -> String {
        format!("{} p99 {}", self.name.text(), format::duration_us(self.p99_us as f64))
    }

    /// Whether most of its time is the database's, or a wait for a connection to it.
    pub(super) fn is_by_database(&self) -> bool {
        self.database_percent + self.waited_percent >= MOST_PERCENT
    }

    /// Whether most of its time is a wait for a connection.
    pub(super) fn is_by_pool(&self) -> bool {
        self.waited_percent >= MOST_PERCENT
    }
}

#[cfg(test)]
impl Slow {
    /// A GET endpoint with an objective of 500 ms.
    pub(super) fn example(route: &str, p99_us: u64, database_percent: f64) -> Self {
        let (method, route) = (Some("GET".into()), route.into());
        let name = EndpointName { method, route, objective_us: 500_000, ..EndpointName::default() };
        Self { name, p99_us, database_percent, waited_percent: 0.0 }
    }
}
