//! What an instance writes of itself: deflated JSON, of which another version reads what it knows.

use std::io::{self, BufReader, BufWriter, Read, Write};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use mongodb::bson::{Bson, Document};
use serde::{Serialize, de::DeserializeOwned};

use crate::history::store::mongo_steps::binary;

/// The bytes of a value, inflated.
const MAX_BYTES: u64 = 4 << 20;
/// What of it is in memory at once.
const PIECE_BYTES: usize = 8 << 10;

/// Deflates one value after the other. It keeps what it needs: made anew each time, that leaves a multiple in the thread's allocator.
#[derive(Default)]
pub(super) struct JsonDeflater(Option<ZlibEncoder<Vec<u8>>>);

impl JsonDeflater {
    pub(super) fn deflate(&mut self, value: &impl Serialize) -> Bson {
        let encoder = self.0.get_or_insert_with(|| ZlibEncoder::new(vec![], Compression::fast()));
        let mut pieces = BufWriter::with_capacity(PIECE_BYTES, &mut *encoder);
        // Neither a value in memory nor a buffer there fails.
        let written = serde_json::to_writer(&mut pieces, value).map_err(io::Error::from).and_then(|()| pieces.flush());
        drop(pieces);
        let deflated = encoder.reset(vec![]);
        binary(written.and(deflated).unwrap_or_default())
    }
}

/// The value of a field; `None` if it is something else.
pub(super) fn inflated_json<T: DeserializeOwned>(document: &Document, key: &str) -> Option<T> {
    let deflated = document.get_binary_generic(key).ok()?;
    let json = ZlibDecoder::new(&deflated[..]).take(MAX_BYTES);
    serde_json::from_reader(BufReader::with_capacity(PIECE_BYTES, json)).ok()
}
