//! The part of the figures that the memory view alone shows.

use watchboard_wire::{MemoryDetail, Reading, Unknown};

use crate::figures::Figures;

/// The server's costly readings for this view.
pub(super) fn memory_detail(figures: &Figures) -> Reading<&MemoryDetail> {
    figures.memory.as_ref().ok_or_else(|| Unknown::because("not read yet"))
}
