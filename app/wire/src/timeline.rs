//! A window as columns of equal steps, for the charts.

use serde::{Deserialize, Serialize};

use super::Window;

/// Consecutive points, oldest first. Point `i` covers one step from tick `(first + i) * window.step_seconds()` on. The
/// newest point may be incomplete. In each column `None` is a gap: there was no measurement, or nothing to measure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline<C> {
    /// [`super::Snapshot::started_at_unix_ms`] of its run.
    pub started_at_unix_ms: u64,
    /// Its span and its steps.
    pub window: Window,
    /// The number of the first point.
    pub first: u64,
    /// The columns, all of one length.
    pub columns: C,
}

/// Columns of one length.
pub trait Columns: Clone {
    /// The number of points.
    fn points(&self) -> usize;
    /// The memory of the columns, in bytes.
    fn held_bytes(&self) -> usize;
    /// Keeps the first `length` points of every column.
    fn truncate(&mut self, length: usize);
    /// Drops the `count` oldest points of every column.
    fn drop_oldest(&mut self, count: usize);
    /// Adds the points of `newer` at the end.
    fn append(&mut self, newer: Self);
}

/// Declares a struct of columns and implements [`Columns`] for it.
macro_rules! columns {
    ($(#[$whole:meta])* $columns:ident { $($(#[$doc:meta])* $name:ident: $kind:ty,)* }) => {
        $(#[$whole])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct $columns {
            $($(#[$doc])* pub $name: Vec<$kind>,)*
        }

        impl crate::Columns for $columns {
            fn points(&self) -> usize {
                [$(self.$name.len()),*][0]
            }

            fn held_bytes(&self) -> usize {
                [$(self.$name.capacity() * size_of::<$kind>()),*].iter().sum()
            }

            fn truncate(&mut self, length: usize) {
                $(self.$name.truncate(length);)*
            }

            fn drop_oldest(&mut self, count: usize) {
                $(self.$name.drain(..count.min(self.$name.len()));)*
            }

            fn append(&mut self, newer: Self) {
                $(self.$name.extend(newer.$name);)*
            }
        }
    };
}
pub(crate) use columns;

columns! {
    /// The columns of all requests, the process, the machine and the database.
    TimelineColumns {
        /// Requests that ended, per second.
        requests_per_second: Option<f32>,
        /// Server errors per second.
        server_errors_per_second: Option<f32>,
        /// Client errors per second.
        client_errors_per_second: Option<f32>,
        /// Requests per second that their clients left.
        dropped_per_second: Option<f32>,
        /// Median latency of the step's requests that succeeded.
        latency_p50_us: Option<u32>,
        /// 95th percentile latency.
        latency_p95_us: Option<u32>,
        /// 99th percentile latency.
        latency_p99_us: Option<u32>,
        /// [`super::Process::rss_bytes`] at the end of the step.
        rss_bytes: Option<u64>,
        /// [`super::Process::anonymous_bytes`] at the end of the step.
        anonymous_bytes: Option<u64>,
        /// [`super::Process::file_bytes`] at the end of the step.
        file_bytes: Option<u64>,
        /// [`super::Process::shmem_bytes`] at the end of the step.
        shmem_bytes: Option<u64>,
        /// [`super::Heap::live_bytes`] at the end of the step; `None` if the program's allocator does not count.
        live_heap_bytes: Option<u64>,
        /// Bytes that requests allocated per second.
        requests_allocated_per_second: Option<u64>,
        /// Bytes that the rest of the program allocated per second.
        other_allocated_per_second: Option<u64>,
        /// Bytes that the program freed per second.
        freed_per_second: Option<u64>,
        /// [`super::Memory::headline`] at the end of the step.
        memory_percent: Option<f32>,
        /// [`super::Memory::pressure`], the mean of the step.
        memory_pressure_percent: Option<f32>,
        /// [`super::Process::cpu_percent`], the mean of the step: percent of one core.
        process_cpu_percent: Option<f32>,
        /// [`super::System::cpu_percent`], the mean of the step: percent of all cores.
        system_cpu_percent: Option<f32>,
        /// The slowest round trip of the monitor's database probe in the step.
        database_latency_us: Option<u32>,
        /// The part of the step in which the database had failed, by its probe; `None` while its state was unknown.
        database_failed_percent: Option<f32>,
        /// Commands of the application that ended, per second. This column and the next ones are `None` without a
        /// command listener.
        commands_per_second: Option<f32>,
        /// Commands that failed, per second.
        commands_failed_per_second: Option<f32>,
        /// Commands that read, per second.
        commands_reading_per_second: Option<f32>,
        /// Commands that write, per second. All other commands are the rest.
        commands_writing_per_second: Option<f32>,
        /// Median latency of the step's commands.
        command_p50_us: Option<u32>,
        /// 95th percentile latency of commands.
        command_p95_us: Option<u32>,
        /// 99th percentile latency of commands.
        command_p99_us: Option<u32>,
        /// Checked-out connections of the fullest pool, the maximum of the step.
        connections_in_use: Option<u32>,
        /// Waits for a connection of that pool, the maximum of the step.
        connections_waiting: Option<u32>,
        /// 99th percentile of the waits for a connection.
        connection_wait_p99_us: Option<u32>,
    }
}

impl<C: Columns> Timeline<C> {
    /// The number of points.
    pub fn len(&self) -> usize {
        self.columns.points()
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The points from number `first` on, as a timeline of their own.
    #[must_use]
    pub fn points_since(&self, first: u64) -> Self {
        let mut later = self.clone();
        let known = first.saturating_sub(self.first).min(self.len() as u64);
        later.columns.drop_oldest(known as usize);
        later.first += known;
        later
    }

    /// Adds newer points. A newer point replaces the one with its number, and points before the window are dropped. The
    /// timeline of another run or window replaces this one.
    pub fn extend(&mut self, newer: Self) {
        let end = self.first + self.len() as u64;
        let same = (newer.started_at_unix_ms, newer.window) == (self.started_at_unix_ms, self.window);
        if !same || !(self.first..=end).contains(&newer.first) {
            *self = newer;
            return;
        }
        self.columns.truncate((newer.first - self.first) as usize);
        self.columns.append(newer.columns);
        let excess = self.len().saturating_sub(self.window.points());
        self.columns.drop_oldest(excess);
        self.first += excess as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINTS: usize = 90;

    fn timeline(first: u64, values: &[f32]) -> Timeline<TimelineColumns> {
        let mut timeline = Timeline { started_at_unix_ms: 1, first, ..Timeline::<TimelineColumns>::default() };
        timeline.columns.requests_per_second = values.iter().copied().map(Some).collect();
        timeline
    }

    #[test]
    fn a_newer_point_replaces_the_one_that_was_still_filling() {
        let mut have = timeline(7, &[1.0, 2.0]);
        have.extend(timeline(8, &[2.5, 3.0]));
        assert_eq!(have, timeline(7, &[1.0, 2.5, 3.0]));
    }

    #[test]
    fn what_a_page_lacks_begins_with_the_point_it_saw_filling() {
        let have = timeline(7, &[1.0, 2.0, 3.0]);
        assert_eq!(have.points_since(8), timeline(8, &[2.0, 3.0]));
        assert_eq!(have.points_since(0), have);
        assert_eq!(have.points_since(99), timeline(10, &[]));
    }

    #[test]
    fn the_oldest_points_go() {
        let mut have = timeline(0, &[0.0; POINTS]);
        have.extend(timeline(POINTS as u64, &[9.0, 9.0]));
        assert_eq!((have.first, have.len()), (2, POINTS));
    }

    #[test]
    fn a_page_that_slept_too_long_or_saw_another_run_or_window_starts_anew() {
        let mut have = timeline(0, &[1.0]);
        have.extend(timeline(500, &[2.0]));
        assert_eq!(have, timeline(500, &[2.0]));
        let other_run = Timeline { started_at_unix_ms: 2, ..timeline(0, &[5.0]) };
        have.extend(other_run.clone());
        assert_eq!(have, other_run);
        let other_window = Timeline { window: Window::Day, ..other_run };
        have.extend(other_window.clone());
        assert_eq!(have, other_window);
    }
}
