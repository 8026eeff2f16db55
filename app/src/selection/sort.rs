//! The column that sorts the endpoints.

use watchboard_wire::{EndpointRow, Latency, RequestDatabase, RequestMemory};

/// The columns of the endpoints' table that can sort it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sort {
    Endpoint,
    Requests,
    ServerErrors,
    ClientErrors,
    Mean,
    P50,
    P95,
    P99,
    Max,
    Within,
    Sent,
    InFlight,
    Commands,
    Database,
    Allocated,
    AllocatedMean,
    AllocatedMax,
    /// The sum of the durations of all requests, where a gain is felt most.
    #[default]
    Total,
}

impl Sort {
    pub(crate) const ALL: [Self; 18] = [
        Self::Endpoint,
        Self::Requests,
        Self::ServerErrors,
        Self::ClientErrors,
        Self::Mean,
        Self::P50,
        Self::P95,
        Self::P99,
        Self::Max,
        Self::Within,
        Self::Sent,
        Self::InFlight,
        Self::Commands,
        Self::Database,
        Self::Allocated,
        Self::AllocatedMean,
        Self::AllocatedMax,
        Self::Total,
    ];

    /// Its word in the query.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Requests => "requests",
            Self::ServerErrors => "server-errors",
            Self::ClientErrors => "client-errors",
            Self::Mean => "mean",
            Self::P50 => "p50",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::Max => "max",
            Self::Within => "within",
            Self::Sent => "sent",
            Self::InFlight => "in-flight",
            Self::Commands => "commands",
            Self::Database => "database",
            Self::Allocated => "allocated",
            Self::AllocatedMean => "allocated-mean",
            Self::AllocatedMax => "allocated-max",
            Self::Total => "total",
        }
    }

    /// Whether its figure is a time.
    pub(crate) fn is_time(self) -> bool {
        matches!(self, Self::Mean | Self::P50 | Self::P95 | Self::P99 | Self::Max | Self::Database | Self::Total)
    }

    /// The order with this word, or the default.
    pub(crate) fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|sort| sort.word() == word).unwrap_or_default()
    }

    /// The number that sorts a row before its name does. In descending order an endpoint without the figure comes last.
    pub(crate) fn key(self, row: &EndpointRow) -> f64 {
        let latency =
            |read: fn(&Latency) -> u64| row.latency.succeeded.as_ref().map_or(-1.0, |latency| read(latency) as f64);
        let memory = |read: fn(&RequestMemory) -> u64| row.memory.as_ref().map_or(-1.0, |memory| read(memory) as f64);
        let mean = |read: fn(&RequestDatabase) -> u64| {
            row.database.as_ref().map_or(-1.0, |database| read(database) as f64 / row.requests.max(1) as f64)
        };
        match self {
            Self::Endpoint => 0.0,
            Self::Requests => row.requests as f64,
            Self::ServerErrors => row.server_errors as f64,
            Self::ClientErrors => row.client_errors as f64,
            Self::Mean => latency(|latency| latency.mean_us),
            Self::P50 => latency(|latency| latency.p50_us),
            Self::P95 => latency(|latency| latency.p95_us),
            Self::P99 => latency(|latency| latency.p99_us),
            Self::Max => latency(|latency| latency.max_us),
            Self::Within => row.within_percent().unwrap_or(-1.0),
            Self::Sent => row.response_bytes as f64,
            Self::InFlight => row.in_flight as f64,
            Self::Commands => mean(|database| database.commands),
            Self::Database => mean(|database| database.elapsed_us),
            Self::Allocated => memory(|memory| memory.allocated_bytes),
            Self::AllocatedMean => memory(RequestMemory::mean_bytes),
            Self::AllocatedMax => memory(|memory| memory.max_bytes),
            Self::Total => row.duration_sum_us as f64,
        }
    }
}

/// The columns that the endpoints' table shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ColumnSet {
    #[default]
    Load,
    Latency,
    Errors,
    Database,
    Memory,
    All,
    /// What has changed from the earlier span.
    Change,
}

impl ColumnSet {
    pub(crate) const ALL: [Self; 7] =
        [Self::Load, Self::Latency, Self::Errors, Self::Database, Self::Memory, Self::All, Self::Change];

    /// Its word in the query and on the page.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Latency => "latency",
            Self::Errors => "errors",
            Self::Database => "database",
            Self::Memory => "memory",
            Self::All => "all",
            Self::Change => "change",
        }
    }

    /// Whether it has the column that sorts by `sort`.
    pub(crate) fn shows(self, sort: Sort) -> bool {
        use Sort::{
            Allocated, AllocatedMax, AllocatedMean, ClientErrors, Commands, Database, Endpoint, InFlight, Max, Mean,
            P50, P95, P99, Requests, Sent, ServerErrors, Total, Within,
        };
        match self {
            Self::Load => matches!(sort, Endpoint | Total | Requests | ServerErrors | P50 | P99 | Within | InFlight),
            Self::Latency => matches!(sort, Endpoint | Requests | Mean | P50 | P95 | P99 | Max | Within),
            Self::Errors => matches!(sort, Endpoint | Requests | ServerErrors | ClientErrors | Within),
            Self::Database => matches!(sort, Endpoint | Total | Requests | Commands | Database | P99),
            Self::Memory => matches!(sort, Endpoint | Requests | Allocated | AllocatedMean | AllocatedMax | Sent),
            Self::All => true,
            Self::Change => matches!(sort, Endpoint | Total | Requests | ServerErrors | P50 | P99),
        }
    }

    /// What sorts it unless the viewer says otherwise: a table that is sorted shows by what.
    pub(crate) fn own_sort(self) -> Sort {
        match self {
            Self::Load | Self::Database | Self::All | Self::Change => Sort::Total,
            Self::Latency => Sort::P99,
            Self::Errors => Sort::ServerErrors,
            Self::Memory => Sort::Allocated,
        }
    }

    /// This set, or the first one that has the column of `sort`.
    pub(crate) fn that_shows(self, sort: Sort) -> Self {
        [&[self], &Self::ALL[..]].concat().into_iter().find(|set| set.shows(sort)).unwrap_or(self)
    }
}
