//! The processes of an application that the monitor watches from outside: one, or a master with its workers.

use serde::{Deserialize, Serialize};

/// The watched application, and its processes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Application {
    /// How it was identified: `listening at 127.0.0.1:8000`, `process 4711`.
    pub found_by: String,
    /// The name of its main process; empty until it is found.
    pub name: String,
    /// The processes that are read, the main process first; empty while it does not run or is not visible.
    pub processes: Vec<ApplicationProcess>,
    /// Processes beyond the maximum. No figure includes them.
    pub unread_processes: u32,
    /// The last restarts, oldest first: times at which new processes replaced all others.
    pub restarted_at_unix_ms: Vec<u64>,
    /// All restarts since the start of the monitor.
    pub restarts: u64,
    /// The time at which it ended; `None` while it runs, and if that is not visible.
    pub gone_since_unix_ms: Option<u64>,
    /// The last time that all its processes ended, and why as far as that is known.
    pub last_end: Option<ProcessEnd>,
    /// Why no address of it is known, so that no request reaches it; `None` if one is known.
    pub unresolved: Option<String>,
}

/// The end of the application's processes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessEnd {
    /// The time at which it was noticed.
    pub at_unix_ms: u64,
    /// An OOM kill, its control group that was removed, a signal or an exit code; and what was last seen of it.
    pub reason: String,
}

/// One process of the application, from `/proc/PID/{cmdline,status,stat,fd}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ApplicationProcess {
    /// The process id.
    pub pid: u32,
    /// The first words of its command line that cannot hold a secret.
    pub command: String,
    /// Its role.
    pub role: Role,
    /// Its start, from `/proc/PID/stat`.
    pub started_at_unix_ms: u64,
    /// Resident memory, with the pages that it shares with the others.
    pub rss_bytes: u64,
    /// Its threads.
    pub num_threads: u64,
    /// CPU time over the last second, in percent of one core; `None` in the first second.
    pub cpu_percent: Option<f64>,
    /// Its open file descriptors; `None` if they are not visible.
    pub descriptors: Option<u64>,
    /// Its open regular files; read when somebody asks.
    pub open_files: Option<u64>,
}

/// The role of a process in its application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The parent of the others, or the oldest.
    Main,
    /// Another process that has the listening socket open.
    Worker,
    /// Any other descendant.
    #[default]
    Child,
}

impl Role {
    /// The word in the table and in `/health`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Worker => "worker",
            Self::Child => "child",
        }
    }
}

impl Application {
    /// The application in words: `uvicorn, 5 processes, listening at 127.0.0.1:8000`.
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
