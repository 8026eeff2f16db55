//! The registry of endpoints: found by method and route template without a lock, and bounded.

use std::{hash::BuildHasher, sync::atomic::Ordering::Relaxed};

use http::Method;

use super::{endpoint::Endpoint, rules::Rules};
use crate::sync::{AtomicUsize, Hashing, OnceBox};

/// Endpoints that get a row of their own, unless the host wants another cap; each costs some 8 to 12 KB once used, and 7 more where
/// the program's allocator counts. Past it,
/// requests count in the `(other)` row of their method.
pub(crate) const MAX_ENDPOINTS: usize = 512;

/// Room for what shares a row or has none, beside the cap.
const SPARE_SLOTS: usize = 256;
/// No cap is larger.
const MOST_ENDPOINTS: usize = 1 << 16;

/// The row of requests that no route matched: their paths are the clients' invention, never keys.
const UNMATCHED: &str = "(unmatched)";
const OTHER: &str = "(other)";
/// OpenTelemetry's name for a method that HTTP does not define.
const OTHER_METHOD: &str = "_OTHER";
/// The last stands for all that are not among the others.
const METHODS: [&str; 10] =
    ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE", OTHER_METHOD];

/// Every route that has been asked for.
pub(crate) struct Registry {
    /// Open addressing: a key is in the first slots from its hash on, before any empty one. Slots are filled once and never
    /// emptied. There are at least twice as many as endpoints, so that a search ends soon; a power of two, for the mask.
    slots: Box<[OnceBox<Entry>]>,
    hasher: Hashing,
    /// Entries of the slots, and how many of these are endpoints.
    used: AtomicUsize,
    endpoints: AtomicUsize,
    most: usize,
    rules: Rules,
    unmatched: Endpoint,
    other: [OnceBox<Endpoint>; METHODS.len()],
}

/// What a method and a route template are recorded as.
struct Entry {
    method: usize,
    route: Box<str>,
    target: Target,
}

enum Target {
    Endpoint(Box<Endpoint>),
    /// The number of the row of a group.
    Row(u32),
    Ignored,
}

impl Registry {
    pub(crate) fn new(most: usize, rules: Rules) -> Self {
        let most = most.clamp(1, MOST_ENDPOINTS);
        let unmatched = Endpoint::new(None, UNMATCHED, rules.objective_us(UNMATCHED));
        Self {
            slots: (0..(2 * most + SPARE_SLOTS).next_power_of_two()).map(|_| OnceBox::new()).collect(),
            hasher: Hashing::default(),
            used: AtomicUsize::new(0),
            endpoints: AtomicUsize::new(0),
            most,
            rules,
            unmatched,
            other: std::array::from_fn(|_| OnceBox::new()),
        }
    }

    /// The number of the endpoint of a method and a route template; without a template, of the one of unmatched requests. None
    /// where the rules ignore the route.
    pub(super) fn find(&self, method: &Method, route: Option<&str>) -> Option<u32> {
        match route {
            Some(route) => self.find_route(known(method), route),
            None => (!self.rules.ignores(UNMATCHED)).then_some((self.numbers() - 1) as u32),
        }
    }

    /// Whether the rules say something of a route.
    pub(super) fn has_rule(&self, route: &str) -> bool {
        self.rules.ignores(route) || self.rules.row(route).is_some()
    }

    fn find_route(&self, method: usize, route: &str) -> Option<u32> {
        let start = self.hasher.hash_one((method, route)) as usize;
        for probe in 0..self.slots.len() {
            let index = start.wrapping_add(probe) & (self.slots.len() - 1);
            let slot = &self.slots[index];
            if slot.get().is_none() {
                let Some(entry) = self.entry(method, route) else { break };
                if let Err(entry) = slot.set(Box::new(entry)) {
                    self.give_back(&entry);
                }
            }
            let entry = slot.get()?;
            if entry.method == method && *entry.route == *route {
                return match &entry.target {
                    Target::Endpoint(_) => Some(index as u32),
                    Target::Row(number) => Some(*number),
                    Target::Ignored => None,
                };
            }
        }
        // Past the cap the rules still hold.
        match self.rules.row(route) {
            _ if self.rules.ignores(route) => None,
            Some(row) => self.find_route(method, row),
            None => Some(self.past_the_cap(method)),
        }
    }

    /// What a method and a route are recorded as from now on; none where there is no room for it.
    fn entry(&self, method: usize, route: &str) -> Option<Entry> {
        // A fourth of the slots stays empty, so that every search ends soon.
        if !reserve(&self.used, self.slots.len() / 4 * 3) {
            return None;
        }
        let row = self.rules.row(route).and_then(|row| self.find_route(method, row));
        let target = match row {
            _ if self.rules.ignores(route) => Target::Ignored,
            Some(number) => Target::Row(number),
            None if !reserve(&self.endpoints, self.most) => {
                self.used.fetch_sub(1, Relaxed);
                return None;
            }
            None => {
                let objective_us = self.rules.objective_us(route);
                Target::Endpoint(Box::new(Endpoint::new(Some(METHODS[method]), route, objective_us)))
            }
        };
        Some(Entry { method, route: route.into(), target })
    }

    /// The place of an entry that another thread has taken.
    fn give_back(&self, entry: &Entry) {
        self.used.fetch_sub(1, Relaxed);
        self.endpoints.fetch_sub(usize::from(entry.endpoint().is_some()), Relaxed);
    }

    /// The number of a method's row for endpoints past the cap.
    pub(super) fn past_the_cap(&self, method: usize) -> u32 {
        self.other[method].get_or_init(|| {
            let objective_us = self.rules.objective_us(OTHER);
            Box::new(Endpoint::new(Some(METHODS[method]), OTHER, objective_us))
        });
        (self.slots.len() + method) as u32
    }

    /// Every endpoint with its number, which it keeps.
    pub(super) fn endpoints(&self) -> impl Iterator<Item = (usize, &Endpoint)> {
        (0..self.numbers()).filter_map(|number| Some((number, self.numbered(number as u32)?)))
    }

    /// The endpoint of a number.
    pub(super) fn numbered(&self, number: u32) -> Option<&Endpoint> {
        let number = number as usize;
        match self.slots.get(number) {
            Some(slot) => slot.get().and_then(Entry::endpoint),
            None => self.other.get(number - self.slots.len()).map_or(Some(&self.unmatched), OnceBox::get),
        }
    }

    /// The memory that it holds, with its endpoints.
    pub(super) fn held_bytes(&self) -> u64 {
        let entries = self.used.load(Relaxed) * size_of::<Entry>();
        let endpoints: u64 = self.endpoints().map(|(_, endpoint)| endpoint.held_bytes()).sum();
        endpoints + (size_of_val(&*self.slots) + entries) as u64
    }

    /// One more than the largest number.
    pub(super) fn numbers(&self) -> usize {
        self.slots.len() + METHODS.len() + 1
    }
}

impl Entry {
    fn endpoint(&self) -> Option<&Endpoint> {
        match &self.target {
            Target::Endpoint(endpoint) => Some(endpoint),
            Target::Row(_) | Target::Ignored => None,
        }
    }
}

/// Counts one more, if there are fewer than `most`.
fn reserve(count: &AtomicUsize, most: usize) -> bool {
    count.fetch_update(Relaxed, Relaxed, |count| (count < most).then_some(count + 1)).is_ok()
}

/// Its place among [`METHODS`].
pub(super) fn known(method: &Method) -> usize {
    match *method {
        Method::GET => 0,
        Method::POST => 1,
        Method::PUT => 2,
        Method::DELETE => 3,
        Method::PATCH => 4,
        Method::HEAD => 5,
        Method::OPTIONS => 6,
        Method::CONNECT => 7,
        Method::TRACE => 8,
        _ => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> Registry {
        Registry::new(MAX_ENDPOINTS, Rules::default())
    }

    /// The name of the row that a request counts in.
    fn row(registry: &Registry, method: &Method, route: &str) -> String {
        let endpoint = registry.numbered(registry.find(method, Some(route)).unwrap()).unwrap();
        format!("{} {}", endpoint.method.unwrap_or_default(), endpoint.route)
    }

    #[test]
    fn every_method_has_its_own_name() {
        for name in METHODS {
            assert_eq!(METHODS[known(&Method::from_bytes(name.as_bytes()).unwrap())], name);
        }
    }

    #[test]
    fn a_method_and_a_route_are_one_endpoint() {
        let registry = registry();
        let number = |method, route| registry.find(&method, Some(route)).unwrap();
        let first = number(Method::GET, "/users/{id}");
        assert_eq!(first, number(Method::GET, "/users/{id}"));
        assert_ne!(first, number(Method::PUT, "/users/{id}"));
        assert_ne!(first, number(Method::GET, "/users"));
        assert_eq!(registry.endpoints().filter(|(number, _)| *number == first as usize).count(), 1);
    }

    #[test]
    fn past_the_cap_requests_meet_in_the_other_row_of_their_method() {
        let registry = registry();
        for number in 0..2 * MAX_ENDPOINTS {
            row(&registry, &Method::GET, &format!("/{number}"));
        }
        assert_eq!(registry.endpoints().count(), MAX_ENDPOINTS + 2, "the cap, unmatched, and GET (other)");
        assert_eq!(row(&registry, &Method::GET, "/new"), "GET (other)");
        assert_eq!(row(&registry, &Method::POST, "/new"), "POST (other)");
        assert_eq!(row(&registry, &Method::GET, "/0"), "GET /0");
    }

    #[test]
    fn invented_methods_are_one() {
        let registry = registry();
        for name in ["BREW", "WHEN"] {
            let method = Method::from_bytes(name.as_bytes()).unwrap();
            assert_eq!(row(&registry, &method, "/pot"), "_OTHER /pot");
        }
    }

    #[test]
    fn what_the_host_groups_is_one_row_and_what_it_ignores_none() {
        let mut rules = Rules::default();
        rules.group("/assets/*", "assets");
        rules.ignore("/livez");
        let registry = Registry::new(8, rules);
        assert_eq!(row(&registry, &Method::GET, "/assets/{name}"), "GET assets");
        assert_eq!(row(&registry, &Method::GET, "/assets/fonts/{name}"), "GET assets");
        assert_eq!(row(&registry, &Method::HEAD, "/assets/{name}"), "HEAD assets");
        assert!(registry.find(&Method::GET, Some("/livez")).is_none());
        assert_eq!(registry.endpoints().count(), 3, "two rows, and unmatched");
    }

    #[test]
    fn the_cap_is_on_rows_and_not_on_what_shares_or_has_none() {
        let mut rules = Rules::default();
        rules.group("/assets/*", "assets");
        rules.ignore("/internal/*");
        let registry = Registry::new(2, rules);
        for number in 0..80 {
            assert!(registry.find(&Method::GET, Some(&format!("/internal/{number}"))).is_none());
            assert_eq!(row(&registry, &Method::GET, &format!("/assets/{number}")), "GET assets");
        }
        assert_eq!(row(&registry, &Method::GET, "/a"), "GET /a");
        assert_eq!(row(&registry, &Method::GET, "/b"), "GET (other)");
        assert_eq!(row(&registry, &Method::GET, "/assets/new"), "GET assets");
        assert_eq!(Registry::new(usize::MAX, Rules::default()).most, MOST_ENDPOINTS);
    }

    #[test]
    fn threads_that_race_for_an_endpoint_get_the_same_one() {
        let registry = registry();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for number in 0..MAX_ENDPOINTS {
                        row(&registry, &Method::GET, &format!("/{number}"));
                    }
                });
            }
        });
        let mut names: Vec<_> = registry.endpoints().map(|(_, endpoint)| endpoint.route.to_string()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), registry.endpoints().count());
    }
}
