//! SQLite: each query opens the file, so a removed or replaced file is noticed, and no file stays open. Queries run on a
//! blocking thread, one at a time: a file on a lost network drive may hold it for hours.

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::task::{JoinHandle, spawn_blocking};
use watchboard_wire as wire;
use watchboard_wire::{DatabaseFailure, DatabaseFile, FailureKind};

use super::probe::{DatabaseSource, ProbeResult};

/// The probe waits this long for a lock on the file: every commit holds one for a moment.
const UNLOCKED_WITHIN: Duration = Duration::from_millis(500);

/// A SQLite file to ask.
pub(super) struct Sqlite {
    path: PathBuf,
    /// The running query. It may last longer than its round.
    asking: Option<JoinHandle<Result<SqliteReading, DatabaseFailure>>>,
}

struct SqliteReading {
    file: DatabaseFile,
    round_trip: Duration,
}

impl Sqlite {
    pub(super) fn new(path: PathBuf, database: &mut wire::DatabaseHealth) -> Self {
        "SQLite".clone_into(&mut database.kind);
        database.hosts = path.display().to_string();
        database.server_version = Some(rusqlite::version().to_owned());
        Self { path, asking: None }
    }

    async fn round(&mut self, result: &mut ProbeResult) -> Result<Duration, DatabaseFailure> {
        let path = self.path.clone();
        let asking = self.asking.get_or_insert_with(|| spawn_blocking(move || query_file(&path)));
        let answer = asking.await;
        self.asking = None;
        let answer =
            answer.map_err(|_| DatabaseFailure::new(FailureKind::Other, "the look at its file panicked"))??;
        result.database.topology = Some("embedded in one file".to_owned());
        result.database.file = Some(answer.file);
        Ok(answer.round_trip)
    }
}

impl DatabaseSource for Sqlite {
    fn query<'a>(&'a mut self, result: &'a mut ProbeResult) -> BoxFuture<'a, Result<Duration, DatabaseFailure>> {
        Box::pin(self.round(result))
    }

    fn overdue(&mut self) -> BoxFuture<'_, DatabaseFailure> {
        let detail = "its file does not answer: the disk or the network drive that it is on hangs";
        Box::pin(async move { DatabaseFailure::new(FailureKind::Frozen, detail) })
    }
}

/// One query to the file. Only its metadata are read without SQLite: to open and close the file otherwise would release the locks
/// that the application's own connections in this process hold on it.
fn query_file(path: &Path) -> Result<SqliteReading, DatabaseFailure> {
    let metadata = path.metadata().map_err(|error| not_there(path, &error))?;
    if !metadata.is_file() {
        return Err(DatabaseFailure::new(FailureKind::Damaged, "what is at its path is not a file"));
    }
    let started = Instant::now();
    let mut file = query(path).map_err(|error| failure(&error))?;
    let round_trip = started.elapsed();
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    file.log_bytes = Path::new(&log).metadata().ok().map(|metadata| metadata.len());
    Ok(SqliteReading { file, round_trip })
}

fn query(path: &Path) -> rusqlite::Result<DatabaseFile> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(UNLOCKED_WITHIN)?;
    // Every statement reads the schema: a file that is no database, or a damaged one, shows here.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let page_bytes = number("page_size")?.unsigned_abs();
    Ok(DatabaseFile {
        size_bytes: number("page_count")?.unsigned_abs() * page_bytes,
        free_bytes: number("freelist_count")?.unsigned_abs() * page_bytes,
        log_bytes: None,
        journal_mode: connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?,
    })
}

fn not_there(path: &Path, error: &io::Error) -> DatabaseFailure {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => DatabaseFailure::new(
            FailureKind::Unreachable,
            format!("there is no file {path}: look at the path, or bring the file back"),
        ),
        io::ErrorKind::PermissionDenied => no_right(),
        _ => DatabaseFailure::new(FailureKind::Unreachable, format!("the file {path} cannot be looked at")),
    }
}

/// The failure by SQLite's code: its texts can hold names of the application.
fn failure(error: &rusqlite::Error) -> DatabaseFailure {
    let (kind, detail) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            FailureKind::Busy,
            "somebody else holds the file for themselves: a long transaction, or a process that hangs in one",
        ),
        Some(ErrorCode::NotADatabase) => {
            (FailureKind::Damaged, "the file is not a SQLite database, or an encrypted one: look at the path")
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            (FailureKind::Damaged, "the file is damaged: stop writing, and restore it from a backup")
        }
        Some(ErrorCode::PermissionDenied) => return no_right(),
        Some(ErrorCode::CannotOpen) => {
            (FailureKind::NotAuthorised, "the file cannot be opened: let the monitor's user read it and its folder")
        }
        Some(ErrorCode::SystemIoFailure) => (FailureKind::Other, "the disk fails to read the file"),
        _ => (FailureKind::Other, "SQLite failed"),
    };
    DatabaseFailure::new(kind, detail)
}

fn no_right() -> DatabaseFailure {
    DatabaseFailure::new(FailureKind::NotAuthorised, "the monitor's user may not read the file")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(path: &Path) -> Option<FailureKind> {
        query_file(path).err().map(|failure| failure.kind)
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_apart_and_none_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        assert_eq!(kind(&path), Some(FailureKind::Unreachable));
        assert!(!path.exists());
        assert_eq!(kind(folder.path()), Some(FailureKind::Damaged));

        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE a (b); INSERT INTO a VALUES (zeroblob(100000));").unwrap();
        let file = query_file(&path).ok().unwrap().file;
        assert_eq!((&*file.journal_mode, file.log_bytes, file.free_bytes), ("delete", None, 0));
        assert!(file.size_bytes > 100_000);
        connection.execute_batch("DELETE FROM a").unwrap();
        assert!(query_file(&path).ok().unwrap().file.free_bytes >= 90_000);
        connection.pragma_update(None, "journal_mode", "wal").unwrap();
        connection.execute_batch("INSERT INTO a VALUES (1)").unwrap();
        let file = query_file(&path).ok().unwrap().file;
        assert!(file.journal_mode == "wal" && file.log_bytes.is_some_and(|bytes| bytes > 0), "{file:?}");
        connection.pragma_update(None, "journal_mode", "delete").unwrap();

        connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
        assert_eq!(kind(&path), Some(FailureKind::Busy));
        drop(connection);
        assert_eq!(kind(&path), None);

        std::fs::write(&path, vec![b'x'; 4096]).unwrap();
        assert_eq!(kind(&path), Some(FailureKind::Damaged));
    }
}
