//! What instances wrote of their requests and what their steps do not have: the status codes, summed up, and the last errors.

use std::{collections::BTreeMap, ops::ControlFlow};

use mongodb::bson::{Document, doc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{deflated::inflated_json, instances::MAX_INSTANCES, last_seen::seen_by_now};
use crate::history::store::{
    StoreError,
    mongo_steps::{INSTANCES, MongoSteps, read_each},
};

/// In the document of an instance: the sums of the runs before, as those of [`SumsOfRuns::into_json`].
pub(super) const EARLIER_RUNS: &str = "earlier_runs";
/// Errors that are kept, the last ones, and the bytes of one.
const MAX_ERRORS: usize = 100;
const MAX_ERROR_BYTES: usize = 10_000;
/// No instance answers more requests: ten million a second for a year are fewer.
const MAX_REQUESTS: u64 = 1_000_000_000_000_000;

#[derive(Default)]
pub(super) struct SumsOfRuns {
    status_codes: BTreeMap<u16, u64>,
    /// The last ones, and some before them.
    recent_errors: Vec<Value>,
}

/// What an instance wrote in `application` of its `/health`, as far as it is read: the rest takes no memory.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    status_codes: Value,
    recent_errors: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WrittenHealth {
    application: Written,
}

impl SumsOfRuns {
    /// Adds what an instance wrote. What is of another kind is left out.
    fn add(&mut self, written: &Written) {
        for (code, count) in written.status_codes.as_object().into_iter().flatten() {
            let code = code.parse().ok().filter(|code| (100..1_000).contains(code));
            let count = count.as_u64().filter(|count| *count <= MAX_REQUESTS);
            if let (Some(code), Some(count)) = (code, count) {
                let sum = self.status_codes.entry(code).or_default();
                *sum = sum.saturating_add(count);
            }
        }
        let errors = written.recent_errors.as_array().into_iter().flatten();
        self.recent_errors.extend(errors.filter(|error| error.to_string().len() <= MAX_ERROR_BYTES).cloned());
        if self.recent_errors.len() > 4 * MAX_ERRORS {
            self.keep_last_errors();
        }
    }

    fn keep_last_errors(&mut self) {
        // Their times sort as texts.
        self.recent_errors.sort_by(|one, other| other["timestamp"].as_str().cmp(&one["timestamp"].as_str()));
        self.recent_errors.truncate(MAX_ERRORS);
    }

    /// Adds those of the document of an instance: of its last run, and of the runs before.
    pub(super) fn add_document(&mut self, document: &Document) {
        let last_run = inflated_json(document, "health").map(|health: WrittenHealth| health.application);
        for written in [last_run, inflated_json(document, EARLIER_RUNS)].into_iter().flatten() {
            self.add(&written);
        }
    }

    /// Those of all instances, also of those that have ended.
    pub(super) async fn of_all(steps: &MongoSteps) -> Result<Self, StoreError> {
        let mut sums = Self::default();
        let instances = steps.collection(INSTANCES);
        let last_seen = instances.find(doc! { "$expr": seen_by_now() }).sort(doc! { "seen": -1 }).limit(MAX_INSTANCES);
        read_each(last_seen.projection(doc! { "health": 1, EARLIER_RUNS: 1 }), |document, _| {
            sums.add_document(&document);
            ControlFlow::Continue(())
        })
        .await?;
        Ok(sums)
    }

    pub(super) fn into_json(mut self) -> Value {
        self.keep_last_errors();
        json!({ "status_codes": self.status_codes, "recent_errors": self.recent_errors })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(json: Value) -> Written {
        serde_json::from_value(json).unwrap_or_default()
    }

    #[test]
    fn codes_add_up_and_the_last_errors_stay() {
        let mut sums = SumsOfRuns::default();
        for at in ["2026-01-02", "2026-01-03", "2026-01-01"] {
            sums.add(&written(
                json!({ "status_codes": { "200": 9, "500": 1 }, "recent_errors": [{ "timestamp": at }] }),
            ));
        }
        let sums = sums.into_json();
        assert_eq!((&sums["status_codes"]["200"], &sums["status_codes"]["500"]), (&json!(27), &json!(3)));
        assert_eq!(sums["recent_errors"][0]["timestamp"], "2026-01-03");
    }

    #[test]
    fn what_strangers_wrote_is_bounded() {
        let mut sums = SumsOfRuns::default();
        let large = "x".repeat(MAX_ERROR_BYTES);
        let odd = json!({
            "status_codes": { "200": MAX_REQUESTS, "201": u64::MAX, "404": "many", "99": 1, "1000": 1, "<b>": 1 },
            "recent_errors": [{ "timestamp": large }],
        });
        for written in [odd.clone(), odd, json!({ "status_codes": [1], "recent_errors": 7 }), json!(4)].map(written) {
            sums.add(&written);
        }
        assert_eq!(sums.into_json(), json!({ "status_codes": { "200": 2 * MAX_REQUESTS }, "recent_errors": [] }));
    }
}
