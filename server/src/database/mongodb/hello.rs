//! The server's reply to `hello`: its place in the deployment, and whether it takes writes.

use mongodb::bson::Document;
use watchboard_wire::{DatabaseFailure, FailureKind};

/// The kind of deployment, and the server's role in it.
pub(super) fn topology(hello: &Document) -> String {
    if hello.get_str("msg").is_ok_and(|message| message == "isdbgrid") {
        return "sharded cluster".to_owned();
    }
    let Ok(set) = hello.get_str("setName") else { return "standalone".to_owned() };
    format!("replica set {set} ({})", role(hello))
}

/// The role of a member of a replica set.
pub(super) fn role(hello: &Document) -> &'static str {
    let is = |field| hello.get_bool(field).unwrap_or(false);
    match (is("isWritablePrimary"), is("secondary"), is("arbiterOnly")) {
        (true, ..) => "primary",
        (_, true, _) => "secondary",
        (.., true) => "arbiter",
        _ => "no primary",
    }
}

/// Whether the server takes writes. The driver asks primaries, so another server answers only if the connection string names it
/// alone.
pub(super) fn takes_writes(hello: &Document) -> Result<(), DatabaseFailure> {
    let is = |field| hello.get_bool(field).unwrap_or(false);
    if is("readOnly") {
        let detail = "the server was started read-only";
        return Err(DatabaseFailure::new(FailureKind::ReadOnly, detail));
    }
    if is("isWritablePrimary") {
        return Ok(());
    }
    let (kind, detail) = match (hello.get_str("setName").is_ok(), is("secondary"), hello.get_str("primary")) {
        (true, true, Ok(primary)) => (
            FailureKind::ReadOnly,
            format!("this server is a secondary, its primary is {primary}: leave directConnection out to follow it"),
        ),
        (true, true, Err(_)) => {
            (FailureKind::ReadOnly, "this server is a secondary of a set that has no primary now".to_owned())
        }
        (true, false, _) => (
            FailureKind::NoPrimary,
            "this server is neither primary nor secondary: it starts, recovers or only votes".to_owned(),
        ),
        (false, ..) => {
            (FailureKind::NoPrimary, "this server's replica set is not initiated, or has removed it".to_owned())
        }
    };
    Err(DatabaseFailure::new(kind, detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mongodb::bson::doc;

    #[test]
    fn hello_tells_the_place() {
        assert_eq!(topology(&doc! { "isWritablePrimary": true }), "standalone");
        assert_eq!(topology(&doc! { "setName": "rs0", "isWritablePrimary": true }), "replica set rs0 (primary)");
        assert_eq!(topology(&doc! { "setName": "rs0", "secondary": true }), "replica set rs0 (secondary)");
        assert_eq!(topology(&doc! { "setName": "rs0", "arbiterOnly": true }), "replica set rs0 (arbiter)");
        assert_eq!(topology(&doc! { "msg": "isdbgrid" }), "sharded cluster");
    }

    #[test]
    fn a_server_that_takes_no_writes_is_named() {
        let kind = |hello| takes_writes(&hello).err().map(|failure| failure.kind);
        assert_eq!(kind(doc! { "isWritablePrimary": true }), None);
        assert_eq!(kind(doc! { "isWritablePrimary": true, "readOnly": true }), Some(FailureKind::ReadOnly));
        assert_eq!(kind(doc! { "setName": "rs0", "secondary": true, "primary": "a:1" }), Some(FailureKind::ReadOnly));
        assert_eq!(kind(doc! { "setName": "rs0", "isWritablePrimary": false }), Some(FailureKind::NoPrimary));
        assert_eq!(kind(doc! { "isreplicaset": true, "isWritablePrimary": false }), Some(FailureKind::NoPrimary));
    }
}
