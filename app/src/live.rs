//! The one refresh loop: while the tab is visible and not paused it asks for what is new, never twice at once, and goes on after a failure.

#[cfg(feature = "hydrate")]
mod browser;
mod state;

use leptos::prelude::*;
use watchboard_wire::{RefreshResponse, Snapshot, Timeline, TimelineColumns};

use crate::{figures::Figures, place::Place, preferences::Preferences};

pub(crate) use state::{LinkState, Live};

/// Provides the figures of the first paint. In the browser it also starts the loop that keeps them fresh.
pub(crate) fn provide(first: RefreshResponse, place: RwSignal<Place>, preferences: RwSignal<Preferences>) {
    #[cfg(feature = "hydrate")]
    let age_ms = first.age_ms();
    let live = Live::new(first, place, preferences);
    provide_context(live);
    #[cfg(feature = "hydrate")]
    browser::start(live, age_ms);
}

/// The live figures of this page.
pub(crate) fn use_live() -> Live {
    expect_context()
}

/// One figure of the snapshot, which only changes when its value does.
pub(crate) fn snapshot_memo<T: PartialEq + Send + Sync + 'static>(
    read: impl Fn(&Snapshot) -> T + Send + Sync + 'static,
) -> Memo<T> {
    figures_memo(move |figures| read(&figures.snapshot))
}

/// One of any of the figures.
pub(crate) fn figures_memo<T: PartialEq + Send + Sync + 'static>(
    read: impl Fn(&Figures) -> T + Send + Sync + 'static,
) -> Memo<T> {
    memo(use_live().figures, Box::new(read))
}

/// One chart's data, read from the timeline whenever that grows.
pub(crate) fn timeline_memo<T: PartialEq + Send + Sync + 'static>(
    read: impl Fn(&Timeline<TimelineColumns>) -> T + Send + Sync + 'static,
) -> Memo<T> {
    figures_memo(move |figures| read(&figures.timeline))
}

/// A text of the snapshot.
pub(crate) fn snapshot_text(read: impl Fn(&Snapshot) -> String + Send + Sync + 'static) -> Memo<String> {
    snapshot_memo(read)
}

/// A reader of the figures, boxed so that the machinery behind a memo is compiled once per type and not once per figure.
type FigureReader<T> = Box<dyn Fn(&Figures) -> T + Send + Sync>;

fn memo<T: PartialEq + Send + Sync + 'static>(figures: RwSignal<Figures>, read: FigureReader<T>) -> Memo<T> {
    Memo::new(move |_| figures.with(&read))
}
