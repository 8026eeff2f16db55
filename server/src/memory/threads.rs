//! The threads: `/proc/PID/task/*/stat`, and the allocations of each. All threads share the memory itself.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use rustix::param::clock_ticks_per_second;
use watchboard_wire::{Reading, Thread, ThreadGroup};

use super::{
    failure::or_unknown,
    names::FileNames,
    stat::{self, ProcStat},
    text,
};
use crate::alloc;

/// A thread of a process, with its numbers so far.
pub(super) struct Task {
    id: i32,
    name: String,
    cpu_ticks: u64,
}

/// The threads of a process, by its folder.
pub(super) fn read_tasks(folder: &Path) -> Reading<Vec<Task>> {
    let entries = or_unknown("/proc/PID/task", fs::read_dir(folder.join("task")))?;
    let files = FileNames::from_process(folder);
    // A thread that ends during the reading is left out.
    let task = |entry: fs::DirEntry| {
        let line = text::read(entry.path().join("stat")).ok()?;
        let id = entry.file_name().to_str()?.parse().ok()?;
        Some(Task {
            id,
            name: files.thread_name(stat::name(&line)).into_owned(),
            cpu_ticks: ProcStat::parse(&line)?.cpu_ticks,
        })
    };
    Ok(entries.flatten().filter_map(task).collect())
}

/// The folder that has the figures of a process: its own, or once its first thread has exited, that of a thread that runs.
pub(super) fn readable_folder(pid: u32, leader_exited: bool) -> PathBuf {
    let own = PathBuf::from(format!("/proc/{pid}"));
    let runs = |entry: &fs::DirEntry| {
        let line = text::read(entry.path().join("stat")).ok();
        // A thread's line has the number of all threads.
        line.and_then(|line| ProcStat::parse(&line)).is_some_and(|stat| !stat.ended && !stat.leader_exited)
    };
    let running = || fs::read_dir(own.join("task")).ok()?.flatten().find(runs);
    // The kernel does not list it among the processes, and has its folder.
    leader_exited
        .then(running)
        .flatten()
        .map_or_else(|| own.clone(), |entry| Path::new("/proc").join(entry.file_name()))
}

/// The same, of a process whose line was not read yet.
pub(super) fn find_readable_folder(pid: u32) -> PathBuf {
    let stat = text::read(format!("/proc/{pid}/stat")).ok().and_then(|line| ProcStat::parse(&line));
    readable_folder(pid, stat.is_some_and(|stat| stat.leader_exited))
}

/// Holds each thread of the last reading, for rates.
#[derive(Default)]
pub(super) struct ThreadsProbe {
    before: HashMap<i32, Thread>,
    read_at: Option<Instant>,
}

impl ThreadsProbe {
    /// Every thread of the monitor's own process, the busiest first.
    pub(super) fn read(&mut self) -> Reading<Vec<ThreadGroup>> {
        let tasks = read_tasks(Path::new("/proc/self"))?;
        Ok(self.measure(tasks, alloc::by_thread().collect()))
    }

    /// These threads, with the allocations that are counted of them.
    pub(super) fn measure(
        &mut self,
        tasks: impl IntoIterator<Item = Task>,
        counted: HashMap<i32, alloc::AllocationSums>,
    ) -> Vec<ThreadGroup> {
        let ticks_per_second = clock_ticks_per_second() as f64;
        let now = Instant::now();
        let seconds =
            self.read_at.map(|before| now.duration_since(before).as_secs_f64()).filter(|seconds| *seconds > 0.0);
        let (mut threads, mut known) = (Vec::new(), HashMap::new());
        for task in tasks {
            let allocated = counted.get(&task.id);
            let mut thread = Thread {
                thread_id: task.id,
                name: task.name,
                cpu_percent: None,
                cpu_seconds: task.cpu_ticks as f64 / ticks_per_second,
                allocated_bytes: allocated.map(|allocated| allocated.bytes),
                freed_bytes: allocated.map(|allocated| allocated.freed_bytes),
            };
            // A thread that is new has begun since the last reading.
            let zero = Thread::default();
            let before = self.before.get(&task.id).unwrap_or(&zero);
            let since = |now: f64, before: f64| seconds.map(|seconds| (now - before).max(0.0) / seconds);
            let bytes = |now: Option<u64>, before: Option<u64>| since(now? as f64, before.unwrap_or(0) as f64);
            thread.cpu_percent = since(thread.cpu_seconds, before.cpu_seconds).map(|share| 100.0 * share);
            let allocated_per_second = bytes(thread.allocated_bytes, before.allocated_bytes);
            let freed_per_second = bytes(thread.freed_bytes, before.freed_bytes);
            known.insert(task.id, thread.clone());
            threads.push(ThreadGroup { sum: thread, threads: 1, allocated_per_second, freed_per_second });
        }
        self.before = known;
        self.read_at = Some(now);
        sort(&mut threads);
        threads
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

/// Threads whose names differ only in digits are one group.
pub(super) fn group_by_name(threads: &[ThreadGroup]) -> Vec<ThreadGroup> {
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
    // Threads that are not counted add nothing; a group of such threads has no sum.
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
        let groups = group_by_name(&threads);
        let seen: Vec<_> =
            groups.iter().map(|group| (&*group.sum.name, group.threads, group.sum.cpu_seconds)).collect();
        assert_eq!(seen, [("worker-#", 2, 5.0), ("main", 1, 2.0), ("pool", 1, 0.0)]);
        assert_eq!((groups[0].sum.allocated_bytes, groups[0].allocated_per_second), (Some(20), Some(4.0)));
        assert_eq!((groups[0].sum.thread_id, groups[1].sum.thread_id), (0, 7));
        let mut uncounted = thread("worker-3", 0.0);
        (uncounted.sum.allocated_bytes, uncounted.allocated_per_second) = (None, None);
        let groups = group_by_name(&[thread("worker-1", 1.0), uncounted, thread("worker-2", 1.0)]);
        assert_eq!((groups[0].sum.allocated_bytes, groups[0].allocated_per_second), (Some(20), Some(4.0)));
    }
}
