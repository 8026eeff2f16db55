//! The bounds of the server around the application: a finding for each one that is full.

use watchboard_wire::{CapacityUse, Finding, FindingSubject, format};

use super::{finding::warning, last_minute::LastMinute};

/// Past this share of the places a burst takes the rest.
const FULL_PERCENT: u64 = 90;

/// Holds the counts of the last minute.
#[derive(Default)]
pub(super) struct CapacityJudge {
    /// Clients that found no place of a bound.
    exceeded: LastMinute<String>,
}

impl CapacityJudge {
    pub(super) fn capacity_findings(&mut self, tick: u64, capacities: &[CapacityUse]) -> Vec<Finding> {
        let counters = capacities.iter().map(|capacity| (capacity.name.clone(), capacity.exceeded)).collect();
        let recent = self.exceeded.add(tick, counters);
        capacities.iter().zip(recent).filter_map(|(capacity, (_, recent))| finding(capacity, recent)).collect()
    }
}

fn finding(capacity: &CapacityUse, recent: u64) -> Option<Finding> {
    let CapacityUse { name, in_use, limit, .. } = capacity;
    let (in_use_text, limit_text) = (format::exact(*in_use), format::exact(*limit));
    let sentence = match recent {
        0 if in_use * 100 < limit * FULL_PERCENT => return None,
        0 => format!("{in_use_text} of {limit_text} {name} are taken"),
        recent => format!(
            "{in_use_text} of {limit_text} {name} are taken: {} more found no place in the last minute",
            format::exact(recent)
        ),
    };
    Some(warning(sentence, FindingSubject::Requests))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_bound_is_a_finding_with_its_figures_while_it_is_full_and_a_minute_after() {
        let mut judge = CapacityJudge::default();
        let mut found = |tick, in_use, exceeded| {
            let tunnels = CapacityUse { name: "tunnels".into(), in_use, limit: 8192, exceeded };
            let found = judge.capacity_findings(tick, &[tunnels]);
            found.first().map(|finding| finding.sentence.replace(['\u{a0}', '\u{202f}'], " "))
        };
        assert_eq!(found(0, 7000, 0), None);
        assert_eq!(found(1, 7400, 0).unwrap(), "7 400 of 8 192 tunnels are taken");
        let full = "8 192 of 8 192 tunnels are taken: 12 more found no place in the last minute";
        assert_eq!(found(2, 8192, 12).unwrap(), full);
        assert!(found(61, 3, 12).is_some());
        assert_eq!(found(63, 3, 12), None);
    }

    #[test]
    fn the_documentation_has_these_thresholds() {
        crate::health::finding::assert_documented(&[&format!("{FULL_PERCENT} % of a [limit]")]);
    }
}
