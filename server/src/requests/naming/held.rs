//! Requests whose path has no name yet: an unknown word has to recur first, or another thread was learning. Each such path has an endpoint of
//! its own, which is read in the row of unmatched requests. Once the path has a name, it is read in the row of that.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use foldhash::fast::RandomState;

use super::{
    held_route::PREFIX,
    learning::{Learning, RECURS},
    tables::{REST, Tables},
};

/// Paths that are held, since the start: each costs an endpoint.
const MAX_HELD: usize = 128;

/// Paths that wait for a name. They stay in memory alone.
#[derive(Debug, Default)]
pub(super) struct HeldPaths {
    paths: Mutex<HashMap<Box<str>, HeldPath, RandomState>>,
    /// Rises with each path that comes, and with each that gets a name.
    version: AtomicU64,
}

#[derive(Debug)]
struct HeldPath {
    route: Arc<str>,
    /// Requests that could not be learnt, since another thread was learning.
    unlearnt: u32,
    template: Option<Arc<str>>,
}

impl HeldPaths {
    /// Holds a request of a name that [`Tables::name`] made. Returns the route of its endpoint; `None` if there is no room, or if
    /// another thread has the paths at this moment: a request waits for nobody.
    pub(super) fn hold(&self, name: &str, is_learnt: bool) -> Option<Arc<str>> {
        let mut paths = match self.paths.try_lock() {
            Ok(paths) => paths,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let number = paths.len();
        if !paths.contains_key(name) {
            if number >= MAX_HELD {
                return None;
            }
            let route = format!("{PREFIX}{number}").into();
            paths.insert(name.into(), HeldPath { route, unlearnt: 0, template: None });
            self.version.fetch_add(1, Relaxed);
        }
        let path = paths.get_mut(name)?;
        path.unlearnt += u32::from(!is_learnt);
        Some(Arc::clone(&path.route))
    }

    /// The template that a held path's requests count under by now.
    pub(super) fn template(&self, route: &str) -> Option<Arc<str>> {
        self.lock().values().find(|path| *path.route == *route)?.template.clone()
    }

    /// Learns what could not be learnt, and finds the templates of paths that have one by now.
    pub(super) fn resolve(&self, learning: &mut Learning, tables: &mut Arc<Tables>) {
        for (name, path) in self.lock().iter_mut().filter(|(_, path)| path.template.is_none()) {
            for _ in 0..std::mem::take(&mut path.unlearnt).min(RECURS) {
                learning.learn(tables, name);
            }
            path.template = known_template(tables, name);
            self.version.fetch_add(u64::from(path.template.is_some()), Relaxed);
        }
    }

    pub(super) fn version(&self) -> u64 {
        self.version.load(Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, HeldPath, RandomState>> {
        // A panic while it was held leaves whole paths.
        self.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The template that a name has by now.
fn known_template(tables: &Tables, name: &str) -> Option<Arc<str>> {
    let mut template = String::with_capacity(name.len());
    for part in name.split('/').skip(1) {
        let place = tables.places.get(template.as_str());
        let shown = match place {
            Some(place) if !part.is_empty() && part != "*" && part != REST && !place.names.contains(part) => {
                place.label.as_deref().filter(|_| !part.contains('{')).unwrap_or_else(|| place.label(part))
            }
            _ => part,
        };
        template.push('/');
        template.push_str(shown);
    }
    let known = tables.templates.get_key_value(&*template).map(|(known, _)| known);
    known.or_else(|| tables.merged.get(&*template)).cloned()
}
