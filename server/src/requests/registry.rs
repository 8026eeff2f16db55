//! The registry of endpoints: found by method and route template without a lock, and bounded.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use http::Method;

use super::{endpoint::Endpoint, errors::ErrorLog};

/// Endpoints that get a row of their own; each costs about 35 KB once used. Past it, requests count in the `(other)` row of their method.
const MAX_ENDPOINTS: usize = 512;
/// Twice as many slots, so that a search ends soon.
const SLOTS: usize = 2 * MAX_ENDPOINTS;

/// The row of requests that no route matched: their paths are the clients' invention, never keys.
const UNMATCHED: &str = "(unmatched)";
const OTHER: &str = "(other)";
/// OpenTelemetry's name for a method that HTTP does not define.
const OTHER_METHOD: &str = "_OTHER";
/// The last stands for all that are not among the others.
const METHODS: [&str; 10] =
    ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE", OTHER_METHOD];

/// Every endpoint that has been asked for, and the log of what went wrong.
pub(crate) struct Registry {
    /// Open addressing: a key is in the first slots from its hash on, before any empty one. Slots are filled once and never emptied.
    slots: Box<[OnceLock<Arc<Endpoint>>]>,
    hasher: RandomState,
    used: AtomicUsize,
    unmatched: Arc<Endpoint>,
    other: [OnceLock<Arc<Endpoint>>; METHODS.len()],
    pub(super) errors: ErrorLog,
}

impl Registry {
    pub(crate) fn new() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| OnceLock::new()).collect(),
            hasher: RandomState::new(),
            used: AtomicUsize::new(0),
            unmatched: Arc::new(Endpoint::new(None, UNMATCHED)),
            other: [const { OnceLock::new() }; METHODS.len()],
            errors: ErrorLog::new(),
        }
    }

    /// The endpoint of a method and a route template; without a template, the one of unmatched requests.
    pub(super) fn endpoint(&self, method: &Method, route: Option<&str>) -> &Arc<Endpoint> {
        let Some(route) = route else { return &self.unmatched };
        let known = known(method);
        let method = METHODS[known];
        let start = self.hasher.hash_one((method, route)) as usize;
        for probe in 0..SLOTS {
            let slot = &self.slots[start.wrapping_add(probe) % SLOTS];
            let endpoint = match slot.get() {
                Some(endpoint) => endpoint,
                None if !self.reserve() => break,
                None => {
                    let mut ours = false;
                    let endpoint = slot.get_or_init(|| {
                        ours = true;
                        Arc::new(Endpoint::new(Some(method), route))
                    });
                    if !ours {
                        self.used.fetch_sub(1, Relaxed);
                    }
                    endpoint
                }
            };
            if endpoint.method == Some(method) && *endpoint.route == *route {
                return endpoint;
            }
        }
        self.other[known].get_or_init(|| Arc::new(Endpoint::new(Some(method), OTHER)))
    }

    /// Takes one of the places for endpoints, if any is left.
    fn reserve(&self) -> bool {
        self.used.fetch_update(Relaxed, Relaxed, |used| (used < MAX_ENDPOINTS).then_some(used + 1)).is_ok()
    }

    /// Every endpoint, in no order.
    pub(super) fn endpoints(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        let slots = self.slots.iter().chain(&self.other).filter_map(OnceLock::get);
        slots.chain(std::iter::once(&self.unmatched))
    }
}

/// Its place among [`METHODS`].
fn known(method: &Method) -> usize {
    METHODS.iter().position(|name| *name == method.as_str()).unwrap_or(METHODS.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_and_a_route_are_one_endpoint() {
        let registry = Registry::new();
        let first = Arc::clone(registry.endpoint(&Method::GET, Some("/users/{id}")));
        assert!(Arc::ptr_eq(&first, registry.endpoint(&Method::GET, Some("/users/{id}"))));
        assert!(!Arc::ptr_eq(&first, registry.endpoint(&Method::PUT, Some("/users/{id}"))));
        assert!(!Arc::ptr_eq(&first, registry.endpoint(&Method::GET, Some("/users"))));
    }

    #[test]
    fn past_the_cap_requests_meet_in_the_other_row_of_their_method() {
        let registry = Registry::new();
        for number in 0..2 * MAX_ENDPOINTS {
            registry.endpoint(&Method::GET, Some(&format!("/{number}")));
        }
        assert_eq!(registry.endpoints().count(), MAX_ENDPOINTS + 2, "the cap, unmatched, and GET (other)");
        assert_eq!(registry.endpoint(&Method::GET, Some("/new")).name(), "GET (other)");
        assert_eq!(registry.endpoint(&Method::POST, Some("/new")).name(), "POST (other)");
        assert_eq!(registry.endpoint(&Method::GET, Some("/0")).name(), "GET /0");
    }

    #[test]
    fn invented_methods_are_one() {
        let registry = Registry::new();
        for name in ["BREW", "WHEN"] {
            let method = Method::from_bytes(name.as_bytes()).unwrap();
            assert_eq!(registry.endpoint(&method, Some("/pot")).name(), "_OTHER /pot");
        }
    }

    #[test]
    fn threads_that_race_for_an_endpoint_get_the_same_one() {
        let registry = Registry::new();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for number in 0..MAX_ENDPOINTS {
                        registry.endpoint(&Method::GET, Some(&format!("/{number}")));
                    }
                });
            }
        });
        let mut names: Vec<_> = registry.endpoints().map(|endpoint| endpoint.name()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), registry.endpoints().count());
    }
}
