//! The bytes that the program has allocated, counted by its allocator.

use watchboard_wire::Heap;

use crate::alloc;

/// `None` if the allocator does not count.
pub(super) fn read() -> Option<Heap> {
    let alloc::Total { all, requests } = alloc::total()?;
    Some(Heap {
        allocated_bytes: all.bytes,
        freed_bytes: all.freed_bytes,
        allocations: all.allocations,
        requests_allocated_bytes: requests.bytes,
    })
}
