//! What the application's client sees of the deployment: its members, and who of them may write.

use mongodb::event::sdam::TopologyDescription;
use watchboard_app::wire::{Deployment, Member};

use crate::{clock::now_unix_ms, database::mongodb::classify::classify};

#[derive(Default)]
pub(super) struct Topology {
    seen: Option<Deployment>,
    /// The last that could write, also while there is none.
    primary: Option<String>,
}

impl Topology {
    pub(super) fn change(&mut self, new: &TopologyDescription) {
        let mut members: Vec<Member> = new
            .servers()
            .values()
            .map(|server| Member {
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

    pub(super) fn seen(&self) -> Option<Deployment> {
        self.seen.clone()
    }
}
