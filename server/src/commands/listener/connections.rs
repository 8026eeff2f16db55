//! Connections that are checked out, and the command that each carries: one at a time. The driver emits an event when a connection is
//! checked in or closed, which also ends a command without a reply. Some connections are checked in that were never checked out, and
//! some are never checked in.

use std::{
    hash::{BuildHasher, Hash},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

// Not the fast one: with some of its seeds, consecutive numbers fill only a third of the slots.
use foldhash::quality::RandomState;

/// Connections at once. The commands of further ones count as "(other)".
const SLOTS: usize = 1_024;
/// A connection is in one of this many slots, from its hash on.
const WITHIN: usize = 16;
/// The low bits of a slot: the command that the connection carries. The other bits are the connection's key.
const CARRIED_BITS: u32 = 16;
/// The connection carries no command.
const NOTHING: u16 = u16::MAX;

/// The connections that are checked out.
pub(super) struct ConnectionSlots {
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
}

/// A connection that was checked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CheckIn {
    /// The number of the shape of the command that it still carried.
    pub(super) given_up: Option<u16>,
}

impl ConnectionSlots {
    pub(super) fn new() -> Self {
        Self { slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(), hasher: RandomState::default() }
    }

    /// The memory that it holds beside itself, in bytes.
    pub(super) fn held_bytes(&self) -> usize {
        size_of_val(&*self.slots)
    }

    /// The key of a connection. Each pool of a client counts its connections from one, so the key has client and address too.
    pub(super) fn key<A: Hash>(&self, client: u32, address: &A, connection: u32) -> u64 {
        // Zero stands for an empty slot.
        self.hasher.hash_one((client, address, connection)) >> CARRIED_BITS | 1
    }

    fn places(&self, key: u64) -> impl Iterator<Item = &AtomicU64> {
        (0..WITHIN).map(move |probe| &self.slots[(key as usize).wrapping_add(probe) % SLOTS])
    }

    /// Replaces the entry of a connection; returns the command that it carried. `None` if the connection is not checked out.
    fn swap(&self, key: u64, entry: u64) -> Option<u16> {
        for slot in self.places(key) {
            let before = slot.load(Relaxed);
            // Only events of this connection write its entry, one at a time.
            if before >> CARRIED_BITS == key && slot.compare_exchange(before, entry, Relaxed, Relaxed).is_ok() {
                return Some(before as u16);
            }
        }
        None
    }

    /// A connection is checked out; says whether it got a slot now.
    pub(super) fn give_out(&self, key: u64) -> bool {
        let entry = entry(key, NOTHING);
        let take =
            |slot: &AtomicU64| slot.load(Relaxed) == 0 && slot.compare_exchange(0, entry, Relaxed, Relaxed).is_ok();
        self.swap(key, entry).is_none() && self.places(key).any(take)
    }

    /// A connection carries a command from now on; returns the command before it, if that never ended.
    pub(super) fn begin(&self, key: u64, shape: u16) -> Option<u16> {
        self.swap(key, entry(key, shape)).filter(|before| *before != NOTHING)
    }

    /// The command of a connection has ended.
    pub(super) fn end(&self, key: u64) -> Option<u16> {
        self.swap(key, entry(key, NOTHING)).filter(|before| *before != NOTHING)
    }

    /// A connection is checked in; `None` if it was not checked out.
    pub(super) fn take_back(&self, key: u64) -> Option<CheckIn> {
        let carried = self.swap(key, 0)?;
        Some(CheckIn { given_up: (carried != NOTHING).then_some(carried) })
    }

    /// Commands in flight.
    pub(super) fn in_flight(&self) -> u64 {
        let carries = |slot: &AtomicU64| {
            let entry = slot.load(Relaxed);
            entry != 0 && entry as u16 != NOTHING
        };
        self.slots.iter().filter(|slot| carries(slot)).count() as u64
    }
}

fn entry(key: u64, carried: u16) -> u64 {
    key << CARRIED_BITS | u64::from(carried)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_ends_once_and_one_that_did_not_is_known_by_what_follows() {
        let table = ConnectionSlots::new();
        let key = |connection| table.key(1, &"a:1", connection);
        assert!(table.give_out(key(1)) && table.give_out(key(2)) && table.give_out(key(3)));
        assert_eq!((table.begin(key(1), 7), table.begin(key(2), 8), table.in_flight()), (None, None, 2));
        assert_eq!(table.end(table.key(2, &"a:1", 1)), None, "another client's");
        assert_eq!(table.begin(key(1), 9), Some(7));
        assert_eq!((table.end(key(1)), table.end(key(1))), (Some(9), None));
        assert_eq!(table.take_back(key(1)), Some(CheckIn { given_up: None }));
        assert_eq!(table.take_back(key(2)), Some(CheckIn { given_up: Some(8) }));
        assert_eq!(table.take_back(key(2)), None, "it is nobody's");
        assert!(!table.give_out(key(3)), "it is theirs already");
        assert_eq!(table.in_flight(), 0);
    }

    #[test]
    fn a_full_table_loses_names_and_grows_no_further() {
        let table = ConnectionSlots::new();
        let keys: Vec<u64> = (0..3 * SLOTS as u32).map(|connection| table.key(1, &"a:1", connection)).collect();
        let known = keys.iter().filter(|key| table.give_out(**key)).count();
        assert!((SLOTS / 2..=SLOTS).contains(&known), "{known}");
        for key in &keys {
            table.begin(*key, 1);
        }
        assert_eq!(keys.iter().filter(|key| table.end(**key) == Some(1)).count(), known);
        assert_eq!(keys.iter().filter(|key| table.take_back(**key).is_some()).count(), known);
    }
}
