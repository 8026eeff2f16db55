//! Rows that were merged: their requests since the start and of every window are read with those of the row that took their place. No
//! count is moved, so none is lost or doubled, and a row that comes back has its own again.

use std::collections::BTreeMap;

/// The ids of endpoints whose rows were merged into others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Aliases {
    rows: BTreeMap<usize, usize>,
    members: BTreeMap<usize, Vec<usize>>,
}

impl Aliases {
    /// An endpoint's requests are read with those of another.
    pub(crate) fn insert(&mut self, id: usize, row: usize) {
        if id != row {
            self.rows.insert(id, row);
            self.members.entry(row).or_default().push(id);
        }
    }

    /// The endpoint in whose row an endpoint is read.
    pub(crate) fn row(&self, id: usize) -> usize {
        self.rows.get(&id).copied().unwrap_or(id)
    }

    pub(crate) fn is_row(&self, id: usize) -> bool {
        !self.rows.contains_key(&id)
    }

    /// The endpoints of a row; none if it was merged.
    pub(crate) fn members(&self, id: usize) -> impl Iterator<Item = usize> {
        let own = self.is_row(id).then_some(id);
        own.into_iter().chain(self.members.get(&id).into_iter().flatten().copied())
    }
}
