//! The beginning of a request's body, held so that it can be sent once more.

use bytes::Bytes;

/// A request holds so much at most. Of a longer body nothing is held once it is passed.
const MOST_BYTES: usize = 64 << 10;

#[derive(Debug)]
pub(super) enum HeldParts {
    /// Nobody will ask for the body again.
    None,
    /// All that was sent.
    All(Vec<Bytes>),
    /// The beginning is gone.
    Lost,
}

impl HeldParts {
    /// Holds what is sent from now on. Nothing was sent before.
    pub(super) fn begin(&mut self) {
        if let Self::None = self {
            *self = Self::All(vec![]);
        }
    }

    /// A part is sent. Once the request `is_answered`, nothing is sent again.
    pub(super) fn add(&mut self, part: &Bytes, is_answered: bool) {
        let bytes = self.bytes_from(0) as usize + part.len();
        match self {
            Self::All(parts) if !is_answered && bytes <= MOST_BYTES => parts.push(part.clone()),
            Self::All(_) => *self = Self::Lost,
            Self::None | Self::Lost => {}
        }
    }

    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Lost)
    }

    fn parts(&self) -> &[Bytes] {
        if let Self::All(parts) = self { parts } else { &[] }
    }

    pub(super) fn part(&self, index: usize) -> Option<&Bytes> {
        self.parts().get(index)
    }

    /// The bytes of the parts from one on.
    pub(super) fn bytes_from(&self, index: usize) -> u64 {
        self.parts().iter().skip(index).map(|part| part.len() as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_held_up_to_the_bound() {
        let mut held = HeldParts::None;
        held.add(&Bytes::from_static(b"before"), false);
        held.begin();
        held.add(&Bytes::from_static(b"one"), false);
        held.add(&Bytes::from_static(b"three"), false);
        assert_eq!((held.bytes_from(0), held.bytes_from(1), held.is_lost()), (8, 5, false));
        held.add(&Bytes::from(vec![0; MOST_BYTES]), false);
        assert!(held.is_lost() && held.part(0).is_none());
        let mut answered = HeldParts::All(vec![]);
        answered.add(&Bytes::from_static(b"one"), true);
        assert!(answered.is_lost());
    }
}
