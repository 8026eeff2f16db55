//! Templates that somebody wrote down, by the router that axum has.

use std::fmt;

use matchit::{InsertError, Router};
use watchboard_wire::NameSource;

/// Parts in braces of one template. The router panics when it has no letter left for one.
const MOST_PARAMETERS: usize = 20;

/// A template, or a document of them, cannot be used; says why, and names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RouteError(pub(super) String);

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
    /// Of templates that are the same but for the names of their parts, the first names both.
    pub(super) fn new(templates: &[(String, NameSource)]) -> Result<Self, RouteError> {
        let mut given = Self::default();
        for (template, rule) in templates {
            let refused = |why: &str| RouteError(format!("the route template {template:?} {why}"));
            if !template.starts_with('/') {
                return Err(refused("does not begin with a slash, as in /users/{id}"));
            }
            if template.matches('{').count() > MOST_PARAMETERS {
                return Err(refused(&format!("has more than {MOST_PARAMETERS} parts in braces")));
            }
            match given.router.insert(pattern(template), given.templates.len()) {
                Ok(()) => given.templates.push((template.clone(), *rule)),
                Err(InsertError::Conflict { .. }) => {}
                Err(error) => return Err(refused(&format!("cannot be used: {error}"))),
            }
        }
        Ok(given)
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

/// A template as the router takes it: parts that are a name and something else, `{name}.{ext}`, stand for any part. Names that differ
/// from template to template are no matter: each part gets the same.
fn pattern(template: &str) -> String {
    let part = |part: &str| match (part.find('{'), part.ends_with('}')) {
        (Some(0), true) if part.starts_with("{*") => "{*rest}".to_owned(),
        (Some(_), _) if part.contains('}') => "{part}".to_owned(),
        _ => part.to_owned(),
    };
    // The router wants the names within one template to differ.
    let parts = template.split('/').enumerate();
    parts.map(|(number, text)| part(text).replace("{part}", &format!("{{part{number}}}"))).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(templates: &[&str]) -> Result<Declared, RouteError> {
        Declared::new(&templates.iter().map(|text| ((*text).to_owned(), NameSource::Declared)).collect::<Vec<_>>())
    }

    #[test]
    fn a_path_has_the_template_that_says_most() {
        let given = given(&["/users/{id}", "/users/me", "/users/{user}/posts/{id}", "/files/{*path}", "/d/{a}.{b}"]);
        let given = given.unwrap();
        for (path, template) in [
            ("/users/7", Some("/users/{id}")),
            ("/users/me", Some("/users/me")),
            ("/users/7/posts/8", Some("/users/{user}/posts/{id}")),
            ("/files/a/b/c", Some("/files/{*path}")),
            ("/d/report.pdf", Some("/d/{a}.{b}")),
            ("/users", None),
            ("/users/7/", None),
        ] {
            assert_eq!(given.template(path), template, "{path}");
        }
    }

    #[test]
    fn of_two_that_are_the_same_the_first_counts() {
        let given = given(&["/users/{id}", "/users/{name}"]).unwrap();
        assert_eq!(given.template("/users/7"), Some("/users/{id}"));
    }

    #[test]
    fn what_is_no_template_is_named() {
        for wrong in ["users/{id}", "", "/{*all}/more", &"/{id}".repeat(30)] {
            let error = given(&[wrong]).unwrap_err().to_string();
            assert!(error.contains(&format!("{wrong:?}")), "{error}");
        }
    }
}
