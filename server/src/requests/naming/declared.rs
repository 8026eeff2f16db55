//! Declared templates, matched by the router that axum uses.

use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::BTreeMap,
    fmt,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use matchit::{InsertError, Router};
use percent_encoding::percent_decode_str;
use watchboard_wire::NameSource;

/// Parts in braces of one template. The router panics if it has no letter left for a part.
const MAX_PARAMETERS: usize = 20;

/// A route template or an OpenAPI document that [`Routes`](crate::Routes) cannot use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// The template does not begin with a slash.
    #[error("the route template {template:?} does not begin with a slash, as in /users/{{id}}")]
    #[non_exhaustive]
    NoSlash {
        /// The template.
        template: String,
    },
    /// The template has more parts in braces than a router supports.
    #[error("the route template {template:?} has more than {most} parts in braces")]
    #[non_exhaustive]
    TooManyParameters {
        /// The template.
        template: String,
        /// The largest number that is allowed.
        most: usize,
    },
    /// The router refuses the template.
    #[error("the route template {template:?} cannot be used: {reason}")]
    #[non_exhaustive]
    Refused {
        /// The template.
        template: String,
        /// The router's reason.
        reason: String,
    },
    /// The OpenAPI document is not JSON, or not an OpenAPI document.
    #[error("the OpenAPI document cannot be read: {reason}. It has to be JSON.")]
    #[non_exhaustive]
    Unreadable {
        /// The parser's reason.
        reason: String,
    },
    /// The OpenAPI document has no `paths`.
    #[error("the OpenAPI document has no \"paths\"")]
    NoPaths,
    /// The OpenAPI document has more paths than an application has.
    #[error("the OpenAPI document has {count} paths, more than {most}")]
    #[non_exhaustive]
    TooManyPaths {
        /// The number of paths in the document.
        count: usize,
        /// The largest number that is allowed.
        most: usize,
    },
}

#[derive(Default)]
pub(super) struct Declared {
    /// By shape: templates that the router cannot tell apart, those with most text of their own first.
    router: Router<Vec<Candidate>>,
    templates: Vec<(String, NameSource)>,
    /// Whether a path has matched the template, by its number.
    matched: Vec<AtomicBool>,
}

/// A template of a shape.
struct Candidate {
    /// Its number among the templates.
    number: usize,
    /// The segments that are part text, part name, as `{name}.pdf`: their places, and the texts before, between and after the names. Most
    /// templates have none.
    mixed: Vec<(usize, Vec<String>)>,
}

impl fmt::Debug for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.templates).finish()
    }
}

impl Declared {
    /// If templates of a document differ only in the names of their parts, the first one counts for both.
    pub(super) fn new(templates: &[(String, NameSource)]) -> Result<Self, RouteError> {
        let mut shapes: BTreeMap<String, Vec<Candidate>> = BTreeMap::new();
        for (number, (template, rule)) in templates.iter().enumerate() {
            let template = template.clone();
            if !template.starts_with('/') {
                return Err(RouteError::NoSlash { template });
            }
            if template.matches('{').count() > MAX_PARAMETERS {
                return Err(RouteError::TooManyParameters { template, most: MAX_PARAMETERS });
            }
            if let Some(reason) = (*rule == NameSource::Declared).then(|| other_syntax(&template)).flatten() {
                return Err(RouteError::Refused { template, reason });
            }
            let decoded = decode(&template);
            let alike = shapes.entry(shape(&decoded)).or_default();
            let mixed = mixed(&decoded);
            let same =
                |candidate: &&Candidate| candidate.mixed == mixed && templates[candidate.number] != templates[number];
            if let Some(same) = alike.iter().find(same).filter(|_| *rule == NameSource::Declared) {
                let reason = format!("no path can tell it from {:?}", templates[same.number].0);
                return Err(RouteError::Refused { template, reason });
            }
            alike.push(Candidate { number, mixed });
        }
        let mut router = Router::new();
        for (shape, mut alike) in shapes {
            let first = alike[0].number;
            alike.sort_by_key(|candidate| Reverse(own_text(&templates[candidate.number].0)));
            match router.insert(shape, alike) {
                Ok(()) | Err(InsertError::Conflict { .. }) => {}
                Err(error) => {
                    let (template, _) = templates[first].clone();
                    return Err(RouteError::Refused { template, reason: error.to_string() });
                }
            }
        }
        let matched = templates.iter().map(|_| AtomicBool::new(false)).collect();
        Ok(Self { router, templates: templates.to_vec(), matched })
    }

    /// Takes over from earlier tables which templates have matched a path.
    pub(super) fn with_matches_of(self, earlier: &Self) -> Self {
        for (template, matched) in self.templates.iter().zip(&self.matched) {
            let before = earlier.templates.iter().zip(&earlier.matched).find(|(known, _)| *known == template);
            matched.store(before.is_some_and(|(_, before)| before.load(Relaxed)), Relaxed);
        }
        self
    }

    /// The declared templates that no path has matched.
    pub(super) fn unmatched(&self) -> impl Iterator<Item = &str> {
        let templates = self.templates.iter().zip(&self.matched);
        let unmatched =
            templates.filter(|((_, rule), matched)| *rule == NameSource::Declared && !matched.load(Relaxed));
        unmatched.map(|((template, _), _)| template.as_str())
    }

    pub(super) fn templates(&self) -> &[(String, NameSource)] {
        &self.templates
    }

    pub(super) fn template(&self, path: &str) -> Option<&str> {
        let path = decode(path);
        let alike = self.router.at(&path).ok()?.value;
        let fitting = alike.iter().find(|candidate| candidate.fits(&path))?;
        // Read first: most requests find it set, and write nothing that all cores share.
        if let Some(matched) = self.matched.get(fitting.number).filter(|matched| !matched.load(Relaxed)) {
            matched.store(true, Relaxed);
        }
        Some(&self.templates[fitting.number].0)
    }

    pub(super) fn rule(&self, template: &str) -> Option<NameSource> {
        self.templates.iter().find(|(known, _)| known == template).map(|(_, rule)| *rule)
    }
}

/// A parameter without a name, or as the templates of other routers have it: `:id`, `<int:id>`, `*`. No path would match it here.
fn other_syntax(template: &str) -> Option<String> {
    if template.contains("{}") {
        return Some("a part in braces needs a name, as {id} has".to_owned());
    }
    template.split('/').find_map(|part| {
        let (name, instead) = if let Some(name) = part.strip_prefix(':') {
            (name, "{id}")
        } else if let Some(name) = part.strip_prefix('*') {
            (name, "{*rest}")
        } else {
            (part.strip_prefix('<')?.strip_suffix('>')?, "{id}")
        };
        let is_name = name.chars().all(|char| char.is_alphanumeric() || matches!(char, '_' | ':' | '?'));
        is_name.then(|| format!("a parameter is written {instead}, not {part:?}"))
    })
}

/// A path with its escapes as the characters that they stand for, segment by segment: an escaped slash is none between segments.
fn decode(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return path.into();
    }
    let segment = |segment| match percent_decode_str(segment).decode_utf8() {
        Ok(text) if !text.contains('/') => text,
        _ => Cow::Borrowed(segment),
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/").into()
}

/// A template in the router's syntax. A segment that is not a name alone, such as `{name}.pdf`, stands for any segment. The names of
/// parts are replaced, so that they may differ from template to template.
fn shape(template: &str) -> String {
    let part = |(number, part): (usize, &str)| match (part.find('{'), part.ends_with('}')) {
        (Some(0), true) if part.starts_with("{*") => "{*rest}".to_owned(),
        (Some(_), _) if part.contains('}') => format!("{{part{number}}}"),
        _ => part.to_owned(),
    };
    template.split('/').enumerate().map(part).collect::<Vec<_>>().join("/")
}

/// The text of a template outside of its parts, in bytes.
fn own_text(template: &str) -> usize {
    texts(template).map(str::len).sum()
}

/// What stands before, between and after the parts in braces.
fn texts(segment: &str) -> impl Iterator<Item = &str> {
    segment.split('{').enumerate().map(|(number, piece)| match piece.split_once('}') {
        Some((_, text)) if number > 0 => text,
        _ => piece,
    })
}

/// The segments of a template that are part text, part name.
fn mixed(template: &str) -> Vec<(usize, Vec<String>)> {
    let is_name = |part: &str| part.starts_with('{') && part.ends_with('}') && part.matches('{').count() == 1;
    let segments = template.split('/').enumerate().filter(|(_, part)| part.contains('{') && !is_name(part));
    segments.map(|(place, part)| (place, texts(part).map(str::to_owned).collect())).collect()
}

impl Candidate {
    /// Whether a path of this shape has the texts of the mixed segments.
    fn fits(&self, path: &str) -> bool {
        self.mixed
            .iter()
            .all(|(place, texts)| path.split('/').nth(*place).is_some_and(|segment| has_texts(segment, texts)))
    }
}

/// Whether a segment is these texts with one character at least between two of them.
fn has_texts(segment: &str, texts: &[String]) -> bool {
    let [first, middle @ .., last] = texts else { return true };
    let Some(mut rest) = segment.strip_prefix(&**first).and_then(|rest| rest.strip_suffix(&**last)) else {
        return false;
    };
    for text in middle {
        let Some((at, _)) = rest.char_indices().skip(1).find(|(at, _)| rest[*at..].starts_with(&**text)) else {
            return false;
        };
        rest = &rest[at + text.len()..];
    }
    !rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(templates: &[&str]) -> Result<Declared, RouteError> {
        Declared::new(&templates.iter().map(|text| ((*text).to_owned(), NameSource::Declared)).collect::<Vec<_>>())
    }

    #[test]
    fn a_path_has_the_template_that_says_most() {
        let routes =
            declared(&["/users/{id}", "/users/me", "/users/{user}/posts/{id}", "/files/{*path}", "/d/{a}.{b}"]);
        let routes = routes.unwrap();
        for (path, template) in [
            ("/users/7", Some("/users/{id}")),
            ("/users/me", Some("/users/me")),
            ("/users/7/posts/8", Some("/users/{user}/posts/{id}")),
            ("/files/a/b/c", Some("/files/{*path}")),
            ("/d/report.pdf", Some("/d/{a}.{b}")),
            ("/users", None),
            ("/users/7/", None),
        ] {
            assert_eq!(routes.template(path), template, "{path}");
        }
    }

    #[test]
    fn escapes_stand_for_their_characters() {
        let routes = declared(&["/größe/{name}", "/my files/{id}", "/a%2Fb/{id}", "/tilde/~me"]).unwrap();
        for (path, template) in [
            ("/gr%C3%B6%C3%9Fe/7", Some("/größe/{name}")),
            ("/gr%c3%b6%c3%9fe/7", Some("/größe/{name}")),
            ("/größe/7", Some("/größe/{name}")),
            ("/gr%C3%B6%C3%9Fe/caf%C3%A9", Some("/größe/{name}")),
            ("/my%20files/7", Some("/my files/{id}")),
            ("/a%2Fb/7", Some("/a%2Fb/{id}")),
            ("/a%2fb/7", None),
            ("/tilde/%7Eme", Some("/tilde/~me")),
            ("/gr%FFe/7", None),
            ("/gr%", None),
        ] {
            assert_eq!(routes.template(path), template, "{path}");
        }
    }

    #[test]
    fn templates_that_differ_within_a_segment_are_told_apart() {
        let routes = declared(&[
            "/orders/{id}",
            "/orders/{id}:cancel",
            "/orders/{id}.pdf",
            "/orders/v{number}",
            "/orders/{year}-{month}",
            "/reports/{name}.csv",
            "/orders/{order}:cancel/{step}",
        ]);
        let routes = routes.unwrap();
        for (path, template) in [
            ("/orders/7", Some("/orders/{id}")),
            ("/orders/7:cancel", Some("/orders/{id}:cancel")),
            ("/orders/7:cancel/2", Some("/orders/{order}:cancel/{step}")),
            ("/orders/7.pdf", Some("/orders/{id}.pdf")),
            ("/orders/.pdf", Some("/orders/{id}")),
            ("/orders/v2", Some("/orders/v{number}")),
            ("/orders/2026-11", Some("/orders/{year}-{month}")),
            ("/orders/-11", Some("/orders/{id}")),
            ("/reports/may.csv", Some("/reports/{name}.csv")),
            ("/reports/may", None),
        ] {
            assert_eq!(routes.template(path), template, "{path}");
        }
    }

    #[test]
    fn of_two_that_are_the_same_the_second_is_refused() {
        let error = declared(&["/users/{id}/a", "/users/{id}", "/users/{name}"]).unwrap_err().to_string();
        assert!(error.contains("\"/users/{name}\"") && error.contains("tell it from \"/users/{id}\""), "{error}");
        assert!(declared(&["/a/{b}.pdf", "/a/{c}.pdf"]).is_err());
        let routes = declared(&["/users/{id}", "/users/{id}", "/users/{id}.pdf"]).unwrap();
        assert_eq!(routes.template("/users/7"), Some("/users/{id}"), "twice the same is once");
        // Documents have them: one for each method.
        let document = ["/users/{id}", "/users/{name}"].map(|text| (text.to_owned(), NameSource::OpenApi));
        assert_eq!(Declared::new(&document).unwrap().template("/users/7"), Some("/users/{id}"));
    }

    #[test]
    fn what_is_no_template_is_named() {
        for wrong in ["users/{id}", "", "/{*all}/more", "/a/{b", "/a/b}", "/u/{}", "/u/{}.pdf", &"/{id}".repeat(30)] {
            let error = declared(&[wrong]).unwrap_err().to_string();
            assert!(error.contains(&format!("{wrong:?}")), "{error}");
        }
    }

    #[test]
    fn parameters_of_other_routers_are_refused() {
        for (wrong, instead) in
            [("/users/:id", "{id}"), ("/users/:id?", "{id}"), ("/users/<int:id>", "{id}"), ("/*/b", "{*rest}")]
        {
            let error = declared(&["/orders/{id}:cancel", wrong]).unwrap_err().to_string();
            assert!(error.contains(wrong) && error.contains(&format!("is written {instead}, not")), "{error}");
        }
        // A document's own paths are taken as they stand.
        assert!(Declared::new(&[("/v1/:batchGet".to_owned(), NameSource::OpenApi)]).is_ok());
    }
}
