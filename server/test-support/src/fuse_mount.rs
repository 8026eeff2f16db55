//! A file system that can be made to hang, as that of a network drive whose server is gone.

use std::{ffi::OsStr, fs, path::PathBuf, time::Duration};

use tempfile::TempDir;
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

use super::mongod::signal;

/// A FUSE mount with a file named `file`. Only the command that it starts, and what that starts, see it.
pub struct FuseMount {
    folder: TempDir,
}

impl FuseMount {
    /// Returns `None` if the machine does not allow one.
    pub async fn new() -> Option<Self> {
        let mount = Self { folder: tempfile::tempdir().expect("a folder") };
        fs::create_dir(mount.path()).expect("it can be made");
        let tried = mount.command("true").output().await.ok()?;
        let _ = fs::remove_file(mount.pid_file());
        tried.status.success().then_some(mount)
    }

    /// Its mount point.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("mount")
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.path().join("pid")
    }

    /// A command that sees the mount. The file system ends with it.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let script = self.folder.path().join("mount.py");
        fs::write(&script, include_str!("apps/mount.py")).expect("it can be written");
        let mut command = Command::new("unshare");
        command.args(["--mount", "python3"]).args([script, self.path(), self.pid_file()]).arg(program);
        command.kill_on_drop(true);
        command
    }

    /// From now on it does not answer.
    pub async fn hang(&self) {
        signal(self.server().await, "STOP").await;
    }

    /// It answers again, also what it was asked in the meantime.
    pub async fn go_on(&self) {
        signal(self.server().await, "CONT").await;
    }

    /// The process of the file system.
    async fn server(&self) -> u32 {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Ok(pid) = fs::read_to_string(self.pid_file()) {
                return pid.parse().expect("an id");
            }
            assert!(Instant::now() < deadline, "it is not mounted");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for FuseMount {
    fn drop(&mut self) {
        // What waits for the file system goes on with an error.
        if let Ok(pid) = fs::read_to_string(self.pid_file()) {
            let _ = std::process::Command::new("kill").args(["-s", "KILL", &pid]).status();
        }
    }
}
