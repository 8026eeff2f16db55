//! A wall clock of a program's own, by libfaketime. The kernel's other clocks stay as they are.

use std::{fs, path::Path};

use tempfile::TempDir;
use tokio::process::Command;

pub struct WallClock {
    folder: TempDir,
    library: &'static str,
}

impl WallClock {
    /// `clock` as libfaketime writes it: `+1h`, `@1969-06-01 12:00:00`. Returns `None` if there is no libfaketime.
    pub fn new(clock: &str) -> Option<Self> {
        let libraries = [
            "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
            "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
        ];
        let library = libraries.into_iter().find(|library| Path::new(library).exists());
        let Some(library) = library else {
            println!("skipped: Debian's package faketime is not installed");
            return None;
        };
        let wall_clock = Self { folder: tempfile::tempdir().expect("a folder"), library };
        wall_clock.set(clock);
        Some(wall_clock)
    }

    pub fn set(&self, clock: &str) {
        fs::write(self.folder.path().join("clock"), clock).expect("it can be written");
    }

    /// Makes the command's program read this clock.
    pub fn give_to(&self, command: &mut Command) {
        command.env("LD_PRELOAD", self.library).env("FAKETIME_TIMESTAMP_FILE", self.folder.path().join("clock"));
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("DONT_FAKE_MONOTONIC", "1").env("FAKETIME_NO_CACHE", "1");
    }
}
