//! Reads the heads of a WebSocket's frames (RFC 6455) while their bytes pass. It only looks: what it does not understand passes all the same.

/// The longest head: two bytes, a length of 64 bits, and a mask.
const MAX_HEAD: usize = 14;
/// Control frames have no longer payload.
const MAX_CONTROL_BYTES: u64 = 125;
/// The close code of a frame that has none.
const NO_CODE: u16 = 1005;

/// The frames of one way. It holds the head of a frame, and never a payload.
pub(super) struct FrameReader {
    state: FrameState,
    /// Whether the last data frame was not the last of its message.
    is_within_message: bool,
}

enum FrameState {
    /// So many bytes of a head are there.
    Head { bytes: [u8; MAX_HEAD], count: usize },
    /// So many bytes of a payload are left.
    Payload { left: u64 },
    /// The code of a close frame: its first byte once that is there.
    CloseCode { mask: [u8; 2], first: Option<u8> },
    /// After a close frame nothing counts any more.
    Closed,
    /// What came is no frame.
    Malformed,
}

/// What some bytes had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FrameEvents {
    /// Messages whose last frame began, without control frames.
    pub(super) messages: u64,
    /// The code of a close frame that began; 1005 if it has none.
    pub(super) close: Option<u16>,
    /// They are no frames: from here on nothing is read.
    pub(super) is_malformed: bool,
}

/// The head of a frame.
struct FrameHead {
    is_last: bool,
    opcode: u8,
    length: u64,
    mask: [u8; 2],
}

impl FrameReader {
    pub(super) fn new() -> Self {
        Self { state: FrameState::new(), is_within_message: false }
    }

    /// Reads the next bytes. They may end anywhere.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> FrameEvents {
        let mut seen = FrameEvents::default();
        while let Some((byte, rest)) = bytes.split_first() {
            match &mut self.state {
                FrameState::Payload { left } => {
                    let skipped = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left -= skipped as u64;
                    bytes = &bytes[skipped..];
                    if *left == 0 {
                        self.state = FrameState::new();
                    }
                    continue;
                }
                FrameState::Head { bytes, count } => {
                    bytes[*count] = *byte;
                    *count += 1;
                    let head = FrameHead::parse(&bytes[..*count]);
                    if let Some(head) = head {
                        self.state = self.begin(&head, &mut seen);
                    }
                }
                FrameState::CloseCode { mask, first } => match *first {
                    None => *first = Some(byte ^ mask[0]),
                    Some(first) => {
                        seen.close = Some(u16::from_be_bytes([first, byte ^ mask[1]]));
                        self.state = FrameState::Closed;
                    }
                },
                FrameState::Closed | FrameState::Malformed => return seen,
            }
            bytes = rest;
        }
        seen
    }

    /// The state after a head.
    fn begin(&mut self, head: &FrameHead, seen: &mut FrameEvents) -> FrameState {
        let is_control = head.opcode >= 0x8;
        let is_wellformed = match head.opcode {
            0x0 => self.is_within_message,
            0x1 | 0x2 => !self.is_within_message,
            0x8..=0xA => head.is_last && head.length <= MAX_CONTROL_BYTES && !(head.opcode == 0x8 && head.length == 1),
            _ => false,
        };
        if !is_wellformed || head.length > i64::MAX as u64 {
            seen.is_malformed = true;
            return FrameState::Malformed;
        }
        if !is_control {
            self.is_within_message = !head.is_last;
            // At its head, so that a frame without a payload counts like all others.
            seen.messages += u64::from(head.is_last);
        }
        match (head.opcode, head.length) {
            (0x8, 0) => {
                seen.close = Some(NO_CODE);
                FrameState::Closed
            }
            (0x8, _) => FrameState::CloseCode { mask: head.mask, first: None },
            (_, 0) => FrameState::new(),
            (_, left) => FrameState::Payload { left },
        }
    }
}

impl FrameState {
    fn new() -> Self {
        Self::Head { bytes: [0; MAX_HEAD], count: 0 }
    }
}

impl FrameHead {
    /// `None` as long as the head is not whole. Whether a side masks its frames is not checked: the length is where it is in both cases.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let [first, second, rest @ ..] = bytes else { return None };
        let (length, rest) = match second & 0x7F {
            126 => rest.split_first_chunk().map(|(length, rest)| (u16::from_be_bytes(*length).into(), rest))?,
            127 => rest.split_first_chunk().map(|(length, rest)| (u64::from_be_bytes(*length), rest))?,
            short => (short.into(), rest),
        };
        let mask = match (second & 0x80 != 0, rest) {
            (false, _) => [0, 0],
            (true, [first, second, _, _]) => [*first, *second],
            (true, _) => return None,
        };
        Some(Self { is_last: first & 0x80 != 0, opcode: first & 0xF, length, mask })
    }
}

#[cfg(test)]
mod tests;
