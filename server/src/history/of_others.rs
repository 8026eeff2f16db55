//! What the store has of other runs from the time of this one: another process had the file meanwhile, or a clock was set back. A step
//! that this run stores has their figures too, or they would be lost with the step that it replaces.

use std::{collections::BTreeMap, ops::Range};

use super::{frame::Frame, store::StoreTier};

/// The frames of other runs, of the shortest steps that there are of each moment.
#[derive(Default)]
pub(super) struct OfOthers(BTreeMap<u64, (u64, Frame)>);

impl OfOthers {
    /// Adds a frame, unless there are some of shorter steps.
    pub(super) fn add(&mut self, tier: StoreTier, frame: Frame) {
        let end = frame.start + tier.step_seconds();
        if self.0.range(frame.start..end).next().is_none() {
            self.0.insert(frame.start, (end, frame));
        }
    }

    /// Those of whole steps within a span.
    pub(super) fn within(&self, span: Range<u64>) -> Vec<&Frame> {
        let begin_there = self.0.range(span.clone());
        begin_there.filter(|(_, (end, _))| *end <= span.end).map(|(_, (_, frame))| frame).collect()
    }
}
