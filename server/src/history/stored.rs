//! A frame as it is stored: its endpoints and commands have the stable keys of their names in the place of one run's numbers.

use std::borrow::Cow;

use super::{
    compact::{self, Compact, Sign, write},
    frame::{Frame, Host, Tallies},
    stored_name::{NumberOf, RunNumber},
    stored_reports::StoredReports,
};
use crate::{
    commands::CommandTally,
    history::store::{NameKey, StoredStep},
    requests::Tally,
};

/// The first byte: the version of what follows. In the first one there were no reports.
const VERSION: u8 = 2;
const WITHOUT_REPORTS: u8 = 1;
/// The bytes of the checksum at the end.
const CHECKSUM: usize = 4;

/// Encodes a frame without its start, and its reports. `key` finds the key of a name.
pub(super) fn encode(frame: &Frame, reports: &StoredReports, key: &mut dyn FnMut(RunNumber) -> NameKey) -> Vec<u8> {
    let mut out = vec![VERSION];
    write(&mut out, frame.seconds);
    let host = fields(&frame.host);
    write(&mut out, host.iter().flatten().count() as u64);
    for (number, value) in (0..).zip(host) {
        let Some(value) = value else { continue };
        write(&mut out, number);
        write(&mut out, value);
    }
    encode_tallies(&frame.requests, |id| key(RunNumber::Endpoint(id)), &mut out);
    encode_tallies(&frame.commands, |number| key(RunNumber::Command(number)), &mut out);
    out.extend(reports.encode());
    let checksum = crc32fast::hash(&out);
    out.extend(checksum.to_be_bytes());
    out
}

fn encode_tallies(tallies: &Tallies, mut key: impl FnMut(usize) -> NameKey, out: &mut Vec<u8>) {
    write(out, tallies.whole().len() as u64);
    out.extend_from_slice(tallies.whole());
    write(out, tallies.iter().count() as u64);
    for (number, tally) in tallies.iter() {
        out.extend(key(number).0.to_be_bytes());
        write(out, tally.len() as u64);
        out.extend_from_slice(tally);
    }
}

/// The frame that begins at `start`, without its errors, and its reports; `None` if it is damaged or of a newer version.
pub(super) fn decode(
    bytes: &[u8],
    start: u64,
    endpoint: NumberOf<'_>,
    command: NumberOf<'_>,
) -> Option<(Frame, StoredReports)> {
    let (body, checksum) = bytes.split_last_chunk::<CHECKSUM>()?;
    if crc32fast::hash(body) != u32::from_be_bytes(*checksum) {
        return None;
    }
    let (version, mut rest) = body.split_first().filter(|(version, _)| [WITHOUT_REPORTS, VERSION].contains(version))?;
    let seconds = number(&mut rest)?;
    let mut host = [None; FIELDS];
    for _ in 0..number(&mut rest)? {
        let (field, value) = (number(&mut rest)?, number(&mut rest)?);
        // A field of a later version is left out.
        if let Some(known) = host.get_mut(usize::try_from(field).ok()?) {
            *known = Some(value);
        }
    }
    let requests = decode_tallies::<Tally>(&mut rest, endpoint)?;
    let commands = decode_tallies::<CommandTally>(&mut rest, command)?;
    let reports = match *version {
        WITHOUT_REPORTS => StoredReports::default(),
        _ => StoredReports::decode(rest)?,
    };
    let frame = Frame { start, seconds, host: from_fields(&host), requests, commands, ..Frame::default() };
    Some((frame, reports))
}

/// The requests of a step, and the seconds of which it has figures; zero if it cannot be read.
pub(super) fn requests_and_seconds(step: &StoredStep) -> (u64, u64) {
    let frame = decode(&step.bytes, step.start, &mut |_| None, &mut |_| None);
    frame.map_or((0, 0), |(frame, _)| {
        let mut all = Tally::default();
        frame.requests.apply_whole(Sign::Add, &mut all);
        (all.requests(), frame.seconds)
    })
}

fn decode_tallies<T: Compact>(rest: &mut &[u8], number_of: NumberOf<'_>) -> Option<Tallies> {
    let length = number(rest)?;
    let whole = take(rest, length)?;
    let mut each: Vec<(usize, Cow<'_, [u8]>)> = vec![];
    for _ in 0..number(rest)? {
        let key = NameKey(u64::from_be_bytes(take(rest, 8)?.try_into().ok()?));
        let length = number(rest)?;
        let tally = take(rest, length)?;
        each.extend(number_of(key).map(|number| (number, Cow::Borrowed(tally))));
    }
    each.sort_by_key(|(number, _)| *number);
    // Two names of an earlier run may have one row in this one.
    each.dedup_by(|(number, tally), (known_number, known)| {
        let is_same = number == known_number;
        if is_same {
            *known = Cow::Owned(sum::<T>(known.as_ref(), tally.as_ref()));
        }
        is_same
    });
    Some(Tallies::new(whole, each))
}

fn sum<T: Compact>(one: &[u8], other: &[u8]) -> Vec<u8> {
    let mut sum = T::default();
    for encoded in [one, other] {
        compact::apply(Sign::Add, encoded, &mut sum);
    }
    let mut encoded = vec![];
    sum.encode(&mut encoded);
    encoded
}

/// A number of [`write`]; `None` if there is none.
fn number(rest: &mut &[u8]) -> Option<u64> {
    (!rest.is_empty()).then(|| compact::read(rest))
}

fn take<'a>(rest: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = behind;
    Some(taken)
}

/// The number of the host's figures.
const FIELDS: usize = 18;

/// The host's figures by their number, which stays the same for good. Shares and rates keep the precision of an `f32`.
fn fields(host: &Host) -> [Option<u64>; FIELDS] {
    let float = |value: Option<f64>| value.map(|value| u64::from((value as f32).to_bits()));
    [
        host.rss_bytes,
        host.anonymous_bytes,
        host.file_bytes,
        host.shmem_bytes,
        host.live_heap_bytes,
        float(host.memory_percent),
        float(host.process_cpu_percent),
        float(host.system_cpu_percent),
        float(host.memory_pressure_percent),
        float(host.requests_allocate),
        float(host.others_allocate),
        float(host.frees),
        float(host.database_failed_percent),
        float(host.commands_reading),
        float(host.commands_writing),
        host.database_latency_us,
        host.connections_in_use,
        host.connections_waiting,
    ]
}

fn from_fields(fields: &[Option<u64>; FIELDS]) -> Host {
    let float = |at: usize| fields[at].map(|bits| f64::from(f32::from_bits(bits as u32)));
    Host {
        rss_bytes: fields[0],
        anonymous_bytes: fields[1],
        file_bytes: fields[2],
        shmem_bytes: fields[3],
        live_heap_bytes: fields[4],
        memory_percent: float(5),
        process_cpu_percent: float(6),
        system_cpu_percent: float(7),
        memory_pressure_percent: float(8),
        requests_allocate: float(9),
        others_allocate: float(10),
        frees: float(11),
        database_failed_percent: float(12),
        commands_reading: float(13),
        commands_writing: float(14),
        database_latency_us: fields[15],
        connections_in_use: fields[16],
        connections_waiting: fields[17],
    }
}

#[cfg(test)]
mod tests;
