//! Open file descriptors: `/proc/PID/fd`. Reading opens no file, so it works when no descriptor is left.

use std::{fs, path::Path};

use rustix::process::{Resource, getrlimit};
use watchboard_wire::{Descriptors, Reading};

use super::{
    failure::{or_refused, or_unknown},
    text,
};

/// The monitor's own process.
pub(super) fn read() -> Reading<Descriptors> {
    let folder = Path::new("/proc/self/fd");
    // Listing them opens one more.
    let open = match size(folder)? {
        0 => count_entries(folder)?.saturating_sub(1),
        open => open,
    };
    Ok(Descriptors { open, limit: getrlimit(Resource::Nofile).current, pid: None })
}

/// Another process, by its folder.
pub(super) fn read_of(folder: &Path, pid: u32) -> Reading<Descriptors> {
    let descriptors = folder.join("fd");
    let open = match size(&descriptors)? {
        0 => count_entries(&descriptors)?,
        open => open,
    };
    let limits = or_unknown("/proc/PID/limits", text::read(folder.join("limits")))?;
    Ok(Descriptors { open, limit: text::field(&limits, "Max open files"), pid: Some(pid) })
}

/// Newer kernels report their number as the size of the folder; older ones report 0.
fn size(folder: &Path) -> Reading<u64> {
    let name = folder.display().to_string();
    Ok(or_refused(&name, fs::metadata(folder))?.len())
}

fn count_entries(folder: &Path) -> Reading<u64> {
    let name = folder.display().to_string();
    Ok(or_refused(&name, fs::read_dir(folder))?.count() as u64)
}
