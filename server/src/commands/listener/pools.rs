//! The application's connection pools: one for each client and each server of the deployment.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed};

use mongodb::{
    event::cmap::{CmapEvent, ConnectionClosedReason},
    options::ServerAddress,
};
use once_cell::race::OnceBox;
use watchboard_wire as wire;

use crate::{commands::attribution, sync::slots::find_or_insert};

/// Pools with counters of their own; a client of a replica set of three has three. Further pools share the last. A power of two, for the
/// table of pools.
const MOST: usize = 32;
/// The driver's default.
const DEFAULT_MAX: u32 = 10;

/// All pools.
pub(super) struct Pools {
    pools: [OnceBox<PoolCounters>; MOST],
}

/// The counters of one pool.
pub(super) struct PoolCounters {
    client: u32,
    address: ServerAddress,
    max: AtomicU32,
    created: AtomicU64,
    /// By reason, as in [`wire::Pool::closed`].
    closed: [AtomicU64; REASONS],
    in_use: AtomicI64,
    waiting: AtomicI64,
    /// The largest values of both since the last reading.
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

    /// The counters of the pool of a client and a server.
    pub(super) fn pool_for(&self, client: u32, address: &ServerAddress) -> &PoolCounters {
        let new = || PoolCounters::new(client, address.clone());
        let is_same = |pool: &PoolCounters| pool.client == client && pool.address == *address;
        match find_or_insert(&self.pools, 0, is_same, || Some(new()), |_| ()) {
            Some((_, pool)) => pool,
            None => self.pools[MOST - 1].get_or_init(|| Box::new(new())),
        }
    }

    /// Counts the events that concern the pool alone.
    pub(super) fn note(&self, client: u32, event: &CmapEvent) {
        match event {
            CmapEvent::PoolCreated(event) => {
                let max = event.options.as_ref().and_then(|options| options.max_pool_size).unwrap_or(DEFAULT_MAX);
                self.pool_for(client, &event.address).max.store(max, Relaxed);
            }
            CmapEvent::PoolCleared(event) => _ = self.pool_for(client, &event.address).cleared.fetch_add(1, Relaxed),
            CmapEvent::ConnectionCreated(event) => {
                self.pool_for(client, &event.address).created.fetch_add(1, Relaxed);
            }
            _ => {}
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &PoolCounters> {
        self.pools.iter().filter_map(OnceBox::get)
    }
}

impl PoolCounters {
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

    /// A caller wants a connection.
    pub(super) fn wait(&'static self) {
        let waiting = self.waiting.fetch_add(1, Relaxed) + 1;
        // While a connection is free, the wait takes no time.
        if self.is_full() {
            self.most_waiting.fetch_max(waiting, Relaxed);
        }
        attribution::write(|trace| trace.wait(&self.waiting));
    }

    /// A caller got a connection; `known` if it has a slot.
    pub(super) fn check_out(&'static self, known: bool) {
        self.wait_no_more();
        self.checked_out.fetch_add(1, Relaxed);
        if known {
            let in_use = self.in_use.fetch_add(1, Relaxed) + 1;
            self.most_in_use.fetch_max(in_use, Relaxed);
        }
    }

    /// A connection with a slot is checked in.
    pub(super) fn check_in(&self) {
        self.in_use.fetch_sub(1, Relaxed);
    }

    /// A caller got no connection.
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

    /// Drops waits that were abandoned outside of any request, for which the driver emits no event. While connections are free, no caller
    /// can be waiting.
    pub(super) fn forget_waits(&self, waiting: i64) {
        self.waiting.fetch_sub(waiting, Relaxed);
    }

    /// The check-outs that ended, and the callers that wait.
    pub(super) fn waits(&self) -> (u64, i64) {
        (self.checked_out.load(Relaxed) + self.failed.load(Relaxed), self.waiting.load(Relaxed))
    }

    /// Takes the most connections in use and the most callers that waited, since the last call.
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
