//! What the application asks of its database: which commands, for which request, and how long they take.

#[cfg_attr(not(feature = "mongodb"), expect(dead_code, reason = "only a listener writes what a request asked"))]
pub(crate) mod attribution;
#[cfg(feature = "mongodb")]
mod listener;
#[cfg(not(feature = "mongodb"))]
mod no_listener;
mod usage;

#[cfg(feature = "mongodb")]
pub(crate) use self::listener::{CHECK_OUT, CommandReader, Listener, TakenShape};
#[cfg(not(feature = "mongodb"))]
pub(crate) use self::no_listener::{CHECK_OUT, CommandReader, Listener, TakenShape};
pub(crate) use self::usage::{TakenUsage, TakenUse, UsageRecorder};
