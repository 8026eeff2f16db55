//! The figures that the map of the instances can show.

/// A figure of an instance over time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::pages) enum InstanceFigure {
    #[default]
    P99,
    Errors,
    Memory,
    Cpu,
}

impl InstanceFigure {
    pub(super) const ALL: [Self; 4] = [Self::P99, Self::Errors, Self::Memory, Self::Cpu];

    /// Its name on the page.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::P99 => "p99",
            Self::Errors => "Errors",
            Self::Memory => "Memory",
            Self::Cpu => "CPU",
        }
    }

    /// Its word in the query.
    pub(in crate::pages) fn word(self) -> &'static str {
        match self {
            Self::P99 => "p99",
            Self::Errors => "errors",
            Self::Memory => "memory",
            Self::Cpu => "cpu",
        }
    }

    /// The one with this word, or else the first.
    pub(super) fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|figure| figure.word() == word).unwrap_or_default()
    }
}
