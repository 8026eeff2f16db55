//! The application's database commands: which ones, for which request, and how long they take.

#[cfg_attr(not(feature = "mongodb"), expect(dead_code, reason = "only a listener writes traces"))]
pub(crate) mod attribution;
#[cfg(feature = "mongodb")]
mod listener;
#[cfg(not(feature = "mongodb"))]
mod no_listener;
mod table;
mod tally;
mod usage;

#[cfg(feature = "mongodb")]
pub(crate) use self::listener::{CommandReader, Listener};
#[cfg(not(feature = "mongodb"))]
pub(crate) use self::no_listener::{CommandReader, Listener};
pub(crate) use self::{
    table::command_table,
    tally::{CHECK_OUT, CommandKind, CommandTally},
    usage::{CommandUseDelta, UsageDelta, UsageRecorder},
};
