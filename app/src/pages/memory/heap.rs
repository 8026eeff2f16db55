//! The parts of resident memory, and the allocations by their origin.

use leptos::{either::Either, prelude::*};
use watchboard_wire::{Reading, Snapshot, Unknown, format, reading_ref};

use super::allocation::NO_COUNTING_ALLOCATOR;
use crate::{
    components::{Slice, StackedBar},
    live::{snapshot_memo, snapshot_text, use_live},
};

/// RSS in parts. With a counting allocator the program's live bytes are a part.
#[component]
pub(crate) fn RssBar() -> impl IntoView {
    view! { <StackedBar label="Resident memory" parts=snapshot_memo(rss_slices) /> }
}

fn rss_slices(snapshot: &Snapshot) -> Reading<Vec<Slice>> {
    let process = reading_ref(&snapshot.memory.process)?;
    let own = process.anonymous_bytes as f64;
    let mut parts = match snapshot.memory.heap {
        Some(heap) => {
            // Swapped-out and untouched pages are not resident.
            let live = (heap.live_bytes() as f64).min(own);
            vec![
                ("allocated and not freed", live, "the program's own objects; growth that never comes back is a leak"),
                (
                    "around it",
                    own - live,
                    "stacks, and what the allocator keeps: gaps, and freed memory for the next objects",
                ),
            ]
        }
        None => vec![("heap and stacks", own, "the program's objects, and what the allocator keeps around them")],
    };
    parts.push((
        "files",
        process.file_bytes as f64,
        "code, libraries and mapped files; the kernel can drop most of it",
    ));
    parts.push(("shared memory", process.shmem_bytes as f64, "what it shares with other processes on purpose"));
    Ok(parts)
}

const NO_ALLOCATOR_FIGURES: &str = "The system's allocator does not tell what it keeps. With the feature jemalloc, and jemalloc as the \
    program's allocator, it is shown here.";

/// The allocator's own figures, or the way to turn them on.
#[component]
pub(crate) fn AllocatorBar() -> impl IntoView {
    let parts = snapshot_memo(allocator_slices);
    // The allocator of a program does not change while it runs.
    let tells = use_live().figures.with_untracked(|figures| figures.snapshot.memory.allocator != Ok(None));
    if tells {
        Either::Left(view! { <StackedBar label="As the allocator sees it" parts /> })
    } else {
        Either::Right(view! { <p class="more">{NO_ALLOCATOR_FIGURES}</p> })
    }
}

fn allocator_slices(snapshot: &Snapshot) -> Reading<Vec<Slice>> {
    let found = reading_ref(&snapshot.memory.allocator)?.ok_or_else(|| Unknown::because(NO_ALLOCATOR_FIGURES))?;
    let [allocated, active, resident] =
        [found.allocated_bytes, found.active_bytes, found.resident_bytes].map(|bytes| bytes as f64);
    Ok(vec![
        ("allocated", allocated, "asked for and not freed, in sizes that the allocator has"),
        ("gaps", (active - allocated).max(0.0), "in pages that hold something: fragmentation"),
        ("kept", (resident - active).max(0.0), "pages without anything, and the allocator's own books"),
    ])
}

/// The bytes allocated since the start: by requests, and by the rest of the program.
#[component]
pub(crate) fn AllocationBar() -> impl IntoView {
    let live = snapshot_text(|snapshot| {
        let Some(heap) = snapshot.memory.heap else { return String::new() };
        let [allocated, live] = [heap.allocated_bytes, heap.live_bytes()].map(|bytes| format::bytes(bytes as f64));
        let calls = format::count(heap.allocations as f64);
        format!("{allocated} in {calls} allocations since the start of the process; {live} of it is not freed.")
    });
    view! {
        <StackedBar label="Allocated since the start" parts=snapshot_memo(allocation_slices) />
        <p class="more">{live}</p>
    }
}

fn allocation_slices(snapshot: &Snapshot) -> Reading<Vec<Slice>> {
    let heap = snapshot.memory.heap.ok_or_else(|| Unknown::because(NO_COUNTING_ALLOCATOR))?;
    Ok(vec![
        (
            "requests",
            heap.requests_allocated_bytes as f64,
            "while their futures and bodies were polled, on whichever thread",
        ),
        (
            "unattributed",
            heap.unattributed_bytes() as f64,
            "outside of any request: spawned tasks, blocking threads, the runtime, the connections, this monitor",
        ),
    ])
}
