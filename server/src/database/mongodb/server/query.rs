//! One query to the server within its time, its interval, and its last answer.

use std::time::Duration;

use mongodb::error::{Error, ErrorKind};
use tokio::time::{Instant, timeout};
use watchboard_wire::{DatedReading, Unknown};

use crate::{clock::now_unix_ms, database::mongodb::classify::classify};

/// The time limit of all queries of a round together.
pub(super) const ROUND: Duration = Duration::from_millis(250);
/// The time limit of one query at the server, in milliseconds: it stops when nobody waits any more.
pub(super) const MAX_TIME_MS: i32 = 200;

/// The interval of a query that the login may not ask: servers log each refusal.
const REFUSED_EVERY: Duration = Duration::from_mins(1);
/// Rounds do not start exactly on time.
const GRACE: Duration = Duration::from_millis(500);

pub(super) type QueryResult<T> = Result<T, QueryError>;

/// Why a query has no answer. `command` is the command that it takes.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum QueryError {
    #[error("the server did not answer {command} in time")]
    Late { command: &'static str },
    #[error("The login has no right to {command}: grant it the role of docs/database.md, which names it.")]
    Unauthorized { command: &'static str },
    /// Only the code and its name: the rest can hold data.
    #[error("the server refused {command}: {name} ({code})")]
    Refused { command: &'static str, name: String, code: i32 },
    #[error("{command}: {detail}")]
    Failed { command: &'static str, detail: String },
}

/// The interval of a query, and whether the login may ask it.
#[derive(Default)]
pub(super) struct Schedule {
    sent_at: Option<Instant>,
    refused: bool,
}

impl Schedule {
    pub(super) fn is_due(&self, every: Duration) -> bool {
        let every = if self.refused { every.max(REFUSED_EVERY) } else { every };
        self.sent_at.is_none_or(|sent_at| sent_at.elapsed() + GRACE >= every)
    }

    /// Marks the query as asked now.
    pub(super) fn begin(&mut self) {
        self.sent_at = Some(Instant::now());
    }

    /// Notes whether the login may ask the query.
    pub(super) fn note_refusal<T>(&mut self, answer: &QueryResult<T>) {
        self.refused = matches!(answer, Err(QueryError::Unauthorized { .. }));
    }

    /// Stores an answer. After a late one the last answer stays, with its age.
    pub(super) fn note<T>(&mut self, last: &mut Option<DatedReading<T>>, answer: QueryResult<T>) {
        self.note_refusal(&answer);
        let is_known = last.as_ref().is_some_and(|last| last.reading.is_ok());
        if !(is_known && matches!(answer, Err(QueryError::Late { .. }))) {
            let reading = answer.map_err(|error| Unknown::because(error.to_string()));
            *last = Some(DatedReading { at_unix_ms: now_unix_ms(), reading });
        }
    }
}

/// The answer, if it comes before `until`. The login needs the right to `command`.
pub(super) async fn run_query<T>(
    until: Instant,
    command: &'static str,
    query: impl IntoFuture<Output = mongodb::error::Result<T>>,
) -> QueryResult<T> {
    let left = until.saturating_duration_since(Instant::now());
    match timeout(left, query.into_future()).await {
        Ok(answer) => answer.map_err(|error| query_error(command, &error)),
        Err(_) => Err(QueryError::Late { command }),
    }
}

fn query_error(command: &'static str, error: &Error) -> QueryError {
    match &*error.kind {
        ErrorKind::Command(refusal) if matches!(refusal.code, 13 | 8000) => QueryError::Unauthorized { command },
        ErrorKind::Command(refusal) => {
            QueryError::Refused { command, name: refusal.code_name.clone(), code: refusal.code }
        }
        _ => QueryError::Failed { command, detail: classify(error).detail },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_late_answer_leaves_what_was_known_and_a_refused_question_is_asked_seldom() {
        let (mut pace, mut dated) = (Schedule::default(), None);
        let every = Duration::from_secs(2);
        pace.begin();
        pace.note(&mut dated, Ok(7));
        let late = run_query(Instant::now(), "serverStatus", std::future::pending()).await;
        pace.note(&mut dated, late);
        assert_eq!(dated.as_ref().unwrap().reading, Ok(7));
        pace.note(&mut dated, Err(QueryError::Unauthorized { command: "serverStatus" }));
        let no_right = dated.as_ref().unwrap().reading.as_ref().unwrap_err();
        assert!(no_right.reason.starts_with("The login has no right to serverStatus"), "{no_right}");
        tokio::time::advance(every).await;
        assert!(!pace.is_due(every));
        tokio::time::advance(REFUSED_EVERY).await;
        assert!(pace.is_due(every));
    }
}
