//! What an instance writes of itself: deflated JSON, of which another version reads what it knows.

use std::io::{Read, Write};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use mongodb::bson::{Bson, Document};
use serde::{Serialize, de::DeserializeOwned};

use crate::history::store::mongo_steps::binary;

/// The bytes of a value, inflated.
const MAX_BYTES: u64 = 4 << 20;

pub(super) fn deflated_json(value: &impl Serialize) -> Bson {
    let mut encoder = ZlibEncoder::new(vec![], Compression::fast());
    // Neither a value in memory nor a buffer there fails.
    let json = serde_json::to_vec(value).unwrap_or_default();
    binary(encoder.write_all(&json).and_then(|()| encoder.finish()).unwrap_or_default())
}

/// The value of a field; `None` if it is something else.
pub(super) fn inflated_json<T: DeserializeOwned>(document: &Document, key: &str) -> Option<T> {
    let deflated = document.get_binary_generic(key).ok()?;
    let mut json = vec![];
    ZlibDecoder::new(&deflated[..]).take(MAX_BYTES).read_to_end(&mut json).ok()?;
    serde_json::from_slice(&json).ok()
}
