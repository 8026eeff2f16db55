//! The live figures and their freshness, which the layout, the pages and the refresh loop share.

use leptos::prelude::*;
use watchboard_wire::{RefreshResponse, STALE_AFTER};

use crate::{figures::Figures, preferences::Preferences, selection::Selection};

/// How fresh the page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkState {
    /// No script has run, so the page is as the server rendered it.
    AsLoaded,
    /// The last refresh was on time, and its figures were new.
    Live,
    /// The viewer paused the loop.
    Paused,
    /// The figures are older than the refresh interval allows.
    Stale,
    /// The last refresh failed, and the loop retries.
    Lost,
}

/// Figures are stale if they are older than the refresh interval plus this many seconds.
const STALE_AFTER_SECONDS: u64 = 4;

/// The live figures and their freshness. The layout owns the signals.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Live {
    pub(crate) figures: RwSignal<Figures>,
    pub(crate) selection: RwSignal<Selection>,
    pub(crate) preferences: RwSignal<Preferences>,
    /// The names of the endpoints in the order of the table that was shown last.
    pub(crate) table_order: StoredValue<Vec<String>>,
    /// Whether a refresh is in flight.
    pub(crate) refreshing: RwSignal<bool>,
    /// The age of the figures in whole seconds; `None` until scripts run.
    pub(crate) age_seconds: RwSignal<Option<u64>>,
    /// Whether the figures of the first paint were stale when the server sent them.
    loaded_stale: bool,
    /// The time of the figures at which the viewer paused; `None` while the loop runs.
    pub(crate) paused_at_unix_ms: RwSignal<Option<u64>>,
    /// Set when the viewer asks for a refresh now.
    pub(super) refresh_requested: RwSignal<()>,
    /// Whether the last refresh failed.
    pub(super) failed: RwSignal<bool>,
    /// Whether it failed since another build of the server answered, just after the page was loaded for another build.
    pub(crate) other_build: RwSignal<bool>,
}

impl Live {
    /// The figures of the first paint.
    pub(super) fn new(
        first: RefreshResponse,
        selection: RwSignal<Selection>,
        preferences: RwSignal<Preferences>,
    ) -> Self {
        let loaded_stale = u128::from(first.age_ms) > STALE_AFTER.as_millis();
        Self {
            loaded_stale,
            figures: RwSignal::new(Figures::new(selection.with_untracked(Selection::refresh_query), first)),
            selection,
            preferences,
            table_order: StoredValue::default(),
            refreshing: RwSignal::new(false),
            age_seconds: RwSignal::new(None),
            paused_at_unix_ms: RwSignal::new(None),
            refresh_requested: RwSignal::new(()),
            failed: RwSignal::new(false),
            other_build: RwSignal::new(false),
        }
    }

    /// Refreshes now, unless a refresh is in flight.
    pub(crate) fn refresh(self) {
        self.refresh_requested.set(());
    }

    /// Whether the figures stand still, so that the last of them is not of now.
    pub(crate) fn is_held(self) -> bool {
        self.failed.get() || self.paused_at_unix_ms.get().is_some()
    }

    pub(crate) fn link_state(self) -> LinkState {
        let Preferences { interval_seconds, paused, .. } = self.preferences.get();
        match self.age_seconds.get() {
            None if self.loaded_stale => LinkState::Stale,
            None => LinkState::AsLoaded,
            Some(_) if self.failed.get() => LinkState::Lost,
            Some(_) if paused => LinkState::Paused,
            Some(age) if age > u64::from(interval_seconds) + STALE_AFTER_SECONDS => LinkState::Stale,
            Some(_) => LinkState::Live,
        }
    }
}
