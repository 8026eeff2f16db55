//! Members that are meant to lag: the delay of each, from the set's configuration. A login that may not read it can still tell which
//! members have none: a delayed member has priority 0, so `hello` does not list it among those that can become primary.

use std::{collections::BTreeMap, time::Duration};

use mongodb::{
    Client,
    bson::{Bson, Document, doc},
};
use tokio::time::Instant;
use watchboard_wire::Replication;

use super::{
    fields::{number, text},
    query::{MAX_TIME_MS, QueryError, QueryResult, Schedule, run_query},
};

/// The configuration is asked for once a member is behind by more.
const IN_TIME_SECONDS: u64 = 5;
/// The interval of the configuration's query.
const CONFIGURATION_EVERY: Duration = Duration::from_secs(10);
/// A primary without work writes an entry each ten seconds, in whole seconds. A delayed member is between two of them.
const BETWEEN_ENTRIES_SECONDS: u64 = 12;

/// Asks for the delays, and holds the last answer.
#[derive(Default)]
pub(super) struct Delays {
    pace: Schedule,
    configuration: Option<QueryResult<BTreeMap<String, u64>>>,
}

impl Delays {
    /// Subtracts the delay of each member from its lag. Where a delay is possible and unknown, the lag is unknown.
    pub(super) async fn subtract(&mut self, until: Instant, client: &Client, replication: &mut Replication) {
        let is_late = |lag: Option<u64>| lag.is_some_and(|lag| lag > IN_TIME_SECONDS);
        if !replication.members.iter().any(|member| is_late(member.lag_seconds)) {
            return;
        }
        if self.pace.is_due(CONFIGURATION_EVERY) {
            self.pace.begin();
            let configuration = configured(until, client).await;
            let is_known = matches!(self.configuration, Some(Ok(_)));
            if !(is_known && matches!(configuration, Err(QueryError::Late { .. }))) {
                self.pace.note_refusal(&configuration);
                self.configuration = Some(configuration);
            }
        }
        match &self.configuration {
            Some(Ok(delays)) => apply(replication, |name| delays.get(name).copied().or(Some(0))),
            Some(Err(error)) => {
                let electable = electable(until, client).await.unwrap_or_default();
                apply(replication, |name| electable.iter().any(|other| other == name).then_some(0));
                replication.delays_unknown = Some(error.to_string());
            }
            None => {}
        }
    }
}

fn apply(replication: &mut Replication, delay: impl Fn(&str) -> Option<u64>) {
    for member in &mut replication.members {
        member.delay_seconds = delay(&member.name);
        member.lag_seconds = member.lag_seconds.zip(member.delay_seconds).map(|(lag, delay)| match delay {
            0 => lag,
            delay => lag.saturating_sub(delay + BETWEEN_ENTRIES_SECONDS),
        });
    }
}

/// The delays by the names of the members, those of 0 left out.
async fn configured(until: Instant, client: &Client) -> QueryResult<BTreeMap<String, u64>> {
    let query = doc! { "replSetGetConfig": 1, "maxTimeMS": MAX_TIME_MS };
    Ok(parse(&run_query(until, "replSetGetConfig", client.database("admin").run_command(query)).await?))
}

fn parse(answer: &Document) -> BTreeMap<String, u64> {
    let members = answer.get_document("config").and_then(|config| config.get_array("members"));
    let members = members.map(Vec::as_slice).unwrap_or_default().iter().filter_map(Bson::as_document);
    // Before 5.0 it has the second name.
    let delay = |member| number(member, &["secondaryDelaySecs"]).or_else(|| number(member, &["slaveDelay"]));
    members.filter_map(|member| Some((text(member, "host"), delay(member).filter(|delay| *delay > 0)?))).collect()
}

/// The members that can become primary.
async fn electable(until: Instant, client: &Client) -> QueryResult<Vec<String>> {
    let hello = run_query(until, "hello", client.database("admin").run_command(doc! { "hello": 1 })).await?;
    let hosts = hello.get_array("hosts").map(Vec::as_slice).unwrap_or_default();
    Ok(hosts.iter().filter_map(|host| host.as_str().map(ToOwned::to_owned)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::ReplicaMember;

    fn replication(members: &[(&str, u64)]) -> Replication {
        let member = |(name, lag): &(&str, u64)| ReplicaMember {
            name: (*name).to_owned(),
            lag_seconds: Some(*lag),
            ..ReplicaMember::default()
        };
        Replication { members: members.iter().map(member).collect(), ..Replication::default() }
    }

    #[test]
    fn a_delay_is_read_by_its_name_of_then_and_of_now() {
        let members = vec![
            doc! { "host": "a:1" },
            doc! { "host": "b:1", "secondaryDelaySecs": 3600_i64 },
            doc! { "host": "c:1", "slaveDelay": 60 },
            doc! { "host": "d:1", "secondaryDelaySecs": 0_i64 },
        ];
        let delays = parse(&doc! { "config": { "members": members } });
        assert_eq!(delays, BTreeMap::from([("b:1".to_owned(), 3600), ("c:1".to_owned(), 60)]));
    }

    #[test]
    fn only_what_a_member_lags_beyond_its_delay_counts() {
        let mut set = replication(&[("a:1", 20), ("b:1", 3605), ("c:1", 3700), ("d:1", 20)]);
        apply(&mut set, |name| match name {
            "a:1" => Some(0),
            "d:1" => None,
            _ => Some(3600),
        });
        let lags: Vec<_> = set.members.iter().map(|member| (member.lag_seconds, member.delay_seconds)).collect();
        assert_eq!(lags, [(Some(20), Some(0)), (Some(0), Some(3600)), (Some(88), Some(3600)), (None, None)]);
    }
}
