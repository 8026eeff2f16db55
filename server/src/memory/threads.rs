//! The threads: `/proc/self/task/*/stat`. A thread's own figure is its CPU time; memory is shared.

use std::{collections::HashMap, time::Instant};

use procfs::process::Process;
use watchboard_app::wire::{Reading, Thread, Threads};

use super::unreadable;
use crate::{alloc, clock::now_unix_ms};

/// Threads that are reported, the busiest first.
const REPORTED: usize = 20;

/// Remembers each thread's CPU time, to tell its share since.
#[derive(Default)]
pub(super) struct ThreadsProbe {
    before: HashMap<i32, f64>,
    read_at: Option<Instant>,
}

impl ThreadsProbe {
    pub(super) fn read(&mut self) -> Reading<Threads> {
        let process = unreadable("/proc/self", Process::myself())?;
        let ticks_per_second = procfs::ticks_per_second() as f64;
        let now = Instant::now();
        let elapsed =
            self.read_at.map(|before| now.duration_since(before).as_secs_f64()).filter(|seconds| *seconds > 0.0);
        let mut busiest = Vec::new();
        let mut times = HashMap::new();
        let counted: HashMap<i32, alloc::Allocated> =
            alloc::by_thread().map(|counts| (counts.thread_id, counts.allocated)).collect();
        // A thread may end while it is looked at: it is then no longer there to be listed.
        for task in unreadable("/proc/self/task", process.tasks())?.flatten() {
            let Ok(stat) = task.stat() else { continue };
            let cpu_seconds = (stat.utime + stat.stime) as f64 / ticks_per_second;
            let since = cpu_seconds - self.before.get(&task.tid).copied().unwrap_or(0.0);
            times.insert(task.tid, cpu_seconds);
            busiest.push(Thread {
                thread_id: task.tid,
                name: stat.comm,
                cpu_percent: elapsed.map(|elapsed| 100.0 * since / elapsed),
                cpu_seconds,
                allocated_bytes: counted.get(&task.tid).map(|allocated| allocated.bytes),
                freed_bytes: counted.get(&task.tid).map(|allocated| allocated.freed_bytes),
            });
        }
        self.before = times;
        self.read_at = Some(now);
        let share = |thread: &Thread| thread.cpu_percent.unwrap_or(0.0);
        busiest.sort_by(|a, b| {
            share(b)
                .total_cmp(&share(a))
                .then(b.cpu_seconds.total_cmp(&a.cpu_seconds))
                .then(a.thread_id.cmp(&b.thread_id))
        });
        busiest.truncate(REPORTED);
        Ok(Threads { read_at_unix_ms: now_unix_ms(), busiest })
    }
}
