//! What the program has allocated, as its own allocator counted it.

use watchboard_wire::Heap;

use crate::alloc;

/// None where the allocator does not count.
pub(super) fn read() -> Option<Heap> {
    let alloc::Total { all, requests } = alloc::total()?;
    Some(Heap {
        allocated_bytes: all.bytes,
        freed_bytes: all.freed_bytes,
        allocations: all.allocations,
        requests_allocated_bytes: requests.bytes,
    })
}
