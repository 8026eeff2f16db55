//! The figures of the allocator itself: jemalloc's, with the feature of that name.

use watchboard_wire::{Allocator, Reading};

/// `Ok(None)` if the program uses another allocator.
#[cfg(feature = "jemalloc")]
pub(super) fn read() -> Reading<Option<Allocator>> {
    use tikv_jemalloc_ctl::{epoch, stats};

    // With this feature jemalloc is linked, whether or not the program uses it.
    const USED_FROM: u64 = 1 << 16;
    let read = || {
        // The figures are those of the last epoch.
        epoch::advance()?;
        Ok::<_, tikv_jemalloc_ctl::Error>(Allocator {
            allocated_bytes: stats::allocated::read()? as u64,
            active_bytes: stats::active::read()? as u64,
            resident_bytes: stats::resident::read()? as u64,
            retained_bytes: stats::retained::read()? as u64,
        })
    };
    let figures = super::failure::or_unknown("jemalloc's statistics", read())?;
    Ok((figures.allocated_bytes >= USED_FROM).then_some(figures))
}

#[cfg(not(feature = "jemalloc"))]
#[expect(clippy::unnecessary_wraps, reason = "with the feature it can fail")]
pub(super) fn read() -> Reading<Option<Allocator>> {
    Ok(None)
}
