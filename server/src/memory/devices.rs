//! The machine's disks and networks, and the processes with the most memory, from sysinfo. Read only for viewers.

use std::{path::Path, time::Instant};

use sysinfo::{DiskRefreshKind, Disks, Networks, ProcessRefreshKind, ProcessesToUpdate, System};
use watchboard_wire::{Devices, Disk, HeavyProcess, Network};

use super::names::FileNames;

/// So many processes are listed.
const HEAVIEST: usize = 10;

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
            disks: disks(),
            networks: self.networks(),
            heaviest: heaviest(),
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

/// Each file system once, however often it is mounted.
fn disks() -> Vec<Disk> {
    let listed = Disks::new_with_refreshed_list_specifics(DiskRefreshKind::nothing().with_storage());
    let mut disks: Vec<(String, Disk)> = listed
        .iter()
        .flat_map(|disks| disks.iter())
        .map(|disk| {
            let mount = disk.mount_point().display().to_string();
            let (total_bytes, available_bytes) = (disk.total_space(), disk.available_space());
            (disk.name().display().to_string(), Disk { mount, total_bytes, available_bytes })
        })
        .collect();
    disks.sort_by(|(_, a), (_, b)| a.mount.len().cmp(&b.mount.len()).then(a.mount.cmp(&b.mount)));
    let mut seen = std::collections::HashSet::new();
    disks
        .into_iter()
        .filter(|(name, disk)| disk.total_bytes > 0 && seen.insert(name.clone()))
        .map(|(_, disk)| disk)
        .collect()
}

fn heaviest() -> Vec<HeavyProcess> {
    let Ok(mut system) = System::new() else { return vec![] };
    let kind = ProcessRefreshKind::nothing().with_memory().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
    let mut processes: Vec<HeavyProcess> = system
        .processes()
        .values()
        .map(|process| HeavyProcess {
            pid: process.pid().as_u32(),
            name: process.name().to_string_lossy().into_owned(),
            rss_bytes: process.memory(),
        })
        .collect();
    processes.sort_by_key(|process| (std::cmp::Reverse(process.rss_bytes), process.pid));
    processes.truncate(HEAVIEST);
    for process in &mut processes {
        let files = FileNames::of_process(&Path::new("/proc").join(process.pid.to_string()));
        process.name = files.process_name(&process.name);
    }
    processes
}
