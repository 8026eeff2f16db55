//! The endpoints of an application whose router is not axum's: named by the templates that were given, by its OpenAPI document, and
//! else by what its paths look like. Reading takes no lock; what is new comes rarely, and in a copy.

mod given;
mod inference;
mod openapi;

use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use watchboard_app::wire::NamedBy;

use self::{given::Given, inference::Inferred};
pub use given::RouteError;

/// The routes of an application whose router the monitor cannot ask: of a proxied one, or of a service that is no axum router.
///
/// ```
/// # fn main() -> Result<(), watchboard::RouteError> {
/// // Requests of `/users/7` count as those of `/users/{id}`, and what is not given is told by the looks of its path.
/// let routes = watchboard::Routes::given(["/users/{id}", "/files/{*path}"])?.inferred();
/// let monitor = watchboard::Monitor::builder().routes(routes);
/// # Ok(())
/// # }
/// ```
///
/// Clones are the same routes.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    given: Arc<Mutex<Vec<(String, NamedBy)>>>,
    naming: Arc<Naming>,
    infers: bool,
}

impl Routes {
    /// Those of these templates: a part of a path in braces stands for any, `{*rest}` for all that is left.
    ///
    /// # Errors
    /// A template that is none, or one that another stands in the way of.
    pub fn given(templates: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, RouteError> {
        let routes = Self::default();
        routes.replace(NamedBy::Given, templates.into_iter().map(Into::into).collect())?;
        Ok(routes)
    }

    /// What is in none of the templates is named by the looks of its path: numbers, UUIDs, dates, hashes and the like become `{id}`,
    /// `{uuid}`, `{date}`, `{hash}`; where a part of a path has too many names, further ones are `{name}`. A path gets a row once the
    /// application has answered it with something other than a client error, so that strangers who guess at paths make none.
    #[must_use]
    pub fn inferred(mut self) -> Self {
        self.infers = true;
        self
    }

    /// Those of an OpenAPI document in JSON, in the place of what an earlier one named; returns how many it names. Given templates go first.
    ///
    /// # Errors
    /// What is wrong with the document; the routes stay as they were.
    pub fn openapi(&self, document: &str) -> Result<usize, RouteError> {
        let templates = openapi::templates(document)?;
        let count = templates.len();
        self.replace(NamedBy::OpenApi, templates)?;
        Ok(count)
    }

    /// Puts templates in the place of those of the same rule.
    fn replace(&self, rule: NamedBy, templates: Vec<String>) -> Result<(), RouteError> {
        let mut known = self.given.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut all = known.clone();
        all.retain(|(_, of)| *of != rule);
        all.extend(templates.into_iter().map(|template| (template, rule)));
        // Stable: given ones stand before those of a document, which gives way to them.
        all.sort_by_key(|(_, rule)| *rule != NamedBy::Given);
        self.naming.given.store(Arc::new(Given::new(&all)?));
        *known = all;
        Ok(())
    }

    pub(crate) fn naming(self) -> (Arc<Naming>, bool) {
        (self.naming, self.infers)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Naming {
    given: ArcSwap<Given>,
    inferred: Inferred,
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

impl Naming {
    /// Calls `then` with what a path is called; with none where only given templates name paths, and none of them fits.
    pub(super) fn name<T>(&self, infers: bool, path: &str, then: impl FnOnce(Option<Name<'_>>) -> T) -> T {
        let given = self.given.load();
        if let Some(template) = given.template(path) {
            return then(Some(Name::Known(template)));
        }
        if !infers {
            return then(None);
        }
        self.inferred.name(path, |name| then(Some(name)))
    }

    /// The application has answered a path that was new: it has a name from now on.
    pub(super) fn learn(&self, template: &str) -> Option<String> {
        self.inferred.learn(template)
    }

    /// Which rule made a template.
    pub(super) fn rule(&self, template: &str) -> Option<NamedBy> {
        self.given.load().rule(template).or_else(|| self.inferred.knows(template).then_some(NamedBy::Inferred))
    }
}
