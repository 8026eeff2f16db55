//! Versions of an API without a letter, which are a date or have dots: `/ocpi/2.2.1/locations`, `/2010-04-01/Accounts`. Such texts may as well be
//! values. What stands before and behind them says which, and how many there are at a place.

/// Whether a segment may be a version of an API: a date, or two or three numbers with dots.
pub(super) fn is_numbered(part: &str) -> bool {
    is_date(part) || is_dotted(part)
}

/// `2010-04-01`, `2024-06`
pub(super) fn is_date(part: &str) -> bool {
    let is_like = |pattern: &[u8]| {
        part.len() == pattern.len()
            && part
                .bytes()
                .zip(pattern)
                .all(|(byte, like)| if *like == b'0' { byte.is_ascii_digit() } else { byte == *like })
    };
    part.starts_with("20") && (is_like(b"0000-00-00") || is_like(b"0000-00"))
}

/// `2.2.1`, `1.3`
pub(super) fn is_dotted(part: &str) -> bool {
    let is_number = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    (2..=3).contains(&part.split('.').count()) && part.split('.').all(is_number)
}
