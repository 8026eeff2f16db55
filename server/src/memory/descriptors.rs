//! Open file descriptors: `/proc/PID/fd`. Read without opening one, so that it is known when there are none left.

use std::{fs, path::Path};

use rustix::process::{Resource, getrlimit};
use watchboard_wire::{Descriptors, Reading};

use super::{readable, text, unreadable};

/// Of the monitor's own process.
pub(super) fn read() -> Reading<Descriptors> {
    let folder = Path::new("/proc/self/fd");
    // Where they have to be listed, the list is one of them.
    let open = match size(folder)? {
        0 => listed(folder)?.saturating_sub(1),
        open => open,
    };
    Ok(Descriptors { open, limit: getrlimit(Resource::Nofile).current, pid: None })
}

/// Of another process, by its folder.
pub(super) fn read_of(folder: &Path, pid: u32) -> Reading<Descriptors> {
    let descriptors = folder.join("fd");
    let open = match size(&descriptors)? {
        0 => listed(&descriptors)?,
        open => open,
    };
    let limits = unreadable("/proc/PID/limits", text::read(folder.join("limits")))?;
    Ok(Descriptors { open, limit: text::field(&limits, "Max open files"), pid: Some(pid) })
}

/// Newer kernels tell how many there are as the size of the folder; older ones have them listed.
fn size(folder: &Path) -> Reading<u64> {
    let name = folder.display().to_string();
    Ok(readable(&name, fs::metadata(folder))?.len())
}

fn listed(folder: &Path) -> Reading<u64> {
    let name = folder.display().to_string();
    Ok(readable(&name, fs::read_dir(folder))?.count() as u64)
}
