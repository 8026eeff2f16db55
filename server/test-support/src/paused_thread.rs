//! A thread that stands still while its process goes on.

use std::{fs, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// A thread that is stopped by a debugger's means. It goes on when this is dropped.
pub struct PausedThread {
    _debugger: Child,
}

impl PausedThread {
    /// Stops the thread with this name, which is not the first of the process. Returns `None` if the machine does not allow it.
    pub async fn stop(pid: u32, name: &str) -> Option<Self> {
        let thread = threads(pid).into_iter().find(|(id, of)| *id != pid && of == name).expect("such a thread").0;
        let mut debugger = Command::new("python3");
        debugger.args(["-c", include_str!("apps/pause_thread.py"), &thread.to_string()]);
        debugger.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut debugger = debugger.spawn().expect("python3 starts");
        let mut lines = BufReader::new(debugger.stdout.take().expect("a pipe")).lines();
        let said = lines.next_line().await.expect("text");
        (said.as_deref() == Some("stopped")).then_some(Self { _debugger: debugger })
    }
}

/// The ids and names of the threads of a process.
pub fn threads(pid: u32) -> Vec<(u32, String)> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("it runs");
    let thread = |task: fs::DirEntry| {
        let name = fs::read_to_string(task.path().join("comm")).ok()?;
        Some((task.file_name().to_str()?.parse().ok()?, name.trim().to_owned()))
    };
    tasks.flatten().filter_map(thread).collect()
}
