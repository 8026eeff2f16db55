//! Sorts all lists of the page: by a number, then by a text. Each further sort function would add kilobytes to the
//! bundle.

/// The number and text that an entry is sorted by, and its index in the list.
#[derive(Debug)]
pub(crate) struct SortKey {
    pub(crate) number: f64,
    pub(crate) text: String,
    pub(crate) index: usize,
}

/// The indices of the entries: the largest number first, or the smallest if `ascending`. Equal numbers are sorted by
/// their texts.
pub(crate) fn sort_keys(mut keys: Vec<SortKey>, ascending: bool) -> impl Iterator<Item = usize> {
    keys.sort_unstable_by(|a, b| {
        let order = a.number.total_cmp(&b.number);
        let order = if ascending { order } else { order.reverse() };
        order.then_with(|| a.text.cmp(&b.text)).then(a.index.cmp(&b.index))
    });
    keys.into_iter().map(|key| key.index)
}
