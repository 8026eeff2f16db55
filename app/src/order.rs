//! The one way in which lists of the page are sorted: by a number, then by a text. One way, since each would be some kilobytes
//! of the bundle.

/// What is sorted by, and which one it is.
pub(crate) struct Key {
    pub(crate) number: f64,
    pub(crate) text: String,
    pub(crate) of: usize,
}

/// The largest number first unless `ascending`; those that are equal stand by their texts.
pub(crate) fn sorted(mut keys: Vec<Key>, ascending: bool) -> impl Iterator<Item = usize> {
    keys.sort_unstable_by(|a, b| {
        let order = a.number.total_cmp(&b.number);
        let order = if ascending { order } else { order.reverse() };
        order.then_with(|| a.text.cmp(&b.text)).then(a.of.cmp(&b.of))
    });
    keys.into_iter().map(|key| key.of)
}
