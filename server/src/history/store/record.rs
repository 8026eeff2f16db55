//! A value in the store's file. It says what it is, and has a checksum: what is damaged is known, and of a file that is torn each whole
//! record can be found again.

use std::io::{self, Read};

use super::{NameKey, StoreTier};

const MAGIC: [u8; 4] = *b"WbR\x01";
/// The bytes of a record beside its payload: magic, kind, key, time, length, and the checksum behind it.
pub(super) const OVERHEAD: usize = 4 + 1 + 8 + 8 + 4 + 4;
/// A step of 512 busy endpoints has a tenth of it.
const MAX_PAYLOAD: usize = 4 << 20;
const NAME: u8 = b'N';
const MARK: u8 = b'M';

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum RecordKey {
    /// With the Unix second at which it begins.
    Step(StoreTier, u64),
    Name(NameKey),
    /// With its Unix millisecond.
    Mark(u64),
}

/// A record that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) key: RecordKey,
    /// Of two with the same key the newer one counts.
    pub(super) written_at_unix_ms: u64,
    pub(super) payload: &'a [u8],
}

impl Record<'_> {
    pub(super) fn encode(&self) -> Vec<u8> {
        let (kind, key) = match self.key {
            RecordKey::Step(tier, start) => (tier as u8, start),
            RecordKey::Name(key) => (NAME, key.0),
            RecordKey::Mark(at_unix_ms) => (MARK, at_unix_ms),
        };
        let mut out = Vec::with_capacity(OVERHEAD + self.payload.len());
        out.extend(MAGIC);
        out.push(kind);
        out.extend(key.to_be_bytes());
        out.extend(self.written_at_unix_ms.to_be_bytes());
        out.extend((self.payload.len() as u32).to_be_bytes());
        out.extend(self.payload);
        out.extend(crc32fast::hash(&out).to_be_bytes());
        out
    }
}

/// The record at the beginning of some bytes; `None` if that is none, or damaged.
pub(super) fn decode(bytes: &[u8]) -> Option<Record<'_>> {
    let rest = bytes.strip_prefix(&MAGIC)?;
    let (kind, rest) = rest.split_first()?;
    let (key, rest) = rest.split_first_chunk()?;
    let (written, rest) = rest.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = u32::from_be_bytes(*length) as usize;
    let (payload, rest) = rest.split_at_checked(length).filter(|_| length <= MAX_PAYLOAD)?;
    let checksum = rest.first_chunk()?;
    let is_whole = crc32fast::hash(&bytes[..OVERHEAD - 4 + length]) == u32::from_be_bytes(*checksum);
    let key = u64::from_be_bytes(*key);
    let key = match *kind {
        NAME => RecordKey::Name(NameKey(key)),
        MARK => RecordKey::Mark(key),
        tier => RecordKey::Step(*StoreTier::ALL.get(usize::from(tier))?, key),
    };
    is_whole.then_some(Record { key, written_at_unix_ms: u64::from_be_bytes(*written), payload })
}

/// The payload of a value, if it is the record of this key.
pub(super) fn payload(value: &[u8], key: RecordKey) -> Option<&[u8]> {
    decode(value).filter(|record| record.key == key).map(|record| record.payload)
}

/// Finds the whole records of a file, wherever they stand in it.
pub(super) fn salvage(mut file: impl Read, mut each: impl FnMut(&Record<'_>)) -> io::Result<()> {
    let mut buffer: Vec<u8> = vec![];
    loop {
        let is_end = file.by_ref().take(MAX_PAYLOAD as u64).read_to_end(&mut buffer)? == 0;
        // What begins behind here may go on in what is not read yet.
        let decided = if is_end { buffer.len() } else { buffer.len().saturating_sub(MAX_PAYLOAD + OVERHEAD) };
        let mut at = 0;
        while at < decided {
            let Some(found) = buffer[at..].windows(MAGIC.len()).position(|bytes| bytes == MAGIC) else {
                at = decided.max(buffer.len().saturating_sub(MAGIC.len() - 1));
                break;
            };
            at += found;
            if at >= decided {
                break;
            }
            match decode(&buffer[at..]) {
                Some(record) => {
                    each(&record);
                    at += OVERHEAD + record.payload.len();
                }
                None => at += 1,
            }
        }
        if is_end {
            return Ok(());
        }
        buffer.drain(..at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(key: RecordKey, written_at_unix_ms: u64, payload: &[u8]) -> Vec<u8> {
        Record { key, written_at_unix_ms, payload }.encode()
    }

    #[test]
    fn a_record_is_read_as_it_was_written_and_a_damaged_one_is_none() {
        for key in [RecordKey::Step(StoreTier::TwoDays, 7), RecordKey::Name(NameKey(9)), RecordKey::Mark(u64::MAX)] {
            let bytes = encoded(key, 5, b"payload");
            assert_eq!(decode(&bytes), Some(Record { key, written_at_unix_ms: 5, payload: b"payload" }));
            assert_eq!(payload(&bytes, RecordKey::Mark(3)), None);
            for at in 0..bytes.len() {
                let mut damaged = bytes.clone();
                damaged[at] ^= 4;
                assert_eq!(decode(&damaged), None, "byte {at}");
                assert_eq!(decode(&bytes[..at]), None, "cut at {at}");
            }
        }
    }

    #[test]
    fn whole_records_are_found_wherever_they_stand() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut file = vec![];
        for number in 0..200 {
            file.extend((0..random.usize(..90_000)).map(|_| random.u8(..)));
            // Something that only begins as a record.
            file.extend(&encoded(RecordKey::Mark(1), 0, b"torn")[..random.usize(..20)]);
            file.extend(encoded(RecordKey::Step(StoreTier::Minute, number), number, &vec![7; random.usize(..9_000)]));
        }
        let mut found = vec![];
        salvage(&file[..], |record| found.push(record.written_at_unix_ms)).unwrap();
        assert_eq!(found, (0..200).collect::<Vec<_>>());
    }
}
