//! Control groups with a memory limit.

use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

/// A control group with a memory limit, removed with the test.
pub struct MemoryCgroup(PathBuf);

impl MemoryCgroup {
    /// Returns `None` if the machine does not allow one.
    pub fn with_limit(bytes: u64) -> Option<Self> {
        // Tests of one process run at once.
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("watchboard-test-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed));
        Self::named(name.as_bytes(), bytes)
    }

    /// The same, with a name of any bytes.
    pub fn named(name: &[u8], bytes: u64) -> Option<Self> {
        for (root, limit) in [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")] {
            let folder = Path::new(root).join(OsStr::from_bytes(name));
            // One of an earlier run may be left.
            if fs::create_dir(&folder).is_err() && !folder.join("cgroup.procs").exists() {
                continue;
            }
            let group = Self(folder);
            if fs::write(group.0.join(limit), bytes.to_string()).is_ok() {
                return Some(group);
            }
        }
        None
    }

    pub fn add_process(&self, pid: u32) {
        fs::write(self.0.join("cgroup.procs"), pid.to_string()).expect("the group takes the process");
    }
}

impl Drop for MemoryCgroup {
    fn drop(&mut self) {
        // It fails while a process is left. A leftover group holds nothing.
        let _ = fs::remove_dir(&self.0);
    }
}
