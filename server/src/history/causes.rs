//! Errors by cause: those of one endpoint, status and message are one, however often they come.

use std::collections::{HashMap, VecDeque};

use watchboard_wire::{ErrorCause, ErrorEvent, ErrorKind, ErrorSample};

use crate::requests::{ReportedError, Sighting};

/// Causes that are told apart; of more, the one that has been quiet for longest makes room.
const MOST_CAUSES: usize = 200;
/// Errors that are kept whole: of each cause, and the last of all.
const SAMPLES: usize = 5;
const RECENT: usize = 100;
/// Of an error's text, this much is kept.
const MESSAGE_CHARS: usize = 200;

#[derive(PartialEq, Eq, Hash)]
struct Key {
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

#[derive(Default)]
pub(crate) struct Causes {
    numbers: HashMap<Key, u32>,
    by_number: HashMap<u32, Cause>,
    next: u32,
    recent: VecDeque<ErrorEvent>,
    told: u64,
    forgotten: u64,
}

impl Causes {
    /// Takes in the errors of a tick; returns how many there were of each cause, by its number.
    pub(crate) fn add(
        &mut self,
        tick: u64,
        errors: Vec<ReportedError>,
        name: impl Fn(usize) -> String,
    ) -> Vec<(u32, u32)> {
        let mut counts: Vec<(u32, u32)> = vec![];
        self.told += errors.len() as u64;
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
        let general = text.as_deref().map(generalised);
        let at = location.as_deref().map(|location| format!(" at {location}"));
        let message = match (general, at) {
            (None, at) => at.map(|at| at.trim_start().to_owned()),
            (Some(general), at) => Some(general + at.as_deref().unwrap_or_default()),
        };
        let status = sighting.ending.status;
        let key = Key { endpoint: sighting.endpoint, status, kind: *kind, message: message.clone() };
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

    /// The causes that there are, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Cause> {
        self.by_number.values()
    }

    /// The last errors, newest first.
    pub(crate) fn recent(&self) -> Vec<ErrorEvent> {
        self.recent.iter().cloned().collect()
    }

    /// Of `seen` errors, those that no cause speaks of: more at once than could be told, or of a cause that made room.
    pub(crate) fn untold(&self, seen: u64) -> u64 {
        seen.saturating_sub(self.told) + self.forgotten
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

/// What an error's text says: the field that frameworks put it in where it is a JSON object, else its first line.
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

/// What MongoDB's errors go on with is the application's data: the keys of a duplicate, the values of a document that does not fit.
const DOCUMENT_FOLLOWS: [&str; 5] = ["dup key:", "details: Some(", "errInfo", "keyValue", "server_response: Some("];

/// A message up to where a document follows.
fn without_documents(text: &str) -> String {
    match DOCUMENT_FOLLOWS.iter().filter_map(|mark| text.find(mark).map(|at| at + mark.len())).min() {
        Some(end) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

/// A message without what differs from one request to the next: each word with a digit in it becomes `#`.
fn generalised(message: &str) -> String {
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
