//! Declared templates, matched by the router that axum uses.

use std::fmt;

use matchit::{InsertError, Router};
use watchboard_wire::NameSource;

/// Parts in braces of one template. The router panics if it has no letter left for a part.
const MOST_PARAMETERS: usize = 20;

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
    router: Router<usize>,
    templates: Vec<(String, NameSource)>,
}

impl fmt::Debug for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.templates).finish()
    }
}

impl Declared {
    /// If templates differ only in the names of their parts, the first one counts for both.
    pub(super) fn new(templates: &[(String, NameSource)]) -> Result<Self, RouteError> {
        let mut declared = Self::default();
        for (template, rule) in templates {
            let template = template.clone();
            if !template.starts_with('/') {
                return Err(RouteError::NoSlash { template });
            }
            if template.matches('{').count() > MOST_PARAMETERS {
                return Err(RouteError::TooManyParameters { template, most: MOST_PARAMETERS });
            }
            match declared.router.insert(pattern(&template), declared.templates.len()) {
                Ok(()) => declared.templates.push((template, *rule)),
                Err(InsertError::Conflict { .. }) => {}
                Err(error) => return Err(RouteError::Refused { template, reason: error.to_string() }),
            }
        }
        Ok(declared)
    }

    pub(super) fn templates(&self) -> &[(String, NameSource)] {
        &self.templates
    }

    pub(super) fn template(&self, path: &str) -> Option<&str> {
        let found = self.router.at(path).ok()?;
        self.templates.get(*found.value).map(|(template, _)| template.as_str())
    }

    pub(super) fn rule(&self, template: &str) -> Option<NameSource> {
        self.templates.iter().find(|(known, _)| known == template).map(|(_, rule)| *rule)
    }
}

/// A template in the router's syntax. A segment that is not a name alone, such as `{name}.{ext}`, stands for any segment. The names of
/// parts are replaced, so that they may differ from template to template.
fn pattern(template: &str) -> String {
    let part = |part: &str| match (part.find('{'), part.ends_with('}')) {
        (Some(0), true) if part.starts_with("{*") => "{*rest}".to_owned(),
        (Some(_), _) if part.contains('}') => "{part}".to_owned(),
        _ => part.to_owned(),
    };
    // The router requires that the names within one template differ.
    let parts = template.split('/').enumerate();
    parts.map(|(number, text)| part(text).replace("{part}", &format!("{{part{number}}}"))).collect::<Vec<_>>().join("/")
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
    fn of_two_that_are_the_same_the_first_counts() {
        let routes = declared(&["/users/{id}", "/users/{name}"]).unwrap();
        assert_eq!(routes.template("/users/7"), Some("/users/{id}"));
    }

    #[test]
    fn what_is_no_template_is_named() {
        for wrong in ["users/{id}", "", "/{*all}/more", &"/{id}".repeat(30)] {
            let error = declared(&[wrong]).unwrap_err().to_string();
            assert!(error.contains(&format!("{wrong:?}")), "{error}");
        }
    }
}
