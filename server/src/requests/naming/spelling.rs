//! Whether letters can be pronounced: how likely each letter is after the two before it, by the words of the lists. Of random texts of
//! eight small letters, one in a thousand passes.

use std::sync::LazyLock;

use super::lists::all_words;

/// Letters, and the mark of a word's begin and end.
const SYMBOLS: usize = 27;
/// The mean logarithm of the letters' likelihoods that words exceed.
const MIN_LIKELIHOOD: f32 = -2.8;
/// The same of words that hardly any random text has.
const LIKELY: f32 = -2.35;
/// The logarithm that each three letters of a word exceed: those that stand in hardly any word make it a random text.
const MIN_OF_THREE: f32 = -6.2;
/// What three letters in a row count that stand in no word.
const UNSEEN: f32 = 0.05;

/// The logarithm of the likelihood of each letter after two others.
static LIKELIHOODS: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let mut counts = vec![UNSEEN; SYMBOLS.pow(3)];
    for word in all_words().filter(|word| word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_lowercase())) {
        triples(word).for_each(|triple| counts[triple] += 1.0);
    }
    let likelihoods = |counts: &[f32]| {
        let sum = counts.iter().sum::<f32>();
        counts.iter().map(|count| (count / sum).ln()).collect::<Vec<_>>()
    };
    counts.chunks(SYMBOLS).flat_map(likelihoods).collect()
});

/// Whether a word of letters can be pronounced. Its first letter alone may be a capital.
pub(super) fn is_pronounceable(word: &str) -> bool {
    exceeds(word, MIN_LIKELIHOOD)
}

/// Whether words with marks between them are hardly random, or an abbreviation of four letters at most.
pub(super) fn is_likely_word(segment: &str) -> bool {
    segment.split(['-', '_']).all(|word| {
        let is_abbreviation = word.len() < 5 && word.bytes().all(|byte| byte.is_ascii_lowercase());
        is_abbreviation && segment.len() == word.len() || exceeds(word, LIKELY)
    })
}

/// Whether the letters of a word are on average likelier than `least`.
fn exceeds(word: &str, least: f32) -> bool {
    let (first, rest) = word.as_bytes().split_at(1.min(word.len()));
    let is_word = first.iter().all(u8::is_ascii_alphabetic) && rest.iter().all(u8::is_ascii_lowercase);
    let likelihoods = || triples(word).map(|triple| LIKELIHOODS[triple]);
    is_word
        && likelihoods().sum::<f32>() > least * word.len() as f32
        && likelihoods().all(|likelihood| likelihood > MIN_OF_THREE)
}

/// The index of each three letters in a row, with a mark before and behind the word.
fn triples(word: &str) -> impl Iterator<Item = usize> {
    let letter = |byte: &u8| usize::from(byte.to_ascii_lowercase() - b'a') + 1;
    let symbols = std::iter::once(0).chain(word.as_bytes().iter().map(letter)).chain([0]);
    let mut before = [0; 2];
    symbols.enumerate().filter_map(move |(number, symbol)| {
        let triple = (before[0] * SYMBOLS + before[1]) * SYMBOLS + symbol;
        before = [before[1], symbol];
        (number >= 2).then_some(triple)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_pass_and_random_letters_do_not() {
        for word in ["kunden", "bestellungen", "Mortgage", "express", "jane", "gorilla"] {
            assert!(is_pronounceable(word), "{word}");
        }
        for text in ["zqxwvkjp", "bcdfgh", "aeIou", "abc1"] {
            assert!(!is_pronounceable(text), "{text}");
        }
        let mut random = fastrand::Rng::with_seed(7);
        let mut text = || (0..8).map(|_| random.lowercase()).collect::<String>();
        let passed = (0..100_000).filter(|_| is_pronounceable(&text())).count();
        assert!(passed <= 200, "{passed} of 100,000 random texts of eight letters");
    }
}
