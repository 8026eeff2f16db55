//! Reads files within a time and a size. While the program serves, on a blocking thread and one reading at a time: a mount that hangs holds up
//! one thread, and nobody who serves.

use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    path::Path,
    sync::mpsc::sync_channel,
    thread,
    time::Duration,
};

use tokio::{
    task::{JoinError, JoinHandle, spawn_blocking},
    time::timeout,
};

/// A reading has this long before the files count as unreachable. It goes on, and the next call waits for it.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// No file that the program reads has more.
const MAX_BYTES: u64 = 16 << 20;

/// The bytes of a file.
///
/// # Errors
/// It cannot be read, or has too many bytes, as a device has.
pub(crate) fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("it has more than {} MiB", MAX_BYTES >> 20)));
    }
    Ok(bytes)
}

/// Does a reading before the program serves, and waits for it no longer than its time.
///
/// # Errors
/// The file system, or whoever writes to a pipe, does not answer.
pub(crate) fn read_in_time<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let (answer, answered) = sync_channel(1);
    thread::Builder::new().spawn(move || _ = answer.send(read()))?;
    let late = || io::Error::new(ErrorKind::TimedOut, format!("nothing answers within {READ_WITHIN:?}"));
    answered.recv_timeout(READ_WITHIN).map_err(|_| late())
}

/// The text of a file.
///
/// # Errors
/// As for its bytes, or it is no text.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    let bytes = read_bytes(path)?;
    String::from_utf8(bytes).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not text in UTF-8"))
}

/// The text of a file, before the program serves.
///
/// # Errors
/// As for its text, or it does not answer in time.
pub(crate) fn read_text_in_time(path: &Path) -> io::Result<String> {
    let path = path.to_owned();
    read_in_time(move || read_text(&path))?
}

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
