//! The words that are shown of texts from outside: those in which frameworks, databases and parsers say what went wrong. A word that is
//! not in the list may be a name, an address or a password.

use std::sync::LazyLock;

/// In order. Names of people and of places are left out, also where they are words.
pub(crate) static WORDS: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("words.txt").split_ascii_whitespace().collect());

/// The longest term; all parts of a longer one may be words by chance.
const LONGEST_TERM: usize = 40;

/// Whether a word is in the list, in whatever case.
pub(crate) fn is_word(word: &str) -> bool {
    // Most are in lower case already.
    let found = |word: &str| WORDS.binary_search(&word).is_ok();
    if word.bytes().any(|byte| byte.is_ascii_uppercase()) { found(&word.to_ascii_lowercase()) } else { found(word) }
}

/// Whether a word in the list begins so.
pub(super) fn begins_word(beginning: &str) -> bool {
    let beginning = beginning.to_ascii_lowercase();
    let next = WORDS.partition_point(|word| *word < beginning.as_str());
    WORDS.get(next).is_some_and(|word| word.starts_with(&beginning))
}

/// Whether all parts of a term are in the list: `already`, `doesn't`, `not_found`, `ValueError`, `application/json`.
pub(super) fn is_term(term: &str) -> bool {
    if term.len() > LONGEST_TERM || !term.is_ascii() {
        return false;
    }
    let mut parts = term.split(['_', '-', '/']).filter(|part| !part.is_empty()).flat_map(humps);
    match (parts.next(), parts.next()) {
        (Some(word), None) => is_word(word),
        // A part of one letter is in no list, and a secret has many.
        (Some(first), Some(second)) => {
            [first, second].into_iter().chain(parts).all(|part| part.len() > 1 && is_word(part))
        }
        (None, _) => false,
    }
}

/// The words of a term in camel case: `JSONDecodeError` is `JSON`, `Decode`, `Error`.
pub(crate) fn humps(term: &str) -> impl Iterator<Item = &str> {
    let bytes = term.as_bytes();
    let begins = move |at: &usize| {
        let at = *at;
        bytes[at].is_ascii_uppercase()
            && (bytes[at - 1].is_ascii_lowercase()
                || (bytes[at - 1].is_ascii_uppercase() && bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase)))
    };
    let mut from = 0;
    let ends = (1..bytes.len()).filter(begins).chain((!bytes.is_empty()).then_some(bytes.len()));
    // Both sides of a border are ASCII.
    ends.map(move |end| &term[std::mem::replace(&mut from, end)..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_names_nobody() {
        assert!(WORDS.is_sorted_by(|a, b| a < b), "words.txt is sorted, and has each word once");
        for name in ["jane", "doe", "john", "mark", "grace", "rose", "admin", "secret", "root", "street", "london"] {
            assert!(!is_word(name), "{name}");
        }
    }

    #[test]
    fn a_term_is_known_by_its_parts() {
        for term in ["already", "Already", "NOT_FOUND", "ValueError", "JSONDecodeError", "doesn't", "application/json"]
        {
            assert!(is_term(term), "{term}");
        }
        for term in ["", "-", "jane", "not_jane", "aIaI", "u8", "hunter2", "na\u{ef}ve", "correct-horse-battery-staple"]
        {
            assert!(!is_term(term), "{term}");
        }
        assert_eq!(humps("aJSONValue").collect::<Vec<_>>(), ["a", "JSON", "Value"]);
        assert!(begins_word("runti") && !begins_word("zzz"));
    }
}
