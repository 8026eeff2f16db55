//! How the pages of a process are shared: `/proc/PID/smaps_rollup`. The kernel walks all pages: some 10 ms for half a GiB.

use std::path::Path;

use watchboard_wire::{PageSharing, Reading};

use super::{failure::or_refused, text};
use crate::clock::now_unix_ms;

/// A process by its folder.
pub(super) fn read_of(folder: &Path) -> Reading<PageSharing> {
    let file = folder.join("smaps_rollup");
    let rollup = or_refused(&file.display().to_string(), text::read(&file))?;
    let kib = |name| text::field(&rollup, name).unwrap_or(0) * 1024;
    Ok(PageSharing {
        read_at_unix_ms: now_unix_ms(),
        uss_bytes: kib("Private_Clean:") + kib("Private_Dirty:"),
        pss_bytes: kib("Pss:"),
    })
}
