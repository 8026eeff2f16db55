//! The figures of memory and database that the history keeps over time.

use watchboard_wire::{DatabaseHealth, DatabaseState, FailureKind, Heap, Memory};

use crate::history::Host;

/// The name of an application whose host gave none.
pub(super) fn application_name(memory: &Memory) -> String {
    let application = memory.application.as_ref();
    let name = application.map(|application| match &*application.name {
        "" => application.found_by.trim_start_matches("listening at "),
        name => name,
    });
    name.unwrap_or("application").to_owned()
}

/// The host's figures. `before` is the heap of some seconds ago, and their number.
pub(super) fn host_figures(memory: &Memory, database: &DatabaseHealth, before: Option<(Heap, u64)>) -> Host {
    let process = memory.process.as_ref().ok();
    let failed = match &database.state {
        DatabaseState::Healthy => Some(0.0),
        DatabaseState::Failed(failure) if failure.kind != FailureKind::NotProbed => Some(100.0),
        _ => None,
    };
    let rate = |read: fn(&Heap) -> u64| {
        let (before, seconds) = before?;
        Some(read(&memory.heap?).saturating_sub(read(&before)) as f64 / seconds.max(1) as f64)
    };
    Host {
        rss_bytes: process.map(|process| process.rss_bytes),
        anonymous_bytes: process.map(|process| process.anonymous_bytes),
        file_bytes: process.map(|process| process.file_bytes),
        shmem_bytes: process.map(|process| process.shmem_bytes),
        live_heap_bytes: memory.heap.map(|heap| heap.live_bytes()),
        requests_allocate: rate(|heap| heap.requests_allocated_bytes),
        others_allocate: rate(Heap::unattributed_bytes),
        frees: rate(|heap| heap.freed_bytes),
        memory_pressure_percent: memory.pressure().map(|pressure| pressure.some_percent),
        database_failed_percent: failed,
        memory_percent: memory.headline().ok().map(|headline| headline.percent()),
        process_cpu_percent: process.and_then(|process| process.cpu_percent),
        system_cpu_percent: memory.system.as_ref().ok().and_then(|system| system.cpu_percent),
        database_latency_us: database.latency_us.filter(|_| database.state == DatabaseState::Healthy),
        ..Host::default()
    }
}
