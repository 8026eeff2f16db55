//! Fields of the server's replies.

use mongodb::bson::{Bson, Document};

/// A number of any type; `None` if it is missing or no number.
pub(super) fn number(document: &Document, path: &[&str]) -> Option<u64> {
    let (last, folders) = path.split_last()?;
    let within = folders.iter().try_fold(document, |within, name| within.get_document(name).ok())?;
    match within.get(last)? {
        Bson::Int32(value) => u64::try_from(*value).ok(),
        Bson::Int64(value) => u64::try_from(*value).ok(),
        Bson::Double(value) if *value >= 0.0 => Some(*value as u64),
        _ => None,
    }
}

/// A text; empty if it is missing.
pub(super) fn text(document: &Document, name: &str) -> String {
    document.get_str(name).unwrap_or_default().to_owned()
}
