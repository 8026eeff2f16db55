//! A global allocator that counts, so that the board can show the allocations of each endpoint and each thread.
//!
//! ```
//! #[global_allocator]
//! static ALLOCATOR: watchboard::alloc::Tracking = watchboard::alloc::Tracking::system();
//! ```
//!
//! It counts the bytes that the program requests. If a block grows, in place or by a move, the added bytes count. Each thread adds to
//! counters of its own, on cache lines of its own; blocks of memory carry no headers.
#![expect(unsafe_code, reason = "the trait of global allocators is unsafe; each call is forwarded unchanged")]

mod counters;

use std::alloc::{GlobalAlloc, Layout, System};

pub(crate) use counters::{AllocationSums, Span, Total, by_thread, is_counting, total};

/// The jemalloc allocator, for `Tracking<Jemalloc> = Tracking::new(Jemalloc)`. The memory view then shows jemalloc's own figures too.
#[cfg(feature = "jemalloc")]
#[cfg_attr(docsrs, doc(cfg(feature = "jemalloc")))]
pub use tikv_jemallocator::Jemalloc;

/// Counts each call, and forwards it to the allocator `A`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tracking<A = System>(A);

impl Tracking {
    /// Counts the calls to the system's allocator.
    #[must_use]
    pub const fn system() -> Self {
        Self(System)
    }
}

impl<A> Tracking<A> {
    /// Counts the calls to any allocator, such as jemalloc's.
    ///
    /// ```
    /// use std::alloc::System;
    ///
    /// #[global_allocator]
    /// static ALLOCATOR: watchboard::alloc::Tracking<System> = watchboard::alloc::Tracking::new(System);
    /// ```
    #[must_use]
    pub const fn new(inner: A) -> Self {
        Self(inner)
    }
}

// SAFETY: every call is forwarded unchanged, and its result is returned unchanged. Counting does not unwind, and does not allocate
// through this allocator without end.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Tracking<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are the same.
        let pointer = unsafe { self.0.alloc(layout) };
        if !pointer.is_null() {
            counters::count_allocation(layout.size());
        }
        pointer
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are the same.
        let pointer = unsafe { self.0.alloc_zeroed(layout) };
        if !pointer.is_null() {
            counters::count_allocation(layout.size());
        }
        pointer
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are the same.
        unsafe { self.0.dealloc(pointer, layout) };
        counters::count_deallocation(layout.size());
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promises are the same.
        let moved = unsafe { self.0.realloc(pointer, layout, new_size) };
        if !moved.is_null() {
            counters::count_reallocation(layout.size(), new_size);
        }
        moved
    }
}
