//! Kinds of values by their characters: numbers, dates, hashes, addresses.

use super::lists::is_listed;

/// The groups of Kubernetes' API end so.
pub(super) const GROUPS: &str = ".k8s.io";

/// The kind of value that a segment is, in braces; `None` if its characters do not say.
pub(super) fn kind(word: &str) -> Option<&'static str> {
    let bytes = word.as_bytes();
    let all = |fits: fn(&u8) -> bool| !bytes.is_empty() && bytes.iter().all(fits);
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let shaped = |shape: &[usize]| {
        word.split('-').map(str::len).eq(shape.iter().copied())
            && bytes.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
    };
    if word.starts_with('-') && digits + 1 == word.len() && digits > 0 {
        Some("{id}")
    } else if shaped(&[8, 4, 4, 4, 12]) {
        Some("{uuid}")
    } else if is_date(bytes) {
        Some("{date}")
    } else if bytes.len() >= 7 && digits > 0 && all(u8::is_ascii_hexdigit) {
        Some("{hash}")
    } else if word.get(1..).is_some_and(|rest| {
        let address = rest.split_once('@').or_else(|| rest.split_once("%40"));
        address.is_some_and(|(_, behind)| behind.contains('.') && !is_density(behind))
    }) {
        Some("{email}")
    } else if digits >= 2 && all(|byte| byte.is_ascii_digit() || b".,:+-".contains(byte)) && !is_pair(word) {
        Some("{number}")
    } else if is_measure(word) {
        Some("{name}")
    } else if !word.is_ascii() || word.contains(['%', '{', '}', '=', '*', '\\']) {
        Some("{text}")
    } else {
        None
    }
}

/// A pixel density, as in `logo@2x.png`: not an address.
fn is_density(behind: &str) -> bool {
    matches!(behind.as_bytes(), [b'0'..=b'9', b'x'] | [b'0'..=b'9', b'x', b'.', ..])
}

/// A number with a unit of time, or of the lines of a picture: `5m`, `30d`, `240p`. Words such as `3d` are in the list.
fn is_measure(word: &str) -> bool {
    let number = word.strip_suffix(['p', 's', 'm', 'h', 'd', 'w', 'y']).unwrap_or_default();
    (1..=4).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()) && !is_listed(word)
}

/// Two short numbers with a colon: an id, not coordinates.
fn is_pair(word: &str) -> bool {
    word.contains(':') && word.len() <= 3
}

/// `2026-11-24`, also with a time after it.
fn is_date(bytes: &[u8]) -> bool {
    let like = |(byte, pattern): (&u8, &u8)| if *pattern == b'0' { byte.is_ascii_digit() } else { byte == pattern };
    bytes.len() >= 10
        && bytes.iter().zip(b"0000-00-00").all(like)
        && bytes[10..].iter().all(|byte| byte.is_ascii_digit() || b"TZ:+-.".contains(byte))
}
