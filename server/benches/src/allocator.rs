//! What counting adds to an allocation and its release.
#![expect(unsafe_code, reason = "allocators are called as the compiler calls them")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    hint::black_box,
    time::Instant,
};

use watchboard::alloc::Tracking;

use crate::calls::median;

/// Rounds, in which the two allocators take turns.
const ROUNDS: usize = 200;
const PAIRS: usize = 50_000;

/// Nanoseconds that the allocator which counts takes for a pair, beyond those of the system's: the median of all rounds.
pub(crate) fn added_nanoseconds() -> f64 {
    let tracking = Tracking::system();
    let added: Vec<f64> = (0..ROUNDS).map(|_| nanoseconds(&tracking) - nanoseconds(&System)).collect();
    median(added)
}

fn nanoseconds(allocator: &impl GlobalAlloc) -> f64 {
    let layout = Layout::new::<[u64; 8]>();
    let started = Instant::now();
    for _ in 0..PAIRS {
        // SAFETY: the layout is not of size zero, and what is freed was allocated with it just before.
        unsafe { allocator.dealloc(black_box(allocator.alloc(black_box(layout))), layout) };
    }
    started.elapsed().as_nanos() as f64 / PAIRS as f64
}
