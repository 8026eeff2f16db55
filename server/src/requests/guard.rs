//! The guard of a request in flight. It is made when the request arrives, rides the future and then the body, and records the
//! request when it is dropped. A guard is moved a dozen times, so it is one word: a box, which the thread reuses for later requests.

use super::{in_flight::InFlightRequest, recorder::catch_panic};
use crate::{
    alloc::Span,
    commands::attribution::{self, TraceScope},
    sync::free_list::FreeList,
};

/// Boxes that a thread keeps for its next requests. If it has more requests at once, it allocates and frees theirs.
const FREE_BOXES: usize = 256;

thread_local! {
    static BOXES: FreeList<Box<InFlightRequest>> = const { FreeList::new(FREE_BOXES) };
}

/// Ends its request when it is dropped. Empty for a request that is not recorded.
pub(super) struct RequestGuard(Option<Box<InFlightRequest>>);

impl RequestGuard {
    pub(super) const NONE: Self = Self(None);

    pub(super) fn new(in_flight: InFlightRequest) -> Self {
        Self(Some(match FreeList::take(&BOXES) {
            Some(mut free) => {
                *free = in_flight;
                free
            }
            None => Box::new(in_flight),
        }))
    }

    /// The request; `None` if it is not recorded.
    pub(super) fn request(&mut self) -> Option<&mut InFlightRequest> {
        self.0.as_deref_mut()
    }

    pub(super) fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    /// Attributes allocations to the request from now until [`Self::allocate`]. Not a closure around the work: its result would be moved
    /// once more.
    pub(super) fn span(&self) -> Option<Span> {
        self.0.as_ref().and_then(|_| Span::begin())
    }

    pub(super) fn allocate(&mut self, span: Option<Span>) {
        if let (Some(in_flight), Some(span)) = (&mut self.0, span) {
            in_flight.allocated = Some(in_flight.allocated.unwrap_or_default() + span.end());
        }
    }

    /// Attributes allocations and database commands to the request from now until [`Self::end_work`].
    pub(super) fn begin_work(&mut self) -> WorkSpan {
        let scope = self.0.as_mut().and_then(|in_flight| attribution::enter(&mut in_flight.usage));
        WorkSpan { span: self.span(), scope }
    }

    pub(super) fn end_work(&mut self, work: WorkSpan) {
        if let (Some(in_flight), Some(scope)) = (&mut self.0, work.scope) {
            scope.exit(&mut in_flight.usage);
        }
        self.allocate(work.span);
    }

    /// Runs `drop` for the request's future or body, so that the memory that it frees counts as the request's. Where the allocator
    /// does not count, the caller's own drop does it.
    #[inline]
    pub(super) fn free(&mut self, drop: impl FnOnce()) {
        let span = self.span();
        if span.is_some() {
            drop();
        }
        self.allocate(span);
    }
}

/// A stretch of work for a request.
pub(super) struct WorkSpan {
    span: Option<Span>,
    scope: Option<TraceScope>,
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let Some(mut in_flight) = self.0.take() else { return };
        if catch_panic(|| in_flight.end()).is_none() {
            in_flight.recorder.count_fault();
        }
        FreeList::put(&BOXES, in_flight);
    }
}

impl std::fmt::Debug for RequestGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let route = self.0.as_ref().map(|in_flight| &in_flight.row.route);
        f.debug_struct("RequestGuard").field("route", &route).finish_non_exhaustive()
    }
}
