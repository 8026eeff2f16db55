//! The lists of words: those of routes and of error texts, and those of the language, in all their forms.

use std::{collections::HashMap, sync::LazyLock};

use foldhash::fast::RandomState;

use crate::masking::COMMON_WORDS;

#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    /// Words in which routes and error texts are written.
    Routes,
    /// Other English words. Names of people are left out.
    Dictionary,
}

/// All words. One search says whether a word is in a list, and in which.
static WORDS: LazyLock<HashMap<&str, List, RandomState>> = LazyLock::new(|| {
    let routes = include_str!("words.txt").split_ascii_whitespace().chain(COMMON_WORDS.iter().copied());
    let dictionary = include_str!("dictionary.txt").split_ascii_whitespace();
    dictionary.map(|word| (word, List::Dictionary)).chain(routes.map(|word| (word, List::Routes))).collect()
});

/// All words of all lists.
pub(super) fn all_words() -> impl Iterator<Item = &'static str> {
    WORDS.keys().copied()
}

/// Whether the list of routes has a word as it is.
pub(super) fn is_base(word: &str) -> bool {
    WORDS.get(word) == Some(&List::Routes)
}

/// Whether the list of routes has a word in one of its forms.
pub(super) fn is_listed(word: &str) -> bool {
    is_form(word, &is_base)
}

/// Whether any list has a word in one of its forms.
pub(super) fn is_known(word: &str) -> bool {
    is_form(word, &|word| WORDS.contains_key(word))
}

/// Whether a list has a word, or one that it is a form of.
fn is_form(word: &str, has: &dyn Fn(&str) -> bool) -> bool {
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

/// Whether the dictionary has a word in one of its forms, also in British spelling.
pub(super) fn in_dictionary(word: &str) -> bool {
    let has = |word: &str| WORDS.get(word) == Some(&List::Dictionary);
    is_form(word, &has) || word.contains("our") && is_form(&word.replace("our", "or"), &has)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_order_and_have_no_word_twice() {
        let words = |text: &'static str| text.split_ascii_whitespace().collect::<Vec<_>>();
        let (routes, dictionary) = (words(include_str!("words.txt")), words(include_str!("dictionary.txt")));
        for list in [&routes, &dictionary] {
            assert!(list.is_sorted_by(|a, b| a < b), "each word once, in order");
        }
        assert_eq!(routes.iter().find(|word| COMMON_WORDS.contains(word)), None);
        assert_eq!(dictionary.iter().find(|word| is_listed(word)), None);
        let people = ["jane", "grace", "oscar", "dragon", "letmein"];
        assert_eq!(people.iter().find(|name| in_dictionary(name)), None);
    }
}
