//! The monitor's side of the listener: once a second it takes the counts of commands that ended.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
};

use watchboard_wire::{CommandError, CommandName, CommandTotals, CommandsSnapshot, Deployment, Pool};

use super::{Listener, pools, shape::ShapeName};
use crate::commands::{CHECK_OUT, CommandTally};

/// Readings after which waits that do not change, while connections are free, count as abandoned.
const STILL: u32 = 15;
/// Errors in a list, the most frequent first.
const MAX_ERRORS: usize = 20;

/// Reads the listener; owned by the monitor's thread.
pub(crate) struct CommandReader {
    listener: &'static Listener,
    /// By pool: the check-outs that had ended at the last change, and the readings without a change since.
    still: Vec<(u64, u32)>,
    /// Since the start, by the shape's number.
    totals: BTreeMap<u16, Arc<CommandTotals>>,
}

impl CommandReader {
    pub(crate) fn new(listener: &'static Listener) -> Self {
        Self { listener, still: vec![], totals: BTreeMap::new() }
    }

    /// Whether the monitor listens to a client.
    pub(crate) fn listens(&self) -> bool {
        self.listener.clients.load(Relaxed) > 0
    }

    /// Takes the counts since the last call; `each` gets them by rising number of the shape.
    pub(crate) fn take(&mut self, mut each: impl FnMut(u16, &str, CommandTally)) {
        for (number, shape) in self.listener.shapes.iter() {
            let taken = shape.take();
            let known = self.totals.get(&number);
            // Read after the ends, so that no more commands end than were sent.
            let sent = shape.started_count();
            if number != CHECK_OUT && sent > known.map_or(0, |known| known.sent) || known.is_some() && taken.is_some() {
                let known = known.map_or_else(
                    || CommandTotals { name: self.name(number), ..CommandTotals::default() },
                    |known| CommandTotals::clone(known),
                );
                let taken = taken.as_ref();
                let add = |sum: u64, read: fn(&CommandTally) -> u64| sum + taken.map_or(0, read);
                let totals = CommandTotals {
                    sent,
                    fine: add(known.fine, |taken| taken.fine),
                    failed: add(known.failed, |taken| taken.failed),
                    cancelled: add(known.cancelled, |taken| taken.cancelled),
                    duration_sum_us: add(known.duration_sum_us, |taken| taken.duration_sum_us),
                    ..known
                };
                self.totals.insert(number, Arc::new(totals));
            }
            if let Some(taken) = taken {
                each(number, &shape.name.command, taken);
            }
        }
        self.still.resize(self.listener.pools.iter().count(), (0, 0));
        for (pool, still) in self.listener.pools.iter().zip(&mut self.still) {
            forget_given_up(pool, still);
        }
    }

    /// The commands' part of a full snapshot; `None` if the monitor listens to no client.
    pub(crate) fn snapshot(&self) -> Option<CommandsSnapshot> {
        let (sent_for_requests, sent_by_others) = self.sent_counts();
        self.listens().then(|| CommandsSnapshot {
            totals: self.totals(),
            sent_for_requests,
            sent_by_others,
            in_flight: self.in_flight(),
            pools: self.pools(),
        })
    }

    /// Commands sent since the start: for requests, and for no known request.
    pub(crate) fn sent_counts(&self) -> (u64, u64) {
        (self.listener.of_requests.load(Relaxed), self.listener.of_others.load(Relaxed))
    }

    /// Commands in flight.
    pub(crate) fn in_flight(&self) -> u64 {
        self.listener.connections.in_flight()
    }

    pub(crate) fn faults(&self) -> u64 {
        self.listener.faults.load(Relaxed)
    }

    /// The number of a command that an earlier run had.
    #[expect(clippy::unnecessary_wraps, reason = "a build without a listener has none")]
    pub(crate) fn number(&self, name: &CommandName) -> Option<u16> {
        let CommandName { command, database, collection } = name;
        Some(self.listener.shapes.find_named(command, database, collection))
    }

    pub(crate) fn name(&self, number: u16) -> CommandName {
        let ShapeName { command, database, collection } = &self.listener.shapes.by_number(number).name;
        let [command, database, collection] = [command, database, collection].map(ToString::to_string);
        CommandName { command, database, collection }
    }

    /// Errors since the start, by command and code.
    pub(crate) fn errors(&self) -> Vec<CommandError> {
        let errors_of = |(number, shape): (u16, &super::shape::Shape)| {
            let name = self.name(number);
            let error = |(code, word, count): (i32, &str, u64)| CommandError {
                name: name.clone(),
                code,
                word: word.to_owned(),
                count,
            };
            shape.codes().map(error).collect::<Vec<_>>()
        };
        let shapes = self.listener.shapes.iter().filter(|(number, _)| *number != CHECK_OUT);
        let mut errors: Vec<CommandError> = shapes.flat_map(errors_of).collect();
        errors.sort_by_key(|error| std::cmp::Reverse(error.count));
        errors.truncate(MAX_ERRORS);
        errors
    }

    /// The totals of all shapes since the start.
    fn totals(&self) -> Vec<Arc<CommandTotals>> {
        self.totals.values().cloned().collect()
    }

    pub(crate) fn pools(&self) -> Vec<Pool> {
        self.listener.pools.iter().map(pools::PoolCounters::read).collect()
    }

    /// Takes the most connections of one pool in use, and the most callers that waited for one, since the last call.
    pub(crate) fn take_most_connections(&self) -> Option<[u64; 2]> {
        let most = |[in_use, waiting]: [u64; 2], [more, longer]: [u64; 2]| [in_use.max(more), waiting.max(longer)];
        self.listens().then(|| self.listener.pools.iter().map(pools::PoolCounters::take_most).fold([0; 2], most))
    }

    /// The deployments as the clients see them. Clients of one deployment see the same.
    pub(crate) fn deployments(&self) -> Vec<Deployment> {
        self.listener.topologies.lock().unwrap_or_else(PoisonError::into_inner).deployments()
    }

    /// The memory of the listener and of its totals, in bytes.
    pub(crate) fn held_bytes(&self) -> u64 {
        let name = |CommandName { command, database, collection }: &CommandName| {
            command.capacity() + database.capacity() + collection.capacity()
        };
        let totals = self.totals.values().map(|totals| size_of::<CommandTotals>() + name(&totals.name)).sum::<usize>();
        let Listener { shapes, connections, pools, .. } = self.listener;
        let pools = pools.iter().map(size_of_val).sum::<usize>();
        let slots = shapes.slots_bytes() + connections.held_bytes();
        let shapes = shapes.iter().map(|(_, shape)| shape.held_bytes()).sum::<u64>();
        // The shapes that are always there are counted with all shapes.
        shapes + (size_of::<Listener>() + totals + pools + slots) as u64
    }
}

fn forget_given_up(pool: &pools::PoolCounters, (before, readings): &mut (u64, u32)) {
    let ((ended, waiting), read) = (pool.waits(), pool.read());
    // A wait that was dropped here, and ended after all.
    if waiting < 0 {
        pool.forget_waits(waiting);
    }
    let moves = ended != *before || waiting <= 0 || read.is_full();
    (*before, *readings) = (ended, if moves { 0 } else { *readings + 1 });
    if *readings >= STILL {
        pool.forget_waits(waiting);
        *readings = 0;
    }
}
