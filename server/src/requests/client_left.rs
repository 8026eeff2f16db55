//! Whether the client of a request has left, as a proxy notes it for the layer around it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// A proxy's note that the client broke its request off. The proxy gives a clone to [`UpstreamTiming`](crate::UpstreamTiming) and may
/// note it at any time before the response ends. The layer then records the request as dropped, whatever became of it.
///
/// ```
/// use watchboard::{ClientLeft, UpstreamTiming};
///
/// let client = ClientLeft::default();
/// let timing = UpstreamTiming::from_failure("the client broke its request off").with_client(client.clone());
/// client.note();
/// ```
#[derive(Clone, Debug, Default)]
pub struct ClientLeft(Arc<AtomicBool>);

impl ClientLeft {
    /// The client has left.
    pub fn note(&self) {
        self.0.store(true, Relaxed);
    }

    pub(super) fn is_noted(&self) -> bool {
        self.0.load(Relaxed)
    }
}
