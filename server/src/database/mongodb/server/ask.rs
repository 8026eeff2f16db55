//! One question to the server within its time, how often it is asked, and what is kept of the answers.

use std::time::Duration;

use mongodb::error::{Error, ErrorKind};
use tokio::time::{Instant, timeout};
use watchboard_wire::{DatedReading, Unknown};

use crate::{clock::now_unix_ms, database::mongodb::classify::classify};

/// What a login may not ask is asked again so often: servers write each refusal into their log.
const REFUSED_EVERY: Duration = Duration::from_mins(1);
/// Rounds are not on the dot.
const GRACE: Duration = Duration::from_millis(500);

/// An answer, or why there is none.
pub(super) type Answer<T> = Result<T, Why>;

/// Why there is no answer: in a kind, and in words.
#[derive(Clone, Debug)]
pub(super) struct Why {
    kind: Kind,
    words: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// None came in time.
    Late,
    /// The login has not the right.
    Refused,
    Failed,
}

/// The answer to a question that is asked again and again.
#[derive(Default)]
pub(super) struct Pace {
    asked_at: Option<Instant>,
    refused: bool,
}

impl Pace {
    pub(super) fn is_due(&self, every: Duration) -> bool {
        let every = if self.refused { every.max(REFUSED_EVERY) } else { every };
        self.asked_at.is_none_or(|asked_at| asked_at.elapsed() + GRACE >= every)
    }

    /// It is asked now.
    pub(super) fn begin(&mut self) {
        self.asked_at = Some(Instant::now());
    }

    /// Takes in what was said. Where there was no answer in time, what was said before stays, with its age.
    pub(super) fn note<T>(&mut self, told: &mut Option<DatedReading<T>>, answer: Answer<T>) {
        let kind = answer.as_ref().err().map(|why| why.kind);
        self.refused = kind == Some(Kind::Refused);
        let is_known = told.as_ref().is_some_and(|told| told.reading.is_ok());
        if !(kind == Some(Kind::Late) && is_known) {
            *told = Some(DatedReading {
                at_unix_ms: now_unix_ms(),
                reading: answer.map_err(|why| Unknown::because(why.words)),
            });
        }
    }
}

/// An answer within the time of the round. `what` is what it needs the right to.
pub(super) async fn ask<T>(
    until: Instant,
    what: &str,
    question: impl IntoFuture<Output = mongodb::error::Result<T>>,
) -> Answer<T> {
    let left = until.saturating_duration_since(Instant::now());
    match timeout(left, question.into_future()).await {
        Ok(answer) => answer.map_err(|error| why(what, &error)),
        Err(_) => Err(Why { kind: Kind::Late, words: format!("the server did not answer {what} in time") }),
    }
}

fn why(what: &str, error: &Error) -> Why {
    let (kind, words) = match &*error.kind {
        ErrorKind::Command(command) if matches!(command.code, 13 | 8000) => (
            Kind::Refused,
            format!("The login has no right to {what}: grant it the role of docs/database.md, which names it."),
        ),
        // Only its code and name: the rest can hold data.
        ErrorKind::Command(command) => {
            (Kind::Failed, format!("the server refused {what}: {} ({})", command.code_name, command.code))
        }
        _ => (Kind::Failed, format!("{what}: {}", classify(error).detail)),
    };
    Why { kind, words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_late_answer_leaves_what_was_known_and_a_refused_question_is_asked_seldom() {
        let (mut pace, mut told) = (Pace::default(), None);
        let every = Duration::from_secs(2);
        pace.begin();
        pace.note(&mut told, Ok(7));
        let late = ask(Instant::now(), "serverStatus", std::future::pending()).await;
        pace.note(&mut told, late);
        assert_eq!(told.as_ref().unwrap().reading, Ok(7));
        let refused = Why { kind: Kind::Refused, words: "no right".to_owned() };
        pace.note(&mut told, Err(refused));
        assert_eq!(told.as_ref().unwrap().reading, Err(Unknown::because("no right")));
        tokio::time::advance(every).await;
        assert!(!pace.is_due(every));
        tokio::time::advance(REFUSED_EVERY).await;
        assert!(pace.is_due(every));
    }
}
