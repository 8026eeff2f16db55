//! The store in a file beside the program.

use std::{
    fs,
    ops::Range,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use redb::{
    AccessGuard, CompactionError, Database, DatabaseError, ReadableDatabase, ReadableTable, ReadableTableMetadata,
    StorageError, Table, TableDefinition, TableError,
};

use super::{
    Batch, KeptTimes, MARKS_KEPT_SECONDS, MAX_STORED_MARKS, NameKey, Store, StoreError, StoreTier, StoredMark,
    StoredStep,
    packs::{NewestSteps, StepsTable, first_packed, pack},
    record::{self, RecordKey, payload_bytes},
    tier::removal_order,
};

/// By tier and the Unix second at which the step begins.
const STEPS: TableDefinition<'_, (u8, u64), &[u8]> = TableDefinition::new("steps");
/// Steps that fill a pack, by tier and the Unix second at which the last one of the pack begins.
const PACKS: TableDefinition<'_, (u8, u64), &[u8]> = TableDefinition::new("packs");
const NAMES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("names");
/// By Unix millisecond, and a key of the value: a mark that is stored twice is there once.
const MARKS: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("marks");
/// What changes with each batch, in one page: see [`StateKey`].
const STATE: TableDefinition<'_, u8, &[u8]> = TableDefinition::new("state");
/// The version of the format, at one place for all tables.
const VERSION: TableDefinition<'_, (), u32> = TableDefinition::new("version");
/// In the first format, what is in [`STATE`] since.
const FIRST_RUN_RECORD: TableDefinition<'_, (), &[u8]> = TableDefinition::new("run record");
const FIRST_BYTES: TableDefinition<'_, (), u64> = TableDefinition::new("bytes");

/// The keys of [`STATE`].
#[derive(Clone, Copy)]
enum StateKey {
    /// The bytes of all values, so that nobody has to read them to know.
    Bytes,
    RunRecord,
    /// The start of the step of ten seconds that was stored last.
    LastStored,
}

/// The version that this code writes. It reads older ones: in the first one no step was deflated or in a pack.
const FORMAT: u32 = 2;
/// Pages that redb keeps in memory.
const CACHE_BYTES: usize = 4 << 20;

/// The store in a file.
#[derive(Debug)]
pub(crate) struct EmbeddedStore {
    file: PathBuf,
    /// The device and the inode of the file that is open.
    inode: Option<(u64, u64)>,
    database: Database,
}

impl EmbeddedStore {
    /// Opens the file, or makes it.
    pub(crate) fn open(file: &Path) -> Result<Self, StoreError> {
        let of_database = |error| match error {
            DatabaseError::DatabaseAlreadyOpen => StoreError::Taken(writer_of(file)),
            DatabaseError::Storage(error) => error.into(),
            other => StoreError::Unreadable(other.to_string()),
        };
        let mut builder = Database::builder();
        // A page that is damaged would make redb panic where it is read, in a destructor too, which ends the process.
        builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
        let database = builder.create(file).map_err(of_database)?;
        let store = Self { file: file.to_owned(), inode: inode(file), database };
        match store.version()? {
            Some(version) if version > FORMAT => Err(StoreError::Unreadable(format!(
                "its format is {version}, of a newer Watchboard, and this one reads {FORMAT}"
            ))),
            Some(FORMAT) => Ok(store),
            _ => store.make(),
        }
    }

    /// Whether its file is still where it was: somebody may have removed or replaced it.
    pub(super) fn is_in_place(&self) -> bool {
        inode(&self.file) == self.inode
    }

    /// Trims the store, so that its file takes no more bytes on disk.
    pub(crate) fn keep_within(&mut self, now: u64, kept_times: &KeptTimes, file_bytes: u64) -> Result<(), StoreError> {
        let most_bytes = self.records_within(file_bytes)?;
        self.trim(now, kept_times, most_bytes)?;
        // A file that was removed takes none.
        let on_disk = fs::metadata(&self.file).map_or(0, |file| file.blocks() * 512);
        if on_disk > file_bytes { self.compact() } else { Ok(()) }
    }

    /// Moves the pages of the file together: free ones between others are too short for what comes, and the file becomes longer.
    pub(super) fn compact(&mut self) -> Result<(), StoreError> {
        match self.database.compact() {
            Ok(_) => Ok(()),
            Err(CompactionError::Storage(error)) => Err(error.into()),
            Err(other) => Err(StoreError::of_disk(other)),
        }
    }

    /// The bytes of records for which a file of so many bytes has room, beside what redb needs to change it. Without an end while the
    /// file is smaller.
    fn records_within(&self, file_bytes: u64) -> Result<u64, StoreError> {
        let file_bytes = file_bytes / 16 * 15;
        let write = self.database.begin_write()?;
        let stats = write.stats()?;
        write.abort()?;
        let used_bytes = stats.allocated_pages() * stats.page_size() as u64;
        let part = u128::from(self.bytes()?) * u128::from(file_bytes) / u128::from(used_bytes.max(1));
        Ok(if used_bytes <= file_bytes { u64::MAX } else { part as u64 })
    }

    fn version(&self) -> Result<Option<u32>, StoreError> {
        let read = self.database.begin_read()?;
        match read.open_table(VERSION) {
            Ok(table) => Ok(table.get(())?.map(|version| version.value())),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(StoreError::Unreadable(error.to_string())),
        }
    }

    /// Makes the tables, and those of an older version new.
    fn make(self) -> Result<Self, StoreError> {
        let write = self.database.begin_write()?;
        {
            write.open_table(STEPS)?;
            write.open_table(PACKS)?;
            write.open_table(NAMES)?;
            write.open_table(MARKS)?;
            let mut state = write.open_table(STATE)?;
            let bytes = write.open_table(FIRST_BYTES)?.get(())?.map_or(0, |bytes| bytes.value());
            set_number(&mut state, StateKey::Bytes, bytes)?;
            if let Some(record) = write.open_table(FIRST_RUN_RECORD)?.get(())? {
                state.insert(StateKey::RunRecord as u8, record.value())?;
            }
            write.open_table(VERSION)?.insert((), FORMAT)?;
        }
        write.delete_table(FIRST_BYTES)?;
        write.delete_table(FIRST_RUN_RECORD)?;
        write.commit()?;
        Ok(self)
    }

    /// Changes the tables in one transaction. `change` returns by how many bytes they grow and shrink.
    fn change(
        &self,
        change: impl FnOnce(&mut StoreTables<'_>) -> Result<(u64, u64), StorageError>,
    ) -> Result<(), StoreError> {
        let write = self.database.begin_write()?;
        {
            let mut tables = StoreTables {
                steps: write.open_table(STEPS)?,
                packs: write.open_table(PACKS)?,
                names: write.open_table(NAMES)?,
                marks: write.open_table(MARKS)?,
                state: write.open_table(STATE)?,
            };
            let before = number(&tables.state, StateKey::Bytes)?.unwrap_or_default();
            let (more, less) = change(&mut tables)?;
            set_number(&mut tables.state, StateKey::Bytes, (before + more).saturating_sub(less))?;
        }
        Ok(write.commit()?)
    }
}

fn inode(file: &Path) -> Option<(u64, u64)> {
    fs::metadata(file).ok().map(|file| (file.dev(), file.ino()))
}

/// What a change may change.
struct StoreTables<'a> {
    steps: StepsTable<'a>,
    packs: StepsTable<'a>,
    names: Table<'a, u64, &'static [u8]>,
    marks: Table<'a, (u64, u64), &'static [u8]>,
    state: Table<'a, u8, &'static [u8]>,
}

impl Store for EmbeddedStore {
    fn append(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.change(|StoreTables { steps, names, marks, state, .. }| {
            let (mut more, mut less) = (0, 0);
            for step in &batch.steps {
                let key = RecordKey::Step(step.tier, step.start);
                let record = record(key, &step.bytes);
                more += payload_bytes(&record);
                let before = steps.insert((step.tier as u8, step.start), &*record)?;
                less += before.map_or(0, |before| payload_bytes(before.value()));
            }
            for (key, name) in &batch.names {
                let record = record(RecordKey::Name(*key), name);
                more += payload_bytes(&record);
                less += names.insert(key.0, &*record)?.map_or(0, |before| payload_bytes(before.value()));
            }
            for StoredMark { at_unix_ms, bytes } in &batch.marks {
                let record = record(RecordKey::Mark(*at_unix_ms), bytes);
                let is_known = marks.insert((*at_unix_ms, NameKey::of(bytes).0), &*record)?.is_some();
                more += if is_known { 0 } else { payload_bytes(&record) };
            }
            let ten_seconds = batch.steps.iter().filter(|step| step.tier == StoreTier::TenSeconds);
            if let Some(last) = ten_seconds.map(|step| step.start).max() {
                set_number(state, StateKey::LastStored, last)?;
            }
            if let Some(record) = &batch.run_record {
                state.insert(StateKey::RunRecord as u8, &**record)?;
            }
            Ok((more, less))
        })
    }

    fn newest_steps(
        &self,
        tier: StoreTier,
        span: Range<u64>,
        most_bytes: usize,
    ) -> Result<Vec<StoredStep>, StoreError> {
        let read = self.database.begin_read()?;
        let table = read.open_table(STEPS)?;
        let mut newest = NewestSteps::new(most_bytes);
        for step in table.range((tier as u8, span.start)..(tier as u8, span.end))?.rev() {
            let (key, record) = step?;
            let start = key.value().1;
            // Of a damaged one nothing is left, which whoever decodes it notices.
            let bytes = record::payload(record.value(), RecordKey::Step(tier, start)).unwrap_or_default();
            newest.add(start, bytes.into_owned());
            if !newest.has_room() {
                break;
            }
        }
        if newest.has_room() {
            newest.add_packed(&read.open_table(PACKS)?, tier, &span)?;
        }
        Ok(newest.steps.into_iter().map(|(start, bytes)| StoredStep { tier, start, bytes }).collect())
    }

    fn first(&self, tier: StoreTier) -> Result<Option<u64>, StoreError> {
        let read = self.database.begin_read()?;
        let (steps, packs) = (read.open_table(STEPS)?, read.open_table(PACKS)?);
        let first = steps.range((tier as u8, 0)..=(tier as u8, u64::MAX))?.next().transpose()?;
        let first = first.map(|(key, _)| key.value().1);
        Ok(first_packed(&packs, tier)?.into_iter().chain(first).min())
    }

    fn last_stored(&self) -> Result<Option<u64>, StoreError> {
        let read = self.database.begin_read()?;
        let last = number(&read.open_table(STATE)?, StateKey::LastStored)?;
        if last.is_some() {
            return Ok(last);
        }
        // A file of the first format does not say it.
        let steps = read.open_table(STEPS)?;
        let tier = StoreTier::TenSeconds as u8;
        let last = steps.range((tier, 0)..=(tier, u64::MAX))?.next_back().transpose()?;
        Ok(last.map(|(key, _)| key.value().1))
    }

    fn names(&self) -> Result<Vec<(NameKey, Vec<u8>)>, StoreError> {
        let read = self.database.begin_read()?;
        let table = read.open_table(NAMES)?;
        let names = table.iter()?;
        let name = |entry| {
            let (key, name): (AccessGuard<'_, u64>, AccessGuard<'_, &[u8]>) = entry?;
            let key = NameKey(key.value());
            Ok(record::payload(name.value(), RecordKey::Name(key)).map(|name| (key, name.to_vec())))
        };
        Ok(names.map(name).filter_map(Result::transpose).collect::<Result<_, StorageError>>()?)
    }

    fn marks(&self, span: Range<u64>) -> Result<Vec<StoredMark>, StoreError> {
        let read = self.database.begin_read()?;
        let table = read.open_table(MARKS)?;
        let marks = table.range((span.start, 0)..(span.end, 0))?;
        let mark = |entry| {
            let (key, bytes): (AccessGuard<'_, (u64, u64)>, AccessGuard<'_, &[u8]>) = entry?;
            let at_unix_ms = key.value().0;
            let bytes = record::payload(bytes.value(), RecordKey::Mark(at_unix_ms));
            Ok(bytes.map(|bytes| StoredMark { at_unix_ms, bytes: bytes.to_vec() }))
        };
        Ok(marks.map(mark).filter_map(Result::transpose).collect::<Result<_, StorageError>>()?)
    }

    fn run_record(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let read = self.database.begin_read()?;
        let state = read.open_table(STATE)?;
        Ok(state.get(StateKey::RunRecord as u8)?.map(|record| record.value().to_vec()))
    }

    fn trim(&mut self, now: u64, kept_times: &KeptTimes, most_bytes: u64) -> Result<(), StoreError> {
        let held = self.bytes()?;
        self.change(|StoreTables { steps, packs, marks, .. }| {
            let mut less = 0;
            let oldest_kept = now.saturating_sub(MARKS_KEPT_SECONDS) * 1000;
            for removed in marks.extract_from_if(..(oldest_kept, 0), |_, _| true)? {
                less += payload_bytes(removed?.1.value());
            }
            while marks.len()? > MAX_STORED_MARKS
                && let Some((_, mark)) = marks.pop_first()?
            {
                less += payload_bytes(mark.value());
            }
            pack(steps, packs)?;
            let mut remove = |tier, before, is_enough: &dyn Fn(u64) -> bool| {
                [&mut *packs, &mut *steps]
                    .into_iter()
                    .try_for_each(|table| remove_oldest(table, tier, before, &mut less, is_enough))
            };
            for tier in StoreTier::ALL {
                remove(tier, now.saturating_sub(kept_times.kept_seconds(tier)), &|_| false)?;
            }
            for (tier, before) in removal_order(now) {
                remove(tier, before, &|less| held.saturating_sub(less) <= most_bytes)?;
            }
            Ok((0, less))
        })
    }

    fn bytes(&self) -> Result<u64, StoreError> {
        let read = self.database.begin_read()?;
        Ok(number(&read.open_table(STATE)?, StateKey::Bytes)?.unwrap_or_default())
    }
}

/// A number of the state.
fn number(state: &impl ReadableTable<u8, &'static [u8]>, key: StateKey) -> Result<Option<u64>, StorageError> {
    let number = state.get(key as u8)?;
    Ok(number.and_then(|number| number.value().try_into().ok()).map(u64::from_be_bytes))
}

fn set_number(state: &mut Table<'_, u8, &'static [u8]>, key: StateKey, number: u64) -> Result<(), StorageError> {
    state.insert(key as u8, &number.to_be_bytes()[..]).map(drop)
}

/// Removes what begins before a second, the oldest first, until the removed bytes are enough.
fn remove_oldest(
    table: &mut StepsTable<'_>,
    tier: StoreTier,
    before: u64,
    removed_bytes: &mut u64,
    is_enough: &dyn Fn(u64) -> bool,
) -> Result<(), StorageError> {
    let mut oldest = table.extract_from_if((tier as u8, 0)..(tier as u8, before), |_, _| true)?;
    while !is_enough(*removed_bytes)
        && let Some(removed) = oldest.next()
    {
        *removed_bytes += payload_bytes(removed?.1.value());
    }
    Ok(())
}

fn record(key: RecordKey, payload: &[u8]) -> Vec<u8> {
    record::encode(key, crate::clock::now_unix_ms(), payload)
}

/// A process that has a file open. Those of other users and containers cannot be seen.
fn writer_of(file: &Path) -> Option<u32> {
    let file = file.canonicalize().ok()?;
    let opens = |process: &fs::DirEntry| {
        let files = fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten();
        files.into_iter().any(|open| fs::read_link(open.path()).is_ok_and(|open| open == file))
    };
    let mut processes = fs::read_dir("/proc").ok()?.flatten();
    processes.find_map(|process| process.file_name().to_str()?.parse().ok().filter(|_| opens(&process)))
}
