//! A connection string that does not fit the deployment. The driver gives up servers that do not fit, and reports only that it has
//! none. So the servers' own answers are compared with the string.

use mongodb::options::ClientOptions;
use watchboard_wire::{DatabaseFailure, FailureKind};

use super::hello::{SelfDescription, ServerRole};

/// Why none of the servers of the connection string that answer fits it; `None` if one fits.
pub(super) fn misfit(options: &ClientOptions, seeds: &[(String, SelfDescription)]) -> Option<DatabaseFailure> {
    let details: Option<Vec<String>> = seeds.iter().map(|(address, server)| detail(options, address, server)).collect();
    let detail = details?.into_iter().next()?;
    Some(DatabaseFailure::new(FailureKind::BadUri, detail))
}

fn detail(options: &ClientOptions, address: &str, server: &SelfDescription) -> Option<String> {
    match (&options.repl_set_name, &server.set, server.role) {
        (Some(name), Some(set), _) if name == set => None,
        (_, None, ServerRole::Removed) => None,
        (Some(name), Some(set), _) => Some(format!(
            "it has replicaSet={name}, and {address} is a member of set {set}: write replicaSet={set}, or correct the address"
        )),
        (Some(name), None, ServerRole::Router) => Some(format!(
            "it has replicaSet={name}, and {address} is a router of a sharded cluster: leave replicaSet out"
        )),
        (Some(name), None, _) => Some(format!(
            "it has replicaSet={name}, and {address} is a standalone server: leave replicaSet out, or start it with --replSet"
        )),
        (None, None, ServerRole::Standalone) if options.hosts.len() > 1 => Some(format!(
            "it names {} servers, and {address} is a standalone server, in no replica set: name one server",
            options.hosts.len()
        )),
        (None, ..) => None,
    }
}

/// A set answers at `address`, and names its members so that none is reached from here. `failure` is how they fail.
pub(super) fn advertised(address: &str, server: &SelfDescription, failure: &DatabaseFailure) -> DatabaseFailure {
    let set = server.set.as_deref().unwrap_or_default();
    let members = server.member_list();
    let detail = format!(
        "{address} answers for set {set}, which names its members {members}, and they cannot be reached from here under that \
         name: make it known here, or add directConnection=true to the connection string, to watch {address} alone"
    );
    DatabaseFailure::new(failure.kind, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mongodb::bson::{Document, doc};

    fn why(query: &str, servers: &[Document]) -> Option<String> {
        let hosts = ["a:1", "b:1"];
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let uri = format!("mongodb://{}/?{query}", hosts[..servers.len().max(1)].join(","));
        let options = runtime.block_on(ClientOptions::parse(uri).into_future()).unwrap();
        let seeds: Vec<_> = std::iter::zip(hosts, servers)
            .map(|(address, hello)| (address.to_owned(), SelfDescription::from(hello)))
            .collect();
        misfit(&options, &seeds).map(|failure| failure.detail)
    }

    #[test]
    fn a_string_fits_if_one_server_does() {
        let member = |set: &str| doc! { "setName": set, "secondary": true };
        let router = doc! { "msg": "isdbgrid", "isWritablePrimary": true };
        let alone = doc! { "isWritablePrimary": true };
        for (query, servers) in [
            ("replicaSet=rs0", vec![member("rs0")]),
            ("replicaSet=rs0", vec![member("rs1"), member("rs0")]),
            ("replicaSet=rs0", vec![doc! { "isreplicaset": true }]),
            ("", vec![member("rs0")]),
            ("", vec![router.clone(), router.clone()]),
            ("", vec![alone.clone()]),
            ("", vec![]),
        ] {
            assert_eq!(why(query, &servers), None, "{query} {servers:?}");
        }
        let set = why("replicaSet=rs0", &[member("rs1")]).unwrap();
        assert!(set.contains("replicaSet=rs0") && set.contains("a:1 is a member of set rs1"), "{set}");
        for (query, servers, words) in [
            ("replicaSet=rs0", vec![router], "a:1 is a router"),
            ("replicaSet=rs0", vec![alone.clone()], "a:1 is a standalone server"),
            ("", vec![alone.clone(), alone], "it names 2 servers"),
        ] {
            let why = why(query, &servers).unwrap();
            assert!(why.contains(words), "{why}");
        }
    }
}
