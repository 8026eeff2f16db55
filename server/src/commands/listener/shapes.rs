//! The commands that the application sends, by name, database and collection. A lookup takes no lock, and their number is bounded.

use std::{
    hash::BuildHasher,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use foldhash::fast::RandomState;
use once_cell::race::OnceBox;

use super::shape::{Shape, ShapeName};
use crate::{commands::CHECK_OUT, sync::slots::find_or_insert};

/// Shapes with counters of their own, of about 7 KB each; further ones share one.
const MOST: usize = 256;
/// Twice as many, so that a search ends soon; a power of two, for the mask.
const SLOTS: usize = 2 * MOST;

/// The number of the shape that those beyond the bound share. The numbers of slots are between [`CHECK_OUT`] and this one.
pub(super) const OTHER: u16 = SLOTS as u16 + 1;

/// All shapes.
pub(super) struct Shapes {
    slots: Box<[OnceBox<Shape>]>,
    used: AtomicUsize,
    hasher: RandomState,
    check_out: Shape,
    other: Shape,
}

impl Shapes {
    pub(super) fn new() -> Self {
        let new = |command: &str| Shape::new(ShapeName { command: command.into(), ..ShapeName::default() }, 0);
        Self {
            slots: (0..SLOTS).map(|_| OnceBox::new()).collect(),
            used: AtomicUsize::new(0),
            hasher: RandomState::default(),
            check_out: new("checkOut"),
            other: new("(other)"),
        }
    }

    /// The shape of a command, and its number.
    pub(super) fn find_or_add(&self, command: &str, database: &str, collection: &str) -> (u16, &Shape) {
        // The hash stands for the name: by chance two of 256 names never share 64 bits, and no client can aim at it.
        let hash = self.hasher.hash_one((command, database, collection));
        let new = || {
            self.used.fetch_update(Relaxed, Relaxed, |used| (used < MOST).then_some(used + 1)).ok()?;
            let name = ShapeName { command: command.into(), database: database.into(), collection: collection.into() };
            Some(Shape::new(name, hash))
        };
        let discard = |_: &Shape| _ = self.used.fetch_sub(1, Relaxed);
        match find_or_insert(&self.slots, hash as usize, |shape| shape.hash == hash, new, discard) {
            Some((index, shape)) => (index as u16 + 1, shape),
            None => (OTHER, &self.other),
        }
    }

    /// The number of a shape by its name, as the history stores it: also of those that are always there.
    pub(super) fn find_named(&self, command: &str, database: &str, collection: &str) -> u16 {
        match database {
            "" if command == &*self.check_out.name.command => CHECK_OUT,
            "" if command == &*self.other.name.command => OTHER,
            _ => self.find_or_add(command, database, collection).0,
        }
    }

    /// The shape with a number.
    pub(super) fn by_number(&self, number: u16) -> &Shape {
        match number {
            CHECK_OUT => &self.check_out,
            OTHER => &self.other,
            number => self.slots.get(usize::from(number) - 1).and_then(OnceBox::get).unwrap_or(&self.other),
        }
    }

    /// The memory of the table without its shapes, in bytes.
    pub(super) fn slots_bytes(&self) -> usize {
        size_of_val(&*self.slots)
    }

    /// All shapes, by rising number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u16, &Shape)> {
        let shapes = (1..).zip(&self.slots).filter_map(|(number, slot)| Some((number, slot.get()?)));
        [(CHECK_OUT, &self.check_out)].into_iter().chain(shapes).chain([(OTHER, &self.other)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_on_a_collection_is_one_shape_and_those_past_the_cap_are_another() {
        let shapes = Shapes::new();
        let number = |command: &str, collection: &str| shapes.find_or_add(command, "shop", collection).0;
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
        assert_eq!(&*shapes.by_number(first).name.collection, "orders");
    }
}
