//! The one refresh loop: while the tab is visible and not paused it asks for what is new, never twice at once, and goes on after a failure.

use leptos::prelude::*;
use watchboard_wire::{RefreshResponse, Snapshot, Timeline, TimelineColumns};

use crate::{figures::Figures, place::Place, preferences::Preferences};

/// How fresh the page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// No script has run: the page is as it was loaded.
    AsLoaded,
    /// RefreshResponse on time, and the server's own figures are new.
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
#[derive(Clone, Copy)]
pub(crate) struct Live {
    pub(crate) figures: RwSignal<Figures>,
    pub(crate) place: RwSignal<Place>,
    pub(crate) preferences: RwSignal<Preferences>,
    /// Whether a refresh is under way.
    pub(crate) refreshing: RwSignal<bool>,
    /// How old the figures are, in whole seconds; none until scripts run.
    pub(crate) age_seconds: RwSignal<Option<u64>>,
    /// Notified when the viewer asks for a refresh now.
    wanted: RwSignal<()>,
    failed: RwSignal<bool>,
}

impl Live {
    /// The figures of the first paint, and in the browser the loop that keeps them fresh.
    pub(crate) fn provide(first: RefreshResponse, place: RwSignal<Place>, preferences: RwSignal<Preferences>) {
        #[cfg(feature = "hydrate")]
        let age_ms = first.age_ms();
        let live = Self {
            figures: RwSignal::new(Figures::new(place.with_untracked(Place::ask), first)),
            place,
            preferences,
            refreshing: RwSignal::new(false),
            age_seconds: RwSignal::new(None),
            wanted: RwSignal::new(()),
            failed: RwSignal::new(false),
        };
        provide_context(live);
        #[cfg(feature = "hydrate")]
        browser::start(live, age_ms);
    }

    /// Refreshes now, unless that is happening already.
    pub(crate) fn refresh(self) {
        self.wanted.set(());
    }

    pub(crate) fn link(self) -> Link {
        let Preferences { interval_seconds, paused, .. } = self.preferences.get();
        match self.age_seconds.get() {
            None => Link::AsLoaded,
            Some(_) if self.failed.get() => Link::Lost,
            Some(_) if paused => Link::Paused,
            Some(age) if age > u64::from(interval_seconds) + STALE_AFTER_SECONDS => Link::Stale,
            Some(_) => Link::Live,
        }
    }
}

/// The live figures of this page.
pub(crate) fn use_live() -> Live {
    expect_context()
}

/// One figure of the snapshot, which only changes when its value does.
pub(crate) fn figure<T: PartialEq + Send + Sync + 'static>(
    read: impl Fn(&Snapshot) -> T + Send + Sync + 'static,
) -> Memo<T> {
    of_figures(move |figures| read(&figures.snapshot))
}

/// One of any of the figures.
pub(crate) fn of_figures<T: PartialEq + Send + Sync + 'static>(
    read: impl Fn(&Figures) -> T + Send + Sync + 'static,
) -> Memo<T> {
    watch(use_live().figures, Box::new(read))
}

/// One chart's data, read from the timeline whenever that grows.
pub(crate) fn columns<T: PartialEq + Send + Sync + 'static>(
    read: impl Fn(&Timeline<TimelineColumns>) -> T + Send + Sync + 'static,
) -> Memo<T> {
    of_figures(move |figures| read(&figures.timeline))
}

/// A text of the snapshot.
pub(crate) fn text(read: impl Fn(&Snapshot) -> String + Send + Sync + 'static) -> Memo<String> {
    figure(read)
}

/// A reader of the figures, boxed so that the machinery behind a memo is compiled once per type and not once per figure.
type Read<T> = Box<dyn Fn(&Figures) -> T + Send + Sync>;

fn watch<T: PartialEq + Send + Sync + 'static>(figures: RwSignal<Figures>, read: Read<T>) -> Memo<T> {
    Memo::new(move |_| figures.with(&read))
}

#[cfg(feature = "hydrate")]
mod browser;
