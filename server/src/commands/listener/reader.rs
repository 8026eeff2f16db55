//! The monitor's side of the listener: once a second it takes what has ended.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
};

use watchboard_wire::{CommandError, CommandName, CommandTotals, CommandsSnapshot, Deployment, Pool};

use super::{CHECK_OUT, Listener, TakenShape, pools, shapes::Name};

/// Waits that do not move for so many readings while connections are free have been given up.
const STILL: u32 = 15;
/// Errors that are told, the most frequent first.
const MOST_ERRORS: usize = 20;

/// Reads the listener; owned by the monitor's thread.
pub(crate) struct CommandReader {
    listener: &'static Listener,
    /// Of each pool: the check-outs that had ended when its waits were last seen to move, and for how many readings they have not.
    still: Vec<(u64, u32)>,
    /// By number, since the start.
    totals: BTreeMap<u16, Arc<CommandTotals>>,
}

impl CommandReader {
    pub(crate) fn new(listener: &'static Listener) -> Self {
        Self { listener, still: vec![], totals: BTreeMap::new() }
    }

    /// Whether there is a client to listen to.
    pub(crate) fn listens(&self) -> bool {
        self.listener.clients.load(Relaxed) > 0
    }

    /// Takes what ended since the last time; `each` gets it by rising number.
    pub(crate) fn take(&mut self, mut each: impl FnMut(u16, TakenShape)) {
        for (number, shape) in self.listener.shapes.iter() {
            let taken = shape.take();
            let known = self.totals.get(&number);
            // Read after what ended was taken, so that nothing ends that was not sent.
            let sent = shape.started();
            if number != CHECK_OUT && sent > known.map_or(0, |known| known.sent) || known.is_some() && taken.is_some() {
                let known = known.map_or_else(
                    || CommandTotals { name: self.name(number), ..CommandTotals::default() },
                    |known| CommandTotals::clone(known),
                );
                let taken = taken.as_ref();
                let add = |sum: u64, read: fn(&TakenShape) -> u64| sum + taken.map_or(0, read);
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
                each(number, taken);
            }
        }
        self.still.resize(self.listener.pools.iter().count(), (0, 0));
        for (pool, still) in self.listener.pools.iter().zip(&mut self.still) {
            forget_given_up(pool, still);
        }
    }

    /// What whoever asks for the whole gets.
    pub(crate) fn frozen(&self) -> Option<CommandsSnapshot> {
        let (sent_for_requests, sent_by_others) = self.sent();
        self.listens().then(|| CommandsSnapshot {
            totals: self.totals(),
            sent_for_requests,
            sent_by_others,
            in_flight: self.in_flight(),
            pools: self.pools(),
        })
    }

    /// Commands since the start: for requests, and for nobody that is known.
    pub(crate) fn sent(&self) -> (u64, u64) {
        (self.listener.of_requests.load(Relaxed), self.listener.of_others.load(Relaxed))
    }

    /// Commands under way.
    pub(crate) fn in_flight(&self) -> u64 {
        self.listener.connections.in_flight()
    }

    pub(crate) fn faults(&self) -> u64 {
        self.listener.faults.load(Relaxed)
    }

    pub(crate) fn name(&self, number: u16) -> CommandName {
        let Name { command, database, collection } = &self.listener.shapes.numbered(number).name;
        let [command, database, collection] = [command, database, collection].map(ToString::to_string);
        CommandName { command, database, collection }
    }

    /// Errors since the start, by command and code.
    pub(crate) fn errors(&self) -> Vec<CommandError> {
        let of = |(number, shape): (u16, &super::shape::Shape)| {
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
        let mut errors: Vec<CommandError> = shapes.flat_map(of).collect();
        errors.sort_by_key(|error| std::cmp::Reverse(error.count));
        errors.truncate(MOST_ERRORS);
        errors
    }

    /// What was sent since the start, and how it ended.
    fn totals(&self) -> Vec<Arc<CommandTotals>> {
        self.totals.values().cloned().collect()
    }

    pub(crate) fn pools(&self) -> Vec<Pool> {
        self.listener.pools.iter().map(pools::Pool::read).collect()
    }

    /// The most connections of one pool that were in use since the last time, and the most that waited for one of them.
    pub(crate) fn take_most_connections(&self) -> Option<[u64; 2]> {
        let most = |[in_use, waiting]: [u64; 2], [more, longer]: [u64; 2]| [in_use.max(more), waiting.max(longer)];
        self.listens().then(|| self.listener.pools.iter().map(pools::Pool::take_most).fold([0; 2], most))
    }

    /// As the clients see them; clients of one deployment see the same.
    pub(crate) fn deployments(&self) -> Vec<Deployment> {
        self.listener.topologies.lock().unwrap_or_else(PoisonError::into_inner).seen()
    }

    pub(crate) fn held_bytes(&self) -> u64 {
        self.listener.shapes.iter().map(|(_, shape)| shape.held_bytes()).sum::<u64>() + size_of::<Listener>() as u64
    }
}

fn forget_given_up(pool: &pools::Pool, (before, readings): &mut (u64, u32)) {
    let ((ended, waiting), read) = (pool.waits(), pool.read());
    // A wait that was forgotten, and ended after all.
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
