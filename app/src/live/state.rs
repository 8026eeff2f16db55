//! The live figures and their freshness, which the frame, the pages and the refresh loop share.

use leptos::prelude::*;
use watchboard_wire::RefreshResponse;

use crate::{figures::Figures, place::Place, preferences::Preferences};

/// How fresh the page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkState {
    /// No script has run: the page is as it was loaded.
    AsLoaded,
    /// The last refresh was on time, and the server's own figures are new.
    Live,
    /// The viewer stopped it.
    Paused,
    /// No answer for longer than it should take, or an answer with old figures.
    Stale,
    /// The last refresh failed; the next one is under way.
    Lost,
}

/// Past the refresh interval, this many seconds until figures count as stale.
const STALE_AFTER_SECONDS: u64 = 4;

/// The live figures and their freshness; copied freely, held by the frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Live {
    pub(crate) figures: RwSignal<Figures>,
    pub(crate) place: RwSignal<Place>,
    pub(crate) preferences: RwSignal<Preferences>,
    /// Whether a refresh is under way.
    pub(crate) refreshing: RwSignal<bool>,
    /// How old the figures are, in whole seconds; none until scripts run.
    pub(crate) age_seconds: RwSignal<Option<u64>>,
    /// Set when the viewer asks for a refresh now.
    pub(super) refresh_requested: RwSignal<()>,
    /// Whether the last refresh failed.
    pub(super) failed: RwSignal<bool>,
}

impl Live {
    /// The figures of the first paint.
    pub(super) fn new(first: RefreshResponse, place: RwSignal<Place>, preferences: RwSignal<Preferences>) -> Self {
        Self {
            figures: RwSignal::new(Figures::new(place.with_untracked(Place::ask), first)),
            place,
            preferences,
            refreshing: RwSignal::new(false),
            age_seconds: RwSignal::new(None),
            refresh_requested: RwSignal::new(()),
            failed: RwSignal::new(false),
        }
    }

    /// Refreshes now, unless that is happening already.
    pub(crate) fn refresh(self) {
        self.refresh_requested.set(());
    }

    pub(crate) fn link_state(self) -> LinkState {
        let Preferences { interval_seconds, paused, .. } = self.preferences.get();
        match self.age_seconds.get() {
            None => LinkState::AsLoaded,
            Some(_) if self.failed.get() => LinkState::Lost,
            Some(_) if paused => LinkState::Paused,
            Some(age) if age > u64::from(interval_seconds) + STALE_AFTER_SECONDS => LinkState::Stale,
            Some(_) => LinkState::Live,
        }
    }
}
