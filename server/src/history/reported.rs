//! What was reported of single requests: the errors by cause, and the slowest requests.

use std::ops::Range;

use super::{
    causes::Causes,
    exemplars::Exemplars,
    slowest::{LISTED, LISTED_OF_EACH, Slowest},
};
use crate::requests::{Aliases, Reader, RequestReports, SlowSighting};

/// The errors by cause, and the slowest requests.
pub(super) struct Reported {
    pub(super) causes: Causes,
    /// Of all endpoints. It decides which requests are worth a report.
    slowest: Slowest,
    /// By the endpoint's id.
    slowest_of: Vec<Slowest>,
}

impl Reported {
    pub(super) fn new() -> Self {
        Self { causes: Causes::default(), slowest: Slowest::new(LISTED), slowest_of: vec![] }
    }

    /// Adds the reports of a tick; returns the count of errors for each cause, by its number.
    pub(super) fn add(
        &mut self,
        tick: u64,
        reports: RequestReports,
        (aliases, exemplars): (&Aliases, &mut Exemplars),
        reader: &Reader,
    ) -> Vec<(u32, u32)> {
        for sighting in reports.slow {
            let id = aliases.row(sighting.endpoint);
            let sighting = SlowSighting::from(sighting);
            exemplars.add(id, &sighting);
            self.list_of(id).add(tick, sighting.clone());
            self.slowest.add(tick, sighting);
        }
        for (id, slowest) in self.slowest_of.iter().enumerate() {
            reader.set_slow_from_us(id, slowest.worth_us(tick));
        }
        reader.set_overall_slow_from_us(self.slowest.worth_us(tick));
        self.causes.add(tick, reports.errors, reader.keeps_error_text(), |id| reader.name(id).text())
    }

    /// Adds slow requests of earlier steps.
    pub(super) fn add_earlier(&mut self, mut slow: Vec<SlowSighting>, aliases: &Aliases) {
        // Several steps have the same ones.
        slow.sort_by_key(|one| (one.at_unix_ms, one.endpoint, one.duration_us));
        slow.dedup_by_key(|one| (one.at_unix_ms, one.endpoint, one.duration_us));
        let mut of_each: Vec<Vec<SlowSighting>> = vec![];
        for sighting in slow {
            let id = aliases.row(sighting.endpoint as usize);
            if of_each.len() <= id {
                of_each.resize_with(id + 1, Vec::new);
            }
            of_each[id].push(sighting);
        }
        for (id, earlier) in of_each.into_iter().enumerate() {
            self.list_of(id).add_earlier(earlier);
        }
    }

    fn list_of(&mut self, id: usize) -> &mut Slowest {
        if self.slowest_of.len() <= id {
            self.slowest_of.resize_with(id + 1, || Slowest::new(LISTED_OF_EACH));
        }
        &mut self.slowest_of[id]
    }

    /// The slowest requests of an endpoint within a span of ticks.
    pub(super) fn slowest_of(&self, id: usize, span: Range<u64>) -> Vec<&SlowSighting> {
        self.slowest_of.get(id).map(|slowest| slowest.slowest_in(span)).unwrap_or_default()
    }

    /// The slowest requests of all within a span of ticks: `most`, and of one endpoint `most_of_one`, which would hide those of others.
    pub(super) fn slowest_of_all(&self, span: &Range<u64>, most: usize, most_of_one: usize) -> Vec<&SlowSighting> {
        let few =
            self.slowest_of.iter().flat_map(|slowest| slowest.slowest_in(span.clone()).into_iter().take(most_of_one));
        let mut all: Vec<&SlowSighting> = few.collect();
        all.sort_by_key(|sighting| (std::cmp::Reverse(sighting.duration_us), sighting.at_unix_ms));
        all.truncate(most);
        all
    }

    /// The memory of the slow requests in bytes. The few hundred errors do not count.
    pub(super) fn held_bytes(&self) -> usize {
        self.slowest_of.iter().chain([&self.slowest]).map(Slowest::held_bytes).sum()
    }
}
