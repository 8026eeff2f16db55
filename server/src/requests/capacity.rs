//! The places of a server around the application: how many there are, how many are taken, and how many clients found none.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use watchboard_wire::CapacityUse;

/// A bound of a server or a proxy: connections, tunnels. The board shows how many of its places are taken, and a full one is a finding.
/// A clone is the same bound. [`Builder::capacity`](crate::Builder::capacity) adds it to a monitor.
///
/// ```
/// use watchboard::Capacity;
///
/// let tunnels = Capacity::new("tunnels", 1);
/// let place = tunnels.try_enter();
/// assert!(place.is_some() && tunnels.try_enter().is_none());
/// drop(place);
/// assert!(tunnels.try_enter().is_some());
/// ```
#[derive(Clone, Debug)]
pub struct Capacity(Arc<Places>);

#[derive(Debug)]
struct Places {
    name: &'static str,
    limit: u64,
    in_use: AtomicU64,
    exceeded: AtomicU64,
}

/// A place of a [`Capacity`]. It is free again when this is dropped.
#[derive(Debug)]
#[must_use = "the place is free again when this is dropped"]
pub struct CapacityPlace(Arc<Places>);

impl Capacity {
    /// A bound of `limit` places; `name` is a plural, as "tunnels".
    #[must_use]
    pub fn new(name: &'static str, limit: u64) -> Self {
        Self(Arc::new(Places { name, limit, in_use: AtomicU64::new(0), exceeded: AtomicU64::new(0) }))
    }

    /// Takes a place. `None` if all are taken, which is counted.
    pub fn try_enter(&self) -> Option<CapacityPlace> {
        let place = self.try_enter_uncounted();
        if place.is_none() {
            self.note_none_free();
        }
        place
    }

    /// Takes a place if one is free. That none is free is not counted: for a client that has a place elsewhere.
    pub fn try_enter_uncounted(&self) -> Option<CapacityPlace> {
        let place = self.enter();
        // The count has this place already.
        (self.0.in_use.load(Relaxed) <= self.0.limit).then_some(place)
    }

    /// Takes a place, also one beyond the limit: for a server that keeps the limit by other means.
    pub fn enter(&self) -> CapacityPlace {
        self.0.in_use.fetch_add(1, Relaxed);
        CapacityPlace(Arc::clone(&self.0))
    }

    /// A client found no place, and waits or is refused.
    pub fn note_none_free(&self) {
        self.0.exceeded.fetch_add(1, Relaxed);
    }

    pub(super) fn read(&self) -> CapacityUse {
        let Places { name, limit, in_use, exceeded } = &*self.0;
        CapacityUse {
            name: (*name).to_owned(),
            in_use: in_use.load(Relaxed).min(*limit),
            limit: *limit,
            exceeded: exceeded.load(Relaxed),
        }
    }
}

impl Drop for CapacityPlace {
    fn drop(&mut self) {
        self.0.in_use.fetch_sub(1, Relaxed);
    }
}
