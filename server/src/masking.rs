//! What is shown of texts that others wrote: applications, clients, databases, other processes. Only words of a fixed list are shown
//! ([`words`]). All else becomes `#`, and so do quoted parts, brackets, and values behind `=`.

mod pieces;
mod words;

use self::pieces::{Piece, pieces};
pub(crate) use self::words::{WORDS as COMMON_WORDS, humps};

/// The part of a text that is looked at, in characters.
const MAX_CHARS: usize = 1_000;
/// The kernel cuts names of processes and threads at this length in bytes.
const KERNEL_NAME_BYTES: usize = 15;
/// A name keeps the number of a worker. More digits may be a telephone number.
const MAX_DIGITS: usize = 3;

/// An error's text with `#` in place of everything that may be data: `Key # already exists.`
pub(crate) fn mask_text(text: &str) -> String {
    let end = text.char_indices().nth(MAX_CHARS).map_or(text.len(), |(at, _)| at);
    let mut pieces = pieces(&text[..end]);
    mask_names(&mut pieces);
    let mut masked = Masked::default();
    for piece in pieces {
        match piece {
            Piece::Space => masked.show(" "),
            Piece::Mark(text) | Piece::Word { text, .. } => masked.show(text),
            Piece::Masked { .. } => masked.mask(),
        }
    }
    masked.text.trim().to_owned()
}

/// A name that a process or a thread gave itself, with `#` in place of its unknown parts: `worker-3 #`.
pub(crate) fn mask_name(name: &str) -> String {
    let is_cut = name.len() >= KERNEL_NAME_BYTES;
    let shows_digits = name.bytes().filter(u8::is_ascii_digit).count() <= MAX_DIGITS;
    let mut masked = Masked::default();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let is_alike = |char: char| match first {
            'a'..='z' | 'A'..='Z' => char.is_ascii_alphabetic(),
            '0'..='9' => char.is_ascii_digit(),
            _ => !char.is_ascii() && !first.is_ascii(),
        };
        let end = rest.find(|char| !is_alike(char)).unwrap_or(rest.len()).max(first.len_utf8());
        let part = &rest[..end];
        rest = &rest[end..];
        match first {
            'a'..='z' | 'A'..='Z' => {
                let mut humps = words::humps(part).peekable();
                while let Some(hump) = humps.next() {
                    let ends_cut = is_cut && rest.is_empty() && humps.peek().is_none();
                    let is_known = hump.len() > 1 && words::is_word(hump);
                    if is_known || ends_cut && words::begins_word(hump) { masked.show(hump) } else { masked.mask() }
                }
            }
            '0'..='9' if shows_digits => masked.show(part),
            _ if first.is_ascii_digit() || !first.is_ascii() => masked.mask(),
            _ if first.is_ascii_control() => masked.show(" "),
            _ => masked.show(part),
        }
    }
    masked.text.trim().to_owned()
}

/// Whether anything of a text was shown.
pub(crate) fn shows_words(masked: &str) -> bool {
    masked.contains(char::is_alphabetic)
}

/// A capital word beside one that is masked is part of a name, unless it begins a sentence: `Main Street`.
fn mask_names(pieces: &mut [Piece<'_>]) {
    let places: Vec<usize> = (0..pieces.len()).filter(|at| pieces[*at] != Piece::Space).collect();
    let neighbours = places.windows(2).map(|pair| (pair[0], pair[1]));
    let begins_sentence =
        |before: Piece<'_>| matches!(before, Piece::Mark(mark) if mark.ends_with(['.', '!', '?', ':']));
    let mut is_inner = vec![false; pieces.len()];
    neighbours.clone().for_each(|(before, at)| is_inner[at] = !begins_sentence(pieces[before]));
    let backward = neighbours.clone().rev().map(|(at, masked)| (masked, at));
    for (masked, at) in neighbours.chain(backward) {
        let is_name = pieces[masked] == Piece::Masked { is_capital: true };
        if is_name && is_inner[at] && matches!(pieces[at], Piece::Word { is_capital: true, .. }) {
            pieces[at] = Piece::Masked { is_capital: true };
        }
    }
}

/// A text in the making. Masked parts beside each other are one.
#[derive(Default)]
struct Masked {
    text: String,
    /// The length of the text with its last `#`, if only links of a list follow it.
    after_mask: Option<usize>,
}

impl Masked {
    fn show(&mut self, part: &str) {
        let is_link = |char: char| matches!(char, ' ' | ',' | '=' | '/' | '&' | '|' | '@' | ':' | '-' | '_' | '+');
        if !part.chars().all(is_link) {
            self.after_mask = None;
        }
        if part != " " || !self.text.ends_with(' ') {
            self.text.push_str(part);
        }
    }

    fn mask(&mut self) {
        if let Some(length) = self.after_mask {
            self.text.truncate(length);
        } else {
            // A bracket behind a word.
            let is_joined = self.text.ends_with(|before: char| before.is_ascii_alphanumeric());
            self.text.push_str(if is_joined { " #" } else { "#" });
        }
        self.after_mask = Some(self.text.len());
    }
}

#[cfg(test)]
mod tests;
