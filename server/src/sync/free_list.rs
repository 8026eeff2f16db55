//! Values that a thread keeps for reuse, instead of an allocation for each request.

use std::{cell::RefCell, thread::LocalKey};

/// A thread's own list of values that wait for reuse, of bounded length. It stands in a `thread_local!`.
pub(crate) struct FreeList<T: 'static> {
    values: RefCell<Vec<T>>,
    max_len: usize,
}

impl<T> FreeList<T> {
    pub(crate) const fn new(max_len: usize) -> Self {
        Self { values: RefCell::new(vec![]), max_len }
    }

    /// Takes the value that this thread put here last. `None` if there is none, or if the thread is ending.
    pub(crate) fn take(list: &'static LocalKey<Self>) -> Option<T> {
        list.try_with(|list| list.values.borrow_mut().pop()).ok().flatten()
    }

    /// Keeps a value for reuse by this thread. A full list drops it, and so does a thread that is ending.
    pub(crate) fn put(list: &'static LocalKey<Self>, value: T) {
        let _ = list.try_with(|list| {
            let mut values = list.values.borrow_mut();
            if values.len() < list.max_len {
                values.push(value);
            }
        });
    }
}
