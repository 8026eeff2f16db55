//! The names that an application and an instance have, unless the host gives others.

#[cfg(feature = "mongodb")]
use std::fs;

#[cfg(feature = "mongodb")]
use watchboard_wire::{MAX_INSTANCE_NAME, is_instance_name};

/// The name of an instance in the fleet. That of all instances is nobody's, and an empty one is that of a board alone.
#[cfg(feature = "mongodb")]
pub(super) fn instance_name(given: Option<String>) -> String {
    let text_of = |name: String| name.trim().chars().take(MAX_INSTANCE_NAME).collect::<String>();
    let given = given.map(text_of).filter(|name| name.is_empty() || is_instance_name(name));
    let of_host = || fs::read_to_string("/proc/sys/kernel/hostname").ok().map(text_of);
    let name = given.or_else(|| of_host().filter(|name| is_instance_name(name)));
    name.unwrap_or_else(|| "instance".to_owned())
}

pub(super) fn executable_name() -> String {
    let path = std::env::current_exe().ok();
    path.and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .unwrap_or_else(|| "application".to_owned())
}
