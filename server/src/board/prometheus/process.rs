//! The watched process: the names of Prometheus's own clients. The application's restarts, its heap, its database.

use watchboard_wire::{CapacityUse, DatabaseState, Finding, FindingSubject, Snapshot, Status};

use super::{
    exposition::{Exposition, Kind},
    text::{escape_label, seconds},
};

use Kind::{Counter, Gauge};

pub(super) fn write(out: &mut Exposition, snapshot: &Snapshot) {
    write_status(out, snapshot);
    write_capacities(out, &snapshot.requests.capacities);
    write_process(out, snapshot);
    write_database(out, snapshot);
}

fn write_status(out: &mut Exposition, snapshot: &Snapshot) {
    let health = &snapshot.health;
    let all = [Status::Healthy, Status::Degraded, Status::Unhealthy];
    let help = "1 for the status that the board shows, 0 for the others.";
    let of_status = all.map(|status| (format!("status=\"{}\"", status.word()), u8::from(status == health.status)));
    out.all((Gauge, "watchboard_status", help), of_status);
    let about = |finding: &Finding| match finding.about {
        // Findings of another instance are of the fleet's views alone.
        FindingSubject::Requests | FindingSubject::Endpoint(_) | FindingSubject::Instance(_) => "requests",
        FindingSubject::Memory => "memory",
        FindingSubject::Database => "database",
    };
    let subjects = ["requests", "memory", "database"].map(|subject| {
        let count = health.findings.iter().filter(|finding| about(finding) == subject).count();
        (format!("subject=\"{subject}\""), count)
    });
    out.all((Gauge, "watchboard_findings", "Problems that the board shows now, by their view."), subjects);
    out.one(
        (
            Gauge,
            "watchboard_uptime_seconds",
            "Seconds since the monitor started, which may be another process than the application.",
        ),
        Some(snapshot.monitored_seconds()),
    );
}

fn write_capacities(out: &mut Exposition, capacities: &[CapacityUse]) {
    let mut by_capacity = |family, read: fn(&CapacityUse) -> u64| {
        let labels = |capacity: &CapacityUse| format!("bound=\"{}\"", escape_label(&capacity.name));
        out.all(family, capacities.iter().map(|capacity| (labels(capacity), read(capacity))));
    };
    by_capacity((Gauge, "watchboard_places_in_use", "Taken places of the proxy's bounds."), |it| it.in_use);
    by_capacity((Gauge, "watchboard_places_limit", "Places of the proxy's bounds."), |it| it.limit);
    let help = "Clients that found no place of the proxy's bounds.";
    by_capacity((Counter, "watchboard_places_exceeded_total", help), |it| it.exceeded);
}

fn write_process(out: &mut Exposition, snapshot: &Snapshot) {
    let memory = &snapshot.memory;
    if let Some(application) = &memory.application {
        // One that is out of sight may run or not.
        let runs = memory.process.is_ok().then_some(1);
        let up = if application.gone_since_unix_ms.is_some() { Some(0) } else { runs };
        out.one((Gauge, "watchboard_application_up", "Whether a process of the application runs."), up);
        let help = "Times that new processes replaced all of the application's.";
        out.one((Counter, "watchboard_application_restarts_total", help), Some(application.restarts));
    }
    let process = memory.process.as_ref().ok();
    let help = "Start of the process since the Unix epoch in seconds.";
    let started = process.map(|process| process.started_at_unix_ms as f64 / 1000.0);
    out.one((Gauge, "process_start_time_seconds", help), started);
    let help = "CPU time in user and kernel mode, in seconds.";
    out.one((Counter, "process_cpu_seconds_total", help), process.map(|process| process.cpu_seconds));
    let help = "Resident memory in bytes.";
    out.one((Gauge, "process_resident_memory_bytes", help), process.map(|process| process.rss_bytes));
    let help = "Address space in bytes.";
    out.one((Gauge, "process_virtual_memory_bytes", help), process.map(|process| process.vms_bytes));
    out.one((Gauge, "process_threads", "Threads."), process.map(|process| process.num_threads));
    out.one((Gauge, "process_open_fds", "Open file descriptors."), memory.open_descriptors());
    let allocated = memory.heap.map(|heap| heap.allocated_bytes);
    out.one((Counter, "watchboard_heap_allocated_bytes_total", "Bytes that the program allocated."), allocated);
    let help = "Bytes that the program allocated and did not free.";
    out.one((Gauge, "watchboard_heap_live_bytes", help), memory.heap.map(|heap| heap.live_bytes()));
}

fn write_database(out: &mut Exposition, snapshot: &Snapshot) {
    let database = &snapshot.database;
    let is_healthy = database.state == DatabaseState::Healthy;
    let up = (database.state != DatabaseState::NotConfigured).then_some(u8::from(is_healthy));
    out.one((Gauge, "watchboard_database_up", "Whether the database answered the last probe."), up);
    let round_trip = database.latency_us.filter(|_| is_healthy).map(seconds);
    out.one((Gauge, "watchboard_database_round_trip_seconds", "Time of the last probe of the database."), round_trip);
}
