//! The threads: `/proc/PID/task/*/stat`, and what each has allocated. Memory itself is shared.

use std::{collections::HashMap, time::Instant};

use procfs::process::Process;
use watchboard_wire::{Reading, Thread, ThreadGroup};

use super::unreadable;
use crate::alloc;

/// Remembers each thread, to tell what it did since.
#[derive(Default)]
pub(super) struct ThreadsProbe {
    before: HashMap<i32, Thread>,
    read_at: Option<Instant>,
}

impl ThreadsProbe {
    /// Every thread of the monitor's own process, the busiest first.
    pub(super) fn read(&mut self) -> Reading<Vec<ThreadGroup>> {
        let process = unreadable("/proc/self", Process::myself())?;
        self.read_of(&[process], alloc::by_thread().collect())
    }

    /// Every thread of some processes, with what is counted of them.
    pub(super) fn read_of(
        &mut self,
        processes: &[Process],
        counted: HashMap<i32, alloc::AllocationSums>,
    ) -> Reading<Vec<ThreadGroup>> {
        let ticks_per_second = procfs::ticks_per_second() as f64;
        let now = Instant::now();
        let seconds =
            self.read_at.map(|before| now.duration_since(before).as_secs_f64()).filter(|seconds| *seconds > 0.0);
        let (mut threads, mut known) = (Vec::new(), HashMap::new());
        let mut tasks = Vec::new();
        for process in processes {
            tasks.push(unreadable("/proc/PID/task", process.tasks())?);
        }
        // A thread may end while it is looked at: it is then no longer there to be listed.
        for task in tasks.into_iter().flatten().flatten() {
            let Ok(stat) = task.stat() else { continue };
            let allocated = counted.get(&task.tid);
            let mut thread = Thread {
                thread_id: task.tid,
                name: stat.comm,
                cpu_percent: None,
                cpu_seconds: (stat.utime + stat.stime) as f64 / ticks_per_second,
                allocated_bytes: allocated.map(|allocated| allocated.bytes),
                freed_bytes: allocated.map(|allocated| allocated.freed_bytes),
            };
            // One that was not there has begun since.
            let none = Thread::default();
            let before = self.before.get(&task.tid).unwrap_or(&none);
            let since = |now: f64, before: f64| seconds.map(|seconds| (now - before).max(0.0) / seconds);
            let bytes = |now: Option<u64>, before: Option<u64>| since(now? as f64, before.unwrap_or(0) as f64);
            thread.cpu_percent = since(thread.cpu_seconds, before.cpu_seconds).map(|share| 100.0 * share);
            let allocated_per_second = bytes(thread.allocated_bytes, before.allocated_bytes);
            let freed_per_second = bytes(thread.freed_bytes, before.freed_bytes);
            known.insert(task.tid, thread.clone());
            threads.push(ThreadGroup { sum: thread, threads: 1, allocated_per_second, freed_per_second });
        }
        self.before = known;
        self.read_at = Some(now);
        sort(&mut threads);
        Ok(threads)
    }
}

/// The busiest first.
fn sort(threads: &mut [ThreadGroup]) {
    let share = |group: &ThreadGroup| group.sum.cpu_percent.unwrap_or(0.0);
    threads.sort_by(|a, b| {
        share(b)
            .total_cmp(&share(a))
            .then(b.sum.cpu_seconds.total_cmp(&a.sum.cpu_seconds))
            .then(a.sum.thread_id.cmp(&b.sum.thread_id))
    });
}

/// Those whose names differ in digits alone, together.
pub(super) fn grouped(threads: &[ThreadGroup]) -> Vec<ThreadGroup> {
    let mut groups: Vec<(String, ThreadGroup)> = vec![];
    for thread in threads {
        let name = thread.sum.name.replace(|digit: char| digit.is_ascii_digit(), "#");
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, group)) => add(group, thread),
            None => groups.push((name, thread.clone())),
        }
    }
    let mut groups: Vec<ThreadGroup> = groups.into_iter().map(|(_, group)| group).collect();
    sort(&mut groups);
    groups
}

fn add(group: &mut ThreadGroup, thread: &ThreadGroup) {
    let sum = |a: Option<f64>, b: Option<f64>| a.into_iter().chain(b).reduce(|a, b| a + b);
    // What of a group is not counted is left out; a group of which nothing is has none.
    let bytes = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).reduce(u64::saturating_add);
    let (own, other) = (&mut group.sum, &thread.sum);
    if own.name != other.name {
        own.name = own.name.replace(|digit: char| digit.is_ascii_digit(), "#");
    }
    own.thread_id = 0;
    own.cpu_percent = sum(own.cpu_percent, other.cpu_percent);
    own.cpu_seconds += other.cpu_seconds;
    own.allocated_bytes = bytes(own.allocated_bytes, other.allocated_bytes);
    own.freed_bytes = bytes(own.freed_bytes, other.freed_bytes);
    group.threads += thread.threads;
    group.allocated_per_second = sum(group.allocated_per_second, thread.allocated_per_second);
    group.freed_per_second = sum(group.freed_per_second, thread.freed_per_second);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread(name: &str, cpu_seconds: f64) -> ThreadGroup {
        let sum = Thread {
            thread_id: 7,
            name: name.into(),
            cpu_percent: Some(cpu_seconds),
            cpu_seconds,
            allocated_bytes: Some(10),
            freed_bytes: Some(4),
        };
        ThreadGroup { sum, threads: 1, allocated_per_second: Some(2.0), freed_per_second: None }
    }

    #[test]
    fn names_that_differ_in_digits_are_one_group() {
        let threads = [thread("main", 2.0), thread("worker-1", 1.0), thread("worker-2", 4.0), thread("pool", 0.0)];
        let groups = grouped(&threads);
        let seen: Vec<_> =
            groups.iter().map(|group| (&*group.sum.name, group.threads, group.sum.cpu_seconds)).collect();
        assert_eq!(seen, [("worker-#", 2, 5.0), ("main", 1, 2.0), ("pool", 1, 0.0)]);
        assert_eq!((groups[0].sum.allocated_bytes, groups[0].allocated_per_second), (Some(20), Some(4.0)));
        assert_eq!((groups[0].sum.thread_id, groups[1].sum.thread_id), (0, 7));
        let mut uncounted = thread("worker-3", 0.0);
        (uncounted.sum.allocated_bytes, uncounted.allocated_per_second) = (None, None);
        let groups = grouped(&[thread("worker-1", 1.0), uncounted, thread("worker-2", 1.0)]);
        assert_eq!((groups[0].sum.allocated_bytes, groups[0].allocated_per_second), (Some(20), Some(4.0)));
    }
}
