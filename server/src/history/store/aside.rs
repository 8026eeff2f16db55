//! A file that cannot be read is set aside, and never deleted. What is whole in it goes into a new one.

use std::{
    borrow::Cow,
    collections::HashMap,
    fs::{self, File},
    io,
    path::Path,
};

use super::{
    Batch, EmbeddedStore, Store, StoredMark, StoredStep,
    record::{self, RecordKey},
};

/// Steps in memory at a time, about.
const BATCH_BYTES: usize = 4 << 20;

/// Sets a file aside, and returns what is to be told.
pub(super) fn set_aside(file: &Path, reason: &str) -> io::Result<String> {
    let aside = file.with_file_name(format!("history.unreadable-{}.redb", crate::clock::now_unix_ms() / 1000));
    fs::rename(file, &aside)?;
    let found = restore(file, &aside);
    let found = match &found {
        Ok(0) => "nothing in it is whole".to_owned(),
        Ok(count) => format!("{count} of its records are whole and were taken over"),
        Err(error) => format!("what is whole in it could not be taken over: {error}"),
    };
    let told = format!(
        "the history in {} cannot be read: {reason}; it is kept as {}; {found}",
        file.display(),
        aside.display()
    );
    tracing::error!("{told}");
    Ok(told)
}

/// Takes over what is whole, and returns how much.
fn restore(file: &Path, aside: &Path) -> io::Result<usize> {
    // A file has pages that nothing refers to any more: of two records the newer one counts.
    let mut newest: HashMap<RecordKey, u64> = HashMap::new();
    record::salvage(File::open(aside)?, |found| {
        let known = newest.entry(found.key).or_default();
        *known = found.written_at_unix_ms.max(*known);
    })?;
    if newest.is_empty() {
        return Ok(0);
    }
    let mut store = EmbeddedStore::open(file)?;
    let (mut batch, mut bytes, mut failed) = (Batch::default(), 0, None);
    record::salvage(File::open(aside)?, |found| {
        if failed.is_some() || newest.get(&found.key) != Some(&found.written_at_unix_ms) {
            return;
        }
        let Some(payload) = found.payload().map(Cow::into_owned) else { return };
        bytes += payload.len();
        match found.key {
            RecordKey::Step(tier, start) => batch.steps.push(StoredStep { tier, start, bytes: payload }),
            RecordKey::Name(key) => batch.names.push((key, payload)),
            RecordKey::Mark(at_unix_ms) => batch.marks.push(StoredMark { at_unix_ms, bytes: payload }),
        }
        if bytes > BATCH_BYTES {
            failed = store.append(&std::mem::take(&mut batch)).err();
            bytes = 0;
        }
    })?;
    match failed.or_else(|| store.append(&batch).err()) {
        Some(error) => Err(error.into()),
        None => Ok(newest.len()),
    }
}
