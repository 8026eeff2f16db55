//! The refresh loop. While the tab is visible and not paused it asks for new figures, one request at a time, and
//! retries after a failure.

#[cfg(feature = "hydrate")]
mod browser;
mod state;

use leptos::prelude::*;
use watchboard_wire::{RefreshResponse, Snapshot};

use crate::{context::context, figures::Figures, preferences::Preferences, selection::Selection};

pub(crate) use state::{LinkState, Live};

/// Puts the figures of the first paint into the context. In the browser this also starts the loop that keeps them
/// fresh.
pub(crate) fn provide(mut first: RefreshResponse, selection: RwSignal<Selection>, preferences: RwSignal<Preferences>) {
    first.snapshot.zone_minutes = preferences.with_untracked(|it| it.zone_minutes.unwrap_or_default());
    #[cfg(feature = "hydrate")]
    let age_ms = first.age_ms;
    let live = Live::new(first, selection, preferences);
    provide_context(live);
    #[cfg(feature = "hydrate")]
    browser::start(live, age_ms);
}

/// The live figures of this page.
pub(crate) fn use_live() -> Live {
    context()
}

/// A figure of the snapshot. The memo notifies only if its value changes.
pub(crate) fn snapshot_memo<T: PartialEq + Send + Sync + 'static>(
    read: impl Fn(&Snapshot) -> T + Send + Sync + 'static,
) -> Memo<T> {
    figures_memo(move |figures| read(&figures.snapshot))
}

/// A value of all figures. The memo notifies only if it changes.
pub(crate) fn figures_memo<T: PartialEq + Send + Sync + 'static>(
    read: impl Fn(&Figures) -> T + Send + Sync + 'static,
) -> Memo<T> {
    memo(use_live().figures, Box::new(read))
}

/// A text of the snapshot.
pub(crate) fn snapshot_text(read: impl Fn(&Snapshot) -> String + Send + Sync + 'static) -> Memo<String> {
    snapshot_memo(read)
}

/// A reader of the figures. It is boxed, so that the code of a memo is compiled once for each type and not for each
/// figure.
type FigureReader<T> = Box<dyn Fn(&Figures) -> T + Send + Sync>;

fn memo<T: PartialEq + Send + Sync + 'static>(figures: RwSignal<Figures>, read: FigureReader<T>) -> Memo<T> {
    Memo::new(move |_| figures.with(&read))
}
