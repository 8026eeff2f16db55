//! The views that the browser loads when they are first shown. The bundler puts each into a file of its own, so that the first view
//! waits for its own code alone. The server has them all.

use leptos::prelude::*;

#[cfg(not(feature = "hydrate"))]
use super::{DatabasePage, EndpointPage, MemoryPage, RequestsPage, cards::AllCards, request::RequestDrawer};
use crate::selection::{Selection, View};

/// What is loaded at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// The requests and the endpoint.
    Requests,
    Memory,
    Database,
    /// What is folded on the overview.
    Cards,
    /// The request in the drawer.
    Drawer,
}

impl Chunk {
    /// What a selection shows beyond the overview.
    pub(crate) fn of(selection: &Selection) -> Option<Self> {
        match selection.view {
            View::Overview => None,
            View::Requests => Some(Self::Requests),
            View::Memory => Some(Self::Memory),
            View::Database => Some(Self::Database),
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
    #[cfg(feature = "hydrate")]
    loading: StoredValue<Vec<Chunk>>,
}

impl Chunks {
    /// Puts those that are there at the start into the context.
    pub(crate) fn provide(selection: &Selection) -> Self {
        let chunks = Self {
            loaded: RwSignal::new(Chunk::first_of(selection)),
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
                load(chunk).await;
                self.loaded.update(|loaded| loaded.push(chunk));
            });
        }
        has
    }
}

/// Loads what the browser needs before it can take over a page with this selection.
#[cfg(feature = "hydrate")]
pub(crate) async fn load_first(selection: &Selection) {
    for chunk in Chunk::first_of(selection) {
        load(chunk).await;
    }
}

/// Loads a chunk, however often that takes.
#[cfg(feature = "hydrate")]
async fn load(chunk: Chunk) {
    while !split::load(chunk).await {
        gloo_timers::future::TimeoutFuture::new(RETRY_MS).await;
    }
}

/// A view of a chunk that is there.
macro_rules! view_of_chunk {
    ($view:ident, $component:ident) => {
        pub(crate) fn $view() -> AnyView {
            #[cfg(feature = "hydrate")]
            return futures::FutureExt::now_or_never(split::$view()).and_then(Result::ok).into_any();
            #[cfg(not(feature = "hydrate"))]
            view! { <$component /> }.into_any()
        }
    };
}
view_of_chunk!(requests, RequestsPage);
view_of_chunk!(endpoint, EndpointPage);
view_of_chunk!(memory, MemoryPage);
view_of_chunk!(database, DatabasePage);
view_of_chunk!(cards, AllCards);
view_of_chunk!(drawer, RequestDrawer);

/// The points at which the bundler splits the WASM.
#[cfg(feature = "hydrate")]
#[allow(unsafe_code, reason = "the macro declares what the bundler links")]
mod split {
    use leptos::{
        prelude::*,
        suspense::Unsuspend,
        wasm_split::{SplitLoaderError, wasm_split},
    };

    use super::{
        super::{DatabasePage, EndpointPage, MemoryPage, RequestsPage, cards::AllCards, request::RequestDrawer},
        Chunk,
    };

    /// Whether it is there now.
    pub(super) async fn load(chunk: Chunk) -> bool {
        let loaded = match chunk {
            // Each place of a split knows for itself that its piece is there.
            Chunk::Requests => load_requests().await.and(load_endpoint().await),
            Chunk::Memory => load_memory().await,
            Chunk::Database => load_database().await,
            Chunk::Cards => load_cards().await,
            Chunk::Drawer => load_drawer().await,
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
    split_view!(cards, load_cards, cards, AllCards);
    split_view!(drawer, load_drawer, drawer, RequestDrawer);
}
