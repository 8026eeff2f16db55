//! The words of paths. Those in which routes of applications are written are shown as they are (`words.txt`). Those of the language may be a
//! name as well (`dictionary.txt`). All else may be a secret.

use super::{
    api_version::is_date,
    lists::{in_dictionary, is_base, is_derived, is_foreign, is_known, is_listed},
    spelling::is_pronounceable,
};
use crate::masking::humps;

/// A longer segment is not the name of a route.
const LONGEST_TERM: usize = 72;
/// Words of one segment. A passphrase has many.
const MAX_WORDS: usize = 9;
/// The shortest halves of a word such as `workorder`: two shorter words meet in many random texts.
const SHORTEST_HALF: usize = 3;
const SHORTEST_COMPOUND: usize = 7;
/// The same if one of the two is of the dictionary, and the shortest of the two.
const SHORTEST_DICTIONARY_COMPOUND: usize = 10;
const SHORTEST_DICTIONARY_HALF: usize = 4;
/// In camel case a word of so many letters is short: two random letters often are a word.
const SHORT_HUMP: usize = 2;
/// A shorter word that is in no list need not be pronounced: it is an abbreviation, and no secret.
const ABBREVIATION: usize = 3;
/// The same if it is a whole segment.
const WHOLE_ABBREVIATION: std::ops::RangeInclusive<usize> = 2..=4;
/// The lengths of a word that is in no list and may be shown once it recurs.
const UNKNOWN_LENGTHS: std::ops::RangeInclusive<usize> = 3..=22;

/// How much of a segment is made of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Term {
    /// All of it: `order-items`, `orderItems`, `v1`, `.well-known`.
    Words,
    /// All of it, and one word is not of routes but of the language: `potholes`. It may be a name.
    Dictionary,
    /// All but one part, which is in no list and can be pronounced.
    OneUnknown,
    /// It may be a secret.
    Other,
}

/// How much of a segment is made of words.
pub(super) fn term(segment: &str) -> Term {
    if segment == "-" || is_version(segment) {
        return Term::Words;
    }
    let begins = |char| matches!(char, '_' | '.' | '-');
    let core = segment.trim_start_matches(begins);
    if core.is_empty() || core.len() > LONGEST_TERM || segment.len() - core.len() > 2 {
        return Term::Other;
    }
    if let [letter] = core.as_bytes() {
        return if letter.is_ascii_lowercase() { Term::Words } else { Term::Other };
    }
    if is_whole_abbreviation(segment) && !is_word(segment) && !is_of_dictionary(segment) {
        return Term::OneUnknown;
    }
    if has_random_capitals(core) {
        return Term::Other;
    }
    let (mut words, mut of_dictionary, mut unknown) = (0, 0, 0);
    for part in core.split(['-', '_', '.']) {
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Term::Other;
        }
        // `IPv4`, `OAuth2`: capitals do not always begin a word.
        if is_word(part) {
            words += 1;
            continue;
        }
        if has_many_short_humps(part) {
            return Term::Other;
        }
        for hump in humps(part) {
            words += 1;
            match () {
                () if is_word(hump) => {}
                () if is_of_dictionary(hump) => of_dictionary += 1,
                // Words of the language in one may be a password.
                () if is_compound_of_dictionary(hump) => unknown += 1,
                () if is_unknown_word(hump) => unknown += 1,
                () => return Term::Other,
            }
        }
    }
    match (unknown, of_dictionary) {
        _ if words > MAX_WORDS => Term::Other,
        (0, 0) => Term::Words,
        (0, 1) => Term::Dictionary,
        (1, 0) => Term::OneUnknown,
        // A passphrase is words as well.
        _ => Term::Other,
    }
}

/// Whether words with marks between them have capitals in many places, as `HE-jsANY`: routes are written in one way.
fn has_random_capitals(segment: &str) -> bool {
    let capitals = segment.bytes().filter(u8::is_ascii_uppercase).count();
    let small = segment.bytes().filter(u8::is_ascii_lowercase).count();
    segment.contains(['-', '_']) && capitals >= 3 && (1..2 * capitals).contains(&small)
}

/// Whether more words in camel case are short than long: random letters are, and `getUserById` is not.
fn has_many_short_humps(part: &str) -> bool {
    let long = humps(part).filter(|hump| hump.len() > SHORT_HUMP).count();
    let all = humps(part).count();
    all > 1 && all - long > long
}

/// Whether a word that is in no list may be one of the application's own.
fn is_unknown_word(word: &str) -> bool {
    let is_abbreviation = word.len() <= ABBREVIATION
        && word.starts_with(|char: char| char.is_ascii_lowercase())
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    UNKNOWN_LENGTHS.contains(&word.len()) && (is_abbreviation || is_pronounceable(word))
}

/// Whether a segment is too short for a secret: `sapi`, `24hr`.
fn is_whole_abbreviation(segment: &str) -> bool {
    WHOLE_ABBREVIATION.contains(&segment.len())
        && segment.contains(|char: char| char.is_ascii_lowercase())
        && segment.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Whether a word is in the dictionary.
fn is_of_dictionary(word: &str) -> bool {
    is_small_or_capital(word) && in_dictionary(&word.to_ascii_lowercase())
}

/// Whether a word is made of two, of which one is in the dictionary.
fn is_compound_of_dictionary(word: &str) -> bool {
    let is_long = word.len() >= SHORTEST_DICTIONARY_COMPOUND && is_small_or_capital(word);
    let lower = if is_long { word.to_ascii_lowercase() } else { return false };
    (SHORTEST_DICTIONARY_HALF..=lower.len() - SHORTEST_DICTIONARY_HALF).any(|at| {
        let (first, second) = lower.split_at(at);
        is_base(first) && is_known(second) || is_known(first) && is_listed(second)
    })
}

/// Small letters, of which the first or all may be capitals.
fn is_small_or_capital(word: &str) -> bool {
    let rest = word.as_bytes().get(1..).unwrap_or_default();
    word.bytes().all(|byte| byte.is_ascii_alphabetic())
        && (rest.iter().all(u8::is_ascii_lowercase) || word.bytes().all(|byte| byte.is_ascii_uppercase()))
}

/// `v1`, `2.0`, `v1.2.3`, `v1beta1`, `v2024-01`. Without the letter, longer numbers are values: a coordinate, a price, a date.
pub(super) fn is_version(segment: &str) -> bool {
    if let [b'0'..=b'9', b'.', b'0'..=b'9'] = segment.as_bytes() {
        return true;
    }
    let Some(numbers) = segment.strip_prefix(['v', 'V']) else { return false };
    if is_date(numbers) {
        return true;
    }
    let stages = ["alpha", "beta", "rc", "preview"];
    let stage = stages.iter().find_map(|stage| numbers.split_once(stage));
    let (numbers, stage) = stage.unwrap_or((numbers, ""));
    let is_number = |text: &str| text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let count = numbers.split('.').count();
    count <= 3 && numbers.split('.').all(|number| !number.is_empty() && is_number(number)) && is_number(stage)
}

/// Whether a word is in a list or is made of two that are. Capitals may stand at its begin alone.
fn is_word(word: &str) -> bool {
    if word.len() < 2 || word.len() > LONGEST_TERM {
        return false;
    }
    let lower;
    let small = word.trim_start_matches(|char: char| char.is_ascii_uppercase());
    let word = if small.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return false;
    } else if small.len() < word.len() {
        lower = word.to_ascii_lowercase();
        &lower
    } else {
        word
    };
    is_listed(word)
        || is_version_number(word)
        || is_compound(word)
        || is_derived(word)
        || is_foreign(word)
        || is_pair(word)
}

/// `head2head`, `text2speech`
fn is_pair(word: &str) -> bool {
    word.split_once('2').is_some_and(|(first, second)| is_listed(first) && is_listed(second))
}

/// `v2` as a part of a name.
fn is_version_number(word: &str) -> bool {
    word.strip_prefix('v').is_some_and(|number| number.len() <= 2 && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a word is in no list but made of two that are: `swiftpost`.
pub(super) fn is_joined(word: &str) -> bool {
    !is_listed(word) && !is_derived(word) && !is_foreign(word) && is_compound(word)
}

/// Two listed words without a mark between them: `healthcheck`.
fn is_compound(word: &str) -> bool {
    word.len() >= SHORTEST_COMPOUND
        && word.bytes().all(|byte| byte.is_ascii_lowercase())
        && (SHORTEST_HALF..=word.len() - SHORTEST_HALF).any(|at| is_base(&word[..at]) && is_listed(&word[at..]))
}

#[cfg(test)]
mod tests;
