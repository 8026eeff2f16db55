//! Finds the end of a request's body, and so the next head. hyper judges the body itself: whatever it refuses ends the connection.

/// Where the body of a request ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFraming {
    /// So many bytes are left.
    Length(u64),
    Chunked(ChunkPart),
    /// It is malformed: there is no next head.
    Malformed,
}

/// What the next byte of a chunked body belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChunkPart {
    Size(u64),
    Extension(u64),
    SizeLf(u64),
    Data(u64),
    DataCr,
    DataLf,
    /// The first byte of a trailer, or of the last line.
    LastLine,
    Trailer,
    TrailerLf,
    LastLf,
}

impl BodyFraming {
    pub(super) const NONE: Self = Self::Length(0);
    pub(super) const CHUNKED: Self = Self::Chunked(ChunkPart::Size(0));

    pub(super) fn has_ended(self) -> bool {
        self == Self::NONE
    }

    /// Takes what belongs to the body from the beginning of these bytes, and returns how much that is.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() && !self.has_ended() {
            let rest = &bytes[taken..];
            let (next, count) = match *self {
                Self::Length(left) => {
                    let count = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    (Self::Length(left - count as u64), count)
                }
                Self::Chunked(ChunkPart::Data(left)) => {
                    let count = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    let left = left - count as u64;
                    (Self::Chunked(if left == 0 { ChunkPart::DataCr } else { ChunkPart::Data(left) }), count)
                }
                Self::Chunked(part) => (part.after(rest[0]), 1),
                Self::Malformed => (Self::Malformed, rest.len()),
            };
            *self = next;
            taken += count;
        }
        taken
    }
}

impl ChunkPart {
    fn after(self, byte: u8) -> BodyFraming {
        use ChunkPart::{Data, DataCr, DataLf, Extension, LastLf, LastLine, Size, SizeLf, Trailer, TrailerLf};
        BodyFraming::Chunked(match (self, byte) {
            (Size(size), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = (byte as char).to_digit(16).unwrap_or_default();
                match size.checked_mul(16).and_then(|size| size.checked_add(digit.into())) {
                    Some(size) => Size(size),
                    None => return BodyFraming::Malformed,
                }
            }
            (Size(size) | Extension(size), b'\r') => SizeLf(size),
            (Size(size), b';' | b' ' | b'\t') | (Extension(size), _) => Extension(size),
            (SizeLf(0) | TrailerLf, b'\n') => LastLine,
            (SizeLf(size), b'\n') => Data(size),
            (DataCr, b'\r') => DataLf,
            (DataLf, b'\n') => Size(0),
            (LastLine, b'\r') => LastLf,
            (LastLf, b'\n') => return BodyFraming::NONE,
            (Trailer, b'\r') => TrailerLf,
            (LastLine | Trailer, _) => Trailer,
            _ => return BodyFraming::Malformed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_body_is_found_however_it_comes() {
        for (framing, body) in [
            (BodyFraming::Length(5), "hello"),
            (BodyFraming::CHUNKED, "0\r\n\r\n"),
            (BodyFraming::CHUNKED, "5\r\nhello\r\n0\r\n\r\n"),
            (BodyFraming::CHUNKED, "5;a=\"b\"\r\nhello\r\nA \r\n\r\n0\r\n\r\n123\r\n000\r\nX-Sum: 4\r\nB: \r\n\r\n"),
        ] {
            let bytes = format!("{body}GET / HTTP/1.1\r\n\r\n");
            for step in [1, 3, bytes.len()] {
                let (mut framing, mut taken) = (framing, 0);
                while taken < bytes.len() && !framing.has_ended() {
                    let end = bytes.len().min(taken + step);
                    taken += framing.take(&bytes.as_bytes()[taken..end]);
                }
                assert_eq!((framing, taken), (BodyFraming::NONE, body.len()), "{body:?} by {step}");
            }
        }
    }

    #[test]
    fn behind_a_malformed_body_is_nothing() {
        for body in ["zz\r\n", "5\r\nhello!!", "fffffffffffffffff\r\n", "5\nhello"] {
            let mut framing = BodyFraming::CHUNKED;
            assert_eq!((framing.take(body.as_bytes()), framing), (body.len(), BodyFraming::Malformed), "{body:?}");
        }
    }
}
