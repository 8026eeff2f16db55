//! Commands under way, by their connection: one connection carries one command at a time, and tells when it closes. So what is given up
//! without an answer leaves nothing behind.

use std::{
    hash::{BuildHasher, Hash},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use foldhash::fast::RandomState;

/// Connections with a command under way; more are counted and not told apart.
const SLOTS: usize = 4_096;
/// A connection is in one of so many places from its hash on.
const WITHIN: usize = 16;
/// A slot holds the shape's number below the connection's key.
const SHAPE_BITS: u32 = 16;

pub(super) struct InFlight {
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl InFlight {
    pub(super) fn new() -> Self {
        Self { slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(), hasher: RandomState::default() }
    }

    /// The key of a connection of a client to a server: each of its pools counts its connections from one.
    pub(super) fn key<A: Hash>(&self, client: u32, address: &A, connection: u32) -> u64 {
        // Zero stands for an empty slot.
        self.hasher.hash_one((client, address, connection)) >> SHAPE_BITS | 1
    }

    fn places(&self, key: u64) -> impl Iterator<Item = &AtomicU64> {
        (0..WITHIN).map(move |probe| &self.slots[(key as usize).wrapping_add(probe) % SLOTS])
    }

    /// A command is on its way, or a connection given out; the one that was, if it never ended, and whether there was room.
    pub(super) fn begin(&self, key: u64, shape: u16) -> (Option<u16>, bool) {
        let before = self.end(key);
        let entry = key << SHAPE_BITS | u64::from(shape);
        let take =
            |slot: &AtomicU64| slot.load(Relaxed) == 0 && slot.compare_exchange(0, entry, Relaxed, Relaxed).is_ok();
        (before, self.places(key).any(take))
    }

    /// The command of a connection is over.
    pub(super) fn end(&self, key: u64) -> Option<u16> {
        for slot in self.places(key) {
            let entry = slot.load(Relaxed);
            // Only its own connection writes an entry: nobody else can have changed it since.
            if entry >> SHAPE_BITS == key && slot.compare_exchange(entry, 0, Relaxed, Relaxed).is_ok() {
                return Some(entry as u16);
            }
        }
        None
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.slots.iter().filter(|slot| slot.load(Relaxed) != 0).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_ends_once_and_one_that_did_not_is_known_by_the_next() {
        let table = InFlight::new();
        let key = |connection| table.key(1, &"a:1", connection);
        assert_eq!(table.begin(key(1), 7), (None, true));
        assert_eq!(table.begin(key(2), 8), (None, true));
        assert_eq!(table.begin(key(1), 9), (Some(7), true));
        assert_eq!(table.end(table.key(2, &"a:1", 1)), None, "another client's");
        assert_eq!((table.end(key(1)), table.end(key(1)), table.end(key(2))), (Some(9), None, Some(8)));
        assert_eq!(table.count(), 0);
    }

    #[test]
    fn a_full_table_loses_names_and_grows_no_further() {
        let table = InFlight::new();
        for connection in 0..3 * SLOTS as u32 {
            _ = table.begin(table.key(1, &"a:1", connection), 1);
        }
        assert!(table.count() <= SLOTS as u64);
        let ended = (0..3 * SLOTS as u32).filter_map(|connection| table.end(table.key(1, &"a:1", connection)));
        assert!(ended.count() > SLOTS / 4);
        assert_eq!(table.count(), 0);
    }
}
