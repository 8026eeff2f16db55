//! The lists of words: those of routes and of error texts, and those of the language, in all their forms.

use std::{collections::HashSet, sync::LazyLock};

use foldhash::fast::RandomState;

use crate::masking::{COMMON_WORDS, is_common_word};

static WORDS: LazyLock<HashSet<&str, RandomState>> =
    LazyLock::new(|| include_str!("words.txt").split_ascii_whitespace().collect());

/// English words beside those of routes, in order. Names of people are left out.
static DICTIONARY: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("dictionary.txt").split_ascii_whitespace().collect());

/// All words of all lists.
pub(super) fn all_words() -> impl Iterator<Item = &'static str> {
    WORDS.iter().chain(COMMON_WORDS.iter()).chain(DICTIONARY.iter()).copied()
}

/// Whether a list has a word in one of its forms.
pub(super) fn is_listed(word: &str) -> bool {
    is_form(word, &|word| WORDS.contains(word) || is_common_word(word))
}

/// Whether a list has a word, or one that it is a form of.
pub(super) fn is_form(word: &str, has: &dyn Fn(&str) -> bool) -> bool {
    let stem = |ending: &str| word.strip_suffix(ending).filter(|stem| stem.len() >= 3);
    has(word)
        || stem("s").is_some_and(&has)
        || stem("es").is_some_and(&has)
        || stem("ies").is_some_and(|stem| has(&format!("{stem}y")))
        || stem("ing").is_some_and(|stem| has(stem) || has(&format!("{stem}e")))
        || stem("ed").is_some_and(&has)
        || stem("d").is_some_and(|stem| stem.ends_with('e') && has(stem))
        || stem("er").is_some_and(has)
}

/// Whether the dictionary has a word, also in British spelling.
pub(super) fn in_dictionary(word: &str) -> bool {
    DICTIONARY.binary_search(&word).is_ok()
        || word.contains("our") && DICTIONARY.binary_search(&&*word.replace("our", "or")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_order_and_have_no_word_twice() {
        let words: Vec<_> = include_str!("words.txt").split_ascii_whitespace().collect();
        assert!(words.is_sorted_by(|a, b| a < b), "words.txt is sorted, and has each word once");
        assert_eq!(words.iter().find(|word| is_common_word(word)), None);
        assert!(DICTIONARY.is_sorted_by(|a, b| a < b), "dictionary.txt is sorted, and has each word once");
        assert_eq!(DICTIONARY.iter().find(|word| is_listed(word)), None);
        let people = ["jane", "grace", "oscar", "dragon", "letmein"];
        assert_eq!(people.iter().find(|name| in_dictionary(name)), None);
    }
}
