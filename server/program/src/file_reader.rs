//! Reads files on a blocking thread, one reading at a time: a mount that hangs holds up one thread, and nobody who serves.

use std::time::Duration;

use tokio::{
    task::{JoinError, JoinHandle, spawn_blocking},
    time::timeout,
};

/// A reading has this long before the files count as unreachable. It goes on, and the next call waits for it.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// A reading that may be under way still.
pub(crate) struct FileReader<T>(Option<JoinHandle<T>>);

impl<T> Default for FileReader<T> {
    fn default() -> Self {
        Self(None)
    }
}

/// There is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileReadError {
    #[error("its file system does not answer within {READ_WITHIN:?}")]
    Late,
    #[error(transparent)]
    Failed(#[from] JoinError),
}

impl<T: Send + 'static> FileReader<T> {
    /// Begins a reading, unless the last one is under way still, and waits for its result.
    pub(crate) async fn read(&mut self, read: impl FnOnce() -> T + Send + 'static) -> Result<T, FileReadError> {
        let running = self.0.get_or_insert_with(|| spawn_blocking(read));
        let result = timeout(READ_WITHIN, running).await.map_err(|_| FileReadError::Late)?;
        self.0 = None;
        Ok(result?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_reading_that_hangs_is_waited_for_and_not_repeated() {
        let mut reader = FileReader::default();
        let (answer, hangs) = mpsc::channel::<()>();
        let hung = reader.read(move || hangs.recv().map(|()| 1));
        // The caller gives up before the reading ends.
        assert!(timeout(Duration::from_millis(10), hung).await.is_err());
        answer.send(()).unwrap();
        assert_eq!(reader.read(|| Ok(2)).await.unwrap(), Ok(1));
        assert_eq!(reader.read(|| Ok(2)).await.unwrap(), Ok(2));
    }
}
