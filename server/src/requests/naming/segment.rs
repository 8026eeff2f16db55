//! One segment of a path: a word, or the part in braces that it becomes.

use std::borrow::Cow;

use super::{
    file_endings::{FileEnding, ending, is_format, without_density},
    known_values::is_locale,
    route_words::{is_by, is_operation, is_verb},
    value_kind::{GROUPS, kind},
    words::{Term, is_version, term},
};

/// What a segment of a path is by its look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment<'a> {
    /// It is shown.
    Word,
    /// It is shown where no name stands.
    DictionaryWord,
    /// It is in no list. It is shown only while it recurs.
    Unknown,
    /// It differs from request to request, or may be a secret. What is shown has the differing part in braces.
    Parameter(Cow<'a, str>),
}

/// Names that tools of the web begin with a mark: `/@vite/client`.
const TOOLS: &[&str] = &["fs", "id", "react-refresh", "vite", "vite-plugin-pwa"];

/// Behind these, Vite has the path of any file of the machine, or the name that a plugin gives to a module.
pub(super) const LEAD_TO_FILES: &[&str] = &["@fs", "@id"];

/// A parameter whose kind is unknown: a name, or random.
pub(super) const NAME: &str = "{name}";
/// A scope of packages, or a user: `@acme`.
pub(super) const SCOPE: &str = "@{name}";
/// A package with a scope, whose slash is escaped.
pub(super) const SCOPED: &str = "@{name}/{name}";
/// Random text, or what may be some.
pub(super) const KEY: &str = "{key}";
/// A file whose name is no word; its ending follows.
pub(super) const FILE: &str = "{file}";

/// `sha256:9f86d081`
pub(super) const DIGESTS: &[&str] = &["md5", "sha1", "sha256", "sha384", "sha512"];

/// What a segment is by its look.
pub(super) fn segment(part: &str) -> Segment<'_> {
    // `;jsessionid=…` belongs to one visitor.
    if let Some((part, _)) = part.split_once(';') {
        return match segment(part) {
            Segment::Parameter(shown) => Segment::Parameter(shown),
            Segment::Word => Segment::Parameter(part.into()),
            Segment::DictionaryWord | Segment::Unknown => Segment::Parameter(NAME.into()),
        };
    }
    if part.is_empty() || part == "." || part == ".." {
        return Segment::Word;
    }
    if part.bytes().all(|byte| byte.is_ascii_digit()) {
        return Segment::Parameter("{id}".into());
    }
    if is_version(part) || is_by(part) || LIBRARIES.contains(&part) {
        return Segment::Word;
    }
    // `OPS-404`
    if is_ticket(part) {
        return Segment::Parameter(KEY.into());
    }
    let ending = ending(part);
    if let Some((_, end, FileEnding::Repository)) = ending {
        return Segment::Parameter(format!("{NAME}.{end}").into());
    }
    // npm escapes the slash of a package with a scope.
    if part.starts_with('@') && (part.contains("%2f") || part.contains("%2F")) {
        return Segment::Parameter(SCOPED.into());
    }
    if let Some((stem, end, _)) = ending
        && let number = without_density(stem)
        && number.len() < stem.len()
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Segment::Parameter(format!("{{id}}{}.{end}", &stem[number.len()..]).into());
    }
    if let Some(shown) = span(part) {
        return Segment::Parameter(shown.into());
    }
    if let Some(shown) = kind(part) {
        return Segment::Parameter(shown.into());
    }
    if let Some(shown) = marked_segment(part) {
        return Segment::Parameter(shown.into());
    }
    if is_domain(part) {
        return Segment::Parameter(NAME.into());
    }
    // `de.vtt`
    if let Some((_, end, _)) = ending.filter(|(stem, ..)| is_locale(stem)) {
        return Segment::Parameter(format!("{FILE}.{end}").into());
    }
    // `v1.2.3.tar.gz`
    if let Some((stem, end, _)) = ending
        && is_version(stem)
        && stem.contains('.')
    {
        return Segment::Parameter(format!("{FILE}.{end}").into());
    }
    let term = term(part);
    if let (Some((stem, end, _)), true) = (ending, term != Term::Words)
        && !stem.is_empty()
    {
        let shown = match segment(stem) {
            Segment::Word => return Segment::Word,
            Segment::DictionaryWord if is_format(end) => return Segment::DictionaryWord,
            // `42.json`, `app.3f2a9c1b.js`: the ending says what it is.
            Segment::Parameter(shown) if ["{id}", "{uuid}", "{date}", "{hash}"].contains(&&*shown) => shown,
            _ => FILE.into(),
        };
        return Segment::Parameter(format!("{shown}.{end}").into());
    }
    match term {
        Term::Words => Segment::Word,
        Term::Dictionary => Segment::DictionaryWord,
        Term::OneUnknown => Segment::Unknown,
        Term::Other => Segment::Parameter(if is_name(part) { NAME } else { KEY }.into()),
    }
}

/// Two values with dots between them: `main...next`, `2026-01-01..2026-02-01`.
fn span(part: &str) -> Option<String> {
    let marks = if part.contains("...") { "..." } else { ".." };
    let (from, to) = part.split_once(marks).filter(|(from, to)| !from.is_empty() && !to.is_empty())?;
    let label = |part| match segment(part) {
        Segment::Parameter(shown) if !shown.contains('.') => shown.into_owned(),
        _ => NAME.to_owned(),
    };
    (!to.starts_with('.')).then(|| format!("{}{marks}{}", label(from), label(to)))
}

/// A segment with a mark that says what follows it: `user:jane`, `7:cancel`, `@scope`, `~jane`.
fn marked_segment(part: &str) -> Option<String> {
    if let Some(mark) = part.chars().next().filter(|char| matches!(char, '@' | '~' | '$')) {
        return Some(match &part[1..] {
            // `/@vite/client`, `/$metadata`
            rest if mark == '@' && (TOOLS.contains(&rest) || rest == "me") || mark == '$' && is_operation(rest) => {
                part.to_owned()
            }
            _ => format!("{mark}{NAME}"),
        });
    }
    let (before, after) = part.split_once(':')?;
    if DIGESTS.contains(&before) {
        return Some(KEY.to_owned());
    }
    let shown = match segment(before) {
        // `de:09162:6605`
        Segment::Word if is_locale(before) => return Some(KEY.to_owned()),
        // `!Xk29dLqP:example.org`
        Segment::Parameter(shown) if shown == KEY && is_domain(after) => return Some(KEY.to_owned()),
        Segment::Word => before.into(),
        Segment::DictionaryWord | Segment::Unknown => NAME.into(),
        Segment::Parameter(shown) => shown,
    };
    // `2:26-cv-53`, `74:f0:0a:86:1c:40`
    if shown == "{id}" && after.bytes().any(|byte| byte.is_ascii_digit()) {
        return Some(KEY.to_owned());
    }
    Some(if is_action(after) {
        format!("{shown}:{after}")
    } else if shown == NAME || shown == KEY {
        // `chr1:1200-3400`: one value.
        shown.into_owned()
    } else {
        format!("{shown}:{NAME}")
    })
}

/// Whether a text behind a colon says what is done: `cancel`, `listQuotas`.
pub(super) fn is_action(text: &str) -> bool {
    let verb = crate::masking::humps(text).next().unwrap_or_default();
    is_verb(text) || is_verb(verb) && term(text) == Term::Words
}

/// Whether a segment is some words of letters, as `jane-doe`, with one number in a word at most, as `p2p`. Random text mostly has more digits
/// or capitals within.
fn is_name(part: &str) -> bool {
    part.split(['-', '_', '.']).enumerate().all(|(number, word)| {
        if number > 0 && (1..=4).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit()) {
            return true;
        }
        let rest = word.get(1..).unwrap_or_default();
        let mut numbers = rest.split(|char: char| !char.is_ascii_digit()).filter(|number| !number.is_empty());
        word.starts_with(|char: char| char.is_ascii_alphabetic())
            && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            && numbers.next().is_none_or(|number| number.len() <= 2)
            && numbers.next().is_none()
    })
}

/// Ends of the most frequent domains that are no endings of files.
const DOMAINS: &[&str] =
    &["app", "at", "be", "ch", "com", "de", "dev", "es", "eu", "fr", "io", "it", "net", "nl", "org", "uk"];

/// They look like domains, and their clients ask for them: `/socket.io/?transport=polling`.
const LIBRARIES: &[&str] = &["engine.io", "socket.io"];

/// `acme.io`: a customer's, mostly.
fn is_domain(part: &str) -> bool {
    if part.ends_with(GROUPS) {
        return false;
    }
    let end = part.rsplit_once('.').filter(|(name, _)| !name.is_empty() && !name.starts_with('.'));
    end.is_some_and(|(_, end)| DOMAINS.contains(&end))
}

/// Capitals, a mark and a number.
fn is_ticket(part: &str) -> bool {
    part.rsplit_once('-').is_some_and(|(letters, number)| {
        letters.len() >= 2
            && letters.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests;
