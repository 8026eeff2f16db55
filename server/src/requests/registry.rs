//! The registry of endpoints: a lookup by method and route template that takes no lock, with a bounded number of rows.

use std::{hash::BuildHasher, sync::atomic::Ordering::Relaxed};

use http::Method;

use super::{
    endpoint::Endpoint,
    methods::{METHODS, method_index},
    naming::is_held_route,
    rules::Rules,
};
use crate::sync::{AtomicUsize, Hashing, OnceBox, slots::find_or_insert};

/// Endpoints with a row of their own, unless the host sets another cap. Each costs 8 to 12 KB once used, and 7 KB more if the
/// program's allocator counts. Beyond the cap, requests count in the `(other)` row of their method.
pub(crate) const DEFAULT_MAX_ENDPOINTS: usize = 512;

/// Slots beyond the cap, for routes that share a row or are ignored.
const SPARE_SLOTS: usize = 256;
/// The largest cap that a host can set.
const MAX_ENDPOINTS: usize = 1 << 16;

/// The row of requests that no route matched: clients choose their paths, so no path becomes a key.
const UNMATCHED: &str = "(unmatched)";
const OTHER: &str = "(other)";
/// Every route that has had a request.
pub(crate) struct Registry {
    /// By the hash of method and route; see [`find_or_insert`]. There are at least twice as many slots as endpoints, so that a
    /// search ends soon.
    slots: Box<[OnceBox<Entry>]>,
    hasher: Hashing,
    /// Slots that hold an entry.
    used: AtomicUsize,
    /// Entries that are endpoints.
    endpoints: AtomicUsize,
    /// Endpoints that have been merged into others. Others may take their places below the cap.
    merged: AtomicUsize,
    most: usize,
    rules: Rules,
    unmatched: Endpoint,
    other: [OnceBox<Endpoint>; METHODS.len()],
}

/// A method and a route template, and the row that their requests count in.
struct Entry {
    method: usize,
    route: Box<str>,
    target: RouteTarget,
}

enum RouteTarget {
    Endpoint(Box<Endpoint>),
    /// The number of a group's row.
    Row(u32),
    Ignored,
}

impl Registry {
    pub(crate) fn new(most: usize, rules: Rules) -> Self {
        let most = most.clamp(1, MAX_ENDPOINTS);
        let unmatched = Endpoint::new(None, UNMATCHED, rules.objective_us(UNMATCHED));
        Self {
            slots: (0..(2 * most + SPARE_SLOTS).next_power_of_two()).map(|_| OnceBox::new()).collect(),
            hasher: Hashing::default(),
            used: AtomicUsize::new(0),
            endpoints: AtomicUsize::new(0),
            merged: AtomicUsize::new(0),
            most,
            rules,
            unmatched,
            other: std::array::from_fn(|_| OnceBox::new()),
        }
    }

    /// Returns the number of the endpoint of a method and a route template. Without a template, that is the row of unmatched requests.
    /// Returns `None` if the rules ignore the route.
    pub(super) fn find_endpoint(&self, method: &Method, route: Option<&str>) -> Option<u32> {
        match route {
            Some(route) => self.find_route(method_index(method), route),
            None => (!self.rules.ignores(UNMATCHED)).then_some(self.unmatched_row()),
        }
    }

    /// The number of the row of unmatched requests.
    pub(super) fn unmatched_row(&self) -> u32 {
        (self.numbers() - 1) as u32
    }

    /// The same for the name of a method.
    pub(super) fn find_endpoint_of(&self, method: &str, route: &str) -> Option<u32> {
        self.find_route(METHODS.iter().position(|name| *name == method)?, route)
    }

    /// The same for a row as the history stores it: without a method the one of unmatched requests, or one beyond the cap.
    pub(super) fn find_stored(&self, method: Option<&str>, route: &str) -> Option<u32> {
        let Some(method) = method else { return Some(self.unmatched_row()) };
        match route {
            OTHER => METHODS.iter().position(|name| *name == method).map(|method| self.overflow_row(method)),
            _ => self.find_endpoint_of(method, route),
        }
    }

    /// Sets the number of endpoints that have been merged into others.
    pub(super) fn set_merged(&self, count: usize) {
        self.merged.store(count, Relaxed);
    }

    /// Whether a rule ignores or groups a route.
    pub(super) fn has_rule(&self, route: &str) -> bool {
        self.rules.ignores(route) || self.rules.row(route).is_some()
    }

    fn find_route(&self, method: usize, route: &str) -> Option<u32> {
        let start = self.hasher.hash_one((method, route)) as usize;
        let is_same = |entry: &Entry| entry.method == method && *entry.route == *route;
        let make = || self.new_entry(method, route);
        match find_or_insert(&self.slots, start, is_same, make, |entry| self.release(entry)) {
            Some((index, entry)) => match entry.target {
                RouteTarget::Endpoint(_) => Some(index as u32),
                RouteTarget::Row(number) => Some(number),
                RouteTarget::Ignored => None,
            },
            None => self.find_beyond_cap(method, route),
        }
    }

    /// The rules hold beyond the cap too.
    fn find_beyond_cap(&self, method: usize, route: &str) -> Option<u32> {
        match self.rules.row(route) {
            _ if self.rules.ignores(route) => None,
            Some(row) => self.find_route(method, row),
            None => Some(self.overflow_row(method)),
        }
    }

    /// A new entry for a method and a route. Returns `None` if there is no room for it.
    fn new_entry(&self, method: usize, route: &str) -> Option<Entry> {
        // A fourth of the slots stays empty, so that every search ends soon.
        if !reserve(&self.used, self.slots.len() / 4 * 3) {
            return None;
        }
        let row = self.rules.row(route).and_then(|row| self.find_route(method, row));
        let target = match row {
            _ if self.rules.ignores(route) => RouteTarget::Ignored,
            Some(number) => RouteTarget::Row(number),
            // Held requests are read in other rows.
            None if !is_held_route(route) && !reserve(&self.endpoints, self.most + self.merged.load(Relaxed)) => {
                self.used.fetch_sub(1, Relaxed);
                return None;
            }
            None => {
                let objective_us = self.rules.objective_us(route);
                RouteTarget::Endpoint(Box::new(Endpoint::new(Some(METHODS[method]), route, objective_us)))
            }
        };
        Some(Entry { method, route: route.into(), target })
    }

    /// Gives back the room of an entry whose slot another thread has filled first.
    fn release(&self, entry: &Entry) {
        self.used.fetch_sub(1, Relaxed);
        let is_counted = entry.endpoint().is_some() && !is_held_route(&entry.route);
        self.endpoints.fetch_sub(usize::from(is_counted), Relaxed);
    }

    /// The number of a method's row for endpoints beyond the cap.
    pub(super) fn overflow_row(&self, method: usize) -> u32 {
        self.other[method].get_or_init(|| {
            let objective_us = self.rules.objective_us(OTHER);
            Box::new(Endpoint::new(Some(METHODS[method]), OTHER, objective_us))
        });
        (self.slots.len() + method) as u32
    }

    /// Every endpoint with its number. The number never changes.
    pub(super) fn endpoints(&self) -> impl Iterator<Item = (usize, &Endpoint)> {
        (0..self.numbers()).filter_map(|number| Some((number, self.by_number(number as u32)?)))
    }

    /// The endpoint with a number.
    pub(super) fn by_number(&self, number: u32) -> Option<&Endpoint> {
        let number = number as usize;
        match self.slots.get(number) {
            Some(slot) => slot.get().and_then(Entry::endpoint),
            None => self.other.get(number - self.slots.len()).map_or(Some(&self.unmatched), OnceBox::get),
        }
    }

    /// The memory that it holds with its endpoints, in bytes.
    pub(super) fn held_bytes(&self) -> u64 {
        let entries = self.slots.iter().filter_map(OnceBox::get);
        let entries: usize = entries.map(|entry| size_of::<Entry>() + entry.route.len()).sum();
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
            RouteTarget::Endpoint(endpoint) => Some(endpoint),
            RouteTarget::Row(_) | RouteTarget::Ignored => None,
        }
    }
}

/// Adds one if `count` is below `most`; says whether it did.
fn reserve(count: &AtomicUsize, most: usize) -> bool {
    count.fetch_update(Relaxed, Relaxed, |count| (count < most).then_some(count + 1)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> Registry {
        Registry::new(DEFAULT_MAX_ENDPOINTS, Rules::default())
    }

    /// The name of the row that a request counts in.
    fn row(registry: &Registry, method: &Method, route: &str) -> String {
        let endpoint = registry.by_number(registry.find_endpoint(method, Some(route)).unwrap()).unwrap();
        format!("{} {}", endpoint.method.unwrap_or_default(), endpoint.route)
    }

    #[test]
    fn a_method_and_a_route_are_one_endpoint() {
        let registry = registry();
        let number = |method, route| registry.find_endpoint(&method, Some(route)).unwrap();
        let first = number(Method::GET, "/users/{id}");
        assert_eq!(first, number(Method::GET, "/users/{id}"));
        assert_ne!(first, number(Method::PUT, "/users/{id}"));
        assert_ne!(first, number(Method::GET, "/users"));
        assert_eq!(registry.endpoints().filter(|(number, _)| *number == first as usize).count(), 1);
    }

    #[test]
    fn past_the_cap_requests_meet_in_the_other_row_of_their_method() {
        let registry = registry();
        for number in 0..2 * DEFAULT_MAX_ENDPOINTS {
            row(&registry, &Method::GET, &format!("/{number}"));
        }
        assert_eq!(registry.endpoints().count(), DEFAULT_MAX_ENDPOINTS + 2, "the cap, unmatched, and GET (other)");
        assert_eq!(row(&registry, &Method::GET, "/new"), "GET (other)");
        assert_eq!(row(&registry, &Method::POST, "/new"), "POST (other)");
        assert_eq!(row(&registry, &Method::GET, "/0"), "GET /0");
    }

    #[test]
    fn registered_methods_have_rows_and_invented_ones_share_one() {
        let registry = registry();
        for name in ["PROPFIND", "MKCOL", "REPORT"] {
            let method = Method::from_bytes(name.as_bytes()).unwrap();
            assert_eq!(row(&registry, &method, "/pot"), format!("{name} /pot"));
        }
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
        assert!(registry.find_endpoint(&Method::GET, Some("/livez")).is_none());
        assert_eq!(registry.endpoints().count(), 3, "two rows, and unmatched");
    }

    #[test]
    fn the_cap_is_on_rows_and_not_on_what_shares_or_has_none() {
        let mut rules = Rules::default();
        rules.group("/assets/*", "assets");
        rules.ignore("/internal/*");
        let registry = Registry::new(2, rules);
        for number in 0..80 {
            assert!(registry.find_endpoint(&Method::GET, Some(&format!("/internal/{number}"))).is_none());
            assert_eq!(row(&registry, &Method::GET, &format!("/assets/{number}")), "GET assets");
        }
        assert_eq!(row(&registry, &Method::GET, "/a"), "GET /a");
        assert_eq!(row(&registry, &Method::GET, "/b"), "GET (other)");
        assert_eq!(row(&registry, &Method::GET, "/assets/new"), "GET assets");
        assert_eq!(Registry::new(usize::MAX, Rules::default()).most, MAX_ENDPOINTS);
    }

    #[test]
    fn threads_that_race_for_an_endpoint_get_the_same_one() {
        let registry = registry();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for number in 0..DEFAULT_MAX_ENDPOINTS {
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
