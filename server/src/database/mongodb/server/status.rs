//! `serverStatus`, without the sections that no view shows.

use std::time::Instant;

use mongodb::bson::{Document, doc};
use watchboard_wire::{Cache, ServerConnections, ServerStatus};

use super::{
    fields::{number, text},
    query::MAX_TIME_MS,
};

/// These sections are large or costly, and not shown. `metrics` stays: the reply has no memory without it.
const LEFT_OUT: [&str; 23] = [
    "repl",
    "locks",
    "tcmalloc",
    "transactions",
    "mirroredReads",
    "flowControl",
    "hedgingMetrics",
    "indexStats",
    "indexBulkBuilder",
    "opReadConcernCounters",
    "opWriteConcernCounters",
    "readConcernCounters",
    "readPreferenceCounters",
    "electionMetrics",
    "transportSecurity",
    "logicalSessionRecordCache",
    "queryAnalyzers",
    "planCache",
    "security",
    "shardingStatistics",
    "oplogTruncation",
    "scramCache",
    "catalogStats",
];
const OPERATIONS: [&str; 6] = ["insert", "query", "update", "delete", "getmore", "command"];
const ASSERTIONS: [&str; 4] = ["regular", "warning", "msg", "user"];
const LATENCIES: [&str; 3] = ["reads", "writes", "commands"];
const NETWORK: [&str; 2] = ["bytesIn", "bytesOut"];
const MIB: u64 = 1 << 20;

pub(super) fn query() -> Document {
    let mut query = doc! { "serverStatus": 1, "oplog": 1, "maxTimeMS": MAX_TIME_MS };
    query.extend(LEFT_OUT.iter().map(|name| ((*name).to_owned(), 0.into())));
    query
}

/// The counters of the last reply, for rates.
#[derive(Default)]
pub(super) struct Rates(Option<(Instant, StatusCounters)>);

#[derive(Clone, Copy)]
struct StatusCounters {
    uptime_seconds: u64,
    operations: [u64; 6],
    /// Time and count.
    latencies: [(u64, u64); 3],
    network: [u64; 2],
    evicted: Option<u64>,
}

impl StatusCounters {
    fn from_document(answer: &Document) -> Self {
        let latency = |name: &str| {
            let sum = |what: &str| number(answer, &["opLatencies", name, what]).unwrap_or(0);
            (sum("latency"), sum("ops"))
        };
        Self {
            uptime_seconds: number(answer, &["uptime"]).unwrap_or(0),
            operations: OPERATIONS.map(|name| number(answer, &["opcounters", name]).unwrap_or(0)),
            latencies: LATENCIES.map(latency),
            network: NETWORK.map(|name| number(answer, &["network", name]).unwrap_or(0)),
            // Since 8.0 it has the second name.
            evicted: ["pages evicted by application threads", "page evict attempts by application threads"]
                .iter()
                .find_map(|name| number(answer, &["wiredTiger", "cache", name])),
        }
    }
}

pub(super) fn parse(answer: &Document, rates: &mut Rates) -> ServerStatus {
    let (now, counters) = (Instant::now(), StatusCounters::from_document(answer));
    // A server that was restarted counts from zero again.
    let before = rates.0.replace((now, counters)).filter(|(_, then)| then.uptime_seconds <= counters.uptime_seconds);
    let per_second = |now_count: u64, then: Instant, then_count: u64| {
        now_count.saturating_sub(then_count) as f64 / now.duration_since(then).as_secs_f64().max(0.001)
    };
    let clients = |kind: &str| number(answer, &["globalLock", kind, "total"]);
    let memory = |kind: &str| number(answer, &["mem", kind]).map(|mib| mib * MIB);
    ServerStatus {
        host: text(answer, "host"),
        storage_engine: answer.get_document("storageEngine").ok().map(|engine| text(engine, "name")),
        uptime_seconds: counters.uptime_seconds,
        connections: ServerConnections {
            current: number(answer, &["connections", "current"]).unwrap_or(0),
            available: number(answer, &["connections", "available"]).unwrap_or(0),
            active: number(answer, &["connections", "active"]),
            created: number(answer, &["connections", "totalCreated"]),
        },
        operations_per_second: before.map(|(then, before)| {
            std::array::from_fn(|kind| per_second(counters.operations[kind], then, before.operations[kind]))
        }),
        latency_us: before.map(|(_, before)| {
            std::array::from_fn(|kind| {
                let ((time, count), (time_before, count_before)) = (counters.latencies[kind], before.latencies[kind]);
                time.saturating_sub(time_before).checked_div(count.saturating_sub(count_before))
            })
        }),
        active_clients: clients("activeClients"),
        queued_clients: clients("currentQueue"),
        cache: cache(answer).map(|cache| Cache {
            evicted_by_clients_per_second: before
                .and_then(|(then, before)| Some(per_second(counters.evicted?, then, before.evicted?))),
            ..cache
        }),
        resident_bytes: memory("resident"),
        virtual_bytes: memory("virtual"),
        network_bytes_per_second: before.map(|(then, before)| {
            std::array::from_fn(|way| per_second(counters.network[way], then, before.network[way]))
        }),
        assertions: ASSERTIONS.map(|kind| number(answer, &["asserts", kind]).unwrap_or(0)),
    }
}

fn cache(answer: &Document) -> Option<Cache> {
    let of = |name: &str| number(answer, &["wiredTiger", "cache", name]);
    Some(Cache {
        used_bytes: of("bytes currently in the cache")?,
        max_bytes: of("maximum bytes configured")?,
        dirty_bytes: of("tracked dirty bytes in the cache")?,
        evicted_by_clients_per_second: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(uptime: f64, inserts: i64) -> Document {
        doc! {
            "host": "a:27017", "uptime": uptime, "storageEngine": { "name": "wiredTiger" },
            "connections": { "current": 12, "available": 88, "active": 3, "totalCreated": 40_i64 },
            "opcounters": { "insert": inserts, "query": 5 },
            "opLatencies": { "reads": { "latency": inserts * 100, "ops": inserts } },
            "globalLock": { "activeClients": { "total": 2 }, "currentQueue": { "total": 0 } },
            "wiredTiger": { "cache": {
                "bytes currently in the cache": 960_i64, "maximum bytes configured": 1000_i64,
                "tracked dirty bytes in the cache": 50.0,
            } },
            "mem": { "resident": 100 },
        }
    }

    #[test]
    fn an_answer_is_read_whatever_numbers_it_has_and_what_is_missing_is_unknown() {
        let status = parse(&answer(10.0, 7), &mut Rates::default());
        assert_eq!((status.uptime_seconds, status.resident_bytes, status.virtual_bytes), (10, Some(100 << 20), None));
        assert!((status.connections.percent() - 12.0).abs() < 1e-9);
        assert!((status.cache.unwrap().used_percent() - 96.0).abs() < 1e-9);
        assert_eq!((status.operations_per_second, status.latency_us), (None, None), "of one answer there is no rate");
        assert_eq!(parse(&doc! {}, &mut Rates::default()), ServerStatus::default());
    }

    #[test]
    fn rates_are_between_two_answers_of_one_run() {
        let mut rates = Rates::default();
        parse(&answer(10.0, 0), &mut rates);
        let status = parse(&answer(12.0, 1_000), &mut rates);
        assert!(status.operations_per_second.unwrap()[0] > 0.0);
        assert_eq!(status.latency_us, Some([Some(100), None, None]));
        assert_eq!(parse(&answer(1.0, 2), &mut rates).operations_per_second, None, "it was started anew");
    }
}
