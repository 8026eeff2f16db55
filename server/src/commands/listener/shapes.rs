//! The commands that the application sends, by name, database and collection: found without a lock, and bounded.

use std::{
    hash::BuildHasher,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use foldhash::fast::RandomState;
use once_cell::race::OnceBox;

use super::shape::Shape;

/// Shapes that have counters of their own, of some 7 KB each; further ones count together.
const MOST: usize = 256;
/// Twice as many, so that a search ends soon; a power of two, for the mask.
const SLOTS: usize = 2 * MOST;

/// The number of waiting for a connection, which is counted like a command.
pub(crate) const CHECK_OUT: u16 = 0;
/// The number of all past the cap; the slots' numbers are between the two.
pub(super) const OTHER: u16 = SLOTS as u16 + 1;

/// A command on a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) command: Box<str>,
    pub(crate) database: Box<str>,
    /// Empty where it is about none.
    pub(crate) collection: Box<str>,
}

pub(super) struct Shapes {
    slots: Box<[OnceBox<Shape>]>,
    used: AtomicUsize,
    hasher: RandomState,
    check_out: Shape,
    other: Shape,
}

impl Shapes {
    pub(super) fn new() -> Self {
        let named = |command: &str| Shape::new(Name { command: command.into(), ..Name::default() }, 0);
        Self {
            slots: (0..SLOTS).map(|_| OnceBox::new()).collect(),
            used: AtomicUsize::new(0),
            hasher: RandomState::default(),
            check_out: named("checkOut"),
            other: named("(other)"),
        }
    }

    /// The shape of a command, with its number.
    pub(super) fn find(&self, command: &str, database: &str, collection: &str) -> (u16, &Shape) {
        // Two names with one hash of 64 bits, which nobody can aim at: not among 256.
        let hash = self.hasher.hash_one((command, database, collection));
        let start = hash as usize;
        for probe in 0..SLOTS {
            let index = start.wrapping_add(probe) & (SLOTS - 1);
            let slot = &self.slots[index];
            if slot.get().is_none() {
                let counted = self.used.fetch_update(Relaxed, Relaxed, |used| (used < MOST).then_some(used + 1));
                if counted.is_err() {
                    break;
                }
                let name = Name { command: command.into(), database: database.into(), collection: collection.into() };
                if slot.set(Box::new(Shape::new(name, hash))).is_err() {
                    self.used.fetch_sub(1, Relaxed);
                }
            }
            let Some(shape) = slot.get() else { break };
            if shape.hash == hash {
                return (index as u16 + 1, shape);
            }
        }
        (OTHER, &self.other)
    }

    /// The shape of a number.
    pub(super) fn numbered(&self, number: u16) -> &Shape {
        match number {
            CHECK_OUT => &self.check_out,
            OTHER => &self.other,
            number => self.slots.get(usize::from(number) - 1).and_then(OnceBox::get).unwrap_or(&self.other),
        }
    }

    /// All that there are, by rising number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u16, &Shape)> {
        let own = (1..).zip(&self.slots).filter_map(|(number, slot)| Some((number, slot.get()?)));
        [(CHECK_OUT, &self.check_out)].into_iter().chain(own).chain([(OTHER, &self.other)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_on_a_collection_is_one_shape_and_those_past_the_cap_are_another() {
        let shapes = Shapes::new();
        let number = |command: &str, collection: &str| shapes.find(command, "shop", collection).0;
        let first = number("find", "orders");
        assert_eq!(first, number("find", "orders"));
        assert_ne!(first, number("find", "products"));
        assert_ne!(first, number("insert", "orders"));
        for tenant in 0..2 * MOST {
            number("find", &format!("tenant_{tenant}"));
        }
        assert_eq!(number("find", "new"), OTHER);
        assert_eq!(number("find", "orders"), first);
        assert_eq!(shapes.iter().count(), MOST + 2);
        assert_eq!(&*shapes.numbered(first).name.collection, "orders");
    }
}
