//! The part of `/health` on memory, by psutil's names.

use serde_json::{Value, json};
use watchboard_wire::{
    Application, ApplicationProcess, Heap, Memory, Process, Reading, Snapshot, System, Thread, format,
};

/// The memory of the application and of the system.
pub(super) fn memory_analysis(snapshot: &Snapshot) -> Value {
    json!({
        "process": {
            "process": or_error(&snapshot.memory.process, |process| process_json(process, snapshot)),
            "threads": threads(snapshot),
            "threads_error": reason(&snapshot.memory.threads),
        },
        "system": {
            "virtual_memory": or_error(&snapshot.memory.system, virtual_memory),
            "swap_memory": or_error(&snapshot.memory.system, swap_memory),
        },
        // Null if the application is this process.
        "application": snapshot.memory.application.as_ref().map(|application| processes(application, snapshot)),
        "allocator": or_error(&snapshot.memory.allocator, |allocator| json!(allocator)),
        "heap": snapshot.memory.heap.map(heap),
        "oom_kills_seen": snapshot.memory.oom_kills_seen,
        "container": or_error(&snapshot.memory.container, |container| json!(container)),
    })
}

/// The figures, or the reason why they are unknown.
fn or_error<T>(reading: &Reading<T>, show: impl FnOnce(&T) -> Value) -> Value {
    reading.as_ref().map_or_else(|unknown| json!({ "error": unknown.reason }), show)
}

/// Why a reading is unknown; null if it is known.
pub(super) fn reason<T>(reading: &Reading<T>) -> Option<&str> {
    reading.as_ref().err().map(|unknown| &*unknown.reason)
}

fn memory_info(process: &Process) -> Value {
    json!({
        "rss": process.rss_bytes,
        "vms": process.vms_bytes,
        "shared": process.shared_bytes,
        "text": process.text_bytes,
        "lib": 0,
        "data": process.data_bytes,
        "dirty": 0,
        "peak": process.peak_rss_bytes,
        "swap": process.swap_bytes,
        "hugetlb": process.hugetlb_bytes,
        "anonymous": process.anonymous_bytes,
        "file": process.file_bytes,
        "shmem": process.shmem_bytes,
    })
}

fn process_json(process: &Process, snapshot: &Snapshot) -> Value {
    let Memory { handles, mapped, .. } = &snapshot.memory;
    let (open, sharing) = (handles.as_ref().ok(), mapped.as_ref().ok());
    json!({
        "pid": process.pid,
        "name": process.name,
        "memory_percent": process.memory_percent,
        "cpu_percent": process.cpu_percent,
        "memory_info": memory_info(process),
        "num_threads": process.num_threads,
        "open_files": open.map(|open| open.open_files),
        "connections": open.map(|open| open.connections),
        "open_files_error": reason(handles),
        "num_fds": snapshot.memory.open_descriptors(),
        "uss": sharing.map(|sharing| sharing.uss_bytes),
        "pss": sharing.map(|sharing| sharing.pss_bytes),
        "shared_pages_read": sharing.map(|sharing| format::date_time(sharing.read_at_unix_ms, "UTC")),
        "shared_pages_error": reason(mapped),
        "page_faults": { "minor": process.minor_faults, "major": process.major_faults },
    })
}

fn processes(application: &Application, snapshot: &Snapshot) -> Value {
    let process = |process: &ApplicationProcess| {
        json!({
            "pid": process.pid,
            "command": process.command,
            "role": process.role,
            "started": snapshot.date_time(process.started_at_unix_ms),
            "rss": process.rss_bytes,
            "num_threads": process.num_threads,
            "cpu_percent": process.cpu_percent,
            "num_fds": process.descriptors,
            "open_files": process.open_files,
        })
    };
    json!({
        "name": application.name,
        "found_by": application.found_by,
        "unresolved": application.unresolved,
        "processes": application.processes.iter().map(process).collect::<Vec<_>>(),
        "unread_processes": application.unread_processes,
        // Null until all its processes have ended once.
        "last_end": application.last_end.as_ref().map(|end| json!({ "at": snapshot.date_time(end.at_unix_ms), "reason": end.reason })),
        "restarted": application.restarted_at_unix_ms.iter().map(|at| snapshot.date_time(*at)).collect::<Vec<_>>(),
    })
}

fn heap(heap: Heap) -> Value {
    json!({
        "allocated_bytes": heap.allocated_bytes,
        "freed_bytes": heap.freed_bytes,
        "live_bytes": heap.live_bytes(),
        "allocations": heap.allocations,
        "requests_allocated_bytes": heap.requests_allocated_bytes,
        "unattributed_bytes": heap.unattributed_bytes(),
    })
}

/// The busiest threads. Threads share one address space, so the memory is that of the process or of the application, and says so.
fn threads(snapshot: &Snapshot) -> Value {
    let memory = snapshot.memory.process.as_ref().map(memory_info).unwrap_or_default();
    let scope = if snapshot.memory.application.is_some() { "application" } else { "process" };
    let thread = |thread: &Thread| {
        json!({
            "thread_id": thread.thread_id,
            "name": thread.name,
            "cpu_percent": thread.cpu_percent,
            "cpu_seconds": thread.cpu_seconds,
            "allocated_bytes": thread.allocated_bytes,
            "freed_bytes": thread.freed_bytes,
            "memory_info": memory,
            "memory_scope": scope,
        })
    };
    // A list, also if it is unknown: pages of the original go through it.
    snapshot.memory.threads.iter().flat_map(|threads| threads.busiest.iter().map(thread)).collect()
}

fn virtual_memory(system: &System) -> Value {
    json!({
        "total": system.total_bytes,
        "available": system.available_bytes,
        "used": system.used_bytes,
        "free": system.free_bytes,
        "percent": tenths(system.percent),
        "active": system.active_bytes,
        "inactive": system.inactive_bytes,
        "buffers": system.buffers_bytes,
        "cached": system.cached_bytes,
        "shared": system.shared_bytes,
        "hugetlb": system.hugetlb_bytes,
        "hugetlb_free": system.hugetlb_free_bytes,
    })
}

fn swap_memory(system: &System) -> Value {
    json!({
        "total": system.swap_total_bytes,
        "used": system.swap_used_bytes,
        "free": system.swap_free_bytes,
        "percent": tenths(100.0 * system.swap_used_bytes as f64 / system.swap_total_bytes.max(1) as f64),
        "sin": system.swap_in_bytes,
        "sout": system.swap_out_bytes,
    })
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
