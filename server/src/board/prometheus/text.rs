//! Values and labels in Prometheus's text.

/// The value of a label without the characters that would end it.
pub(super) fn escape_label(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

/// Prometheus counts time in seconds.
pub(super) fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}
