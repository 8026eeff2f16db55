//! The marks of this run and of earlier ones: the last of them, with those that the store lacks.

use std::collections::VecDeque;

use watchboard_wire::{Mark, MarkKind};

use super::store::StoredMark;

/// Marks in memory. The store has more.
pub(super) const MAX_MARKS: usize = 200;
/// Characters of a mark's text.
const MAX_TEXT: usize = 300;

/// The last marks, by rising time.
#[derive(Debug, Default)]
pub(super) struct Marks {
    list: VecDeque<Mark>,
    unsent: Vec<StoredMark>,
    /// The tick at which the list last changed.
    pub(super) changed_at: u64,
}

impl Marks {
    /// Adds a mark of this run.
    pub(super) fn add(&mut self, tick: u64, mut mark: Mark) {
        if let Some((end, _)) = mark.text.char_indices().nth(MAX_TEXT) {
            mark.text.truncate(end);
            mark.text.push('…');
        }
        self.unsent.push(encode(&mark));
        self.insert(tick, mark);
    }

    /// Takes over those that earlier runs have stored.
    pub(super) fn restore(&mut self, tick: u64, stored: &[StoredMark]) {
        stored.iter().filter_map(decode).for_each(|mark| self.insert(tick, mark));
    }

    /// Takes over one of another instance. What others wrote is cut.
    #[cfg(feature = "mongodb")]
    pub(super) fn restore_of(&mut self, tick: u64, instance: &str, stored: &StoredMark) {
        let Some(mark) = decode(stored) else { return };
        let prefix = if instance.is_empty() { String::new() } else { format!("{instance}: ") };
        let text = prefix.chars().chain(mark.text.chars()).take(MAX_TEXT).collect();
        self.insert(tick, Mark { text, ..mark });
    }

    fn insert(&mut self, tick: u64, mark: Mark) {
        let at = self.list.partition_point(|known| known.at_unix_ms <= mark.at_unix_ms);
        self.list.insert(at, mark);
        if self.list.len() > MAX_MARKS {
            self.list.pop_front();
        }
        self.changed_at = tick;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Mark> {
        self.list.iter()
    }

    /// Those that the store lacks.
    pub(super) fn take_unsent(&mut self) -> Vec<StoredMark> {
        std::mem::take(&mut self.unsent)
    }

    /// They were not stored.
    pub(super) fn send_again(&mut self, lost: &[StoredMark]) {
        let room = MAX_MARKS.saturating_sub(self.unsent.len());
        self.unsent.extend(lost.iter().take(room).cloned());
    }
}

/// The kind's word, a colon, and the text.
fn encode(Mark { at_unix_ms, kind, text }: &Mark) -> StoredMark {
    StoredMark { at_unix_ms: *at_unix_ms, bytes: [kind.word(), ":", text].concat().into_bytes() }
}

/// `None` for a kind that this version does not know.
fn decode(StoredMark { at_unix_ms, bytes }: &StoredMark) -> Option<Mark> {
    let (kind, text) = std::str::from_utf8(bytes).ok()?.split_once(':')?;
    Some(Mark { at_unix_ms: *at_unix_ms, kind: MarkKind::from_word(kind)?, text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(at_unix_ms: u64, text: &str) -> Mark {
        Mark { at_unix_ms, kind: MarkKind::Note, text: text.to_owned() }
    }

    #[test]
    fn what_was_stored_stands_before_what_came_since_and_is_not_stored_again() {
        let mut first = Marks::default();
        first.add(5, note(5_000, "deploy: 1.4.2"));
        let stored = first.take_unsent();
        let mut second = Marks::default();
        second.add(9, note(9_000, "b"));
        second.restore(10, &stored);
        second.restore(10, &[StoredMark { at_unix_ms: 1, bytes: b"earthquake:a".to_vec() }]);
        assert_eq!(second.iter().cloned().collect::<Vec<_>>(), [note(5_000, "deploy: 1.4.2"), note(9_000, "b")]);
        assert_eq!((second.take_unsent().len(), second.take_unsent().len(), second.changed_at), (1, 0, 10));
    }

    #[test]
    fn they_are_bounded_in_number_and_length() {
        let mut marks = Marks::default();
        (0..300).for_each(|at| marks.add(at, note(at, &"ä".repeat(1_000))));
        let first = marks.iter().next().map(|mark| (mark.at_unix_ms, mark.text.chars().count()));
        assert_eq!((marks.iter().count(), first), (MAX_MARKS, Some((100, MAX_TEXT + 1))));
        let lost = marks.take_unsent();
        marks.send_again(&lost);
        assert_eq!(marks.take_unsent().len(), MAX_MARKS);
    }
}
