//! `$currentOp`: operations that have been running for a while. Their filters and users stay with the server.

use futures_util::TryStreamExt;
use mongodb::{
    Client,
    bson::{Document, doc},
};
use tokio::time::Instant;
use watchboard_wire::Operation;

use super::{
    fields::{number, text},
    query::{QueryResult, ROUND, run_query},
};
use crate::database::mongodb::client_options::APP_NAME;

/// An operation is listed once it has been running for so long.
const RUNNING_US: i64 = 100_000;
/// The longest running first.
const MOST: i64 = 20;

pub(super) async fn read(until: Instant, client: &Client) -> QueryResult<Vec<Operation>> {
    let pipeline = [
        doc! { "$currentOp": { "allUsers": true, "idleConnections": false } },
        doc! { "$match": {
            "active": true,
            "op": { "$ne": "none" },
            "microsecs_running": { "$gte": RUNNING_US },
            // Of clients, and not the monitor's own.
            "client": { "$exists": true },
            "appName": { "$ne": APP_NAME },
            // Every driver has one that waits for news of the set.
            "command.hello": { "$exists": false },
            "command.isMaster": { "$exists": false },
            // And members follow it.
            "ns": { "$ne": "local.oplog.rs" },
        } },
        doc! { "$sort": { "microsecs_running": -1 } },
        doc! { "$limit": MOST },
        doc! { "$project": {
            "op": 1, "ns": 1, "microsecs_running": 1, "appName": 1, "waitingForLock": 1, "planSummary": 1,
        } },
    ];
    let running = async {
        client.database("admin").aggregate(pipeline).max_time(ROUND).await?.try_collect::<Vec<Document>>().await
    };
    Ok(run_query(until, "inprog", running).await?.iter().map(parse).collect())
}

fn parse(operation: &Document) -> Operation {
    Operation {
        kind: text(operation, "op"),
        namespace: text(operation, "ns"),
        running_us: number(operation, &["microsecs_running"]).unwrap_or(0),
        app_name: text(operation, "appName"),
        waits_for_lock: operation.get_bool("waitingForLock").unwrap_or(false),
        // Behind its first word stand the fields of an index.
        plan: text(operation, "planSummary").split_whitespace().next().unwrap_or_default().to_owned(),
    }
}
