//! The parts of the page whose code the browser loads later: the other views when they are first shown, and of the overview what
//! draws. The bundler puts each into a file of its own, so that the figures are live as soon as their own code is there. The server
//! has them all.

#[cfg(feature = "hydrate")]
use futures::FutureExt;
use leptos::{either::Either, prelude::*};

#[cfg(not(feature = "hydrate"))]
use super::{
    DatabasePage, EndpointPage, InstancesPage, MemoryPage, RequestsPage, cards::AllCards, request::RequestDrawer,
    top::ChartsAndTop,
};
#[cfg(not(feature = "hydrate"))]
use crate::layout::{DialogContent, ScopeSwitch};
use crate::{
    components::ChartData,
    selection::{Selection, View},
};

/// Code that is loaded together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// The requests and the endpoint.
    Requests,
    Memory,
    Database,
    Instances,
    /// The charts and the table of the overview, and the small lines of its tiles.
    Charts,
    /// What is folded on the overview.
    Cards,
    /// The request in the drawer.
    Drawer,
    /// What opens over the page, and the switch between instances.
    Dialogs,
}

impl Chunk {
    /// What a selection shows beyond the overview.
    pub(crate) fn of(selection: &Selection) -> Option<Self> {
        match selection.view {
            View::Overview => None,
            View::Requests => Some(Self::Requests),
            View::Memory => Some(Self::Memory),
            View::Database => Some(Self::Database),
            View::Instances => Some(Self::Instances),
        }
    }

    /// What a page with a selection begins with.
    fn first_of(selection: &Selection) -> Vec<Self> {
        Self::of(selection).into_iter().chain(selection.request.as_ref().map(|_| Self::Drawer)).collect()
    }
}

/// A chunk that could not be loaded is tried again after this time.
#[cfg(feature = "hydrate")]
const RETRY_MS: u32 = 3_000;

/// The chunks that are there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunks {
    loaded: RwSignal<Vec<Chunk>>,
    /// Whether one could not be loaded so far.
    late: RwSignal<bool>,
    #[cfg(feature = "hydrate")]
    loading: StoredValue<Vec<Chunk>>,
}

impl Chunks {
    /// Puts those that are there at the start into the context.
    pub(crate) fn provide(selection: &Selection) -> Self {
        let chunks = Self {
            loaded: RwSignal::new(Chunk::first_of(selection)),
            late: RwSignal::new(false),
            #[cfg(feature = "hydrate")]
            loading: StoredValue::default(),
        };
        provide_context(chunks);
        chunks
    }

    /// Whether a chunk is there. If not, this loads it, and whoever asked is told when it is there.
    pub(crate) fn has(self, chunk: Chunk) -> bool {
        let has = self.loaded.with(|loaded| loaded.contains(&chunk));
        #[cfg(feature = "hydrate")]
        if !has && !self.loading.with_value(|loading| loading.contains(&chunk)) {
            self.loading.update_value(|loading| loading.push(chunk));
            leptos::task::spawn_local(async move {
                load(chunk, || self.late.set(true)).await;
                self.late.set(false);
                self.loaded.update(|loaded| loaded.push(chunk));
            });
        }
        has
    }

    /// A part of a page whose code comes later, when it is wanted, in an element of a class. Until then it stands as the server drew it,
    /// which is all there is without scripts.
    pub(crate) fn later(
        self,
        chunk: Chunk,
        class: &'static str,
        is_wanted: bool,
        draw: fn() -> AnyView,
    ) -> impl IntoView {
        #[cfg(feature = "hydrate")]
        let drawn = String::new();
        #[cfg(not(feature = "hydrate"))]
        let drawn = draw().to_html();
        if cfg!(feature = "hydrate") && is_wanted && self.has(chunk) {
            Either::Left(view! { <div class=class>{draw()}</div> })
        } else {
            Either::Right(view! { <div class=format!("{class} as-drawn") inner_html=drawn></div> })
        }
    }

    /// Whether code that is wanted could not be loaded so far. It is asked for again and again.
    pub(crate) fn are_late(self) -> bool {
        self.late.get()
    }

    /// The small line of a chart. In the browser it is empty until the code of the charts is there: the one that the server drew stays.
    pub(crate) fn sparkline(self, data: &ChartData) -> String {
        let can_draw = cfg!(not(feature = "hydrate")) || self.has(Chunk::Charts);
        if can_draw { sparkline_of_chunk(data) } else { String::new() }
    }
}

fn sparkline_of_chunk(data: &ChartData) -> String {
    #[cfg(feature = "hydrate")]
    return FutureExt::now_or_never(split::sparkline(data.clone())).and_then(Result::ok).unwrap_or_default();
    #[cfg(not(feature = "hydrate"))]
    crate::components::sparkline(data)
}

/// Loads what the browser needs before it can take over a page with this selection.
#[cfg(feature = "hydrate")]
pub(crate) async fn load_first(selection: &Selection) {
    for chunk in Chunk::first_of(selection) {
        load(chunk, || ()).await;
    }
}

/// Loads a chunk, however often that takes. `failed` is told each time that it could not be loaded.
#[cfg(feature = "hydrate")]
async fn load(chunk: Chunk, failed: impl Fn()) {
    while !split::load(chunk).await {
        failed();
        gloo_timers::future::TimeoutFuture::new(RETRY_MS).await;
    }
}

/// A view of a chunk that is there.
macro_rules! view_of_chunk {
    ($view:ident, $component:ident) => {
        pub(crate) fn $view() -> AnyView {
            #[cfg(feature = "hydrate")]
            return FutureExt::now_or_never(split::$view()).and_then(Result::ok).into_any();
            #[cfg(not(feature = "hydrate"))]
            view! { <$component /> }.into_any()
        }
    };
}
view_of_chunk!(requests, RequestsPage);
view_of_chunk!(endpoint, EndpointPage);
view_of_chunk!(memory, MemoryPage);
view_of_chunk!(database, DatabasePage);
view_of_chunk!(instances, InstancesPage);
view_of_chunk!(charts, ChartsAndTop);
view_of_chunk!(cards, AllCards);
view_of_chunk!(drawer, RequestDrawer);
view_of_chunk!(dialogs, DialogContent);
view_of_chunk!(scope_switch, ScopeSwitch);

/// The points at which the bundler splits the WASM.
#[cfg(feature = "hydrate")]
#[allow(unsafe_code, reason = "the macro declares what the bundler links")]
#[allow(clippy::unnecessary_wraps, reason = "a piece that cannot be loaded is its error")]
mod split {
    use leptos::{
        prelude::*,
        suspense::Unsuspend,
        wasm_split::{SplitLoaderError, wasm_split},
    };

    use super::{
        super::{
            DatabasePage, EndpointPage, InstancesPage, MemoryPage, RequestsPage, cards::AllCards,
            request::RequestDrawer, top::ChartsAndTop,
        },
        ChartData, Chunk,
    };
    use crate::layout::{DialogContent, ScopeSwitch};

    /// Whether it is there now.
    pub(super) async fn load(chunk: Chunk) -> bool {
        let loaded = match chunk {
            // Each place of a split knows for itself that its piece is there.
            Chunk::Requests => load_requests().await.and(load_endpoint().await),
            Chunk::Memory => load_memory().await,
            Chunk::Database => load_database().await,
            Chunk::Instances => load_instances().await,
            Chunk::Charts => load_charts().await.and(load_sparkline().await),
            Chunk::Cards => load_cards().await,
            Chunk::Drawer => load_drawer().await,
            Chunk::Dialogs => load_dialogs().await.and(load_scope_switch().await),
        };
        loaded.is_ok()
    }

    macro_rules! split_view {
        ($chunk:ident, $load:ident, $view:ident, $component:ident) => {
            #[wasm_split($chunk, wasm_split_path = leptos::wasm_split, preload($load), fallible)]
            pub(super) fn $view() -> Result<AnyView, SplitLoaderError> {
                // The piece is there, so the view is hydrated at once. Without this wrapper each piece also has the code that
                // hydrates it while it waits, which is two fifths of it.
                Ok(Unsuspend::new(|| view! { <$component /> }).into_any())
            }
        };
    }
    split_view!(requests, load_requests, requests, RequestsPage);
    split_view!(requests, load_endpoint, endpoint, EndpointPage);
    split_view!(memory, load_memory, memory, MemoryPage);
    split_view!(database, load_database, database, DatabasePage);
    split_view!(instances, load_instances, instances, InstancesPage);
    split_view!(charts, load_charts, charts, ChartsAndTop);
    split_view!(cards, load_cards, cards, AllCards);
    split_view!(drawer, load_drawer, drawer, RequestDrawer);
    split_view!(dialogs, load_dialogs, dialogs, DialogContent);
    split_view!(dialogs, load_scope_switch, scope_switch, ScopeSwitch);

    #[wasm_split(charts, wasm_split_path = leptos::wasm_split, preload(load_sparkline), fallible)]
    pub(super) fn sparkline(data: ChartData) -> Result<String, SplitLoaderError> {
        Ok(crate::components::sparkline(&data))
    }
}
