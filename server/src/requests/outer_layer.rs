//! A layer that is applied twice: the outer one records the request, and the inner one tells it the route, since axum tells the template of
//! a service that is nested or a fallback only below it. While it is polled, the outer layer's request is noted for the thread.

use std::cell::Cell;

use axum::extract::OriginalUri;
use http::Request;

use super::recorder::Recorder;

/// A request, as all layers see it: nothing but the address of its path's text is the same for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestKey {
    recorder: usize,
    path: (usize, usize),
}

#[derive(Clone, Copy)]
struct OuterRequest {
    key: RequestKey,
    /// The row that an inner layer found.
    row: Option<u32>,
}

thread_local! {
    static OUTER: Cell<Option<OuterRequest>> = const { Cell::new(None) };
}

impl RequestKey {
    pub(super) fn new<B>(recorder: &'static Recorder, request: &Request<B>) -> Self {
        // A nested service gets a shorter path.
        let uri = request.extensions().get::<OriginalUri>().map_or(request.uri(), |original| &original.0);
        let path = uri.path();
        Self { recorder: std::ptr::from_ref(recorder).addr(), path: (path.as_ptr().addr(), path.len()) }
    }

    /// Whether this request is polled by an outer layer. A request that a handler sends to its own application is another.
    pub(super) fn has_outer_layer(self) -> bool {
        OUTER.get().is_some_and(|outer| outer.key == self)
    }

    /// The request's inner layers are told of it from now until [`OuterScope::exit`].
    pub(super) fn enter(self) -> OuterScope {
        OuterScope { before: OUTER.replace(Some(OuterRequest { key: self, row: None })) }
    }
}

/// Tells the outer layer the row of its request.
pub(super) fn note_row(row: u32) {
    OUTER.set(OUTER.get().map(|outer| OuterRequest { row: Some(row), ..outer }));
}

/// A stretch of work within a layer.
pub(super) struct OuterScope {
    before: Option<OuterRequest>,
}

impl OuterScope {
    /// Returns the row that an inner layer found.
    pub(super) fn exit(self) -> Option<u32> {
        let row = OUTER.get().and_then(|outer| outer.row);
        drop(self);
        row
    }
}

impl Drop for OuterScope {
    fn drop(&mut self) {
        OUTER.set(self.before);
    }
}
