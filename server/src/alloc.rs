//! A global allocator that counts, so that the board can tell which endpoint allocates, and which thread.
//!
//! ```
//! #[global_allocator]
//! static ALLOCATOR: watchboard::alloc::Tracking = watchboard::alloc::Tracking::system();
//! ```
//!
//! Counted are the bytes that the program asks for. Memory that grows in place, or is moved to grow, counts with what is added.
//! The counters are a thread's own, plain additions beside no other thread's cache line; blocks of memory carry no headers.
#![expect(unsafe_code, reason = "the trait of global allocators is unsafe; each call is passed on as it came")]

mod counters;

use std::alloc::{GlobalAlloc, Layout, System};

pub(crate) use counters::{Allocated, Span, Total, by_thread, is_counting, total};

/// jemalloc, to be tracked: `Tracking<Jemalloc> = Tracking::around(Jemalloc)`. The memory view then shows its own figures too.
#[cfg(feature = "jemalloc")]
pub use tikv_jemallocator::Jemalloc;

/// Counts what passes through, and passes everything on to the allocator `A`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tracking<A = System>(A);

impl Tracking {
    /// Around the system's allocator.
    pub const fn system() -> Self {
        Self(System)
    }
}

impl<A> Tracking<A> {
    /// Around any allocator, such as jemalloc's.
    pub const fn around(allocator: A) -> Self {
        Self(allocator)
    }
}

// SAFETY: every call is passed on unchanged and its result returned unchanged; counting neither allocates through this allocator
// without end nor unwinds.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Tracking<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are the same.
        let pointer = unsafe { self.0.alloc(layout) };
        if !pointer.is_null() {
            counters::allocated(layout.size());
        }
        pointer
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are the same.
        let pointer = unsafe { self.0.alloc_zeroed(layout) };
        if !pointer.is_null() {
            counters::allocated(layout.size());
        }
        pointer
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are the same.
        unsafe { self.0.dealloc(pointer, layout) };
        counters::freed(layout.size());
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promises are the same.
        let moved = unsafe { self.0.realloc(pointer, layout, new_size) };
        if !moved.is_null() {
            counters::resized(layout.size(), new_size);
        }
        moved
    }
}
