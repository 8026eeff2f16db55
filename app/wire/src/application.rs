//! The application's processes, where the monitor watches others than its own: a master with its workers, or a single one.

use serde::{Deserialize, Serialize};

/// Whose figures those of the process are, and how they are shared out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Application {
    /// What it is told by: `listening at 127.0.0.1:8000`, `process 4711`.
    pub found_by: String,
    /// The name of its main process; empty until it has been seen.
    pub name: String,
    /// Those that are read, the main process first; none while it does not run or cannot be seen.
    pub processes: Vec<ApplicationProcess>,
    /// Processes beyond those that are read: they are in no figure.
    pub unread_processes: u32,
    /// When other processes took the place of all that there were; the last of them, oldest first.
    pub restarted_at_unix_ms: Vec<u64>,
    /// Since when it does not run; none while it does, and where that cannot be seen.
    pub gone_since_unix_ms: Option<u64>,
}

/// One process of the application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ApplicationProcess {
    /// The process id.
    pub pid: u32,
    /// The first words of its command line, as far as they can hold no secret.
    pub command: String,
    /// What it is to the others.
    pub role: Role,
    /// When it was started.
    pub started_at_unix_ms: u64,
    /// Resident memory, the pages included that it shares with the others.
    pub rss_bytes: u64,
    /// Its threads.
    pub num_threads: u64,
    /// CPU time over the last second, as a percentage of one core; none in the first.
    pub cpu_percent: Option<f64>,
    /// Its open file descriptors; none where they cannot be seen.
    pub descriptors: Option<u64>,
    /// Its open regular files; read every five seconds while somebody looks.
    pub open_files: Option<u64>,
}

/// What a process is to the others of its application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The topmost, or the oldest of several.
    Main,
    /// Another that has the listening socket open.
    Worker,
    /// Any other descendant.
    #[default]
    Child,
}

impl Role {
    /// The word of the table and of `/health`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Worker => "worker",
            Self::Child => "child",
        }
    }
}

impl Application {
    /// Whose figures they are: `uvicorn, 5 processes, listening at 127.0.0.1:8000`.
    pub fn words(&self) -> String {
        let found_by = &self.found_by;
        match (self.processes.len() + self.unread_processes as usize, &*self.name) {
            (0, "") => format!("the application, {found_by}"),
            (0, name) => format!("{name}, {found_by}"),
            (1, name) => format!("{name}, 1 process, {found_by}"),
            (count, name) => format!("{name}, {count} processes, {found_by}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_named_with_what_it_is_told_by() {
        let mut application = Application { found_by: "listening at 127.0.0.1:8000".into(), ..Application::default() };
        assert_eq!(application.words(), "the application, listening at 127.0.0.1:8000");
        application.name = "uvicorn".into();
        assert_eq!(application.words(), "uvicorn, listening at 127.0.0.1:8000");
        application.processes = vec![ApplicationProcess::default()];
        assert_eq!(application.words(), "uvicorn, 1 process, listening at 127.0.0.1:8000");
        application.unread_processes = 4;
        assert_eq!(application.words(), "uvicorn, 5 processes, listening at 127.0.0.1:8000");
    }
}
