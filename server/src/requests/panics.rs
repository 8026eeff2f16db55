//! Where a handler panicked. Only the panic hook is told the place, so ours notes it for the thread and then calls the hook
//! that was there.

use std::{any::Any, cell::Cell, sync::Once};

thread_local! {
    static LAST: Cell<Option<String>> = const { Cell::new(None) };
}

/// Adds the hook, once for the process.
pub(crate) fn note_locations() {
    static ADDED: Once = Once::new();
    ADDED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let location = panic.location().map(|at| format!("{}:{}:{}", at.file(), at.line(), at.column()));
            // A thread that is ending has no such place any more, and nobody who would read it.
            let _ = LAST.try_with(|last| last.set(location));
            before(panic);
        }));
    });
}

/// Where this thread panicked last; none where the host has a hook of its own in our hook's place.
pub(super) fn take_location() -> Option<String> {
    LAST.try_with(Cell::take).ok().flatten()
}

/// What a panic said.
pub(super) fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without a message")
}
