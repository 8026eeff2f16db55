//! A text as the pieces that are masked or shown: words, quoted parts, brackets, punctuation.

use super::words::is_term;

/// Words whose values are secrets or persons: all that follows in their clause is masked.
const NAMES_OF_SECRETS: &[&str] = &[
    "account",
    "address",
    "authorization",
    "basic",
    "bearer",
    "card",
    "cookie",
    "credential",
    "credentials",
    "customer",
    "digest",
    "email",
    "key",
    "login",
    "mail",
    "name",
    "otp",
    "password",
    "passwords",
    "phone",
    "pin",
    "secret",
    "session",
    "token",
    "user",
    "username",
];
/// Words with which a sentence about a field begins: `password: must be longer`.
const BEGINS_SENTENCE: &[&str] = &[
    "a",
    "already",
    "an",
    "at",
    "can",
    "cannot",
    "can't",
    "does",
    "doesn't",
    "ensure",
    "enter",
    "expected",
    "expired",
    "field",
    "has",
    "incorrect",
    "input",
    "invalid",
    "is",
    "may",
    "mismatch",
    "missing",
    "must",
    "no",
    "not",
    "please",
    "required",
    "should",
    "string",
    "the",
    "this",
    "too",
    "unexpected",
    "unknown",
    "value",
    "was",
    "wrong",
];
/// Punctuation that may stand before a word that is shown. A path, an address or a variable begins otherwise.
const BEFORE_WORDS: &[char] =
    &['-', '*', '+', '<', '>', '!', '?', ',', ';', '|', '&', '#', ')', ']', '}', '\u{2026}', '\u{2013}', '\u{2014}'];
/// Punctuation after a word.
const AFTER_WORDS: &[char] = &[
    '.', ',', ';', ':', '!', '?', ')', ']', '}', '>', '-', '=', '"', '\'', '`', '\u{2026}', '\u{2013}', '\u{2014}',
    '\u{2019}', '\u{201d}', '\u{bb}',
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Space,
    /// Punctuation.
    Mark(&'a str),
    Word {
        text: &'a str,
        is_capital: bool,
    },
    Masked {
        is_capital: bool,
    },
}

/// What is masked whatever it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Masking {
    Nothing,
    /// The next word, quoted part or bracket: the value after a `=`.
    Next,
    /// The rest of the clause, unless it is a sentence.
    Value,
    Clause,
}

pub(super) struct Scanner<'a> {
    pieces: Vec<Piece<'a>>,
    hidden: Masking,
}

/// The pieces of a text.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut scanner = Scanner { pieces: vec![], hidden: Masking::Nothing };
    let (mut rest, mut before) = (text, ' ');
    while let Some(first) = rest.chars().next() {
        let end = if is_space(first) {
            scanner.pieces.push(Piece::Space);
            first.len_utf8()
        } else if let Some(closers) = closers(rest, before) {
            scanner.enclosed(rest, first, closers)
        } else {
            let inside = |(at, char): &(usize, char)| {
                let before = rest[..*at].chars().next_back().unwrap_or(before);
                *at > 0 && (is_space(*char) || closers_at(&rest[*at..], *char, before).is_some())
            };
            let end = rest.char_indices().find(inside).map_or(rest.len(), |(at, _)| at);
            scanner.chunk(&rest[..end]);
            end
        };
        before = rest[..end].chars().next_back().unwrap_or(' ');
        rest = &rest[end..];
    }
    scanner.pieces
}

fn is_space(char: char) -> bool {
    char.is_whitespace() || char.is_control()
}

fn closers(rest: &str, before: char) -> Option<&'static [char]> {
    closers_at(rest, rest.chars().next()?, before)
}

/// What ends the quoted part or the bracket that begins here.
fn closers_at(rest: &str, first: char, before: char) -> Option<&'static [char]> {
    Some(match first {
        '"' => &['"'],
        // Else it is an apostrophe.
        '\'' if !before.is_alphanumeric() => &['\''],
        '`' => &['`', '\''],
        '\u{2018}' | '\u{201a}' => &['\u{2019}', '\u{2018}'],
        '\u{201c}' | '\u{201e}' => &['\u{201d}', '\u{201c}'],
        '\u{ab}' => &['\u{bb}'],
        '\u{bb}' => &['\u{ab}'],
        '\u{300c}' => &['\u{300d}'],
        '(' => &[')'],
        '[' => &[']'],
        '{' => &['}'],
        '<' if rest[1..].starts_with(|next: char| next.is_alphanumeric() || matches!(next, '/' | '!' | '#')) => &['>'],
        _ => return None,
    })
}

/// The length of a quoted part or a bracket with its ends. One that does not end lasts to the end of the text.
fn enclosed_length(rest: &str, first: char, closers: &[char]) -> usize {
    let (mut depth, mut is_escaped) = (0, false);
    for (at, char) in rest.char_indices() {
        let end = at + char.len_utf8();
        if is_escaped || char == '\\' {
            is_escaped = !is_escaped;
        } else if at > 0 && closers.contains(&char) {
            // An apostrophe within the part does not end it.
            let ends = !matches!(char, '\'' | '\u{2019}') || !rest[end..].starts_with(char::is_alphanumeric);
            depth -= i32::from(ends);
            if depth == 0 {
                return end;
            }
        } else if char == first {
            depth += 1;
        }
    }
    rest.len()
}

impl<'a> Scanner<'a> {
    /// A quoted part or a bracket; returns its length.
    fn enclosed(&mut self, rest: &'a str, first: char, closers: &[char]) -> usize {
        let length = enclosed_length(rest, first, closers);
        let is_call = matches!(&rest[..length], "()" | "[]" | "{}");
        self.pieces.push(if is_call { Piece::Mark(&rest[..length]) } else { Piece::Masked { is_capital: false } });
        if matches!(self.hidden, Masking::Next | Masking::Value) {
            self.hidden = Masking::Nothing;
        }
        length
    }

    /// What stands between spaces: a word with its punctuation, an address, `key=value`.
    fn chunk(&mut self, chunk: &'a str) {
        let core = chunk.trim_start_matches(BEFORE_WORDS);
        let (before, core) = (&chunk[..chunk.len() - core.len()], core.trim_end_matches(AFTER_WORDS));
        let after = &chunk[before.len() + core.len()..];
        self.mark(before);
        if core.is_empty() {
            self.hidden = if after.contains('=') || before.contains('=') { Masking::Next } else { self.hidden };
        } else {
            self.core(core);
        }
        let key = core.rsplit(['_', '-']).next().unwrap_or(core).to_ascii_lowercase();
        let is_secret = NAMES_OF_SECRETS.contains(&key.as_str());
        match after.trim_end_matches(['"', '\'']).chars().next_back() {
            Some('=') => self.hidden = if is_secret { Masking::Clause } else { Masking::Next },
            Some(':') if is_secret => self.hidden = Masking::Value,
            Some('.' | ',' | ';' | '!' | '?') => self.hidden = Masking::Nothing,
            _ => {}
        }
        let is_masked = matches!(self.pieces.last(), Some(Piece::Masked { .. }));
        self.mark(if is_masked { after.trim_start_matches('=') } else { after });
    }

    fn mark(&mut self, mark: &'a str) {
        if !mark.is_empty() {
            self.pieces.push(Piece::Mark(mark));
        }
    }

    fn core(&mut self, core: &'a str) {
        let is_capital = core.starts_with(char::is_uppercase);
        let hidden = match self.hidden {
            Masking::Value if BEGINS_SENTENCE.contains(&core.to_ascii_lowercase().as_str()) => Masking::Nothing,
            Masking::Value => Masking::Clause,
            hidden => hidden,
        };
        self.hidden = if hidden == Masking::Next { Masking::Nothing } else { hidden };
        let is_address = core.contains('@') || core.contains("//") || core.contains('\\');
        if hidden != Masking::Nothing || is_address {
            self.pieces.push(Piece::Masked { is_capital });
        } else if let Some(at) = core.find([':', '=']) {
            // A key and its value.
            let (key, value) = core.split_at(at);
            self.core(key);
            self.mark(&value[..1]);
            self.pieces.push(Piece::Masked { is_capital: false });
            let key = key.to_ascii_lowercase();
            self.hidden = if NAMES_OF_SECRETS.contains(&key.as_str()) { Masking::Clause } else { Masking::Nothing };
        } else if is_term(core) {
            self.pieces.push(Piece::Word { text: core, is_capital });
        } else {
            self.pieces.push(Piece::Masked { is_capital });
        }
    }
}
