//! The application's connection pools: one for each of its clients and each server of the deployment.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed};

use mongodb::{
    event::cmap::{CmapEvent, ConnectionClosedReason},
    options::ServerAddress,
};
use once_cell::race::OnceBox;
use watchboard_wire as wire;

use crate::commands::attribution;

/// Pools with counters of their own; a client of a deployment has three. Further ones share the last.
const MOST: usize = 32;
/// The driver's own bound, where none is asked for.
const DEFAULT_MAX: u32 = 10;

pub(super) struct Pools {
    pools: [OnceBox<Pool>; MOST],
}

pub(super) struct Pool {
    client: u32,
    address: ServerAddress,
    max: AtomicU32,
    created: AtomicU64,
    /// By reason, as in [`wire::Pool::closed`].
    closed: [AtomicU64; REASONS],
    in_use: AtomicI64,
    waiting: AtomicI64,
    /// The most of both since the last reading.
    most_in_use: AtomicI64,
    most_waiting: AtomicI64,
    checked_out: AtomicU64,
    failed: AtomicU64,
    cleared: AtomicU64,
}

const REASONS: usize = 5;

impl Pools {
    pub(super) fn new() -> Self {
        Self { pools: std::array::from_fn(|_| OnceBox::new()) }
    }

    pub(super) fn of(&self, client: u32, address: &ServerAddress) -> &Pool {
        let new = || Box::new(Pool::new(client, address.clone()));
        let is_it = |pool: &&Pool| pool.client == client && pool.address == *address;
        let found = self.pools.iter().map(|pool| pool.get_or_init(new)).find(is_it);
        found.unwrap_or_else(|| self.pools[MOST - 1].get_or_init(new))
    }

    /// What needs no word from the commands.
    pub(super) fn note(&self, client: u32, event: &CmapEvent) {
        match event {
            CmapEvent::PoolCreated(event) => {
                let max = event.options.as_ref().and_then(|options| options.max_pool_size).unwrap_or(DEFAULT_MAX);
                self.of(client, &event.address).max.store(max, Relaxed);
            }
            CmapEvent::PoolCleared(event) => _ = self.of(client, &event.address).cleared.fetch_add(1, Relaxed),
            CmapEvent::ConnectionCreated(event) => {
                self.of(client, &event.address).created.fetch_add(1, Relaxed);
            }
            _ => {}
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Pool> {
        self.pools.iter().filter_map(OnceBox::get)
    }
}

impl Pool {
    fn new(client: u32, address: ServerAddress) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            client,
            address,
            max: AtomicU32::new(0),
            created: zero(),
            closed: std::array::from_fn(|_| zero()),
            in_use: AtomicI64::new(0),
            waiting: AtomicI64::new(0),
            most_in_use: AtomicI64::new(0),
            most_waiting: AtomicI64::new(0),
            checked_out: zero(),
            failed: zero(),
            cleared: zero(),
        }
    }

    /// As [`wire::Pool::is_full`].
    fn is_full(&self) -> bool {
        let max = self.max.load(Relaxed);
        max > 0 && self.in_use.load(Relaxed) >= max.into()
    }

    /// Somebody wants a connection.
    pub(super) fn wait(&'static self) {
        let waiting = self.waiting.fetch_add(1, Relaxed) + 1;
        // While one is free, it is had in no time.
        if self.is_full() {
            self.most_waiting.fetch_max(waiting, Relaxed);
        }
        attribution::write(|trace| trace.wait(&self.waiting));
    }

    /// Somebody got one; whether it is known as theirs.
    pub(super) fn check_out(&'static self, known: bool) {
        self.wait_no_more();
        self.checked_out.fetch_add(1, Relaxed);
        if known {
            let in_use = self.in_use.fetch_add(1, Relaxed) + 1;
            self.most_in_use.fetch_max(in_use, Relaxed);
        }
    }

    /// One that was known as somebody's is nobody's.
    pub(super) fn check_in(&self) {
        self.in_use.fetch_sub(1, Relaxed);
    }

    /// Somebody did not get one.
    pub(super) fn check_out_failed(&'static self) {
        self.wait_no_more();
        self.failed.fetch_add(1, Relaxed);
    }

    fn wait_no_more(&'static self) {
        self.waiting.fetch_sub(1, Relaxed);
        attribution::write(|trace| trace.wait_no_more(&self.waiting));
    }

    pub(super) fn close(&self, reason: &ConnectionClosedReason) {
        let reason = match reason {
            ConnectionClosedReason::Idle => 0,
            ConnectionClosedReason::Stale => 1,
            ConnectionClosedReason::Error => 2,
            ConnectionClosedReason::Dropped => 3,
            _ => 4,
        };
        self.closed[reason].fetch_add(1, Relaxed);
    }

    /// Waits that were given up outside of any request are told by nobody: while connections are free, nobody can be waiting.
    pub(super) fn forget_waits(&self, waiting: i64) {
        self.waiting.fetch_sub(waiting, Relaxed);
    }

    /// Check-outs that ended, and those that wait.
    pub(super) fn waits(&self) -> (u64, i64) {
        (self.checked_out.load(Relaxed) + self.failed.load(Relaxed), self.waiting.load(Relaxed))
    }

    /// The most connections that were in use, and the most that waited for one, since the last time.
    pub(super) fn take_most(&self) -> [u64; 2] {
        let take = |most: &AtomicI64, now: i64| u64::try_from(most.swap(now, Relaxed)).unwrap_or(0);
        let in_use = self.in_use.load(Relaxed);
        let waiting = if self.is_full() { self.waiting.load(Relaxed) } else { 0 };
        [take(&self.most_in_use, in_use), take(&self.most_waiting, waiting)]
    }

    pub(super) fn read(&self) -> wire::Pool {
        let closed: [u64; REASONS] = std::array::from_fn(|reason| self.closed[reason].load(Relaxed));
        let created = self.created.load(Relaxed);
        let gauge = |gauge: &AtomicI64| u64::try_from(gauge.load(Relaxed)).unwrap_or(0);
        wire::Pool {
            address: self.address.to_string(),
            size: created.saturating_sub(closed.iter().sum()),
            max: self.max.load(Relaxed).into(),
            in_use: gauge(&self.in_use),
            waiting: gauge(&self.waiting),
            checked_out: self.checked_out.load(Relaxed),
            failed: self.failed.load(Relaxed),
            cleared: self.cleared.load(Relaxed),
            created,
            closed,
        }
    }
}
