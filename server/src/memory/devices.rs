//! The machine's disks, its networks by sysinfo, and the processes with the most memory. Read only for viewers.

use std::time::Instant;

use sysinfo::{Networks, System};
use watchboard_wire::{Devices, Network};

use super::{disks, heaviest};

/// Holds the networks of the last reading, for rates.
#[derive(Default)]
pub(super) struct DevicesProbe {
    networks: Option<(Instant, Networks)>,
}

impl DevicesProbe {
    /// Figures that the platform lacks are missing.
    pub(super) fn read(&mut self, cores_percent: Vec<f32>) -> Devices {
        Devices {
            uptime_seconds: System::uptime().unwrap_or(0),
            cores_percent,
            disks: disks::read(),
            networks: self.networks(),
            heaviest: heaviest::read(),
        }
    }

    fn networks(&mut self) -> Vec<Network> {
        let now = Instant::now();
        let mut seconds = None;
        if let Some((then, networks)) = &mut self.networks {
            seconds = Some(now.duration_since(*then).as_secs_f64()).filter(|seconds| *seconds > 0.0);
            networks.refresh(true);
            *then = now;
        } else {
            self.networks = Networks::new_with_refreshed_list().ok().map(|networks| (now, networks));
        }
        let listed = self.networks.iter().flat_map(|(_, networks)| networks.iter());
        let mut listed: Vec<Network> = listed
            .map(|(name, data)| Network {
                name: name.to_string_lossy().into_owned(),
                received_bytes: data.total_received(),
                sent_bytes: data.total_transmitted(),
                rates: seconds.map(|seconds| [data.received() as f64 / seconds, data.transmitted() as f64 / seconds]),
            })
            .collect();
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        listed
    }
}
