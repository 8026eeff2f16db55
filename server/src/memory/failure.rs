//! Why a figure of the kernel is unknown: the name of its file, and the error. Only an absent file can mean that its process has ended.

use std::{fmt::Display, io};

use rustix::{
    io::Errno,
    process::{Pid, test_kill_process},
};
use watchboard_wire::{Reading, Unknown};

/// A file of the kernel that was not read.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("cannot read {name}: {error}")]
    Failed { name: String, error: String },
    #[error(
        "{name} may not be read: it is another user's process, or has changed its user. Run this one as the same user, or with \
         CAP_SYS_PTRACE."
    )]
    Refused { name: String },
    #[error(
        "process {pid} runs, and /proc does not show it: it is mounted with hidepid. Run this one as the same user, in the group that \
         may see all (gid= of the mount), or with CAP_SYS_PTRACE."
    )]
    Hidden { pid: u32 },
}

impl From<ReadError> for Unknown {
    fn from(error: ReadError) -> Self {
        Self::because(error.to_string())
    }
}

/// The result, or an error that names the file.
pub(super) fn or_unknown<T, E: Display>(name: &str, result: Result<T, E>) -> Reading<T> {
    result.map_err(|error| ReadError::Failed { name: name.to_owned(), error: error.to_string() }.into())
}

/// The same for a file of a process: a refusal says what to do about it.
pub(super) fn or_refused<T>(name: &str, result: io::Result<T>) -> Reading<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(ReadError::Refused { name: name.to_owned() }.into())
        }
        result => or_unknown(name, result),
    }
}

/// Why a process is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    /// It has ended, or there was none.
    Ended,
    /// It may well run, and a file or a right is missing.
    Unread(Unknown),
}

impl Absence {
    /// Of a process with a file that was not read.
    pub(super) fn from_error(pid: u32, name: &str, error: io::Error) -> Self {
        if !is_gone(&error) {
            let refused = or_refused::<()>(name, Err(error)).err();
            return Self::Unread(refused.unwrap_or_else(|| Unknown::because("it is not read")));
        }
        if exists(pid) { Self::Unread(ReadError::Hidden { pid }.into()) } else { Self::Ended }
    }
}

/// Whether an error says that there is no such file, or no such process behind an open one.
pub(super) fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}

/// Whether a signal could be sent to the process: that needs no `/proc`.
fn exists(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| !matches!(test_kill_process(pid), Err(Errno::SRCH)))
}
