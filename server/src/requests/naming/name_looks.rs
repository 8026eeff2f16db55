//! Looks of a segment that say that it is a name, where one may stand.

use super::{
    file_endings::ending,
    name_places::OF_TITLES,
    route_words::is_of_routes,
    value_kind::GROUPS,
    words::{Term, is_joined, is_version, term},
};

/// Words as in a title, of which the first is no verb of routes.
pub(super) fn is_title(segment: &str) -> bool {
    let words = || segment.split('-');
    // `profit-and-loss`
    let is_pair = || words().count() == 3 && words().nth(1) == Some("and") && term(segment) == Term::Words;
    words().count() > 2 && words().any(|word| OF_TITLES.contains(&word)) && !is_of_routes(segment) && !is_pair()
}

/// Words that are a name rather than a route, together or with marks between them: `swiftpost`, `web-prod`. Routes that end so say what they
/// do, or are in the list: `bulk-import`.
pub(super) fn is_name_of_thing(segment: &str, next: Option<&str>) -> bool {
    let mut words = segment.split(['-', '_']);
    if segment.contains(['-', '_']) {
        next.is_none()
            && segment.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte == b'_')
            && words.all(|word| word.len() > 2 && !is_of_routes(word))
    } else {
        is_joined(segment)
    }
}

/// A name below others, and no file: `light.desk_lamp`, `disk.io.read`.
pub(super) fn is_of_domain(segment: &str) -> bool {
    segment.split('.').all(|part| part.starts_with(|char: char| char.is_ascii_lowercase()))
        && ending(segment).is_none()
        && !is_version(segment)
        && !segment.ends_with(GROUPS)
}

/// Words in capitals: `DEPLOY_TOKEN`.
pub(super) fn is_constant(segment: &str) -> bool {
    segment.contains('_')
        && segment.starts_with(|char: char| char.is_ascii_uppercase())
        && segment.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Two or three small letters: an abbreviation.
pub(super) fn is_short(segment: &str) -> bool {
    (2..=3).contains(&segment.len()) && segment.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Capitals alone, as of an airport or a currency.
pub(super) fn is_code(segment: &str) -> bool {
    (2..=5).contains(&segment.len()) && segment.bytes().all(|byte| byte.is_ascii_uppercase())
}
