//! Slots that threads fill without a lock: open addressing with linear probing, for tables that only grow, up to a bound.

use crate::sync::OnceBox;

/// Returns the entry that `matches`, and the index of its slot. The search begins at `start` modulo the number of slots, and ends at
/// the first empty slot. That slot takes the entry that `make` returns.
///
/// Returns `None` if `make` returns `None`, or if other entries fill all slots. `discard` gets an entry whose slot another
/// thread has filled first; the search then goes on with that thread's entry.
///
/// The number of slots is a power of two. An entry never moves, so that its index is a number that lasts.
#[inline]
pub(crate) fn find_or_insert<T>(
    slots: &[OnceBox<T>],
    start: usize,
    matches: impl Fn(&T) -> bool,
    mut make: impl FnMut() -> Option<T>,
    mut discard: impl FnMut(&T),
) -> Option<(usize, &T)> {
    debug_assert!(slots.len().is_power_of_two(), "{} slots", slots.len());
    for probe in 0..slots.len() {
        let index = start.wrapping_add(probe) & (slots.len() - 1);
        let slot = &slots[index];
        let entry = match slot.get() {
            Some(entry) => entry,
            None => fill(slot, make()?, &mut discard)?,
        };
        if matches(entry) {
            return Some((index, entry));
        }
    }
    None
}

/// Puts an entry into an empty slot; returns the entry that the slot then has.
#[cold]
fn fill<'a, T>(slot: &'a OnceBox<T>, entry: T, discard: &mut impl FnMut(&T)) -> Option<&'a T> {
    if let Err(entry) = slot.set(Box::new(entry)) {
        discard(&entry);
    }
    slot.get()
}
