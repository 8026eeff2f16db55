//! Values and labels in Prometheus's text.

/// The value of a label without the characters that would end it.
pub(super) fn escape_label(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

/// Prometheus counts time in seconds.
pub(super) fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

/// A bound of a histogram, alike in both formats: OpenMetrics wants `1.0`.
pub(super) fn number(value: f64) -> String {
    format!("{value:?}")
}
