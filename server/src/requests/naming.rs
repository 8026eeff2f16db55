//! The endpoints of an application whose router is not axum's: named by the templates that were given, by its OpenAPI document, and
//! else by what its paths look like. Reading takes no lock; what is new comes rarely, and in a copy.

mod declared;
mod inference;
mod openapi;

use std::sync::Arc;

use arc_swap::ArcSwap;
use watchboard_wire::NameSource;

use self::{declared::Declared, inference::Inferred};
pub use declared::RouteError;

/// The routes of an application whose router the monitor cannot ask: of a proxied one, or of a service that is no axum router.
///
/// ```
/// # fn main() -> Result<(), watchboard::RouteError> {
/// // Requests of `/users/7` count as those of `/users/{id}`, and what is not given is told by the looks of its path.
/// let routes = watchboard::Routes::declared(["/users/{id}", "/files/{*path}"])?.inferred();
/// let monitor = watchboard::Monitor::builder().routes(routes);
/// # Ok(())
/// # }
/// ```
///
/// Clones are the same routes.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    declared: Arc<ArcSwap<Declared>>,
    /// None where only given templates name paths.
    inferred: Option<Arc<Inferred>>,
}

impl Routes {
    /// Those of these templates: a part of a path in braces stands for any, `{*rest}` for all that is left.
    ///
    /// # Errors
    /// A template that is none, or one that another stands in the way of.
    pub fn declared(templates: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, RouteError> {
        let routes = Self::default();
        routes.replace(NameSource::Declared, templates.into_iter().map(Into::into).collect())?;
        Ok(routes)
    }

    /// What is in none of the templates is named by the looks of its path: numbers, UUIDs, dates, hashes and the like become `{id}`,
    /// `{uuid}`, `{date}`, `{hash}`; where a part of a path has too many names, further ones are `{name}`. A path gets a row once the
    /// application has answered it with something other than a client error, so that strangers who guess at paths make none.
    #[must_use]
    pub fn inferred(mut self) -> Self {
        self.inferred = Some(Arc::default());
        self
    }

    /// Those of an OpenAPI document in JSON, in the place of what an earlier one named; returns how many it names. Declared templates go first.
    ///
    /// # Errors
    /// What is wrong with the document; the routes stay as they were.
    pub fn openapi(&self, document: &str) -> Result<usize, RouteError> {
        let templates = openapi::templates(document)?;
        let count = templates.len();
        self.replace(NameSource::OpenApi, templates)?;
        Ok(count)
    }

    /// Puts templates in the place of those of the same rule.
    fn replace(&self, rule: NameSource, templates: Vec<String>) -> Result<(), RouteError> {
        let mut all = self.declared.load().templates().to_vec();
        all.retain(|(_, of)| *of != rule);
        all.extend(templates.into_iter().map(|template| (template, rule)));
        // Stable: given ones stand before those of a document, which gives way to them.
        all.sort_by_key(|(_, rule)| *rule != NameSource::Declared);
        self.declared.store(Arc::new(Declared::new(&all)?));
        Ok(())
    }

    /// Calls `then` with what a path is called; with none where nothing names it.
    pub(super) fn name<T>(&self, path: &str, then: impl FnOnce(Option<Name<'_>>) -> T) -> T {
        let given = self.declared.load();
        match (given.template(path), &self.inferred) {
            (Some(template), _) => then(Some(Name::Known(template))),
            (None, Some(inferred)) => inferred.name(path, |name| then(Some(name))),
            (None, None) => then(None),
        }
    }

    /// The application has answered a path that was new: it has a name from now on.
    pub(super) fn learn(&self, template: &str) -> Option<String> {
        self.inferred.as_ref()?.learn(template)
    }

    /// Which rule made a template.
    pub(super) fn rule(&self, template: &str) -> Option<NameSource> {
        let is_inferred = || self.inferred.as_ref().is_some_and(|inferred| inferred.knows(template));
        self.declared.load().rule(template).or_else(|| is_inferred().then_some(NameSource::Inferred))
    }
}

/// What a path is called.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Name<'a> {
    Known(&'a str),
    /// Nobody has seen one like it: a row is made for it when the application has answered.
    New(String),
    /// There are so many that no more are told apart.
    TooMany,
}
