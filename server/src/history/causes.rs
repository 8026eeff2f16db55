//! Errors by cause. Errors with the same endpoint, status and masked message have one cause.

use std::collections::{HashMap, VecDeque};

use watchboard_wire::{ErrorCause, ErrorEvent, ErrorKind, ErrorSample};

use crate::requests::{ReportedError, Sighting};

/// Causes at once. A further one replaces the cause whose last error is the oldest.
const MOST_CAUSES: usize = 200;
/// Errors that are kept in full: of each cause, and of all.
const SAMPLES: usize = 5;
const RECENT: usize = 100;
/// The length of a message; a longer one is cut.
const MESSAGE_CHARS: usize = 200;

#[derive(PartialEq, Eq, Hash)]
struct CauseKey {
    endpoint: usize,
    status: u16,
    kind: ErrorKind,
    message: Option<String>,
}

/// A cause, with the tick at which it last changed.
pub(crate) struct Cause {
    pub(crate) tick: u64,
    pub(crate) cause: ErrorCause,
}

/// The causes, and the last errors.
#[derive(Default)]
pub(crate) struct Causes {
    numbers: HashMap<CauseKey, u32>,
    by_number: HashMap<u32, Cause>,
    next: u32,
    recent: VecDeque<ErrorEvent>,
    reported: u64,
    forgotten: u64,
}

impl Causes {
    /// Adds the errors of a tick; returns their count for each cause, by its number.
    pub(crate) fn add(
        &mut self,
        tick: u64,
        errors: Vec<ReportedError>,
        name: impl Fn(usize) -> String,
    ) -> Vec<(u32, u32)> {
        let mut counts: Vec<(u32, u32)> = vec![];
        self.reported += errors.len() as u64;
        for error in errors {
            let text = message(&error.excerpt);
            self.recent.push_front(event(&error, text.clone(), name(error.sighting.endpoint)));
            let number = self.cause(tick, &error, text, name(error.sighting.endpoint));
            match counts.iter_mut().find(|(counted, _)| *counted == number) {
                Some((_, count)) => *count += 1,
                None => counts.push((number, 1)),
            }
        }
        self.recent.truncate(RECENT);
        counts.sort_unstable_by_key(|(number, _)| *number);
        counts
    }

    fn cause(&mut self, tick: u64, error: &ReportedError, text: Option<String>, endpoint: String) -> u32 {
        let ReportedError { sighting, kind, location, .. } = error;
        let general = text.as_deref().map(mask_variable_words);
        let at = location.as_deref().map(|location| format!(" at {location}"));
        let message = match (general, at) {
            (None, at) => at.map(|at| at.trim_start().to_owned()),
            (Some(general), at) => Some(general + at.as_deref().unwrap_or_default()),
        };
        let status = sighting.ending.status;
        let key = CauseKey { endpoint: sighting.endpoint, status, kind: *kind, message: message.clone() };
        let number = self.numbers.get(&key).copied().unwrap_or_else(|| {
            self.make_room();
            self.next += 1;
            self.numbers.insert(key, self.next);
            let cause = ErrorCause {
                number: self.next,
                endpoint_id: sighting.endpoint as u32,
                endpoint,
                status,
                kind: *kind,
                message,
                first_at_unix_ms: sighting.at_unix_ms,
                ..ErrorCause::default()
            };
            self.by_number.insert(self.next, Cause { tick, cause });
            self.next
        });
        if let Some(Cause { tick: changed, cause }) = self.by_number.get_mut(&number) {
            *changed = tick;
            cause.total += 1;
            cause.last_at_unix_ms = sighting.at_unix_ms;
            cause.samples.insert(0, sample(sighting, text));
            cause.samples.truncate(SAMPLES);
        }
        number
    }

    fn make_room(&mut self) {
        if self.by_number.len() < MOST_CAUSES {
            return;
        }
        let quietest = self.by_number.values().min_by_key(|cause| cause.cause.last_at_unix_ms);
        if let Some(number) = quietest.map(|cause| cause.cause.number) {
            self.forgotten += self.by_number.remove(&number).map_or(0, |cause| cause.cause.total);
            self.numbers.retain(|_, kept| *kept != number);
        }
    }

    /// The causes, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Cause> {
        self.by_number.values()
    }

    /// The last errors, newest first.
    pub(crate) fn recent(&self) -> Vec<ErrorEvent> {
        self.recent.iter().cloned().collect()
    }

    /// The number of `seen` errors that no cause counts: those that did not fit into the queue, and those of causes that were replaced.
    pub(crate) fn uncounted_errors(&self, seen: u64) -> u64 {
        seen.saturating_sub(self.reported) + self.forgotten
    }
}

fn event(error: &ReportedError, message: Option<String>, endpoint: String) -> ErrorEvent {
    ErrorEvent {
        at_unix_ms: error.sighting.at_unix_ms,
        endpoint,
        status: error.sighting.ending.status,
        kind: error.kind,
        message,
        location: error.location.clone(),
        duration_us: error.sighting.duration_us,
    }
}

fn sample(sighting: &Sighting, message: Option<String>) -> ErrorSample {
    ErrorSample {
        at_unix_ms: sighting.at_unix_ms,
        duration_us: sighting.duration_us,
        request_id: sighting.id.text().map(ToOwned::to_owned),
        message,
    }
}

/// The message in an error's text: the field that frameworks use if the text is a JSON object, else its first line.
fn message(excerpt: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(excerpt);
    let in_json = serde_json::from_str::<serde_json::Value>(&text).ok().and_then(|json| {
        let field = ["message", "error", "detail", "title"].iter().find_map(|name| json.get(name))?;
        Some(field.as_str().map_or_else(|| field.to_string(), ToOwned::to_owned))
    });
    let text = in_json.unwrap_or_else(|| text.into_owned());
    let text = without_documents(&text);
    let line: String =
        text.trim().lines().next()?.chars().filter(|char| !char.is_control()).take(MESSAGE_CHARS).collect();
    (!line.is_empty()).then_some(line)
}

/// Marks in MongoDB's errors before the application's data: the keys of a duplicate, the values of an invalid document.
const DOCUMENT_FOLLOWS: [&str; 5] = ["dup key:", "details: Some(", "errInfo", "keyValue", "server_response: Some("];

/// A message up to the first of these marks.
fn without_documents(text: &str) -> String {
    match DOCUMENT_FOLLOWS.iter().filter_map(|mark| text.find(mark).map(|at| at + mark.len())).min() {
        Some(end) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

/// A message without the words that differ between requests: each word with a digit becomes `#`.
fn mask_variable_words(message: &str) -> String {
    let mut general = String::with_capacity(message.len());
    let is_word = |char: char| char.is_alphanumeric() || matches!(char, '-' | '_' | '.');
    let mut rest = message;
    while let Some(char) = rest.chars().next() {
        let end = if is_word(char) { rest.find(|char| !is_word(char)).unwrap_or(rest.len()) } else { char.len_utf8() };
        let (word, after) = rest.split_at(end);
        let sentence = word.trim_end_matches('.');
        if sentence.contains(|char: char| char.is_ascii_digit()) {
            general.extend(["#", &word[sentence.len()..]]);
        } else {
            general.push_str(word);
        }
        rest = after;
    }
    general
}

#[cfg(test)]
#[path = "causes_tests.rs"]
mod tests;
