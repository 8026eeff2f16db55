//! Names the endpoints of an application whose router is not axum's: by declared templates, by its OpenAPI document, and else by the
//! look of a path. Readers take no lock; a new template replaces a copy of the tables.

mod api_version;
mod calls;
mod context;
mod declared;
mod file;
mod file_endings;
mod file_names;
mod held;
mod held_route;
mod images;
mod inference;
mod known_values;
mod later_signs;
mod learning;
mod lists;
mod name;
mod name_looks;
mod name_places;
mod openapi;
mod place_kind;
mod plurals;
mod private_places;
mod registry;
mod route_words;
mod segment;
mod shape_signs;
mod spelling;
mod structure;
mod tables;
mod updates;
mod value_kind;
mod value_signs;
mod visits;
mod words;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use arc_swap::ArcSwap;
use watchboard_wire::NameSource;

pub use self::declared::RouteError;
use self::{declared::Declared, inference::RouteInference};
pub(crate) use self::{held_route::is_held_route, name::RouteName};

/// The route templates of an application whose router the monitor cannot ask: a proxied application, or a service that is not an
/// axum router. [`Builder::routes`](crate::Builder::routes) takes them.
///
/// ```
/// # fn main() -> Result<(), watchboard::RouteError> {
/// // `/users/7` counts as `/users/{id}`. A path that fits no template is named by its look.
/// let routes = watchboard::Routes::declared(["/users/{id}", "/files/{*path}"])?.with_inference();
/// let monitor = watchboard::Monitor::builder().routes(routes);
/// # Ok(())
/// # }
/// ```
///
/// Clones share the templates: a document that one clone reads holds for all.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    declared: Arc<ArcSwap<Declared>>,
    /// Held from the reading of the tables to their replacement, so that no update is lost; readers take no lock.
    replacing: Arc<Mutex<()>>,
    /// `None` if only templates name paths.
    inference: Option<Arc<RouteInference>>,
}

impl Routes {
    /// Routes with these templates. `{name}` stands for any one segment of a path or a part of it, as in `{name}.pdf`; `{*rest}` for all
    /// segments that follow. An escape in a path or a template, such as `%C3%A9`, is the character that it stands for.
    ///
    /// ```
    /// let error = watchboard::Routes::declared(["users/{id}"]).unwrap_err();
    /// assert!(error.to_string().contains("does not begin with a slash"));
    /// ```
    ///
    /// # Errors
    /// A template is malformed.
    pub fn declared(templates: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, RouteError> {
        let routes = Self::default();
        routes.replace(NameSource::Declared, templates.into_iter().map(Into::into).collect())?;
        Ok(routes)
    }

    /// Names a path that fits no template by its look: words are shown, and numbers, UUIDs, dates, hashes, random text become `{id}`,
    /// `{uuid}`, `{date}`, `{hash}`, `{key}`. Static files count by their folder, `/assets/*`. A word that is in no list is shown only while it
    /// recurs. What may be a secret is never shown. A gRPC call that the application has answered is shown by its name.
    ///
    /// A path gets a row once the application responds with something other than a client error, so that a stranger who guesses paths
    /// creates no rows.
    ///
    /// ```
    /// let routes = watchboard::Routes::default().with_inference(); // `/users/7` counts as `/users/{id}`
    /// ```
    #[must_use]
    pub fn with_inference(mut self) -> Self {
        self.inference = Some(Arc::default());
        self
    }

    /// Reads the templates of an OpenAPI document in JSON (2.0 or 3); they replace those of an earlier document. Returns the number of
    /// paths. Each holds below the paths of its first four servers and without them, since a proxy may have stripped those. Declared
    /// templates take precedence.
    ///
    /// ```
    /// # fn main() -> Result<(), watchboard::RouteError> {
    /// let routes = watchboard::Routes::default();
    /// let count = routes.openapi(r#"{"openapi": "3.1.0", "paths": {"/users/{id}": {"get": {}}}}"#)?;
    /// assert_eq!(count, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The document cannot be read, or a template in it is malformed. The routes then stay as they were.
    pub fn openapi(&self, document: &str) -> Result<usize, RouteError> {
        let (templates, count) = openapi::templates(document)?;
        self.replace(NameSource::OpenApi, templates)?;
        Ok(count)
    }

    /// The declared templates that no request has matched so far. One that stays here may have a typing error.
    ///
    /// ```
    /// # fn main() -> Result<(), watchboard::RouteError> {
    /// let routes = watchboard::Routes::declared(["/users/{id}"])?;
    /// assert_eq!(routes.unmatched(), ["/users/{id}"]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn unmatched(&self) -> Vec<String> {
        self.declared.load().unmatched().map(str::to_owned).collect()
    }

    /// Replaces the templates of one rule.
    fn replace(&self, rule: NameSource, templates: Vec<String>) -> Result<(), RouteError> {
        // A panic while it was held leaves whole tables: they are replaced, never changed.
        let _replacing = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = self.declared.load().templates().to_vec();
        all.retain(|(_, other)| *other != rule);
        all.extend(templates.into_iter().map(|template| (template, rule)));
        // A stable sort: declared templates stand before those of a document, and take precedence.
        all.sort_by_key(|(_, rule)| *rule != NameSource::Declared);
        let tables = Declared::new(&all)?.with_matches_of(&self.declared.load());
        self.declared.store(Arc::new(tables));
        Ok(())
    }

    /// Calls `then` with the name of a path, or with `None` if no rule names it.
    pub(super) fn name<T>(&self, path: &str, then: impl FnOnce(Option<RouteName<'_>>) -> T) -> T {
        let declared = self.declared.load();
        match (declared.template(path), &self.inference) {
            (Some(template), _) => then(Some(RouteName::Known(template))),
            (None, Some(inference)) => inference.name(path, |name| then(Some(name))),
            (None, None) => then(None),
        }
    }

    /// Calls `then` with the name of a gRPC call's path, which is shown as it is.
    pub(super) fn name_call<T>(&self, path: &str, then: impl FnOnce(Option<RouteName<'_>>) -> T) -> T {
        let declared = self.declared.load();
        match (declared.template(path), &self.inference) {
            (Some(template), _) => then(Some(RouteName::Known(template))),
            (None, Some(inference)) => inference.calls.name(path, |name| then(Some(name))),
            (None, None) => then(None),
        }
    }

    /// Learns the path of a gRPC call, since its outcome shows that it exists.
    pub(super) fn learn_call(&self, path: &str) -> Option<Arc<str>> {
        self.inference.as_ref()?.calls.learn(path)
    }

    /// Learns a new template, since a response shows that its path exists. Returns the name to count it under, or the route of an endpoint
    /// that holds its requests until it has one.
    pub(super) fn learn(&self, template: &str) -> Option<Arc<str>> {
        self.inference.as_ref()?.learn_or_hold(template)
    }

    /// The template that requests of a held path count under by now.
    pub(super) fn held_template(&self, route: &str) -> Option<Arc<str>> {
        self.inference.as_ref()?.held_template(route)
    }

    /// Forgets what inference has learnt and what has stopped to hold.
    pub(super) fn forget(&self, now: Instant) {
        self.inference.iter().for_each(|inference| inference.forget(now));
    }

    /// Changes whenever inference gives templates up, or takes some back.
    pub(super) fn version(&self) -> u64 {
        self.inference.as_ref().map_or(0, |inference| inference.version())
    }

    /// The template that requests of a template count under by now, if inference has given it up.
    pub(super) fn merged(&self, template: &str) -> Option<Arc<str>> {
        self.inference.as_ref()?.merged(template)
    }

    /// The rule that made a template.
    pub(super) fn rule(&self, template: &str) -> Option<NameSource> {
        let is_inferred = || self.inference.as_ref().is_some_and(|inference| inference.knows(template));
        self.declared.load().rule(template).or_else(|| is_inferred().then_some(NameSource::Inferred))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_template_that_nothing_matched_is_listed_until_something_does() {
        let routes = Routes::declared(["/users/{id}", "/usres/{id}/posts"]).unwrap();
        let name = |path: &str| routes.name(path, |name| matches!(name, Some(RouteName::Known(_))));
        assert!(name("/users/7") && !name("/users/7/posts"));
        routes.openapi(r#"{"paths": {"/orders": {}}}"#).unwrap();
        assert_eq!(routes.unmatched(), ["/usres/{id}/posts"], "a document is not declared, and keeps what matched");
        assert!(name("/usres/7/posts"));
        assert_eq!(routes.unmatched(), Vec::<String>::new());
    }

    #[test]
    fn updates_at_once_are_all_kept() {
        for _ in 0..200 {
            let routes = Routes::default();
            let update = |rule, template: &str| {
                let (routes, templates) = (routes.clone(), vec![template.to_owned()]);
                move || routes.replace(rule, templates).expect("a template")
            };
            std::thread::scope(|scope| {
                scope.spawn(update(NameSource::Declared, "/users/{id}"));
                scope.spawn(update(NameSource::OpenApi, "/orders/{id}"));
            });
            assert_eq!(routes.rule("/users/{id}"), Some(NameSource::Declared));
            assert_eq!(routes.rule("/orders/{id}"), Some(NameSource::OpenApi));
        }
    }
}
