//! The source location of a panic. Only the panic hook gets it, so our hook notes it for the thread and then calls the hook
//! before it.

use std::{any::Any, cell::Cell, sync::Once};

thread_local! {
    static LAST: Cell<Option<String>> = const { Cell::new(None) };
}

/// Adds the hook, once in the process.
pub(crate) fn note_locations() {
    static ADDED: Once = Once::new();
    ADDED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let location = panic.location().map(|at| format!("{}:{}:{}", at.file(), at.line(), at.column()));
            // A thread that is ending has no thread-locals any more; no code reads the location then.
            let _ = LAST.try_with(|last| last.set(location));
            before(panic);
        }));
    });
}

/// The location of this thread's last panic; `None` if the host has replaced our hook.
pub(crate) fn take_location() -> Option<String> {
    LAST.try_with(Cell::take).ok().flatten()
}

/// The reason that is shown for this thread's last panic.
pub(crate) fn take_reason() -> String {
    match take_location() {
        Some(location) => format!("it panicked at {location}"),
        None => "it panicked".to_owned(),
    }
}

/// The message of a panic, if it is a text.
pub(crate) fn message(panic: &(dyn Any + Send)) -> Option<&str> {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
}
