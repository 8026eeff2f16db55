//! One segment of a path: a word, or the part in braces that it becomes.

use std::borrow::Cow;

use super::{
    file::{FileEnding, ending, is_format},
    lists::is_listed,
    locales::is_locale,
    route_words::{is_by, is_operation, is_verb},
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
/// Random text, or what may be some.
pub(super) const KEY: &str = "{key}";
/// A file whose name is no word; its ending follows.
pub(super) const FILE: &str = "{file}";

/// `sha256:9f86d081`
const DIGESTS: &[&str] = &["md5", "sha1", "sha256", "sha384", "sha512"];

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
        return Segment::Parameter("@{name}/{name}".into());
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
    let verb = crate::masking::humps(after).next().unwrap_or_default();
    Some(if is_verb(verb) && term(after) == Term::Words {
        format!("{shown}:{after}")
    } else if shown == NAME || shown == KEY {
        // `chr1:1200-3400`: one value.
        shown.into_owned()
    } else {
        format!("{shown}:{NAME}")
    })
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

/// The kind of value that a segment is, in braces; `None` if its characters do not say.
fn kind(word: &str) -> Option<&'static str> {
    let bytes = word.as_bytes();
    let all = |fits: fn(&u8) -> bool| !bytes.is_empty() && bytes.iter().all(fits);
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let shaped = |shape: &[usize]| {
        word.split('-').map(str::len).eq(shape.iter().copied())
            && bytes.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
    };
    if word.starts_with('-') && digits + 1 == word.len() && digits > 0 {
        Some("{id}")
    } else if shaped(&[8, 4, 4, 4, 12]) {
        Some("{uuid}")
    } else if is_date(bytes) {
        Some("{date}")
    } else if bytes.len() >= 7 && digits > 0 && all(u8::is_ascii_hexdigit) {
        Some("{hash}")
    } else if word.get(1..).is_some_and(|rest| {
        let address = rest.split_once('@').or_else(|| rest.split_once("%40"));
        address.is_some_and(|(_, behind)| behind.contains('.') && !is_density(behind))
    }) {
        Some("{email}")
    } else if digits >= 2 && all(|byte| byte.is_ascii_digit() || b".,:+-".contains(byte)) && !is_pair(word) {
        Some("{number}")
    } else if is_measure(word) {
        Some(NAME)
    } else if !word.is_ascii() || word.contains(['%', '{', '}', '=', '*', '\\']) {
        Some("{text}")
    } else {
        None
    }
}

/// Ends of the most frequent domains that are no endings of files.
const DOMAINS: &[&str] =
    &["app", "at", "be", "ch", "com", "de", "dev", "es", "eu", "fr", "io", "it", "net", "nl", "org", "uk"];

/// The groups of Kubernetes' API end so.
const GROUPS: &str = ".k8s.io";

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

/// A pixel density, as in `logo@2x.png`: not an address.
fn is_density(behind: &str) -> bool {
    matches!(behind.as_bytes(), [b'0'..=b'9', b'x'] | [b'0'..=b'9', b'x', b'.', ..])
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

/// A number with a unit of time, or of the lines of a picture: `5m`, `30d`, `240p`. Words such as `3d` are in the list.
fn is_measure(word: &str) -> bool {
    let number = word.strip_suffix(['p', 's', 'm', 'h', 'd', 'w', 'y']).unwrap_or_default();
    (1..=4).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()) && !is_listed(word)
}

/// Two short numbers with a colon: an id, not coordinates.
fn is_pair(word: &str) -> bool {
    word.contains(':') && word.len() <= 3
}

/// `2026-11-24`, also with a time after it.
fn is_date(bytes: &[u8]) -> bool {
    let like = |(byte, pattern): (&u8, &u8)| if *pattern == b'0' { byte.is_ascii_digit() } else { byte == pattern };
    bytes.len() >= 10
        && bytes.iter().zip(b"0000-00-00").all(like)
        && bytes[10..].iter().all(|byte| byte.is_ascii_digit() || b"TZ:+-.".contains(byte))
}

#[cfg(test)]
mod tests;
