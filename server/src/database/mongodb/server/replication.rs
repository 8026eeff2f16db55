//! `replSetGetStatus`: who is a member, and how far behind.

use mongodb::{
    Client,
    bson::{Bson, Document, doc},
};
use tokio::time::Instant;
use watchboard_app::wire::{Reading, ReplicaMember, Replication, Unknown};

use super::{ask, number, text};

pub(super) async fn read(until: Instant, client: &Client) -> Reading<Replication> {
    let admin = client.database("admin");
    let question = admin.run_command(doc! { "replSetGetStatus": 1 });
    let answer = ask(until, "replSetGetStatus", async {
        match question.await {
            // Not started as a member, or a router.
            Err(error) if matches!(super::super::classify::code(&error).0, 59 | 76) => Ok(None),
            answer => answer.map(Some),
        }
    });
    let Some(answer) = answer.await? else { return Ok(Replication::default()) };
    Ok(Replication { oplog_window_seconds: Some(oplog_window(until, client).await), ..parse(&answer) })
}

/// From the first entry's time to the last's: two reads of one document each. The least role has no right to it, since whoever may read
/// the oplog may read all.
async fn oplog_window(until: Instant, client: &Client) -> Reading<u64> {
    let oplog = client.database("local").collection::<Document>("oplog.rs");
    let end = |order: i32| {
        let times = doc! { "_id": 0, "ts": 1 };
        ask(until, "find on local.oplog.rs", oplog.find_one(doc! {}).projection(times).sort(doc! { "$natural": order }))
    };
    let seconds = |entry: Option<Document>| match entry.as_ref().and_then(|entry| entry.get("ts")) {
        Some(Bson::Timestamp(timestamp)) => Ok(u64::from(timestamp.time)),
        _ => Err(Unknown::because("the oplog is empty")),
    };
    let (first, last) = (seconds(end(1).await?)?, seconds(end(-1).await?)?);
    Ok(last.saturating_sub(first))
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
            // Only of one that replicates: an arbiter holds nothing, one that is down tells nothing.
            lag_seconds: (number(member, &["state"]) == Some(2)).then(lag).flatten(),
            uptime_seconds: number(member, &["uptime"]),
            is_self: member.get_bool("self").unwrap_or(false),
        }
    };
    Replication {
        set: text(answer, "set"),
        term: answer.get_i64("term").ok(),
        members: members.iter().map(member).collect(),
        oplog_window_seconds: None,
    }
}

#[cfg(test)]
mod tests {
    use mongodb::bson::DateTime;

    use super::*;

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
