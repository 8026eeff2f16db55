//! Steps lie in packs, once enough are there: redb rounds each value up to a power of two of its pages, and a step alone would take up to
//! twice its bytes. A pack is the records of its steps, one behind the other, and its key is its last one's.

use std::{collections::BTreeMap, ops::Range};

use redb::{ReadableTable, StorageError, Table};

use super::{
    StoreTier,
    record::{self, RecordKey},
};

/// What redb adds to a pack, at most.
const PACK_OVERHEAD: usize = 256;

/// The bytes of a pack, at most, by those of its first step: it has a dozen or more. A step beyond that is a pack of its own.
fn pack_bytes(step: usize) -> usize {
    (16 * step).next_power_of_two().clamp(1 << 16, 1 << 20) - PACK_OVERHEAD
}

/// Steps, or packs, by tier and Unix second.
pub(super) type StepsTable<'a> = Table<'a, (u8, u64), &'static [u8]>;

/// Moves steps to packs, as long as those that are left fill one. The newest of each tier, which change, are left.
pub(super) fn pack(steps: &mut StepsTable<'_>, packs: &mut StepsTable<'_>) -> Result<(), StorageError> {
    for tier in StoreTier::ALL {
        while let Some((last, pack)) = next_pack(steps, tier)? {
            packs.insert((tier as u8, last), &*pack)?;
            for removed in steps.extract_from_if((tier as u8, 0)..=(tier as u8, last), |_, _| true)? {
                removed?;
            }
        }
    }
    Ok(())
}

/// The oldest steps that fill a pack, and the start of the last one; `None` if they do not.
fn next_pack(steps: &StepsTable<'_>, tier: StoreTier) -> Result<Option<(u64, Vec<u8>)>, StorageError> {
    let (mut pack, mut last, mut most) = (vec![], 0, 0);
    for step in steps.range((tier as u8, 0)..=(tier as u8, u64::MAX))? {
        let (key, record) = step?;
        if pack.is_empty() {
            most = pack_bytes(record.value().len());
        } else if pack.len() + record.value().len() > most {
            return Ok(Some((last, pack)));
        }
        pack.extend(record.value());
        last = key.value().1;
    }
    Ok(None)
}

/// The start of the first step of a tier that is in a pack.
pub(super) fn first_packed(
    packs: &impl ReadableTable<(u8, u64), &'static [u8]>,
    tier: StoreTier,
) -> Result<Option<u64>, StorageError> {
    let mut first = None;
    if let Some(pack) = packs.range((tier as u8, 0)..=(tier as u8, u64::MAX))?.next() {
        let (_, pack) = pack?;
        record::find(pack.value(), pack.value().len(), |record| {
            if let RecordKey::Step(_, start) = record.key {
                first.get_or_insert(start);
            }
        });
    }
    Ok(first)
}

/// The steps that were read, the newest first, until they take too many bytes.
pub(super) struct NewestSteps {
    pub(super) steps: BTreeMap<u64, Vec<u8>>,
    /// How many bytes more may be read; `None` once a step had no room.
    room: Option<usize>,
}

impl NewestSteps {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { steps: BTreeMap::new(), room: Some(most_bytes) }
    }

    pub(super) fn has_room(&self) -> bool {
        self.room.is_some()
    }

    /// Adds a step that is older than those so far, unless it is there already.
    pub(super) fn add(&mut self, start: u64, payload: Vec<u8>) {
        if let Some(room) = self.room
            && !self.steps.contains_key(&start)
        {
            self.room = room.checked_sub(payload.len());
            if self.has_room() {
                self.steps.insert(start, payload);
            }
        }
    }

    /// Adds a tier's steps that are in packs and begin within a span.
    pub(super) fn add_packed(
        &mut self,
        packs: &impl ReadableTable<(u8, u64), &'static [u8]>,
        tier: StoreTier,
        span: &Range<u64>,
    ) -> Result<(), StorageError> {
        let key = |start| (tier as u8, start);
        // The last pack with steps of the span may have later ones too.
        let last = packs.range(key(span.end)..=key(u64::MAX))?.next().transpose()?;
        let last = last.map_or(u64::MAX, |(key, _)| key.value().1);
        for pack in packs.range(key(span.start)..=key(last))?.rev() {
            let (_, pack) = pack?;
            let mut records = vec![];
            record::find(pack.value(), pack.value().len(), |record| records.push(record));
            for record in records.into_iter().rev() {
                if let RecordKey::Step(_, start) = record.key
                    && span.contains(&start)
                    && let Some(payload) = record.payload()
                {
                    self.add(start, payload.into_owned());
                }
                if !self.has_room() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
