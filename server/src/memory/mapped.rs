//! How the pages of the process are shared: `/proc/self/smaps_rollup`. The kernel walks all of them: some 10 ms for half a GiB.

use watchboard_app::wire::{Mapped, Reading};

use super::{text, unreadable};
use crate::clock::now_unix_ms;

const FILE: &str = "/proc/self/smaps_rollup";

pub(super) fn read() -> Reading<Mapped> {
    let rollup = unreadable(FILE, text::read(FILE))?;
    let kib = |name| text::field(&rollup, name).unwrap_or(0) * 1024;
    Ok(Mapped {
        read_at_unix_ms: now_unix_ms(),
        uss_bytes: kib("Private_Clean:") + kib("Private_Dirty:"),
        pss_bytes: kib("Pss:"),
    })
}
