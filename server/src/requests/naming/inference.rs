//! Infers templates from the look of paths: what is no word becomes a part in braces. What was learnt is forgotten when it stops
//! holding, and all of it is bounded.

use std::{
    sync::{Arc, Mutex, MutexGuard, TryLockError},
    time::Instant,
};

use arc_swap::ArcSwap;

use super::{
    calls::Calls,
    held::HeldPaths,
    learning::Learning,
    name::RouteName,
    tables::{PathName, Tables},
};

#[derive(Debug, Default)]
pub(super) struct RouteInference {
    pub(super) calls: Calls,
    tables: ArcSwap<Tables>,
    /// Held by the thread that learns; readers use the tables before it.
    learning: Mutex<Learning>,
    held: HeldPaths,
}

impl RouteInference {
    pub(super) fn name<T>(&self, path: &str, then: impl FnOnce(RouteName<'_>) -> T) -> T {
        let tables = self.tables.load();
        let name = tables.name(path);
        let known = tables.templates.get_key_value(name.template.as_str()).or_else(|| {
            // A folder of static files that has no row of its own.
            let row = tables.merged.get(name.template.as_str()).filter(|row| row.ends_with("/*"))?;
            tables.templates.get_key_value(row)
        });
        if let Some((_, visits)) = known {
            visits.add();
        }
        match (known, name.candidate) {
            (Some((template, _)), None) => {
                PathName::reuse(name.template);
                then(RouteName::Known(template))
            }
            (Some((template, _)), Some(candidate)) => then(RouteName::Candidate(template, candidate)),
            (None, _) if tables.is_full => then(RouteName::TooMany),
            (None, candidate) => then(RouteName::New(candidate.unwrap_or(name.template))),
        }
    }

    /// Whether a template is inference's, or was.
    pub(super) fn knows(&self, template: &str) -> bool {
        let tables = self.tables.load();
        tables.templates.contains_key(template) || tables.merged.contains_key(template) || self.calls.knows(template)
    }

    /// Learns a name, and returns the template to count its request under. `None` if it has none yet, or if another thread learns at this
    /// moment: a later request tries again.
    #[cfg(test)]
    pub(super) fn learn(&self, name: &str) -> Option<Arc<str>> {
        self.update(|learning, tables| learning.learn(tables, name)).flatten()
    }

    /// Learns a name. Returns the template to count its request under, or else the route under which it waits for one.
    pub(super) fn learn_or_hold(&self, name: &str) -> Option<Arc<str>> {
        match self.update(|learning, tables| learning.learn(tables, name)) {
            Some(Some(template)) => Some(template),
            result => self.held.hold(name, result.is_some()),
        }
    }

    /// Names held paths, and forgets what has stopped to hold, now and then.
    pub(super) fn forget(&self, now: Instant) {
        self.update(|learning, tables| {
            self.held.resolve(learning, tables);
            learning.forget(tables, now);
        });
    }

    /// Changes what is learnt; `None` if another thread does so at this moment.
    fn update<T>(&self, change: impl FnOnce(&mut Learning, &mut Arc<Tables>) -> T) -> Option<T> {
        let mut learning = self.lock()?;
        let before = self.tables.load_full();
        let mut tables = Arc::clone(&before);
        let result = change(&mut learning, &mut tables);
        if !Arc::ptr_eq(&before, &tables) {
            self.tables.store(tables);
        }
        Some(result)
    }

    fn lock(&self) -> Option<MutexGuard<'_, Learning>> {
        match self.learning.try_lock() {
            Ok(learning) => Some(learning),
            // A panic while it was held leaves whole tables: they are replaced, never changed.
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Changes whenever templates are given up or come back, and whenever paths are held or get a name.
    pub(super) fn version(&self) -> u64 {
        self.tables.load().version + self.held.version()
    }

    /// The template that requests of a held path count under by now.
    pub(super) fn held_template(&self, route: &str) -> Option<Arc<str>> {
        let template = self.held.template(route)?;
        Some(self.merged(&template).unwrap_or(template))
    }

    /// The template that requests of a template count under by now, if it was given up.
    pub(super) fn merged(&self, template: &str) -> Option<Arc<str>> {
        self.tables.load().merged.get(template).cloned()
    }
}

#[cfg(test)]
mod tests;
