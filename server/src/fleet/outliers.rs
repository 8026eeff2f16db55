//! Instances that are slower than the others at the same work.

use std::collections::BTreeMap;

use mongodb::bson::{Document, doc};
use watchboard_wire::{Finding, FindingSubject, Severity};

use crate::{
    histograms::Distribution,
    history::{
        endpoint_text, requests_by_endpoint,
        store::{MongoSteps, NameKey, StoreError, StoredStep},
    },
};

/// The document of those that were found last.
const FINDINGS: &str = "findings";
const OUTLIERS: &str = "outliers";
/// An instance is slow if its p99 is so many times that of the others, and so much longer.
const TIMES: f64 = 2.0;
const LONGER_US: u64 = 10_000;
/// So many requests of an instance, and of the others together, are enough to judge.
const ENOUGH: u64 = 20;
const ENOUGH_OF_OTHERS: u64 = 100;
/// Of the requests of an instance so many are beyond the p99 of the others, by chance one of a hundred.
const BEYOND: u64 = 3;
const BEYOND_PERCENT: u64 = 5;
/// Of fewer instances none is the odd one.
const ENOUGH_INSTANCES: usize = 3;
/// Findings that are kept.
const MAX_OUTLIERS: usize = 10;
/// They are looked for once a minute, by whoever merges. Older ones are over.
const OVER_AFTER_MS: i64 = 150_000;
/// Characters of a sentence.
const MAX_SENTENCE: usize = 300;

/// An instance that answers an endpoint more slowly than the others.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outlier {
    instance: String,
    endpoint: NameKey,
    times: f64,
    others: usize,
}

/// The latencies of a minute, by endpoint and instance. Each is its buckets that are not empty: of a thousand instances whole ones would
/// take hundreds of megabytes.
#[derive(Default)]
pub(super) struct MinuteByInstance(BTreeMap<NameKey, BTreeMap<String, Buckets>>);

/// The buckets that are not empty, and the requests of each.
type Buckets = Box<[(u16, u32)]>;

fn buckets_of(latencies: &Distribution) -> Buckets {
    latencies.iter().filter_map(|(bucket, count)| Some((bucket.try_into().ok()?, count))).collect()
}

fn distribution<'a>(buckets: impl IntoIterator<Item = &'a (u16, u32)>) -> Distribution {
    let mut sum = Distribution::default();
    for (bucket, count) in buckets {
        sum.add((*bucket).into(), *count);
    }
    sum
}

impl MinuteByInstance {
    pub(super) fn add(&mut self, instance: &str, step: StoredStep) {
        for (endpoint, tally) in requests_by_endpoint(&[step]) {
            let instances = self.0.entry(endpoint).or_default();
            let buckets = instances.entry(instance.to_owned()).or_default();
            let step = buckets_of(&tally.latencies);
            *buckets = buckets_of(&distribution(buckets.iter().chain(&step)));
        }
    }

    /// The outliers, the worst first.
    pub(super) fn outliers(&self) -> Vec<Outlier> {
        let of_endpoint = |(endpoint, instances): (&NameKey, &BTreeMap<String, Buckets>)| {
            let endpoint = *endpoint;
            let of_instance =
                move |(instance, times, others): (String, f64, usize)| Outlier { instance, endpoint, times, others };
            slow_ones(instances).into_iter().map(of_instance)
        };
        let mut outliers: Vec<Outlier> = self.0.iter().flat_map(of_endpoint).collect();
        outliers.sort_by(|one, other| other.times.total_cmp(&one.times));
        outliers.truncate(MAX_OUTLIERS);
        outliers
    }
}

/// The instances that are slow at one endpoint, how many times slower, and than how many others.
fn slow_ones(instances: &BTreeMap<String, Buckets>) -> Vec<(String, f64, usize)> {
    if instances.len() < ENOUGH_INSTANCES {
        return vec![];
    }
    let all = distribution(instances.values().flatten());
    let slow = |(instance, buckets): (&String, &Buckets)| {
        let mut others = all.clone();
        for (bucket, count) in buckets {
            others.subtract((*bucket).into(), *count);
        }
        let own = distribution(buckets);
        let (own_us, others_us) = (own.latency()?.p99_us, others.latency()?.p99_us);
        let (count, times) = (own.count(), own_us as f64 / others_us.max(1) as f64);
        let beyond = count - own.count_at_most(others_us);
        let is_slow = times >= TIMES && own_us >= others_us + LONGER_US;
        let is_enough = count >= ENOUGH && others.count() >= ENOUGH_OF_OTHERS;
        let is_no_chance = beyond >= BEYOND && 100 * beyond >= BEYOND_PERCENT * count;
        (is_slow && is_enough && is_no_chance).then(|| (instance.clone(), times, instances.len() - 1))
    };
    instances.iter().filter_map(slow).collect()
}

/// Stores them for all boards, with the time since which each is there.
pub(super) async fn store_outliers(
    steps: &MongoSteps,
    outliers: &[Outlier],
    names: &[(NameKey, Vec<u8>)],
) -> Result<(), StoreError> {
    let known = read_document(steps).await?;
    let now = crate::clock::now_unix_ms().cast_signed();
    let list = outliers.iter().filter_map(|outlier| {
        let name = names.binary_search_by_key(&outlier.endpoint, |(key, _)| *key).ok()?;
        let endpoint = endpoint_text(&names[name].1)?;
        let others = if outlier.others == 1 { "other".to_owned() } else { format!("other {}", outlier.others) };
        let sentence =
            format!("{} answers {endpoint} at {:.1} times the p99 of the {others}", outlier.instance, outlier.times);
        let is_same = |one: &&Document| {
            one.get_str("instance").is_ok_and(|name| name == outlier.instance)
                && one.get_str("endpoint").is_ok_and(|name| name == endpoint)
        };
        let since = known.iter().find(is_same).and_then(|one| one.get_i64("since").ok()).unwrap_or(now);
        Some(doc! { "instance": &outlier.instance, "endpoint": endpoint, "sentence": sentence, "since": since })
    });
    let update = doc! { "$set": { "list": list.collect::<Vec<_>>() }, "$currentDate": { "at": true } };
    let statement = doc! { "q": { "_id": OUTLIERS }, "u": update, "upsert": true };
    steps.update(FINDINGS, vec![statement]).await.map(drop)
}

async fn read_document(steps: &MongoSteps) -> Result<Vec<Document>, StoreError> {
    let fresh = doc! { "$expr": { "$gte": ["$at", { "$subtract": ["$$NOW", OVER_AFTER_MS] }] }, "_id": OUTLIERS };
    let found = steps.find(FINDINGS, fresh, mongodb::options::FindOptions::default()).await?;
    let list = found.first().and_then(|found| found.get_array("list").ok());
    let list = list.into_iter().flatten().filter_map(|one| one.as_document().cloned());
    Ok(list.take(MAX_OUTLIERS).collect())
}

/// The findings of the last minute.
pub(super) async fn read_outliers(steps: &MongoSteps) -> Result<Vec<Finding>, StoreError> {
    let finding = |one: &Document| {
        Some(Finding {
            severity: Severity::Warning,
            sentence: one
                .get_str("sentence")
                .ok()?
                .chars()
                .filter(|char| !char.is_control())
                .take(MAX_SENTENCE)
                .collect(),
            about: FindingSubject::Instance(one.get_str("instance").ok()?.chars().take(MAX_SENTENCE).collect()),
            since_unix_ms: one.get_i64("since").ok()?.try_into().ok()?,
            over_since_unix_ms: None,
        })
    };
    Ok(read_document(steps).await?.iter().filter_map(finding).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::tally;

    fn slow_at(durations_us: &[&[u64]]) -> Vec<(String, f64, usize)> {
        let names = ["web-1", "web-2", "web-3", "web-4"];
        let buckets = |us: &[u64]| buckets_of(&tally(us).latencies);
        slow_ones(&names.into_iter().zip(durations_us).map(|(name, us)| (name.to_owned(), buckets(us))).collect())
    }

    #[test]
    fn the_one_that_is_slower_than_the_others_is_named_and_no_other() {
        let fast: Vec<u64> = (0..200).map(|number| 10_000 + 10 * number).collect();
        let slow: Vec<u64> = fast.iter().map(|us| 3 * us).collect();
        let found = slow_at(&[&fast, &slow, &fast, &fast]);
        assert!(matches!(&found[..], [(name, times, 3)] if name == "web-2" && (2.9..3.1).contains(times)), "{found:?}");
        assert_eq!(slow_at(&[&fast, &slow]), [], "of two none is the odd one");
        assert_eq!(slow_at(&[&fast, &fast, &fast, &slow[..19]]), [], "too few requests");
        // One long request of two hundred is the p99 of nobody's work.
        let one_long = [&fast[1..], &[900_000]].concat();
        assert_eq!(slow_at(&[&fast, &one_long, &fast]), []);
        let quick: Vec<u64> = (0..200).map(|number| 100 + number).collect();
        let quick_and_slower: Vec<u64> = quick.iter().map(|us| 5 * us).collect();
        assert_eq!(slow_at(&[&quick, &quick_and_slower, &quick]), [], "a millisecond is nobody's trouble");
    }
}
