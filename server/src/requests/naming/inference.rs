//! Infers templates from the look of paths: a segment that differs from request to request becomes a part in braces. The number of
//! names at one place of a path is bounded, and so is the number of templates.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, TryLockError},
};

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;

use super::name::RouteName;

/// Names at one place of a path. Further names there count as a part that differs.
const MAX_NAMES: usize = 40;
/// Templates in all.
const MAX_TEMPLATES: usize = 2048;
/// Segments of a template. Deeper segments become `{*rest}`.
const MAX_PARTS: usize = 12;
/// The length of a UUID, which can have no digits.
const UUID: usize = 36;
/// A longer segment is not the name of a route.
const LONGEST_NAME: usize = 40;

#[derive(Debug, Default)]
pub(super) struct RouteInference {
    known: ArcSwap<KnownSegments>,
    /// Held by the thread that adds a template; readers use the tables before it.
    adding: Mutex<()>,
}

#[derive(Clone, Debug, Default)]
struct KnownSegments {
    templates: HashSet<Arc<str>, RandomState>,
    /// The names that follow a beginning of templates.
    names: HashMap<Arc<str>, HashSet<Arc<str>, RandomState>, RandomState>,
    /// Some place has as many names as allowed.
    is_full_somewhere: bool,
}

impl RouteInference {
    pub(super) fn name<T>(&self, path: &str, then: impl FnOnce(RouteName<'_>) -> T) -> T {
        let known = self.known.load();
        let template = known.template(path);
        match known.templates.get(template.as_str()) {
            Some(template) => then(RouteName::Known(template)),
            None if known.templates.len() >= MAX_TEMPLATES => then(RouteName::TooMany),
            None => then(RouteName::New(template)),
        }
    }

    pub(super) fn knows(&self, template: &str) -> bool {
        self.known.load().templates.contains(template)
    }

    /// Keeps a template, and returns its name by now. `None` if another thread adds one at this moment: a later request tries again.
    pub(super) fn learn(&self, template: &str) -> Option<String> {
        let _adding = match self.adding.try_lock() {
            Ok(adding) => adding,
            // A panic while it was held leaves whole tables: they are replaced, never changed.
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let before = self.known.load_full();
        // Another thread may have added a template meanwhile.
        let template = before.fold(template);
        if !before.templates.contains(template.as_str()) && before.templates.len() < MAX_TEMPLATES {
            let mut known = (*before).clone();
            known.add(&template);
            self.known.store(Arc::new(known));
        }
        Some(template)
    }
}

impl KnownSegments {
    /// The template of a path.
    fn template(&self, path: &str) -> String {
        self.map_segments(path, mask_segment)
    }

    /// A template's name by now: a place may have too many names since.
    fn fold(&self, template: &str) -> String {
        self.map_segments(template, Cow::Borrowed)
    }

    fn map_segments<'a>(&self, path: &'a str, map: fn(&'a str) -> Cow<'a, str>) -> String {
        let mut template = String::with_capacity(path.len());
        for (depth, part) in path.strip_prefix('/').unwrap_or(path).split('/').enumerate() {
            if depth == MAX_PARTS {
                template.push_str("/{*rest}");
                break;
            }
            let part = map(part);
            let full = |names: &HashSet<_, _>| names.len() >= MAX_NAMES && !names.contains(&*part);
            let is_one_too_many =
                self.is_full_somewhere && !part.contains('{') && self.names.get(template.as_str()).is_some_and(full);
            template.push('/');
            template.push_str(if is_one_too_many { "{name}" } else { &part });
        }
        template
    }

    fn add(&mut self, template: &str) {
        self.templates.insert(template.into());
        for (slash, _) in template.match_indices('/') {
            let part = template[slash + 1..].split('/').next().unwrap_or_default();
            if !part.contains('{') {
                let names = self.names.entry(template[..slash].into()).or_default();
                names.insert(part.into());
                self.is_full_somewhere |= names.len() >= MAX_NAMES;
            }
        }
    }
}

/// A segment, with the part that differs from request to request in braces.
fn mask_segment(part: &str) -> Cow<'_, str> {
    // Most parts are plain words or numbers.
    let bytes = part.as_bytes();
    if bytes.len() < UUID && bytes.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_')) {
        return part.into();
    }
    if bytes.iter().all(u8::is_ascii_digit) {
        return "{id}".into();
    }
    // `;jsessionid=…` belongs to one visitor.
    let part = part.split(';').next().unwrap_or_default();
    if let Some(kind) = kind(part) {
        return format!("{{{kind}}}").into();
    }
    // `42.json`, `app.3f2a9c1b.js`: the ending says what it is.
    if let Some((stem, ending)) = part.rsplit_once('.') {
        let is_ending = (1..=5).contains(&ending.len())
            && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && !ending.bytes().all(|byte| byte.is_ascii_digit());
        let differs = kind(stem)
            .or_else(|| stem.split(['.', '-', '_']).find_map(|word| kind(word).filter(|kind| *kind == "hash")));
        if let (true, Some(kind)) = (is_ending, differs) {
            return format!("{{{kind}}}.{ending}").into();
        }
    }
    part.into()
}

/// The kind of value that a word is; `None` for a name.
fn kind(word: &str) -> Option<&'static str> {
    let bytes = word.as_bytes();
    let all = |fits: fn(&u8) -> bool| !bytes.is_empty() && bytes.iter().all(fits);
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let shaped = |shape: &[usize]| {
        word.split('-').map(str::len).eq(shape.iter().copied())
            && bytes.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
    };
    if all(u8::is_ascii_digit) || (word.starts_with('-') && digits + 1 == word.len() && digits > 0) {
        Some("id")
    } else if shaped(&[8, 4, 4, 4, 12]) {
        Some("uuid")
    } else if is_date(bytes) {
        Some("date")
    } else if bytes.len() >= 7 && digits > 0 && all(u8::is_ascii_hexdigit) {
        Some("hash")
    } else if word.split_once('@').is_some_and(|(_, behind)| !is_density(behind)) {
        Some("email")
    } else if digits >= 2 && all(|byte| byte.is_ascii_digit() || b".,:+-".contains(byte)) && is_no_version(word, digits)
    {
        Some("number")
    } else if !word.is_ascii() || word.contains(['%', '{', '}']) {
        Some("text")
    } else if bytes.len() > LONGEST_NAME || (bytes.len() >= 16 && digits >= 2 && all(u8::is_ascii_alphanumeric)) {
        Some("token")
    } else if word.contains(['-', '_']) && !word.contains('.') && word.split(['-', '_']).any(is_key) {
        Some("key")
    } else {
        None
    }
}

/// A pixel density, as in `logo@2x.png`: not an address.
fn is_density(behind: &str) -> bool {
    matches!(behind.as_bytes(), [b'0'..=b'9', b'x'] | [b'0'..=b'9', b'x', b'.', ..])
}

/// An IP address, coordinates, a telephone number. `1.0` and `1.2.3` are versions of an API.
fn is_no_version(word: &str, digits: usize) -> bool {
    digits >= 5 || word.contains([',', ':', '+'])
}

/// Whether one word of several makes them a key: the number of an order, the random part of a secret.
fn is_key(word: &str) -> bool {
    match kind(word) {
        Some("id") => word.len() >= 4,
        kind => matches!(kind, Some("hash" | "token")),
    }
}

/// `2026-11-24`, also with a time after it.
fn is_date(bytes: &[u8]) -> bool {
    let like = |(byte, pattern): (&u8, &u8)| if *pattern == b'0' { byte.is_ascii_digit() } else { byte == pattern };
    bytes.len() >= 10
        && bytes.iter().zip(b"0000-00-00").all(like)
        && bytes[10..].iter().all(|byte| byte.is_ascii_digit() || b"TZ:+-.".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(path: &str) -> String {
        KnownSegments::default().template(path)
    }

    #[test]
    fn what_differs_is_in_braces() {
        for (path, expected) in [
            ("/", "/"),
            ("/users/42", "/users/{id}"),
            ("/users/42/posts/7/", "/users/{id}/posts/{id}/"),
            ("/v1/orders/3fa85f64-5717-4562-b3fc-2c963f66afa6", "/v1/orders/{uuid}"),
            ("/carts/507f1f77bcf86cd799439011", "/carts/{hash}"),
            ("/commits/3fa85f6", "/commits/{hash}"),
            ("/days/2026-11-24", "/days/{date}"),
            ("/at/2026-11-24T18:03:00Z", "/at/{date}"),
            ("/events/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/events/{token}"),
            ("/by/ada@example.org", "/by/{email}"),
            ("/by/ada@1xbet.example", "/by/{email}"),
            ("/img/logo@2x.png", "/img/logo@2x.png"),
            ("/keys/sk_live_abcdef123456", "/keys/{key}"),
            ("/orders/ORD-2024-0001", "/orders/{key}"),
            ("/invoices/ORD-2024-0001.pdf", "/invoices/{key}.pdf"),
            ("/phones/+4915112345678", "/phones/{number}"),
            ("/hosts/10.1.2.3", "/hosts/{number}"),
            ("/places/52.5,13.4", "/places/{number}"),
            ("/api/1.0/users", "/api/1.0/users"),
            ("/api/1.2.3/oauth2/top-100", "/api/1.2.3/oauth2/top-100"),
            ("/search/caf%C3%A9", "/search/{text}"),
            ("/invoices/42.pdf", "/invoices/{id}.pdf"),
            ("/static/app.3f2a9c1b.js", "/static/{hash}.js"),
            ("/static/app.js", "/static/app.js"),
            ("/list;jsessionid=99", "/list"),
            ("/facade", "/facade"),
            ("/{invented}/x", "/{text}/x"),
            ("/account/settings", "/account/settings"),
            ("/a//b", "/a//b"),
        ] {
            assert_eq!(template(path), expected, "{path}");
            assert_eq!(KnownSegments::default().fold(expected), expected);
        }
        assert_eq!(template(&"/deep".repeat(40)), format!("{}/{{*rest}}", "/deep".repeat(MAX_PARTS)));
    }

    #[test]
    fn too_many_names_at_one_place_are_one() {
        let inference = RouteInference::default();
        for number in 0..1000 {
            let word = format!("{}{}", char::from(b'a' + (number % 26) as u8), "x".repeat(number / 26 + 1));
            inference.learn(&format!("/users/{word}")).unwrap();
        }
        let known = inference.known.load();
        assert_eq!(known.templates.len(), MAX_NAMES + 1);
        assert_eq!(known.template("/users/somebody"), "/users/{name}");
        assert_eq!(known.template("/users/ax"), "/users/ax", "who was there before stays");
        assert_eq!(known.template("/users/somebody/posts"), "/users/{name}/posts");
    }

    #[test]
    fn a_panic_of_one_thread_does_not_end_the_learning_of_others() {
        let inference = Arc::new(RouteInference::default());
        let poisoned = Arc::clone(&inference);
        let panicked = std::thread::spawn(move || {
            let _adding = poisoned.adding.lock();
            panic!("while it adds a template");
        });
        panicked.join().unwrap_err();
        assert_eq!(inference.learn("/users/{id}").as_deref(), Some("/users/{id}"));
        let busy = inference.adding.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        assert_eq!(inference.learn("/orders/{id}"), None, "another thread adds one");
        drop(busy);
        assert!(inference.learn("/orders/{id}").is_some());
    }

    #[test]
    fn there_are_only_so_many() {
        let inference = RouteInference::default();
        let word = |number: usize| format!("{}{}", char::from(b'g' + (number % 20) as u8), "x".repeat(number / 20));
        for number in 0..4 * MAX_TEMPLATES {
            let path = format!("/{}/{}/{}", word(number % 39), word(number / 39 % 39), word(number / 1521));
            inference.name(&path, |name| match name {
                RouteName::New(template) => _ = inference.learn(&template),
                RouteName::Known(_) | RouteName::TooMany => {}
            });
        }
        assert_eq!(inference.known.load().templates.len(), MAX_TEMPLATES);
        inference.name("/somewhere/else/entirely/new", |name| assert_eq!(name, RouteName::TooMany));
    }
}
