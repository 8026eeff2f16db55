//! `replSetGetStatus`: the members, and how far each is behind, less the delay that the set's configuration gives it.

use mongodb::{
    Client,
    bson::{Bson, Document, doc},
};
use tokio::time::Instant;
use watchboard_wire::{ReplicaMember, Replication};

use super::{
    delays::Delays,
    fields::{number, text},
    query::{MAX_TIME_MS, QueryResult, run_query},
};
use crate::database::mongodb::classify;

/// `oplog_window_seconds` comes from `serverStatus`.
pub(super) async fn read(
    until: Instant,
    client: &Client,
    oplog_window_seconds: Option<u64>,
    delays: &mut Delays,
) -> QueryResult<Replication> {
    let admin = client.database("admin");
    let query = admin.run_command(doc! { "replSetGetStatus": 1, "maxTimeMS": MAX_TIME_MS });
    let answer = run_query(until, "replSetGetStatus", async {
        match query.await {
            // Not started as a member of a set, or a router.
            Err(error) if matches!(classify::code(&error).0, 59 | 76) => Ok(None),
            answer => answer.map(Some),
        }
    });
    let Some(answer) = answer.await? else { return Ok(Replication::default()) };
    let mut replication = Replication { oplog_window_seconds, ..parse(&answer) };
    delays.subtract(until, client, &mut replication).await;
    Ok(replication)
}

/// From the time of the oldest entry to that of the newest, by `serverStatus`: the login needs no right to read the oplog.
pub(super) fn oplog_window_seconds(status: &Document) -> Option<u64> {
    let oplog = status.get_document("oplog").ok()?;
    let seconds = |name: &str| oplog.get_timestamp(name).ok().map(|timestamp| u64::from(timestamp.time));
    Some(seconds("latestOptime")?.saturating_sub(seconds("earliestOptime")?))
}

fn parse(answer: &Document) -> Replication {
    let members: Vec<&Document> = answer
        .get_array("members")
        .map(|members| members.iter().filter_map(Bson::as_document).collect())
        .unwrap_or_default();
    let is_primary = |member: &&&Document| number(member, &["state"]) == Some(1);
    let primary_at = members.iter().find(is_primary).and_then(|primary| primary.get_datetime("optimeDate").ok());
    let member = |member: &&Document| {
        let lag = || {
            let behind = primary_at?.timestamp_millis() - member.get_datetime("optimeDate").ok()?.timestamp_millis();
            Some(u64::try_from(behind).unwrap_or(0) / 1000)
        };
        ReplicaMember {
            name: text(member, "name"),
            state: text(member, "stateStr"),
            healthy: number(member, &["health"]) == Some(1),
            // Only a secondary replicates: an arbiter holds no data, and a member that is down reports nothing.
            lag_seconds: (number(member, &["state"]) == Some(2)).then(lag).flatten(),
            delay_seconds: Some(0),
            uptime_seconds: number(member, &["uptime"]),
            is_self: member.get_bool("self").unwrap_or(false),
        }
    };
    Replication {
        set: text(answer, "set"),
        term: answer.get_i64("term").ok(),
        members: members.iter().map(member).collect(),
        oplog_window_seconds: None,
        delays_unknown: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mongodb::bson::DateTime;

    #[test]
    fn a_secondary_is_behind_the_primary_and_one_that_is_down_is_not_known() {
        let at = |seconds: i64| DateTime::from_millis(seconds * 1000);
        let found = parse(&doc! { "set": "rs0", "term": 3_i64, "members": [
            { "name": "a:1", "state": 1, "stateStr": "PRIMARY", "health": 1.0, "optimeDate": at(100), "self": true },
            { "name": "b:1", "state": 2, "stateStr": "SECONDARY", "health": 1.0, "optimeDate": at(88) },
            { "name": "c:1", "state": 8, "stateStr": "(not reachable/healthy)", "health": 0.0, "optimeDate": at(0) },
        ] });
        let members: Vec<_> = found.members.iter().map(|member| (member.healthy, member.lag_seconds)).collect();
        assert_eq!(members, [(true, None), (true, Some(12)), (false, None)]);
        assert_eq!((&*found.set, found.term, found.members[0].is_self), ("rs0", Some(3), true));
    }
}
