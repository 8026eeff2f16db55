//! What the allocator itself holds: jemalloc tells, by the feature of that name.

use watchboard_wire::{Allocator, Reading};

/// None where the program's allocator is another.
#[cfg(feature = "jemalloc")]
pub(super) fn read() -> Reading<Option<Allocator>> {
    use tikv_jemalloc_ctl::{epoch, stats};

    // With this feature jemalloc is there, whether or not the program uses it.
    const USED_FROM: u64 = 1 << 16;
    let read = || {
        // The figures are as of the last epoch.
        epoch::advance()?;
        Ok::<_, tikv_jemalloc_ctl::Error>(Allocator {
            allocated_bytes: stats::allocated::read()? as u64,
            active_bytes: stats::active::read()? as u64,
            resident_bytes: stats::resident::read()? as u64,
            retained_bytes: stats::retained::read()? as u64,
        })
    };
    let found = super::unreadable("jemalloc's statistics", read())?;
    Ok((found.allocated_bytes >= USED_FROM).then_some(found))
}

#[cfg(not(feature = "jemalloc"))]
#[expect(clippy::unnecessary_wraps, reason = "with the feature it can fail")]
pub(super) fn read() -> Reading<Option<Allocator>> {
    Ok(None)
}
