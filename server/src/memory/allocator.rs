//! What the allocator itself holds: jemalloc tells, by the feature of that name.

use watchboard_app::wire::{Allocator, Reading, Unknown};

/// The figures of a program whose allocator is jemalloc.
#[cfg(feature = "jemalloc")]
pub(super) fn read() -> Reading<Allocator> {
    use tikv_jemalloc_ctl::{epoch, stats};

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
    // It is linked with this feature, whether or not the program uses it.
    if found.allocated_bytes < 1 << 16 {
        return Err(Unknown::because(
            "jemalloc is there, and the program allocates elsewhere: make it the global allocator",
        ));
    }
    Ok(found)
}

#[cfg(not(feature = "jemalloc"))]
pub(super) fn read() -> Reading<Allocator> {
    Err(Unknown::because(
        "The system's allocator does not tell. With jemalloc as the global allocator and the feature `jemalloc` it is shown here.",
    ))
}
