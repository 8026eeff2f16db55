//! The server's reply to `hello`: its place in the deployment, and whether it takes writes.

use mongodb::bson::Document;
use watchboard_wire::{DatabaseFailure, FailureKind};

/// Longer names of hosts and sets are cut: they come from the server.
const LONGEST_NAME: usize = 255;
/// So many members of a set are listed.
const MAX_LISTED: usize = 7;

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SelfDescription {
    pub(super) role: ServerRole,
    /// The name of its set.
    pub(super) set: Option<String>,
    /// The members that it names to clients, with itself.
    pub(super) members: Vec<String>,
    /// The member that it takes for the primary.
    pub(super) primary: Option<String>,
    /// The wire versions that it speaks.
    pub(super) wire_versions: (i32, i32),
}

/// The role of a server in its deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerRole {
    Primary,
    Secondary,
    Arbiter,
    /// A member that starts, recovers or rolls back.
    Unready,
    /// Started for a set that is not initiated, or that has removed it.
    Removed,
    Standalone,
    Router,
}

impl ServerRole {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::Arbiter => "arbiter",
            Self::Unready => "starting or recovering",
            Self::Removed => "in no set",
            Self::Standalone => "a standalone server",
            Self::Router => "a router",
        }
    }
}

impl From<&Document> for SelfDescription {
    fn from(hello: &Document) -> Self {
        let is = |field| hello.get_bool(field).unwrap_or(false);
        let text = |field| hello.get_str(field).ok().map(short);
        // The first reply on a connection has the older name.
        let is_writable = is("isWritablePrimary") || is("ismaster");
        let role = match (hello.get_str("setName").is_ok(), is_writable) {
            _ if hello.get_str("msg").is_ok_and(|message| message == "isdbgrid") => ServerRole::Router,
            (true, true) => ServerRole::Primary,
            (true, false) if is("secondary") => ServerRole::Secondary,
            (true, false) if is("arbiterOnly") => ServerRole::Arbiter,
            (true, false) => ServerRole::Unready,
            (false, _) if is("isreplicaset") => ServerRole::Removed,
            (false, _) => ServerRole::Standalone,
        };
        let members = ["hosts", "passives", "arbiters"].into_iter().filter_map(|field| hello.get_array(field).ok());
        let version = |field| hello.get_i32(field).unwrap_or(0);
        Self {
            role,
            set: text("setName"),
            members: members.flatten().filter_map(|name| name.as_str().map(short)).collect(),
            primary: text("primary"),
            wire_versions: (version("minWireVersion"), version("maxWireVersion")),
        }
    }
}

impl SelfDescription {
    /// The kind of deployment, and the server's role in it.
    pub(super) fn topology(&self) -> String {
        match (self.role, &self.set) {
            (ServerRole::Router, _) => "sharded cluster".to_owned(),
            (role, Some(set)) => format!("replica set {set} ({})", role.words()),
            (ServerRole::Removed, None) => "replica set (not initiated)".to_owned(),
            (_, None) => "standalone".to_owned(),
        }
    }

    /// The members, in a sentence.
    pub(super) fn member_list(&self) -> String {
        let more = if self.members.len() > MAX_LISTED { ", …" } else { "" };
        self.members.iter().take(MAX_LISTED).map(String::as_str).collect::<Vec<_>>().join(", ") + more
    }
}

fn short(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}

/// Whether the server takes writes. The driver asks primaries, so another server answers only if the connection string names it
/// alone.
pub(super) fn takes_writes(hello: &Document, this: &SelfDescription) -> Result<(), DatabaseFailure> {
    if hello.get_bool("readOnly").unwrap_or(false) {
        let detail = "the server was started read-only";
        return Err(DatabaseFailure::new(FailureKind::ReadOnly, detail));
    }
    let (kind, detail) = match (this.role, &this.primary) {
        (ServerRole::Primary | ServerRole::Standalone | ServerRole::Router, _) => return Ok(()),
        (ServerRole::Secondary, Some(primary)) => (
            FailureKind::ReadOnly,
            format!("this server is a secondary, its primary is {primary}: leave directConnection out to follow it"),
        ),
        (ServerRole::Secondary, None) => {
            (FailureKind::ReadOnly, "this server is a secondary of a set that has no primary now".to_owned())
        }
        (ServerRole::Arbiter, _) => (
            FailureKind::NoPrimary,
            "this server is an arbiter, which only votes: name another member of its set".to_owned(),
        ),
        (ServerRole::Unready, _) => (FailureKind::NoPrimary, unready("starts or recovers")),
        (ServerRole::Removed, _) => (FailureKind::NoPrimary, removed("this server")),
    };
    Err(DatabaseFailure::new(kind, detail))
}

/// A member that is neither primary nor secondary. `does` is its state.
pub(super) fn unready(does: &str) -> String {
    format!("this server is neither primary nor secondary now: it {does}, and has to catch up or be repaired")
}

/// The name of that state, by `replSetGetStatus`.
pub(super) fn unready_state(status: &Document) -> Option<&'static str> {
    match status.get_i32("myState").ok()? {
        0 => Some("STARTUP"),
        3 => Some("RECOVERING"),
        5 => Some("STARTUP2"),
        9 => Some("ROLLBACK"),
        10 => Some("REMOVED"),
        _ => None,
    }
}

/// A server that waits for its set.
pub(super) fn removed(server: &str) -> String {
    format!(
        "{server} was started for a replica set and is in none: it still starts, its set is not initiated (rs.initiate()), or has \
         removed it (rs.add())"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use mongodb::bson::doc;

    #[test]
    fn hello_tells_the_place() {
        let topology = |hello| SelfDescription::from(&hello).topology();
        assert_eq!(topology(doc! { "isWritablePrimary": true }), "standalone");
        assert_eq!(topology(doc! { "setName": "rs0", "isWritablePrimary": true }), "replica set rs0 (primary)");
        assert_eq!(topology(doc! { "setName": "rs0", "ismaster": true }), "replica set rs0 (primary)");
        assert_eq!(topology(doc! { "setName": "rs0", "secondary": true }), "replica set rs0 (secondary)");
        assert_eq!(topology(doc! { "setName": "rs0", "arbiterOnly": true }), "replica set rs0 (arbiter)");
        assert_eq!(topology(doc! { "setName": "rs0" }), "replica set rs0 (starting or recovering)");
        assert_eq!(topology(doc! { "isreplicaset": true }), "replica set (not initiated)");
        assert_eq!(topology(doc! { "msg": "isdbgrid", "isWritablePrimary": true }), "sharded cluster");
    }

    #[test]
    fn a_server_that_takes_no_writes_is_named() {
        let kind = |hello| takes_writes(&hello, &SelfDescription::from(&hello)).err().map(|failure| failure.kind);
        assert_eq!(kind(doc! { "isWritablePrimary": true }), None);
        assert_eq!(kind(doc! { "msg": "isdbgrid", "isWritablePrimary": true }), None);
        assert_eq!(kind(doc! { "isWritablePrimary": true, "readOnly": true }), Some(FailureKind::ReadOnly));
        assert_eq!(kind(doc! { "setName": "rs0", "secondary": true, "primary": "a:1" }), Some(FailureKind::ReadOnly));
        assert_eq!(kind(doc! { "setName": "rs0", "isWritablePrimary": false }), Some(FailureKind::NoPrimary));
        assert_eq!(kind(doc! { "isreplicaset": true, "isWritablePrimary": false }), Some(FailureKind::NoPrimary));
    }
}
