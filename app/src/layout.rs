//! The layout of the page: head, status, the view that the URL asks for, foot.

mod controls;
mod dialog_content;
mod dialogs;
#[cfg(feature = "hydrate")]
mod keys;
mod menu;
mod nav;
mod past_span;
mod scope;
mod shown_span;
mod status_line;
mod tab;
mod viewer;

pub(crate) use self::{dialog_content::DialogContent, scope::ScopeSwitch, tab::Tab};

use leptos::{either::EitherOf7, prelude::*};
use watchboard_wire::{InstanceScope, RefreshQuery, RefreshResponse};

use self::{
    controls::Controls,
    dialog_content::Dialog,
    dialogs::Dialogs,
    nav::{Nav, Windows},
    past_span::PastSpanNotice,
    scope::ScopeNotice,
    shown_span::{chart_marks, chart_span},
    status_line::StatusLine,
    viewer::OpenNote,
};
use crate::{
    components::{ChartSpan, Crosshair},
    live::{self, LinkState, Live, snapshot_text, use_live},
    pages::{
        Overview,
        chunks::{self, Chunk, Chunks},
    },
    preferences,
    selection::{self, Selection, View, navigate, use_selection},
};

/// In the place of a view whose figures the server has not sent.
const NO_CONTACT: &str = "No contact with the server, so this view has no figures. They come as soon as it answers.";

/// In the place of a view of a past span or of the fleet, with the reason.
const NOT_READ: &str = "These figures cannot be read now, and are asked for again: ";

/// In the place of a view whose code has not come.
const NO_CODE: &str =
    "The server answers, but the code of this view cannot be loaded from it. It is asked for again every few seconds.";

const OTHER_BUILD: &str =
    "Servers of two builds answer at this address, so this view has no figures. Stop one of them.";

/// Provides what all views find in their context, from the figures of the first paint.
fn provide_context_of_views(first: RefreshResponse) -> Chunks {
    let preferences = preferences::provide();
    let selection = selection::provide();
    live::provide(first, selection, preferences);
    let live = use_live();
    let figures = live.figures;
    let choose = move |points: Option<(usize, usize)>| {
        let span = points.map(|points| figures.with_untracked(|figures| figures.seconds_of(points)));
        navigate(selection, true, selection.with_untracked(|selection| selection.to_span(span)));
    };
    let marks = Memo::new(move |_| figures.with(chart_marks));
    let span = move || {
        let span = figures.with(chart_span);
        ChartSpan { is_past: span.is_past || live.is_held(), ..span }
    };
    Crosshair::provide(span, marks, choose);
    selection.with_untracked(Chunks::provide)
}

/// The view, whether it is of one endpoint, and whose figures it has. Each is a page of its own.
type ShownView = (View, bool, InstanceScope);

fn shown_view_of(selection: &Selection) -> ShownView {
    (selection.view, selection.endpoint.is_some(), selection.scope.clone())
}

/// A view, or a sentence in its place.
fn shown_view(shown: Option<ShownView>, missing: impl Fn() -> String + Send + Sync + 'static) -> impl IntoView {
    match shown {
        None => EitherOf7::F(view! { <p class="unknown">{missing}</p> }),
        Some((View::Overview, ..)) => EitherOf7::A(view! { <Overview /> }),
        Some((View::Requests, false, _)) => EitherOf7::B(chunks::requests()),
        Some((View::Requests, true, _)) => EitherOf7::C(chunks::endpoint()),
        Some((View::Memory, ..)) => EitherOf7::D(chunks::memory()),
        Some((View::Database, ..)) => EitherOf7::E(chunks::database()),
        Some((View::Instances, ..)) => EitherOf7::G(chunks::instances()),
    }
}

/// A view alone, with the state at its time.
#[cfg(feature = "ssr")]
#[component]
pub(crate) fn ReportedView(first: RefreshResponse) -> impl IntoView {
    let unread = first.unread.clone();
    provide_context_of_views(first);
    let shown = use_selection().with_untracked(shown_view_of);
    let reason = unread.as_ref().map(|unknown| [NOT_READ, &unknown.reason].concat()).unwrap_or_default();
    view! {
        {(shown.0 == View::Overview).then(|| view! { <StatusLine /> })}
        {shown_view(unread.is_none().then_some(shown), move || reason.clone())}
    }
}

/// The whole page, from the figures of the first paint.
#[component]
pub(crate) fn PageFrame(first: RefreshResponse) -> impl IntoView {
    let chunks = provide_context_of_views(first);
    let (live, selection) = (use_live(), use_selection());
    let figures = live.figures;
    let is_lost = move || live.link_state() == LinkState::Lost;
    let view = Memo::new(move |_| {
        let is_loaded = selection.with(Chunk::of).is_none_or(|chunk| chunks.has(chunk));
        let wanted = selection.with(Selection::refresh_query);
        // Without contact the figures of another window would pass for those of this one.
        let is_wanted = |query: &RefreshQuery| {
            (&query.part, &query.scope) == (&wanted.part, &wanted.scope)
                && (!is_lost() || query.window == wanted.window)
        };
        let is_there = figures.with(|figures| figures.unread.is_none() && is_wanted(&figures.query));
        (is_there && is_loaded).then(|| selection.with(shown_view_of))
    });
    let missing = move || {
        let words = if live.other_build.get() {
            OTHER_BUILD
        } else if is_lost() {
            NO_CONTACT
        } else if let Some(unknown) = figures.with(|figures| figures.unread.clone()) {
            return [NOT_READ, &unknown.reason].concat();
        } else if chunks.are_late() {
            NO_CODE
        } else {
            "Loading."
        };
        words.to_owned()
    };
    let has_drawer = Memo::new(move |_| selection.with(|selection| selection.request.is_some()));
    // Soon after the page itself, since both have to be there while the server is away too.
    Effect::new(move |_| [Chunk::Charts, Chunk::Dialogs].map(|chunk| chunks.has(chunk)));
    let open = RwSignal::new(None::<Dialog>);
    provide_context(open);
    #[cfg(feature = "hydrate")]
    keys::listen(live, open);
    keep_tab(live);
    let service = snapshot_text(|snapshot| snapshot.service.clone());
    let about =
        snapshot_text(|snapshot| format!("Watchboard {}. All times are {}.", snapshot.version, snapshot.zone()));
    let is_wall = move || selection.with(|selection| selection.wall);
    let leave_wall = move || selection.with(|selection| Selection { wall: false, ..selection.clone() }.href());
    view! {
        <div class="page" class:wall=is_wall>
        <a class="skip" href="#view">"Skip to the figures"</a>
        <header class="top">
            <h1><span class="service">{service}</span> <span class="product">"Watchboard"</span></h1>
            {move || chunks.later(Chunk::Dialogs, "scope", true, chunks::scope_switch)}
            <div class="ways">
                <Nav />
                <Windows />
            </div>
            <Controls />
            {move || is_wall().then(|| view! { <a class="leave-wall" href=leave_wall>"All controls"</a> })}
        </header>
        <BundleMissing />
        <UnknownSelection />
        <AfterPause />
        <ScopeNotice />
        <PastSpanNotice />
        <StatusLine />
        <main id="view" tabindex="-1" class:lost=is_lost>
            {move || shown_view(view.get(), missing)}
        </main>
        {move || (has_drawer.get() && chunks.has(Chunk::Drawer)).then(chunks::drawer)}
        <footer>{about}<OpenNote /></footer>
        <Dialogs />
        </div>
    }
}

/// Keeps the title and the icon of the browser's tab in step with the state.
fn keep_tab(live: Live) {
    let tab = Memo::new(move |_| {
        let has_contact = !matches!(live.link_state(), LinkState::Lost | LinkState::Stale);
        live.figures.with(|figures| Tab::of(&figures.snapshot, has_contact))
    });
    Effect::new(move |_| {
        tab.with(|tab| {
            document().set_title(&tab.title);
            if let Ok(Some(icon)) = document().query_selector("link[rel=icon]") {
                // The same icon again would make the browser read it again.
                if icon.get_attribute("href").as_deref() != Some(&*tab.icon) {
                    let _ = icon.set_attribute("href", &tab.icon);
                }
            }
        });
    });
}

/// A notice that the URL asks for what is not there.
#[component]
fn UnknownSelection() -> impl IntoView {
    let selection = selection::use_selection();
    let unknown = move || selection.with(|selection| selection.unknown.clone());
    move || {
        unknown().map(|unknown| view! { <aside class="notice" id="unknown-selection" aria-label="Unknown address">{unknown}</aside> })
    }
}

/// A notice that the figures of this view are newer than the pause: the server has those of now alone.
#[component]
fn AfterPause() -> impl IntoView {
    let live = use_live();
    let words = Memo::new(move |_| {
        let paused_at = live.paused_at_unix_ms.get().unwrap_or(u64::MAX);
        live.figures.with(|figures| {
            let snapshot = &figures.snapshot;
            if snapshot.taken_at_unix_ms <= paused_at {
                return String::new();
            }
            let [paused, taken] = [paused_at, snapshot.taken_at_unix_ms].map(|at| snapshot.clock(at));
            format!("Paused at {paused}. This view was asked for after that: its figures are of {taken}, and stay so.")
        })
    });
    view! {
        <aside class="notice" id="after-pause" aria-label="After the pause" hidden=move || words.with(String::is_empty)>
            {words}
        </aside>
    }
}

/// A notice that the server was built without the browser bundle. Only the server can know.
#[component]
fn BundleMissing() -> impl IntoView {
    #[cfg(feature = "ssr")]
    let missing = use_context::<crate::page_request::PageRequest>().is_some_and(|page| page.assets.script.is_none());
    #[cfg(not(feature = "ssr"))]
    let missing = false;
    missing.then(|| view! {
        <aside class="notice" id="bundle-missing" aria-label="No browser bundle">
            "This build has no browser bundle: the page shows the figures of its loading and does not refresh itself. "
            "The bundle in the source tree is missing, or was built from other sources. Renew it with " <code>"cargo xtask bundle"</code>", then build again."
        </aside>
    })
}
