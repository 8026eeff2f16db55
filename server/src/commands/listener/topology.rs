//! The application's client's view of the deployment: its members, and which of them is the primary.

use std::collections::{BTreeMap, btree_map::Entry};

use mongodb::event::sdam::TopologyDescription;
use watchboard_wire::{Deployment, DeploymentMember};

use crate::{clock::now_unix_ms, database::mongodb::classify::classify};

/// Clients whose deployments are kept.
const CLIENTS: usize = 16;

/// The deployments of the clients, by the client's number.
#[derive(Default)]
pub(super) struct Topologies(BTreeMap<u32, Topology>);

impl Topologies {
    /// The deployment of a client; `None` if there are too many clients already.
    pub(super) fn topology_for(&mut self, client: u32) -> Option<&mut Topology> {
        let there_is_room = self.0.len() < CLIENTS;
        match self.0.entry(client) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(new) => there_is_room.then(|| new.insert(Topology::default())),
        }
    }

    /// A client is closed.
    pub(super) fn forget(&mut self, client: u32) {
        self.0.remove(&client);
    }

    /// The deployments, without duplicates: clients of one deployment see the same.
    pub(super) fn deployments(&self) -> Vec<Deployment> {
        let mut deployments: Vec<Deployment> = vec![];
        for deployment in self.0.values().filter_map(|topology| topology.seen.as_ref()) {
            if !deployments.iter().any(|known| known.is_same(deployment)) {
                deployments.push(deployment.clone());
            }
        }
        deployments
    }
}

/// The deployment of one client.
#[derive(Default)]
pub(super) struct Topology {
    seen: Option<Deployment>,
    /// The last primary, also while there is none.
    primary: Option<String>,
}

impl Topology {
    pub(super) fn change(&mut self, new: &TopologyDescription) {
        let mut members: Vec<DeploymentMember> = new
            .servers()
            .values()
            .map(|server| DeploymentMember {
                address: server.address().to_string(),
                kind: server.server_type().to_string(),
                round_trip_us: server.average_round_trip_time().map(|time| time.as_micros() as u64),
                failure: server.error().map(|error| classify(error).kind),
            })
            .collect();
        members.sort_by(|a, b| a.address.cmp(&b.address));
        let primary = members.iter().find(|member| member.kind == "RSPrimary").map(|member| member.address.clone());
        let is_other = primary.is_some() && self.primary.is_some() && primary != self.primary;
        let before = self.seen.as_ref().map_or(0, |seen| seen.new_primaries);
        self.primary = primary.or(self.primary.take());
        self.seen = Some(Deployment {
            kind: new.topology_type().to_string(),
            set_name: new.set_name().cloned(),
            members,
            new_primaries: before + u64::from(is_other),
            changed_at_unix_ms: now_unix_ms(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_that_are_known_go_on_being_told_of_when_there_is_room_for_no_other() {
        let mut topologies = Topologies::default();
        assert!((0..CLIENTS as u32).all(|client| topologies.topology_for(client).is_some()));
        assert!(topologies.topology_for(CLIENTS as u32).is_none() && topologies.topology_for(3).is_some());
        topologies.forget(3);
        assert!(topologies.topology_for(CLIENTS as u32).is_some());
    }
}
