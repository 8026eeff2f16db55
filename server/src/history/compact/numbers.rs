//! Numbers of the compact encoding, and how they are added up.

/// Whether an encoded tally is added or subtracted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::history) enum Sign {
    Add,
    /// Subtracts a tally that was added before.
    Subtract,
}

impl Sign {
    pub(super) fn apply(self, sum: &mut u64, value: u64) {
        *sum = if self == Self::Add { sum.wrapping_add(value) } else { sum.wrapping_sub(value) };
    }
}

/// Writes seven bits a byte, the lowest first. The eighth bit says that more bytes follow.
pub(in crate::history) fn write(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads a number of [`write`], and moves `encoded` behind it.
pub(in crate::history) fn read(encoded: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let Some((byte, rest)) = encoded.split_first() else { break };
        *encoded = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}
