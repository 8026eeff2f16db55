//! Marks: what happened at a time, beside the figures.

use serde::{Deserialize, Serialize};

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MarkKind {
    /// The monitor, or the application that it watches, started.
    Start,
    /// The application has another version than before.
    Version,
    /// It ended in order.
    Stop,
    /// It ended otherwise, or the kernel killed a process for want of memory.
    Kill,
    /// The wall clock was set.
    Clock,
    /// A finding began, or is over.
    Finding,
    /// What somebody noted by `POST /marks`.
    #[default]
    Note,
}

/// Something that happened at a time. Charts have a line there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The time, by the clock of the run that saw it.
    pub at_unix_ms: u64,
    /// What kind of thing it is.
    pub kind: MarkKind,
    /// What happened, as a sentence without its full stop.
    pub text: String,
}

impl MarkKind {
    /// All kinds.
    pub const ALL: [Self; 7] =
        [Self::Start, Self::Version, Self::Stop, Self::Kill, Self::Clock, Self::Finding, Self::Note];

    /// The word in `/health`, in the store, and in the list of a page.
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Version => "version",
            Self::Stop => "stop",
            Self::Kill => "kill",
            Self::Clock => "clock",
            Self::Finding => "finding",
            Self::Note => "note",
        }
    }

    /// The kind of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_found_by_its_word() {
        for kind in MarkKind::ALL {
            assert_eq!(MarkKind::from_word(kind.word()), Some(kind));
        }
        assert_eq!(MarkKind::from_word("earthquake"), None);
    }
}
