//! A value in the store's file. It says what it is, and has a checksum: what is damaged is known, and of a file that is torn each whole
//! record can be found again. The payload of a step is deflated: that halves the file.

use std::{
    borrow::Cow,
    io::{self, Read},
    sync::{LazyLock, Mutex, PoisonError},
};

use fdeflate::decompress_to_vec_bounded;
use miniz_oxide::deflate::core::{
    CompressionStrategy, CompressorOxide, TDEFLFlush, TDEFLStatus, compress_to_output,
    create_comp_flags_from_zip_params,
};

use super::{NameKey, StoreTier};

/// What each record begins with. The byte behind it says how its payload is written.
const MAGIC: [u8; 3] = *b"WbR";
const PLAIN: u8 = 1;
const DEFLATED: u8 = 2;
/// The bytes of a record beside its payload: magic, writing, kind, key, time, length, and the checksum behind it.
pub(super) const OVERHEAD: usize = 3 + 1 + 1 + 8 + 8 + 4 + 4;
/// A step of 512 busy endpoints has a tenth of it.
const MAX_PAYLOAD: usize = 4 << 20;
const NAME: u8 = b'N';
const MARK: u8 = b'M';

/// One for all threads: it takes 315 kB, and each that is made anew leaves a multiple of that in its thread's allocator.
static COMPRESSOR: LazyLock<Mutex<CompressorOxide>> = LazyLock::new(|| {
    // A positive number of bits asks for the format of zlib.
    let flags = create_comp_flags_from_zip_params(1, 1, CompressionStrategy::HuffmanOnly as i32);
    Mutex::new(CompressorOxide::new(flags))
});

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
    is_deflated: bool,
    /// The payload as it is written.
    written: &'a [u8],
}

impl<'a> Record<'a> {
    /// Its payload; `None` if that cannot be inflated.
    pub(super) fn payload(&self) -> Option<Cow<'a, [u8]>> {
        if self.is_deflated {
            decompress_to_vec_bounded(self.written, MAX_PAYLOAD).ok().map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(self.written))
        }
    }

    /// Its bytes in the file.
    fn length(&self) -> usize {
        OVERHEAD + self.written.len()
    }
}

/// Writes a record. Names and marks are too short to deflate.
pub(super) fn encode(key: RecordKey, written_at_unix_ms: u64, payload: &[u8]) -> Vec<u8> {
    let (kind, key, deflated) = match key {
        RecordKey::Step(tier, start) => (tier as u8, start, deflate(payload)),
        RecordKey::Name(key) => (NAME, key.0, None),
        RecordKey::Mark(at_unix_ms) => (MARK, at_unix_ms, None),
    };
    let (writing, payload) = match &deflated {
        Some(deflated) => (DEFLATED, &deflated[..]),
        None => (PLAIN, payload),
    };
    let mut out = Vec::with_capacity(OVERHEAD + payload.len());
    out.extend(MAGIC);
    out.extend([writing, kind]);
    out.extend(key.to_be_bytes());
    out.extend(written_at_unix_ms.to_be_bytes());
    out.extend((payload.len() as u32).to_be_bytes());
    out.extend(payload);
    out.extend(crc32fast::hash(&out).to_be_bytes());
    out
}

/// `None` if that would not be shorter. Counts of requests seldom repeat, so that a search for repetitions takes time and makes it longer.
fn deflate(payload: &[u8]) -> Option<Vec<u8>> {
    let (mut compressor, mut deflated) = (COMPRESSOR.lock().unwrap_or_else(PoisonError::into_inner), vec![]);
    compressor.reset();
    let (status, _) = compress_to_output(&mut compressor, payload, TDEFLFlush::Finish, |bytes| {
        deflated.extend(bytes);
        true
    });
    (status == TDEFLStatus::Done && deflated.len() < payload.len()).then_some(deflated)
}

/// The record at the beginning of some bytes; `None` if that is none, or damaged.
pub(super) fn decode(bytes: &[u8]) -> Option<Record<'_>> {
    let rest = bytes.strip_prefix(&MAGIC)?;
    let ([writing, kind], rest) = rest.split_first_chunk()?;
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
    let is_known = [PLAIN, DEFLATED].contains(writing);
    (is_whole && is_known).then_some(Record {
        key,
        written_at_unix_ms: u64::from_be_bytes(*written),
        is_deflated: *writing == DEFLATED,
        written: payload,
    })
}

/// The payload of a value, if it is the record of this key.
pub(super) fn payload(value: &[u8], key: RecordKey) -> Option<Cow<'_, [u8]>> {
    decode(value).filter(|record| record.key == key)?.payload()
}

/// The payloads' bytes, as they are written, in a value of one record or more.
pub(super) fn payload_bytes(mut value: &[u8]) -> u64 {
    let mut bytes = 0;
    while let Some((header, _)) = value.split_at_checked(OVERHEAD - 4) {
        let length = header.last_chunk().map_or(0, |length| u32::from_be_bytes(*length)) as usize;
        bytes += length as u64;
        value = value.get(OVERHEAD + length..).unwrap_or_default();
    }
    bytes
}

/// Finds the whole records of a file, wherever they stand in it.
pub(super) fn salvage(mut file: impl Read, mut each: impl FnMut(&Record<'_>)) -> io::Result<()> {
    let mut buffer: Vec<u8> = vec![];
    loop {
        let is_end = file.by_ref().take(MAX_PAYLOAD as u64).read_to_end(&mut buffer)? == 0;
        // What begins behind here may go on in what is not read yet.
        let decided = if is_end { buffer.len() } else { buffer.len().saturating_sub(MAX_PAYLOAD + OVERHEAD) };
        let done = find(&buffer, decided, |record| each(&record));
        if is_end {
            return Ok(());
        }
        buffer.drain(..done);
    }
}

/// Finds the whole records that begin before `until`. Returns where the next one may begin.
pub(super) fn find<'a>(bytes: &'a [u8], until: usize, mut each: impl FnMut(Record<'a>)) -> usize {
    let mut at = 0;
    while at < until {
        let Some(found) = bytes[at..].windows(MAGIC.len()).position(|bytes| bytes == MAGIC) else {
            return until.max(bytes.len().saturating_sub(MAGIC.len() - 1));
        };
        at += found;
        if at >= until {
            break;
        }
        match decode(&bytes[at..]) {
            Some(record) => {
                at += record.length();
                each(record);
            }
            None => at += 1,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_and_a_damaged_one_is_none() {
        for key in [RecordKey::Step(StoreTier::TwoDays, 7), RecordKey::Name(NameKey(9)), RecordKey::Mark(u64::MAX)] {
            let written = b"payload".repeat(9);
            let bytes = encode(key, 5, &written);
            let record = decode(&bytes).unwrap();
            assert_eq!((record.key, record.written_at_unix_ms, record.payload()), (key, 5, Some(written[..].into())));
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
    fn a_step_is_deflated_if_that_is_shorter_and_never_to_more_than_a_step_has() {
        let key = RecordKey::Step(StoreTier::Minute, 60);
        assert!(encode(key, 0, &[7; 9_000]).len() < 9_000 / 7);
        assert_eq!(encode(key, 0, b"a").len(), OVERHEAD + 1);
        for (length, is_read) in [(MAX_PAYLOAD, true), (MAX_PAYLOAD + 1, false)] {
            let written = vec![7; length];
            assert_eq!(payload(&encode(key, 0, &written), key), is_read.then_some(written.into()));
        }
        // As an earlier version wrote it.
        let mut plain = encode(key, 0, b"a");
        assert_eq!((&plain[..5], payload(&plain, key)), (&b"WbR\x01\x01"[..], Some(b"a"[..].into())));
        plain[3] = 3;
        let end = plain.len() - 4;
        let checksum = crc32fast::hash(&plain[..end]).to_be_bytes();
        plain[end..].copy_from_slice(&checksum);
        assert_eq!(decode(&plain), None, "a writing of a newer version");
    }

    #[test]
    fn whole_records_are_found_wherever_they_stand() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut file = vec![];
        for number in 0..200 {
            file.extend((0..random.usize(..90_000)).map(|_| random.u8(..)));
            // Something that only begins as a record.
            file.extend(&encode(RecordKey::Mark(1), 0, b"torn")[..random.usize(..20)]);
            file.extend(encode(RecordKey::Step(StoreTier::Minute, number), number, &vec![7; random.usize(..9_000)]));
        }
        let mut found = vec![];
        salvage(&file[..], |record| found.push(record.written_at_unix_ms)).unwrap();
        assert_eq!(found, (0..200).collect::<Vec<_>>());
    }
}
