//! The refresh loop in the browser: one timer, one request at a time, and the tab's visibility.

use std::time::Duration;

use futures::future::{Either, select};
use gloo_net::http::{Method, RequestBuilder};
use gloo_timers::future::TimeoutFuture;
use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*, task::spawn_local};
use watchboard_wire::{RefreshQuery, RefreshResponse};
use web_sys::{RequestRedirect, VisibilityState};

use super::state::Live;
use crate::{
    api::{self, RefreshReply},
    figures::Figures,
    selection::Selection,
};

/// A refresh that takes longer fails.
const ANSWER_WITHIN_MS: u32 = 8_000;

/// The retry after a failure comes within this time, also if the interval is longer.
const RETRY_WITHIN_SECONDS: u32 = 5;

/// Views and windows whose figures stay during a pause, the last ones: those of many endpoints take a quarter of a megabyte each.
const MAX_FROZEN: usize = 16;

/// A page that was loaded anew for another build does so again after this time at the earliest.
const RELOAD_AGAIN_MS: u64 = 60_000;
/// When the page was loaded anew for another build.
const RELOADED_AT: &str = "watchboard_reloaded_at";

#[derive(Clone, Copy, Debug)]
struct Refresher {
    live: Live,
    timer: StoredValue<Option<TimeoutHandle>>,
    /// The time of the figures on the page, by the browser's monotonic clock.
    taken_at_ms: StoredValue<f64>,
    /// The figures of other views and windows that the page has had since the pause, each with its time: they are as frozen as those that are
    /// shown.
    frozen: StoredValue<Vec<(Figures, f64)>>,
}

/// Takes over from the first paint, whose figures were `age_ms` old when the server sent them.
pub(super) fn start(live: Live, age_ms: u64) {
    let refresher = Refresher {
        live,
        timer: StoredValue::new(None),
        taken_at_ms: StoredValue::new(now_ms() - age_ms as f64),
        frozen: StoredValue::new(vec![]),
    };
    Effect::watch(move || live.preferences.get().paused, move |paused, _, _| refresher.freeze(*paused), true);
    // Effects run after hydration. Until then the text must be the server's.
    Effect::new(move |_| refresher.count_age());
    Effect::watch(
        move || (live.preferences.get().interval_seconds, live.preferences.get().paused),
        move |(_, paused), before, _| match before {
            Some((_, true)) if !paused => refresher.refresh(),
            _ => refresher.schedule(),
        },
        true,
    );
    Effect::watch(move || live.preferences.get().zone_minutes, move |_, _, _| refresher.show_zone(), false);
    Effect::watch(
        move || live.selection.with(Selection::refresh_query),
        move |query, before, _| {
            if before != Some(query) && !refresher.thaw(query) {
                refresher.refresh();
            }
        },
        false,
    );
    Effect::watch(move || live.refresh_requested.get(), move |(), _, _| refresher.refresh_now(), false);
    let visibility = window_event_listener_untyped("visibilitychange", move |_| {
        if visible() && !live.preferences.get_untracked().paused {
            refresher.refresh();
        } else {
            refresher.schedule();
        }
        refresher.count_age();
    });
    let clock = set_interval_with_handle(move || refresher.count_age(), Duration::from_secs(1));
    on_cleanup(move || {
        visibility.remove();
        if let Ok(clock) = clock {
            clock.clear();
        }
    });
}

impl Refresher {
    /// Asks for new figures, unless a refresh is in flight.
    fn refresh(self) {
        if self.live.refreshing.get_untracked() {
            return;
        }
        self.cancel();
        self.live.refreshing.set(true);
        spawn_local(async move {
            let query = self.live.selection.with_untracked(Selection::refresh_query);
            let cursor =
                self.live.figures.with_untracked(|figures| figures.cursor().filter(|_| figures.query == query));
            let response = Box::pin(api::refresh(bundle(), query.clone(), cursor));
            let result = match select(response, TimeoutFuture::new(ANSWER_WITHIN_MS)).await {
                Either::Left((result, _)) => Some(result),
                Either::Right(_) => None,
            };
            // A server answered, but not the board.
            let refused = matches!(&result, Some(Err(error)) if !matches!(error, ServerFnError::Request(_)));
            if refused && is_shut_out().await {
                _ = window().location().reload();
                return;
            }
            let reply = result.and_then(Result::ok);
            self.live.failed.set(reply.is_none());
            self.live.other_build.set(false);
            self.live.refreshing.set(false);
            match reply {
                Some(RefreshReply::Figures(_))
                    if self.live.selection.with_untracked(Selection::refresh_query) != query =>
                {
                    // The viewer has left that selection in the meantime, perhaps for figures that are there.
                    let wanted = self.live.selection.with_untracked(Selection::refresh_query);
                    if self.live.figures.with_untracked(|figures| figures.query != wanted) {
                        return self.refresh();
                    }
                }
                Some(RefreshReply::Figures(update)) => {
                    self.show(query, *update);
                }
                Some(RefreshReply::OtherBuild) => self.load_other_build(),
                None => {}
            }
            self.count_age();
            self.schedule();
        });
    }

    /// Asks for new figures because the viewer said so.
    fn refresh_now(self) {
        self.frozen.set_value(vec![]);
        self.refresh();
    }

    /// Notes the time of the figures at which the viewer pauses.
    fn freeze(self, paused: bool) {
        self.frozen.set_value(vec![]);
        let now = self.live.figures.with_untracked(|figures| figures.snapshot.taken_at_unix_ms);
        self.live.paused_at_unix_ms.set(paused.then_some(now));
    }

    /// Shows the figures that the page has had for a question since the pause; says whether it has some.
    fn thaw(self, query: &RefreshQuery) -> bool {
        let known = self.frozen.try_update_value(|frozen| {
            let index = frozen.iter().position(|(figures, _)| figures.query == *query)?;
            Some(frozen.remove(index))
        });
        let Some((figures, taken_at_ms)) = known.flatten() else { return false };
        self.replace(figures, taken_at_ms);
        self.count_age();
        true
    }

    /// Shows the figures of another question. Those that it replaces stay while the loop is paused.
    fn replace(self, figures: Figures, taken_at_ms: f64) {
        // Moved and not cloned, which would be code for every figure.
        let shown = self.live.figures.try_update(|shown| std::mem::replace(shown, figures));
        if let Some(shown) = shown.filter(|_| self.live.preferences.get_untracked().paused) {
            let shown = (shown, self.taken_at_ms.get_value());
            self.frozen.update_value(|frozen| {
                frozen.truncate(MAX_FROZEN - 1);
                frozen.insert(0, shown);
            });
        }
        self.taken_at_ms.set_value(taken_at_ms);
        self.show_zone();
    }

    /// Loads the page of the build that answers now. Where two builds answer in turns, that would never end: then the page stays, and says so.
    fn load_other_build(self) {
        let storage = window().session_storage().ok().flatten();
        let before = storage.as_ref().and_then(|storage| storage.get_item(RELOADED_AT).ok().flatten());
        let now = wall_clock_ms();
        let is_again = before.and_then(|at| at.parse::<u64>().ok()).is_some_and(|at| now < at + RELOAD_AGAIN_MS);
        if is_again || storage.is_none_or(|storage| storage.set_item(RELOADED_AT, &now.to_string()).is_err()) {
            self.live.other_build.set(true);
            self.live.failed.set(true);
        } else {
            _ = window().location().reload();
        }
    }

    fn show(self, query: RefreshQuery, update: RefreshResponse) {
        let (taken_at_ms, at) = (now_ms() - update.age_ms as f64, update.snapshot.taken_at_unix_ms);
        if self.live.figures.with_untracked(|figures| figures.query == query) {
            self.taken_at_ms.set_value(taken_at_ms);
            self.live.figures.update(|figures| figures.update(update));
            // They were under way when the viewer paused, or asked for since: the pause is of their time.
            if self.live.paused_at_unix_ms.get_untracked().is_some() {
                self.live.paused_at_unix_ms.set(Some(at));
            }
        } else {
            self.replace(Figures::new(query, update), taken_at_ms);
        }
    }

    /// Shows all times in the viewer's zone.
    fn show_zone(self) {
        let zone = self.live.preferences.with_untracked(|preferences| preferences.zone_minutes.unwrap_or_default());
        if self.live.figures.with_untracked(|figures| figures.snapshot.zone_minutes != zone) {
            self.live.figures.update(|figures| figures.snapshot.zone_minutes = zone);
        }
    }

    /// Sets the timer again. There is no timer while the tab is hidden or paused, or a refresh is in flight.
    fn schedule(self) {
        self.cancel();
        let preferences = self.live.preferences.get_untracked();
        if !visible() || preferences.paused || self.live.refreshing.get_untracked() {
            return;
        }
        let failed = self.live.failed.get_untracked();
        let seconds =
            if failed { preferences.interval_seconds.min(RETRY_WITHIN_SECONDS) } else { preferences.interval_seconds };
        let timer = set_timeout_with_handle(move || self.refresh(), Duration::from_secs(seconds.into()));
        self.timer.set_value(timer.ok());
    }

    fn cancel(self) {
        if let Some(timer) = self.timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    }

    fn count_age(self) {
        let age = (now_ms() - self.taken_at_ms.get_value()).max(0.0) / 1000.0;
        let age = Some(age as u64);
        if self.live.age_seconds.get_untracked() != age {
            self.live.age_seconds.set(age);
        }
    }
}

/// Whether a reload of this page would lead to a login or to a refusal.
async fn is_shut_out() -> bool {
    let Ok(here) = window().location().href() else { return false };
    let head = RequestBuilder::new(&here).method(Method::HEAD).redirect(RequestRedirect::Manual);
    // An opaque redirect has the status 0.
    head.send().await.is_ok_and(|answer| matches!(answer.status(), 0 | 401 | 403))
}

/// The name of this page's script, as the server wrote it.
fn bundle() -> String {
    document().document_element().and_then(|html| html.get_attribute("data-bundle")).unwrap_or_default()
}

fn visible() -> bool {
    document().visibility_state() == VisibilityState::Visible
}

/// The time since the epoch.
fn wall_clock_ms() -> u64 {
    window().performance().map_or(0.0, |performance| performance.time_origin() + performance.now()) as u64
}

/// The browser's monotonic clock.
fn now_ms() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}
