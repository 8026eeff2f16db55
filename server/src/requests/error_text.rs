//! The text of an error: which part of it is looked at, and what of that part is kept.

use std::any::Any;

use http::{HeaderMap, header};

use super::error_fields::ErrorFields;
use crate::{
    masking::{mask_name, mask_text, shows_words},
    supervision::panics,
};

/// The part of a body that the layer keeps to find an error's message in.
pub(super) const EXCERPT_BYTES: usize = 512;
/// The length of a kept text; a longer one is cut.
const MAX_CHARS: usize = 200;

/// What an error says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ErrorText {
    /// Watchboard's own words.
    Fixed(&'static str),
    /// The beginning of a response's body, the error of a body, or a panic's message.
    Received(Vec<u8>),
}

impl Default for ErrorText {
    fn default() -> Self {
        Self::Received(vec![])
    }
}

/// What is kept of an error's text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct KeptText {
    /// By which errors have one cause: masked.
    pub(crate) cause: Option<String>,
    /// With each request: the same, or the text as it was if the host wants so.
    pub(crate) sample: Option<String>,
}

impl ErrorText {
    pub(super) fn from_panic(panic: &(dyn Any + Send)) -> Self {
        panics::message(panic).map_or(Self::Fixed("a panic without a message"), |text| Self::received(text.as_bytes()))
    }

    pub(super) fn received(text: &[u8]) -> Self {
        Self::Received(text[..text.len().min(EXCERPT_BYTES)].to_vec())
    }

    pub(crate) fn keep(&self, is_whole: bool) -> KeptText {
        let bytes = match self {
            Self::Fixed(text) => {
                let text = Some((*text).to_owned());
                return KeptText { cause: text.clone(), sample: text };
            }
            Self::Received(bytes) => bytes,
        };
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
        let fields = ErrorFields::read(text);
        let cause = match &fields {
            Some(fields) => fields.masked(),
            // A page is no message.
            None if text.starts_with('<') => None,
            None => text.lines().next().map(mask_text),
        };
        let cause = cause.filter(|text| shows_words(text)).map(|text| cut(&text));
        let whole = || fields.and_then(|fields| fields.whole()).unwrap_or_else(|| text.to_owned());
        let sample = if is_whole { first_line(&whole()) } else { cause.clone() };
        KeptText { cause, sample }
    }
}

impl ErrorFields {
    /// `code: field: message`, each masked. A code that is no words, and a field that is none, are left out.
    fn masked(&self) -> Option<String> {
        let code = self.code.as_deref().map(mask_text).filter(|code| shows_words(code) && !code.contains('#'));
        let place = self.place.as_deref().map(mask_name).filter(|place| !place.is_empty());
        let text = self.text.as_deref().map(|text| mask_text(text.trim_start().lines().next().unwrap_or_default()));
        let parts: Vec<String> = [code, place, text].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(": "))
    }

    fn whole(&self) -> Option<String> {
        let parts: Vec<&str> =
            [&self.code, &self.place, &self.text].into_iter().flatten().map(String::as_str).collect();
        (!parts.is_empty()).then(|| parts.join(": "))
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_CHARS).collect()
}

fn first_line(text: &str) -> Option<String> {
    let line: String = text.trim().lines().next()?.chars().filter(|char| !char.is_control()).take(MAX_CHARS).collect();
    (!line.is_empty()).then_some(line)
}

/// The report of a request that failed.
#[derive(Default)]
pub(super) struct ErrorDetails {
    pub(super) panicked: bool,
    pub(super) text: ErrorText,
    pub(super) location: Option<String>,
}

/// Whether a response's body is readable text: plain text or JSON, not compressed.
pub(super) fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    (kind.starts_with("text/plain") || kind.contains("json")) && !headers.contains_key(header::CONTENT_ENCODING)
}

#[cfg(test)]
mod tests;
