//! The errors of redb as those of a store.

use std::io::ErrorKind;

use redb::{CommitError, StorageError, TableError, TransactionError};

use super::StoreError;

/// What is damaged is told from what the disk refuses.
impl From<StorageError> for StoreError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Corrupted(reason) => Self::Unreadable(reason),
            // What ends too early, or is no file of redb's.
            StorageError::Io(error) if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) => {
                Self::Unreadable(error.to_string())
            }
            other => Self::of_disk(other),
        }
    }
}

impl From<TableError> for StoreError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Storage(error) => error.into(),
            other => Self::Unreadable(other.to_string()),
        }
    }
}

impl From<TransactionError> for StoreError {
    fn from(error: TransactionError) -> Self {
        match error {
            TransactionError::Storage(error) => error.into(),
            other => Self::of_disk(other),
        }
    }
}

impl From<CommitError> for StoreError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Storage(error) => error.into(),
            other => Self::of_disk(other),
        }
    }
}
