//! The instances of the fleet, by their documents. What other processes wrote there is bounded, and what is missing is empty.

use std::cmp::Reverse;

use mongodb::bson::{Document, doc};
use watchboard_wire::{InstanceFigures, InstanceRow, InstanceState, Status, format, is_instance_name};

use super::last_seen::{AHEAD_MS, GONE_AFTER_MS, seen_by_now};
use crate::history::store::{
    StoreError,
    mongo_steps::{INSTANCES, MongoSteps, read_all},
};

/// Instances that are read, those that were seen last.
pub(super) const MAX_INSTANCES: i64 = 10_000;
/// An instance that has not been seen for so long is not listed. Its history is there under its name.
const LISTED_FOR_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// One that is gone for longer is no news.
pub(super) const NEWS_FOR_MS: u64 = 24 * 60 * 60 * 1000;
/// A clock that differs by more puts figures at times of which others have other figures.
const CLOCK_WITHIN_MS: u64 = 20_000;
/// No instance was started before 2020.
const FIRST_START_MS: u64 = 1_577_836_800_000;
/// Characters of a text.
const MAX_TEXT: usize = 300;

/// The instances of the last days, the worst first, and the time of the store in Unix milliseconds.
pub(super) async fn read_instances(steps: &MongoSteps) -> Result<(Vec<InstanceRow>, u64), StoreError> {
    let collection = steps.collection(INSTANCES);
    let shown = doc! {
        "seen": 1, "state": 1, "service": 1, "version": 1, "host": 1, "url": 1, "started_at_unix_ms": 1,
        "clock_unix_ms": 1, "figures": 1, "now": "$$NOW",
    };
    let listed = doc! { "$gte": ["$seen", { "$subtract": ["$$NOW", LISTED_FOR_MS] }] };
    let listed = doc! { "seen": { "$type": "date" }, "$expr": { "$and": [listed, seen_by_now()] } };
    let last_seen_first = doc! { "$sort": { "seen": -1 } };
    let stages =
        [doc! { "$match": listed }, last_seen_first, doc! { "$limit": MAX_INSTANCES }, doc! { "$project": shown }];
    let documents = read_all(collection.aggregate(stages).with_type()).await?;
    let now = documents.first().and_then(|first| unix_ms(first, "now")).unwrap_or_else(crate::clock::now_unix_ms);
    let mut rows: Vec<InstanceRow> = documents.iter().filter_map(row).collect();
    rows.sort_by_cached_key(|row| (Reverse(badness(row)), row.name.clone()));
    Ok((rows, now))
}

/// The row of a document; `None` if it is of no instance.
pub(super) fn row(document: &Document) -> Option<InstanceRow> {
    let name = document.get_str("_id").ok().filter(|name| is_instance_name(name))?.to_owned();
    let last_seen_unix_ms = unix_ms(document, "seen")?;
    let now = unix_ms(document, "now").unwrap_or(last_seen_unix_ms);
    if last_seen_unix_ms > now + AHEAD_MS {
        return None;
    }
    let age_ms = now.saturating_sub(last_seen_unix_ms);
    let state = match document.get_str("state") {
        Ok(word) if word == InstanceState::Stopped.word() => InstanceState::Stopped,
        _ if age_ms > GONE_AFTER_MS.cast_unsigned() => InstanceState::Gone,
        _ => InstanceState::Running,
    };
    Some(InstanceRow {
        name,
        state,
        service: text(document, "service").unwrap_or_default(),
        version: text(document, "version"),
        host: text(document, "host").unwrap_or_default(),
        url: text(document, "url").filter(|url| url.starts_with("http://") || url.starts_with("https://")),
        started_at_unix_ms: started_at(document, last_seen_unix_ms).unwrap_or_default(),
        last_seen_unix_ms,
        age_ms,
        figures: with_clock(
            document.get_document("figures").map(figures).unwrap_or_default(),
            clock_ahead_ms(document),
        ),
    })
}

/// When the instance was started, by the store's clock.
fn started_at(document: &Document, last_seen_unix_ms: u64) -> Option<u64> {
    let started =
        number(document, "started_at_unix_ms")?.checked_add_signed(clock_ahead_ms(document).checked_neg()?)?;
    (FIRST_START_MS..=last_seen_unix_ms).contains(&started).then_some(started)
}

/// By how much the instance's clock was ahead of the store's when it last wrote; zero if it has not said.
fn clock_ahead_ms(document: &Document) -> i64 {
    let seen = document.get_datetime("seen").map_or(0, |seen| seen.timestamp_millis());
    document.get_i64("clock_unix_ms").map_or(0, |clock| clock.saturating_sub(seen))
}

/// The figures, which are degraded if the instance's clock is wrong.
fn with_clock(figures: InstanceFigures, ahead_ms: i64) -> InstanceFigures {
    if ahead_ms.unsigned_abs() <= CLOCK_WITHIN_MS {
        return figures;
    }
    let (by, way) = (format::span(ahead_ms.unsigned_abs() / 1000), if ahead_ms > 0 { "ahead of" } else { "behind" });
    let clock = format!("its clock is {by} {way} that of the fleet's MongoDB, and so are its figures: set it by NTP");
    let finding = [figures.finding, Some(clock)].into_iter().flatten().collect::<Vec<_>>().join("; ");
    InstanceFigures { health: figures.health.max(Status::Degraded), finding: Some(finding), ..figures }
}

fn figures(document: &Document) -> InstanceFigures {
    let share = |key| document.get_f64(key).ok().filter(|value| value.is_finite());
    let statuses = [Status::Healthy, Status::Degraded, Status::Unhealthy];
    let health = statuses.into_iter().find(|status| document.get_str("health").is_ok_and(|word| word == status.word()));
    InstanceFigures {
        health: health.unwrap_or_default(),
        finding: text(document, "finding"),
        requests_per_second: share("requests_per_second").unwrap_or_default(),
        error_percent: share("error_percent"),
        p99_us: number(document, "p99_us"),
        memory_bytes: number(document, "memory_bytes"),
        memory_percent: share("memory_percent"),
        cpu_percent: share("cpu_percent"),
        database: text(document, "database").unwrap_or_default(),
    }
}

/// Whether an address leads to whoever opens it.
fn is_loopback(url: &str) -> bool {
    ["://127.", "://localhost", "://[::1]"].iter().any(|host| url.contains(host))
}

/// Leaves out addresses that lead nowhere from this machine.
pub(super) fn without_other_loopback(row: InstanceRow, own_host: &str) -> InstanceRow {
    let url = row.url.filter(|url| row.host == own_host || !is_loopback(url));
    InstanceRow { url, ..row }
}

/// How bad an instance is: those that are gone first, then by status, errors and latency. Those that have stopped are last.
fn badness(row: &InstanceRow) -> (u8, Status, u64, u64) {
    let of_state = match row.state {
        InstanceState::Gone if row.age_ms < NEWS_FOR_MS => 2,
        InstanceState::Running => 1,
        InstanceState::Gone | InstanceState::Stopped => 0,
    };
    let errors = row.figures.error_percent.unwrap_or_default() * 1000.0;
    (of_state, row.figures.health, errors as u64, row.figures.p99_us.unwrap_or_default())
}

fn unix_ms(document: &Document, key: &str) -> Option<u64> {
    document.get_datetime(key).ok()?.timestamp_millis().try_into().ok()
}

fn number(document: &Document, key: &str) -> Option<u64> {
    document.get_i64(key).ok()?.try_into().ok()
}

/// A text without control characters, cut.
fn text(document: &Document, key: &str) -> Option<String> {
    let text = document.get_str(key).ok()?;
    Some(text.chars().filter(|char| !char.is_control()).take(MAX_TEXT).collect())
}

#[cfg(test)]
mod tests {
    use mongodb::bson::DateTime;

    use super::*;

    #[test]
    fn an_instance_is_gone_ten_seconds_after_its_last_sign() {
        let of = |state: &str, age_ms: i64| {
            let now = DateTime::from_millis(1_000_000);
            let seen = DateTime::from_millis(1_000_000 - age_ms);
            row(&doc! { "_id": "web-1", "state": state, "seen": seen, "now": now }).unwrap().state
        };
        assert_eq!([of("running", 10_000), of("running", 10_001)], [InstanceState::Running, InstanceState::Gone]);
        assert_eq!(of("stopped", 1_000_000), InstanceState::Stopped);
    }

    #[test]
    fn a_clock_that_is_wrong_degrades_its_instance() {
        let of = |clock: i64| {
            let seen = DateTime::from_millis(10_000_000);
            let figures = row(&doc! { "_id": "web-1", "seen": seen, "clock_unix_ms": clock }).unwrap().figures;
            (figures.health, figures.finding.unwrap_or_default().replace('\u{a0}', " "))
        };
        assert_eq!(
            [of(9_980_000), of(10_020_000)],
            [(Status::Healthy, String::new()), (Status::Healthy, String::new())]
        );
        let (health, said) = of(10_000_000 + 3_600_000);
        assert!(health == Status::Degraded && said.starts_with("its clock is 1 h ahead of"), "{said}");
        assert!(of(10_000_000 - 60_000).1.starts_with("its clock is 1 m behind"));
        assert!([i64::MIN, i64::MAX].iter().all(|clock| of(*clock).0 == Status::Degraded));
    }

    #[test]
    fn times_that_no_clock_has_are_unknown() {
        let now = 1_790_000_000_000_i64;
        let of = |seen: i64, started: i64, clock: i64| {
            let [seen, now] = [seen, now].map(DateTime::from_millis);
            let started =
                doc! { "_id": "a", "seen": seen, "now": now, "started_at_unix_ms": started, "clock_unix_ms": clock };
            row(&started).map(|row| row.started_at_unix_ms.cast_signed())
        };
        assert_eq!(of(now, now - 5_000, now), Some(now - 5_000));
        // By the store's clock, of which that of the instance is an hour ahead.
        assert_eq!(of(now, now - 5_000 + 3_600_000, now + 3_600_000), Some(now - 5_000));
        for wrong in [i64::MIN, -1, 0, now + 1, i64::MAX] {
            assert_eq!(of(now, wrong, now), Some(0), "{wrong}");
        }
        assert_eq!(of(now + 60_000, now, now + 60_000), Some(now), "another primary's clock may be behind");
        assert_eq!(of(now + 60_001, now, now), None);
    }

    #[test]
    fn an_address_of_another_machines_loopback_is_left_out() {
        let url_at = |url: &str, host: &str| {
            let row = InstanceRow { host: host.to_owned(), url: Some(url.to_owned()), ..InstanceRow::default() };
            without_other_loopback(row, "here").url.is_some()
        };
        assert!(url_at("http://127.0.0.1:3000/", "here") && url_at("http://10.0.0.7:3000/", "there"));
        assert!(!url_at("http://127.0.0.1:3000/", "there") && !url_at("https://localhost/", "there"));
    }

    #[test]
    fn documents_of_strangers_are_read_as_far_as_they_can_be() {
        let seen = DateTime::from_millis(1);
        for document in [
            doc! {},
            doc! { "_id": 7, "seen": seen },
            doc! { "_id": "" , "seen": seen },
            doc! { "_id": "all" , "seen": seen },
            doc! { "_id": "a\u{1b}[0m" , "seen": seen },
            doc! { "_id": "a".repeat(101) , "seen": seen },
            doc! { "_id": "a", "seen": 3 },
        ] {
            assert_eq!(row(&document), None, "{document}");
        }
        let odd = doc! {
            "_id": "a", "seen": seen, "state": 4, "service": ["x"], "host": "h\u{1b}[0m".repeat(900), "url": "javascript:1",
            "figures": { "health": "well", "error_percent": f64::NAN, "p99_us": -5_i64, "cpu_percent": "no" },
        };
        let row = row(&odd).unwrap();
        assert_eq!((row.host.chars().count(), row.url, row.figures), (MAX_TEXT, None, InstanceFigures::default()));
    }
}
