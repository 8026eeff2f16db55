//! The commands of some time as sums, of one shape or of all.

use watchboard_wire::Latency;

use crate::histograms::Distribution;

/// The number of waiting for a connection among the commands' shapes, which is counted like a command.
pub(crate) const CHECK_OUT: u16 = 0;

/// Sums of commands, with a histogram of their durations. A tally can be added to another and subtracted again.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct CommandTally {
    pub(crate) fine: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
    /// Documents that replies had, or that commands wrote.
    pub(crate) documents: u64,
    pub(crate) duration_sum_us: u64,
    pub(crate) times: Distribution,
}

impl CommandTally {
    /// Commands that ended.
    pub(crate) fn calls(&self) -> u64 {
        self.fine + self.failed + self.cancelled
    }

    /// The percentiles of the durations; `None` without commands.
    pub(crate) fn latency(&self) -> Option<Latency> {
        self.times.latency()
    }

    /// The memory that it holds, in bytes.
    pub(crate) fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.times.held_bytes()
    }
}

/// What a command does to the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommandKind {
    Read,
    Write,
    /// Neither, or unknown.
    Other,
}

impl CommandKind {
    /// By MongoDB's name of the command.
    pub(crate) fn from_name(command: &str) -> Self {
        match command {
            "find" | "aggregate" | "getMore" | "count" | "distinct" => Self::Read,
            "insert" | "update" | "delete" | "findAndModify" | "findandmodify" | "bulkWrite" => Self::Write,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CommandKind::{self, Other, Read, Write};

    #[test]
    fn commands_have_kinds_by_their_names() {
        let kinds = ["find", "getMore", "insert", "findAndModify", "hello", "(other)"].map(CommandKind::from_name);
        assert_eq!(kinds, [Read, Read, Write, Write, Other, Other]);
    }
}
