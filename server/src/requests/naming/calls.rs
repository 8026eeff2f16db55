//! The calls of gRPC that an application has answered. Their names stand in its source, so they are shown as they are.

use std::{collections::HashSet, sync::Arc};

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;

use super::name::RouteName;

/// No application has as many.
const MAX_CALLS: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Calls(ArcSwap<HashSet<Arc<str>, RandomState>>);

impl Calls {
    pub(super) fn name<T>(&self, path: &str, then: impl FnOnce(RouteName<'_>) -> T) -> T {
        let calls = self.0.load();
        match calls.get(path) {
            Some(known) => then(RouteName::Known(known)),
            None if calls.len() >= MAX_CALLS => then(RouteName::TooMany),
            None => then(RouteName::New(path.to_owned())),
        }
    }

    pub(super) fn knows(&self, path: &str) -> bool {
        self.0.load().contains(path)
    }

    /// Returns the name of its row; `None` if there are too many.
    pub(super) fn learn(&self, path: &str) -> Option<Arc<str>> {
        self.0.rcu(|calls| {
            let mut more = HashSet::clone(calls);
            if more.len() < MAX_CALLS {
                more.insert(path.into());
            }
            more
        });
        self.0.load().get(path).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_bounded_and_known_once_they_are_learnt() {
        let calls = Calls::default();
        let is_known = |path: &str| calls.name(path, |name| matches!(name, RouteName::Known(_)));
        assert!(!is_known("/shop.Shop/Get"));
        assert_eq!(calls.learn("/shop.Shop/Get").as_deref(), Some("/shop.Shop/Get"));
        assert!(is_known("/shop.Shop/Get"));
        let learnt = (0..2 * MAX_CALLS).filter(|number| calls.learn(&format!("/a.B/C{number}")).is_some()).count();
        assert_eq!(learnt, MAX_CALLS - 1);
        assert!(calls.name("/a.B/D", |name| matches!(name, RouteName::TooMany)));
    }
}
