//! The host's rules for routes: which are ignored, which share a row, and the objective for the duration of each.

use std::time::Duration;

/// The objective of endpoints without one of their own.
const OBJECTIVE: Duration = Duration::from_millis(500);

/// Rules by route template. A pattern is a template, `/users/{id}`, or a prefix of templates, `/internal/*`.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    ignored: Vec<String>,
    /// A pattern, and the row of the routes that match it.
    groups: Vec<(String, String)>,
    objective: Duration,
    objectives: Vec<(String, Duration)>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { ignored: vec![], groups: vec![], objective: OBJECTIVE, objectives: vec![] }
    }
}

impl Rules {
    pub(crate) fn ignore(&mut self, pattern: impl Into<String>) {
        self.ignored.push(pattern.into());
    }

    pub(crate) fn group(&mut self, pattern: impl Into<String>, row: impl Into<String>) {
        self.groups.push((pattern.into(), row.into()));
    }

    pub(crate) fn objective(&mut self, objective: Duration) {
        self.objective = objective;
    }

    pub(crate) fn objective_of(&mut self, pattern: impl Into<String>, objective: Duration) {
        self.objectives.push((pattern.into(), objective));
    }

    pub(super) fn ignores(&self, route: &str) -> bool {
        self.ignored.iter().any(|pattern| fits(pattern, route))
    }

    /// The row that a route shares with others. `None` for a route in no group, and for the name of a row.
    pub(super) fn row<'a>(&'a self, route: &str) -> Option<&'a str> {
        let group = self.groups.iter().find(|(pattern, row)| fits(pattern, route) && row != route);
        group.map(|(_, row)| row.as_str()).filter(|_| self.groups.iter().all(|(_, row)| row != route))
    }

    pub(super) fn objective_us(&self, route: &str) -> u64 {
        let own = self.objectives.iter().find(|(pattern, _)| fits(pattern, route));
        let objective = own.map_or(self.objective, |(_, objective)| *objective);
        u64::try_from(objective.as_micros()).unwrap_or(u64::MAX)
    }
}

fn fits(pattern: &str, route: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => route.starts_with(beginning),
        None => pattern == route,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_template_or_its_beginning() {
        let mut rules = Rules::default();
        rules.ignore("/livez");
        rules.ignore("/internal/*");
        rules.group("/assets/*", "assets");
        rules.objective_of("/search", Duration::from_secs(2));
        assert!(rules.ignores("/livez") && rules.ignores("/internal/{id}"));
        assert!(!rules.ignores("/livez/all") && !rules.ignores("/"));
        assert_eq!((rules.row("/assets/{*path}"), rules.row("/"), rules.row("assets")), (Some("assets"), None, None));
        assert_eq!((rules.objective_us("/search"), rules.objective_us("/")), (2_000_000, 500_000));
    }
}
