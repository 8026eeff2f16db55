//! A frame: the sums of some seconds. Several frames fold into one.

use std::borrow::Cow;

use super::compact::{self, Compact, Sign};
use crate::{
    commands::{CHECK_OUT, CommandTally},
    requests::Tally,
};

/// The number of waiting for a connection among the commands. The sum of all commands leaves it out.
pub(crate) const WAITS: usize = CHECK_OUT as usize;

/// The host's figures in a frame. Each is `None` if it was not known.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Host {
    /// At the end of the frame.
    pub(crate) rss_bytes: Option<u64>,
    pub(crate) anonymous_bytes: Option<u64>,
    pub(crate) file_bytes: Option<u64>,
    pub(crate) shmem_bytes: Option<u64>,
    pub(crate) live_heap_bytes: Option<u64>,
    pub(crate) memory_percent: Option<f64>,
    /// The mean of the frame.
    pub(crate) process_cpu_percent: Option<f64>,
    pub(crate) system_cpu_percent: Option<f64>,
    pub(crate) memory_pressure_percent: Option<f64>,
    /// Bytes per second, by requests and by all else.
    pub(crate) requests_allocate: Option<f64>,
    pub(crate) others_allocate: Option<f64>,
    /// Bytes freed per second.
    pub(crate) frees: Option<f64>,
    /// 100 while the database had failed, 0 while it was healthy.
    pub(crate) database_failed_percent: Option<f64>,
    /// Commands per second that read, and that write; `None` if the monitor does not listen to the application's client.
    pub(crate) commands_reading: Option<f64>,
    pub(crate) commands_writing: Option<f64>,
    /// The worst of the frame.
    pub(crate) database_latency_us: Option<u64>,
    /// The largest of the frame; `None` if the monitor does not listen to the application's client.
    pub(crate) connections_in_use: Option<u64>,
    pub(crate) connections_waiting: Option<u64>,
}

/// The requests that ended within a span of ticks, and the host's figures.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    /// Its first tick; its tier tells the number of ticks.
    pub(crate) start: u64,
    /// The number of ticks with a reading.
    pub(crate) seconds: u64,
    pub(crate) host: Host,
    /// By endpoint.
    pub(super) requests: Tallies,
    /// The application's database commands, by shape.
    pub(super) commands: Tallies,
    /// Errors by the number of their cause.
    pub(super) errors: Box<[(u32, u32)]>,
}

/// The encoded tallies of all endpoints or of all commands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tallies {
    /// All together.
    whole: Box<[u8]>,
    /// By rising id, for each with requests that ended: the id, the length of the encoded tally, and the tally.
    each: Box<[u8]>,
}

impl Tallies {
    /// From the encoded sum of all, and the encoded tallies by rising id.
    pub(super) fn new<'a>(whole: &[u8], tallies: impl IntoIterator<Item = (usize, Cow<'a, [u8]>)>) -> Self {
        let mut each = vec![];
        for (id, tally) in tallies {
            write_tally(&mut each, id, &tally);
        }
        Self { whole: whole.into(), each: each.into_boxed_slice() }
    }

    /// The encoded sum of all.
    pub(super) fn whole(&self) -> &[u8] {
        &self.whole
    }

    /// Adds the sum of all to a tally, or subtracts it again.
    pub(super) fn apply_whole<T: Compact>(&self, sign: Sign, tally: &mut T) {
        compact::apply(sign, &self.whole, tally);
    }

    /// The ids with their encoded tallies.
    pub(super) fn iter(&self) -> TalliesIter<'_> {
        TalliesIter(&self.each)
    }

    fn bytes(&self) -> usize {
        self.whole.len() + self.each.len()
    }
}

/// Writes what [`TalliesIter`] reads.
fn write_tally(each: &mut Vec<u8>, id: usize, tally: &[u8]) {
    compact::write(each, id as u64);
    compact::write(each, tally.len() as u64);
    each.extend_from_slice(tally);
}

impl Frame {
    /// The memory that it holds, with the allocator's overhead, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.requests.bytes() + self.commands.bytes() + size_of_val(&*self.errors) + 48
    }

    pub(super) fn errors(&self) -> &[(u32, u32)] {
        &self.errors
    }
}

/// Iterates over [`Tallies`].
pub(super) struct TalliesIter<'a>(&'a [u8]);

impl<'a> Iterator for TalliesIter<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let id = compact::read(&mut self.0) as usize;
        let length = compact::read(&mut self.0) as usize;
        let (tally, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some((id, tally))
    }
}

/// Builds a frame.
pub(crate) struct FrameBuilder {
    frame: Frame,
    requests: TalliesBuilder<Tally>,
    commands: TalliesBuilder<CommandTally>,
}

/// Builds tallies, which are added by rising id.
#[derive(Default)]
struct TalliesBuilder<T> {
    /// The id that the whole leaves out.
    apart: Option<usize>,
    whole: T,
    each: Vec<u8>,
    encoded: Vec<u8>,
}

impl<T: Compact> TalliesBuilder<T> {
    fn add(&mut self, id: usize, tally: &T) {
        self.encoded.clear();
        tally.encode(&mut self.encoded);
        if self.apart != Some(id) {
            compact::apply(Sign::Add, &self.encoded, &mut self.whole);
        }
        write_tally(&mut self.each, id, &self.encoded);
    }

    fn finish(mut self) -> Tallies {
        self.encoded.clear();
        if !self.each.is_empty() {
            self.whole.encode(&mut self.encoded);
        }
        Tallies { whole: self.encoded.into_boxed_slice(), each: self.each.into_boxed_slice() }
    }
}

impl FrameBuilder {
    pub(crate) fn new(start: u64, seconds: u64) -> Self {
        Self::with_waits(start, seconds, WAITS)
    }

    /// The same where waiting for a connection has another number.
    pub(super) fn with_waits(start: u64, seconds: u64, waits: usize) -> Self {
        let frame = Frame { start, seconds, ..Frame::default() };
        Self {
            frame,
            requests: TalliesBuilder::default(),
            commands: TalliesBuilder { apart: Some(waits), ..TalliesBuilder::default() },
        }
    }

    /// Adds an endpoint; call it by rising id.
    pub(crate) fn endpoint(&mut self, id: usize, tally: &Tally) {
        self.requests.add(id, tally);
    }

    /// Adds a command; call it by the rising number of the shape.
    pub(crate) fn command(&mut self, shape: usize, tally: &CommandTally) {
        self.commands.add(shape, tally);
    }

    pub(crate) fn finish(self, host: Host, errors: Vec<(u32, u32)>) -> Frame {
        Frame {
            host,
            requests: self.requests.finish(),
            commands: self.commands.finish(),
            errors: errors.into_boxed_slice(),
            ..self.frame
        }
    }
}

/// Folds several frames into one that begins at `start`. Sums and histograms add up, so that percentiles stay exact.
pub(super) fn fold(start: u64, frames: &[&Frame]) -> Frame {
    let seconds = frames.iter().map(|frame| frame.seconds).sum();
    fold_as(FrameBuilder::new(start, seconds), frames, fold_host(frames))
}

/// Adds the tallies and errors of several frames to one that has these figures of the host.
pub(super) fn fold_as(mut builder: FrameBuilder, frames: &[&Frame], host: Host) -> Frame {
    fold_tallies(frames.iter().map(|frame| &frame.requests), &mut builder.requests);
    fold_tallies(frames.iter().map(|frame| &frame.commands), &mut builder.commands);
    let mut errors: Vec<(u32, u32)> = frames.iter().flat_map(|frame| frame.errors()).copied().collect();
    errors.sort_unstable_by_key(|(cause, _)| *cause);
    errors.dedup_by(|(cause, count), (kept, sum)| {
        let same = cause == kept;
        *sum += if same { *count } else { 0 };
        same
    });
    builder.finish(host, errors)
}

fn fold_tallies<'a, T: Compact>(tallies: impl Iterator<Item = &'a Tallies>, folded: &mut TalliesBuilder<T>) {
    let mut cursors: Vec<_> = tallies.map(|tallies| tallies.iter().peekable()).collect();
    let mut sum = T::default();
    while let Some(id) = cursors.iter_mut().filter_map(|cursor| cursor.peek().map(|(id, _)| *id)).min() {
        sum.clear();
        for cursor in &mut cursors {
            if let Some((_, encoded)) = cursor.next_if(|(next, _)| *next == id) {
                compact::apply(Sign::Add, encoded, &mut sum);
            }
        }
        folded.add(id, &sum);
    }
}

/// The host's figures over several frames.
pub(crate) fn fold_host(frames: &[&Frame]) -> Host {
    let mean = |read: fn(&Host) -> Option<f64>| {
        let known = frames.iter().filter_map(|frame| Some((read(&frame.host)?, frame.seconds as f64)));
        let (sum, seconds) =
            known.fold((0.0, 0.0), |(sum, all), (value, seconds)| (sum + value * seconds, all + seconds));
        (seconds > 0.0).then(|| sum / seconds)
    };
    let most = |read: fn(&Host) -> Option<u64>| frames.iter().filter_map(|frame| read(&frame.host)).max();
    let last = frames.last().map(|frame| &frame.host);
    Host {
        rss_bytes: last.and_then(|host| host.rss_bytes),
        anonymous_bytes: last.and_then(|host| host.anonymous_bytes),
        file_bytes: last.and_then(|host| host.file_bytes),
        shmem_bytes: last.and_then(|host| host.shmem_bytes),
        live_heap_bytes: last.and_then(|host| host.live_heap_bytes),
        memory_percent: last.and_then(|host| host.memory_percent),
        process_cpu_percent: mean(|host| host.process_cpu_percent),
        system_cpu_percent: mean(|host| host.system_cpu_percent),
        memory_pressure_percent: mean(|host| host.memory_pressure_percent),
        requests_allocate: mean(|host| host.requests_allocate),
        others_allocate: mean(|host| host.others_allocate),
        frees: mean(|host| host.frees),
        database_failed_percent: mean(|host| host.database_failed_percent),
        commands_reading: mean(|host| host.commands_reading),
        commands_writing: mean(|host| host.commands_writing),
        database_latency_us: most(|host| host.database_latency_us),
        connections_in_use: most(|host| host.connections_in_use),
        connections_waiting: most(|host| host.connections_waiting),
    }
}
