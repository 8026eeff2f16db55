//! What the frame of the page has for all that is in it.

use leptos::prelude::use_context;

/// It, by its type. Unlike that of leptos this has no names of types for its message, and is smaller by them.
pub(crate) fn context<T: Clone + 'static>() -> T {
    use_context().expect("the frame provides it")
}
