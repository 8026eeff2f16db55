//! What of the history goes to the store, and what comes back after a restart.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use watchboard_wire::{CommandName, EndpointName, ErrorCause};

use super::{
    History, NameLookup,
    causes::{CauseKey, Causes},
    frame::{Frame, fold},
    store::{Batch, Earlier, NameKey, StoreTier, StoredSpans, StoredStep},
    stored,
    stored_name::{RunNumber, StoredName},
    stored_reports::{StoredErrors, StoredReports},
    tiers::{STEPS, earlier_span, first_of},
};
use crate::requests::{Reader, SlowSighting};

/// The tier in memory whose frames a stored tier has.
pub(super) fn tier_of(stored: StoreTier) -> usize {
    STEPS.iter().position(|step| *step == stored.step_seconds()).unwrap_or_default()
}

/// The name that a number of this run has.
fn name_of(numbered: RunNumber, names: NameLookup<'_>, causes: &Causes) -> StoredName {
    match numbered {
        RunNumber::Endpoint(id) => {
            let EndpointName { method, route, .. } = names.reader.name(id);
            StoredName::Endpoint { method, route }
        }
        RunNumber::Command(number) => StoredName::Command((names.command)(number as u16)),
        RunNumber::Cause(number) => {
            let ErrorCause { endpoint_id, status, kind, message, .. } =
                causes.by_number(number).cloned().unwrap_or_default();
            let EndpointName { method, route, .. } = names.reader.name(endpoint_id as usize);
            StoredName::Cause { method, route, status, kind, message }
        }
    }
}

impl History {
    /// What the store lacks: the complete steps of ten seconds, and the longer steps that they are a part of, as far as those are.
    pub(crate) fn take_unstored(&mut self, names: NameLookup<'_>) -> Batch {
        self.take_until(self.tiers.complete_until(1), false, names)
    }

    /// The same with the seconds since the last complete step: nothing comes after them.
    pub(crate) fn take_rest(&mut self, names: NameLookup<'_>) -> Batch {
        self.take_until(self.now, true, names)
    }

    fn take_until(&mut self, to: u64, is_rest: bool, names: NameLookup<'_>) -> Batch {
        let mut batch = Batch { marks: self.marks.take_unsent(), ..Batch::default() };
        for tier in StoreTier::ALL {
            let step = tier.step_seconds();
            let refolded = self.sent.refolded.iter().filter(|(at, _)| *at == tier_of(tier)).map(|(_, start)| *start);
            let mut starts: BTreeSet<u64> = refolded.collect();
            let from = self.sent.until[tier as usize].max(self.first / 10 * 10);
            // Longer steps are sent less often, since they take longer to sum.
            let sent_each = tier.sent_each_seconds();
            if from < to && (is_rest || from / sent_each < to / sent_each) {
                starts.extend((from / step..to.div_ceil(step)).map(|number| number * step));
                self.sent.until[tier as usize] = to;
            }
            for start in starts {
                let own: Vec<_> = self.tiers.cover(tier_of(tier), start, to.min(start + step)).collect();
                if own.is_empty() {
                    continue;
                }
                // The own ones last: the memory of a step is that at its end.
                let frames = [self.of_others.within(start..start + step), own].concat();
                let (mut frame, reported) = (fold(start, &frames), &self.reported);
                frame.seconds = frame.seconds.min(step);
                let name = |numbered| name_of(numbered, names, &reported.causes);
                let key = &mut |numbered| self.sent.key(name(numbered), &mut batch.names);
                let reports = StoredReports::of_frame(&frame, start + step, reported, key);
                let bytes = stored::encode(&frame, &reports, key);
                batch.steps.push(StoredStep { tier, start, bytes });
            }
        }
        self.sent.refolded.clear();
        batch
    }

    /// A batch was lost: its names are sent again.
    pub(crate) fn forget_sent(&mut self, lost: &Batch) {
        for (key, _) in &lost.names {
            self.sent.names.remove(key);
        }
        self.marks.send_again(&lost.marks);
    }

    /// Completes the longer steps that the last run had begun when it was killed, or when its last batch was lost: they are made of its
    /// shorter ones. Returns what the store lacks of them.
    pub(crate) fn complete(
        earlier: &mut Earlier,
        reader: &mut Reader,
        number: &dyn Fn(&CommandName) -> Option<u16>,
        name: &dyn Fn(u16) -> CommandName,
    ) -> Batch {
        let steps = std::mem::take(&mut earlier.last_steps);
        let Some(newest) = earlier.last_stored else { return Batch::default() };
        let of_last = Earlier { steps, names: std::mem::take(&mut earlier.names), ..Earlier::default() };
        let mut last = Self::new(0, newest + 10);
        last.restore(&of_last, reader, number);
        last.first = newest;
        // With the next step: if another run has stored it, this history took it over as the one in which it begins.
        let mut batch = last.take_until(newest + 20, true, NameLookup { reader, command: name });
        let is_same = |one: &StoredStep, other: &StoredStep| (one.tier, one.start) == (other.tier, other.start);
        let known = |fresh: &StoredStep| of_last.steps.iter().find(|known| is_same(known, fresh));
        let extent = stored::requests_and_seconds;
        batch.steps.retain(|fresh| known(fresh).map_or((0, 0), extent) < extent(fresh));
        earlier.names = of_last.names;
        earlier.steps.retain(|known| !batch.steps.iter().any(|fresh| is_same(known, fresh)));
        earlier.steps.extend(batch.steps.iter().cloned());
        batch
    }

    /// Takes over what earlier runs have stored, and returns how many of its steps cannot be read. `command` finds or makes the number of a
    /// command.
    pub(crate) fn restore(
        &mut self,
        earlier: &Earlier,
        reader: &mut Reader,
        command: &dyn Fn(&CommandName) -> Option<u16>,
    ) -> usize {
        let mut steps = StepDecoder::new(&earlier.names);
        self.sent.names.extend(steps.known.keys());
        self.sent.causes = steps.known.values().filter(|name| matches!(name, StoredName::Cause { .. })).count();
        self.marks.restore(self.now, &earlier.marks);
        let mut unreadable = 0;
        // The coarsest first: they reach furthest back, should the memory not suffice for all.
        for (tier, span) in restored_spans(self.first).into_iter().rev() {
            let mut frames = vec![];
            for step in earlier.steps.iter().filter(|step| step.tier == tier && span.contains(&step.start)) {
                match steps.decode(step, reader, command, &mut self.reported.causes) {
                    Some(frame) => frames.push(frame),
                    None => unreadable += 1,
                }
            }
            self.tiers.restore(tier_of(tier), frames);
        }
        // The ten seconds in which this run began are taken over, unless it has a frame of them already.
        let begun = self.first / 10 * 10;
        let begun = if self.tiers.complete_until(1) > begun { begun } else { begun + 10 };
        for tier in StoreTier::ALL {
            let first = begun.next_multiple_of(tier.step_seconds());
            for step in earlier.steps.iter().filter(|step| step.tier == tier && step.start >= first) {
                match steps.decode(step, reader, command, &mut self.reported.causes) {
                    Some(frame) => self.of_others.add(tier, frame),
                    None => unreadable += 1,
                }
            }
        }
        self.reported.add_earlier(steps.slow, &self.aliases);
        self.sent.refolded = self.tiers.refold();
        let stored = first_of(earlier.first_starts.iter().map(|(tier, start)| (*start, tier.step_seconds())));
        self.oldest = [self.tiers.oldest(), stored].into_iter().flatten().fold(self.first, u64::min);
        self.forget_sums();
        unreadable
    }
}

/// Makes frames of stored steps: their names get the numbers of this run.
pub(super) struct StepDecoder {
    known: HashMap<NameKey, StoredName>,
    endpoints: HashMap<NameKey, Option<usize>>,
    /// The slow requests of all steps so far.
    pub(super) slow: Vec<SlowSighting>,
}

impl StepDecoder {
    pub(super) fn new(names: &[(NameKey, Vec<u8>)]) -> Self {
        let known = names.iter().filter_map(|(key, name)| Some((*key, StoredName::decode(name)?))).collect();
        Self { known, endpoints: HashMap::new(), slow: vec![] }
    }

    /// `None` if the step cannot be read. Its causes are added to `causes`.
    pub(super) fn decode(
        &mut self,
        step: &StoredStep,
        reader: &mut Reader,
        command: &dyn Fn(&CommandName) -> Option<u16>,
        causes: &mut Causes,
    ) -> Option<Frame> {
        let Self { known, endpoints, slow } = self;
        let mut endpoint = |key: NameKey| {
            *endpoints.entry(key).or_insert_with(|| match known.get(&key)? {
                StoredName::Endpoint { method, route } => reader.id_of_name(method.as_deref(), route),
                StoredName::Command(_) | StoredName::Cause { .. } => None,
            })
        };
        let mut number = |key: NameKey| match known.get(&key)? {
            StoredName::Command(name) => command(name).map(usize::from),
            StoredName::Endpoint { .. } | StoredName::Cause { .. } => None,
        };
        let (mut frame, reports) = stored::decode(&step.bytes, step.start, &mut endpoint, &mut number)?;
        slow.extend(reports.slow.into_iter().filter_map(|one| one.sighting(&mut endpoint, &mut number)));
        // A step that is not complete ends in the future.
        let span = step.start..step.start + frame.seconds.max(1);
        let mut errors: BTreeMap<u32, u32> = BTreeMap::new();
        for StoredErrors { cause, count, samples } in reports.errors {
            let Some(StoredName::Cause { method, route, status, kind, message }) = known.get(&NameKey(cause)) else {
                continue;
            };
            let Some(endpoint) = reader.id_of_name(method.as_deref(), route) else { continue };
            let key = CauseKey { endpoint, status: *status, kind: *kind, message: message.clone() };
            let name = || reader.name(endpoint).text();
            if let Some(number) = causes.add_earlier(key, name, span.clone(), samples) {
                *errors.entry(number).or_default() += count;
            }
        }
        frame.errors = errors.into_iter().collect();
        Some(frame)
    }
}

/// The Unix seconds of the steps of each tier that a history which begins at a tick takes over.
pub(crate) fn restored_spans(first_tick: u64) -> StoredSpans {
    StoreTier::ALL.map(|tier| (tier, earlier_span(tier_of(tier), first_tick)))
}

#[cfg(test)]
mod tests;
