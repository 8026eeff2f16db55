//! The open file descriptors: `/proc/self/fd`. Read without opening one, so that it is known when there are none left.

use std::fs;

use rustix::process::{Resource, getrlimit};
use watchboard_app::wire::{Descriptors, Reading};

use super::unreadable;

const FOLDER: &str = "/proc/self/fd";

pub(super) fn read() -> Reading<Descriptors> {
    // Newer kernels tell how many there are as the size of the folder. Older ones list them, and the list is one of them.
    let open = match unreadable(FOLDER, fs::metadata(FOLDER))?.len() {
        0 => (unreadable(FOLDER, fs::read_dir(FOLDER))?.count() as u64).saturating_sub(1),
        open => open,
    };
    Ok(Descriptors { open, limit: getrlimit(Resource::Nofile).current })
}
