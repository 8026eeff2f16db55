//! Why a figure of the kernel is unknown: the name of its file, and the error.

use std::{fmt::Display, io};

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
