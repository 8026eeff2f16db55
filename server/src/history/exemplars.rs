//! Examples of slow requests for `/metrics`: of each endpoint, status and bucket of duration the last one that has an id.

use std::sync::Arc;

use watchboard_wire::Exemplar;

use crate::{histograms::BOUNDS_US, requests::SlowSighting};

/// Exemplars of all endpoints together. The oldest goes first.
const MAX_EXEMPLARS: usize = 512;

#[derive(Default)]
pub(super) struct Exemplars(Arc<Vec<Exemplar>>);

impl Exemplars {
    pub(super) fn add(&mut self, endpoint: usize, sighting: &SlowSighting) {
        let Some(id) = &sighting.id else { return };
        let bucket = |duration_us: u64| BOUNDS_US.partition_point(|bound| *bound < duration_us);
        let new = Exemplar {
            endpoint,
            status: sighting.ending.status,
            duration_us: sighting.duration_us,
            id: id.to_string(),
            at_unix_ms: sighting.at_unix_ms,
        };
        let key = |it: &Exemplar| (it.endpoint, it.status, bucket(it.duration_us));
        // A copy, if a snapshot still has the list.
        let all = Arc::make_mut(&mut self.0);
        all.retain(|known| key(known) != key(&new));
        if all.len() == MAX_EXEMPLARS {
            all.remove(0);
        }
        all.push(new);
    }

    pub(super) fn all(&self) -> Arc<Vec<Exemplar>> {
        Arc::clone(&self.0)
    }
}
