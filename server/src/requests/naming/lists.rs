//! The lists of words: those of routes, also in other languages, those of error texts, and those of English, in all their forms.
//! `foreign.txt` has the nouns and verbs of routes in German, French, Spanish, Portuguese, Italian, Dutch, and some of Polish and the
//! Scandinavian languages. They were collected by hand.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use foldhash::fast::RandomState;

use crate::masking::COMMON_WORDS;

#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    /// Words in which routes and error texts are written.
    Routes,
    /// The same of other languages.
    Foreign,
    /// Other English words. Names of people are left out.
    Dictionary,
}

/// All words. One search says whether a word is in a list, and in which.
static WORDS: LazyLock<HashMap<&str, List, RandomState>> = LazyLock::new(|| {
    let routes = include_str!("words.txt").split_ascii_whitespace().chain(COMMON_WORDS.iter().copied());
    let foreign = include_str!("foreign.txt").split_ascii_whitespace();
    let dictionary = include_str!("dictionary.txt").split_ascii_whitespace();
    let lists = dictionary.map(|word| (word, List::Dictionary)).chain(foreign.map(|word| (word, List::Foreign)));
    lists.chain(routes.map(|word| (word, List::Routes))).collect()
});

/// First and last names that are no words of routes. They were collected by hand.
static PEOPLE: LazyLock<HashSet<&str, RandomState>> =
    LazyLock::new(|| include_str!("people.txt").split_ascii_whitespace().collect());

/// Whether a person's name is in a text, as a word of it, in any case. `Carter_White` is one by its look.
pub(super) fn is_person(text: &str) -> bool {
    let is_capitalised = |word: &str| {
        let (first, rest) = word.as_bytes().split_first().unwrap_or((&0, &[]));
        first.is_ascii_uppercase() && rest.len() > 1 && rest.iter().all(u8::is_ascii_lowercase)
    };
    let looks_so = text.split_once('_').is_some_and(|(first, last)| is_capitalised(first) && is_capitalised(last));
    looks_so
        || text.split(['-', '_', '.']).any(|word| {
            let has_capitals = word.bytes().any(|byte| byte.is_ascii_uppercase());
            if has_capitals { PEOPLE.contains(&*word.to_ascii_lowercase()) } else { PEOPLE.contains(word) }
        })
}

/// All words of all lists.
pub(super) fn all_words() -> impl Iterator<Item = &'static str> {
    WORDS.keys().copied()
}

/// Whether the list of routes has a word as it is.
pub(super) fn is_base(word: &str) -> bool {
    matches!(WORDS.get(word), Some(List::Routes | List::Foreign))
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
        || stem("ices").is_some_and(|stem| has(&format!("{stem}ex")) || has(&format!("{stem}ix")))
        || stem("ing").is_some_and(|stem| has(stem) || has(&format!("{stem}e")))
        || stem("ed").is_some_and(&has)
        || stem("d").is_some_and(|stem| stem.ends_with('e') && has(stem))
        || stem("er").is_some_and(has)
}

/// Ends of the forms of words in other languages: `kunden`, `zeugnisse`, `bureaux`.
const FOREIGN_ENDS: &[&str] = &["e", "en", "er", "ern", "es", "n", "nen", "s", "se", "sen", "x"];
/// Ends of which one takes the place of another: `fattura`, `fatture`.
const FOREIGN_VOWELS: &[u8] = b"aeio";
/// Letters between two words that make one: `mietvertragsdaten`.
const LINKS: &[&str] = &["", "s", "n", "en", "es", "e", "er"];
/// What stands before words to make others: `verlaengern`, `aufheben`.
const FOREIGN_BEGINNINGS: &[&str] = &[
    "ab", "an", "auf", "aus", "be", "bei", "des", "dis", "durch", "ein", "ent", "fort", "frei", "ge", "gegen", "haupt",
    "her", "hin", "hoch", "in", "mit", "nach", "neben", "neu", "ober", "ont", "op", "over", "per", "pre", "pro", "re",
    "sous", "sub", "sur", "teil", "toe", "ueber", "uit", "um", "un", "unter", "ver", "voll", "vor", "weg", "weiter",
    "wider", "wieder", "zer", "zu", "zurueck", "zusammen", "zwischen",
];
/// The shortest word in such a compound, and the shortest compound.
const SHORTEST_FOREIGN: usize = 4;
const SHORTEST_FOREIGN_COMPOUND: usize = 9;
/// Words of one compound: `luftqualitaetsmessstation`.
const MOST_OF_COMPOUND: usize = 3;

/// Whether the list of other languages has a word in one of its forms.
fn is_foreign_form(word: &str) -> bool {
    let has = |word: &str| WORDS.get(word) == Some(&List::Foreign);
    let stem = |end: &&str| word.strip_suffix(*end).filter(|stem| stem.len() >= SHORTEST_FOREIGN);
    let has_other_end = || {
        let (rest, vowel) = word.split_at(word.len() - 1);
        let mut other = rest.to_owned();
        FOREIGN_VOWELS.contains(&vowel.as_bytes()[0])
            && FOREIGN_VOWELS.iter().any(|vowel| {
                other.truncate(rest.len());
                other.push(char::from(*vowel));
                has(&other)
            })
    };
    word.len() >= SHORTEST_FOREIGN && (has(word) || FOREIGN_ENDS.iter().filter_map(stem).any(has) || has_other_end())
}

/// Whether a word of small letters is one of another language, or made of some.
pub(super) fn is_foreign(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_lowercase())
        && (is_foreign_form(word) || is_foreign_compound(word, MOST_OF_COMPOUND))
}

/// Whether a word of another language ends as plurals do that have no `s`: `formulare`, `prenotazioni`.
pub(super) fn is_foreign_plural(word: &str) -> bool {
    word.len() > SHORTEST_FOREIGN
        && ["e", "en", "er", "i", "y"].iter().any(|end| word.ends_with(end))
        && !matches!(WORDS.get(word), Some(List::Routes | List::Dictionary))
        && is_foreign(word)
}

fn is_foreign_compound(word: &str, most: usize) -> bool {
    if word.len() < SHORTEST_FOREIGN_COMPOUND || word.len() > LONGEST_ROOT || most < 2 {
        return false;
    }
    let is_rest = |rest: &str| is_foreign_form(rest) || is_foreign_compound(rest, most - 1);
    let is_first = |first: &str| {
        let stem = |link: &&str| first.strip_suffix(*link).filter(|stem| stem.len() >= SHORTEST_FOREIGN);
        LINKS.iter().filter_map(stem).any(is_base)
    };
    let begins = |beginning: &str| word.strip_prefix(beginning).is_some_and(is_foreign_form);
    FOREIGN_BEGINNINGS.iter().any(|beginning| begins(beginning))
        || (SHORTEST_FOREIGN..=word.len() - SHORTEST_FOREIGN).any(|at| is_first(&word[..at]) && is_rest(&word[at..]))
}

/// Beginnings and ends with which words are made of others.
const BEGINNINGS: &[&str] = &[
    "anti", "auto", "bio", "cyber", "electro", "geo", "hydro", "hyper", "inter", "micro", "mini", "multi", "over",
    "photo", "post", "pre", "re", "semi", "sub", "super", "tele", "thermo", "trans", "ultra", "un", "under",
];
const ENDS: &[&str] = &[
    "able", "al", "ation", "ations", "ian", "ians", "ion", "ions", "ist", "ists", "ity", "ive", "ly", "ment", "ments",
    "ness", "or", "ors", "ship", "ships",
];
/// The shortest word that others are made of.
const SHORTEST_ROOT: usize = 5;
/// A longer one is in no list.
const LONGEST_ROOT: usize = 32;

/// Whether a word is made of one of the list of routes with a common beginning or end: `telehealth`, `clinicians`.
pub(super) fn is_derived(word: &str) -> bool {
    let behind = |beginning: &&str| word.strip_prefix(*beginning).filter(|root| root.len() >= SHORTEST_ROOT);
    let before = |end: &&str| word.strip_suffix(*end).filter(|root| root.len() >= SHORTEST_ROOT - 1);
    let is_root = |root: &str| root.len() >= SHORTEST_ROOT && is_base(root) || is_base_with_e(root);
    BEGINNINGS.iter().filter_map(behind).any(is_listed) || ENDS.iter().filter_map(before).any(is_root)
}

/// Whether the list of routes has a word that loses its `e` before an end: `simulate`, `simulation`.
fn is_base_with_e(root: &str) -> bool {
    let mut word = [b'e'; LONGEST_ROOT];
    let Some(beginning) = word.get_mut(..root.len()).filter(|_| root.len() < LONGEST_ROOT) else { return false };
    beginning.copy_from_slice(root.as_bytes());
    std::str::from_utf8(&word[..=root.len()]).is_ok_and(is_base)
}

/// Whether the dictionary has a word in one of its forms, also in British spelling.
pub(super) fn in_dictionary(word: &str) -> bool {
    let has = |word: &str| WORDS.get(word) == Some(&List::Dictionary);
    is_form(word, &has)
        || word.contains("isation") && is_form(&word.replace("isation", "ization"), &|word| WORDS.contains_key(word))
        || word.contains("our") && is_form(&word.replace("our", "or"), &has)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_order_and_have_no_word_twice() {
        let words = |text: &'static str| text.split_ascii_whitespace().collect::<Vec<_>>();
        let (routes, dictionary) = (words(include_str!("words.txt")), words(include_str!("dictionary.txt")));
        let foreign = words(include_str!("foreign.txt"));
        assert_eq!(foreign.iter().find(|word| routes.contains(word)), None);
        for list in [&routes, &dictionary, &foreign] {
            assert!(list.is_sorted_by(|a, b| a < b), "each word once, in order");
        }
        assert_eq!(routes.iter().find(|word| COMMON_WORDS.contains(word)), None);
        assert_eq!(dictionary.iter().find(|word| is_listed(word)), None);
        let people = ["jane", "grace", "oscar", "dragon", "letmein"];
        assert_eq!(people.iter().find(|name| in_dictionary(name)), None);
    }
}
