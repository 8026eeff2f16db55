//! The text of metrics, in Prometheus's own format or in OpenMetrics.

use std::fmt::{Display, Write};

use axum::http::HeaderValue;

/// The two formats. They differ in the names of counters' families, in exemplars and in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `text/plain; version=0.0.4`, which every scraper reads.
    Text,
    /// `application/openmetrics-text; version=1.0.0`, with exemplars.
    OpenMetrics,
}

impl Format {
    /// OpenMetrics if the scraper names it in its `Accept`, and prefers it to plain text.
    pub(crate) fn from_accept(accept: Option<&HeaderValue>) -> Self {
        let accept = accept.and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        let open_metrics = quality(accept, "application/openmetrics-text");
        let is_preferred = open_metrics > 0.0 && open_metrics >= quality(accept, "text/plain");
        if is_preferred { Self::OpenMetrics } else { Self::Text }
    }

    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        })
    }
}

/// The quality of a type that an `Accept` names (RFC 9110, 12.5.1); 0 if it does not.
fn quality(accept: &str, media_type: &str) -> f32 {
    let of_range = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(media_type));
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        is_named.then(|| weight.map_or(Some(1.0), |weight| weight.parse().ok()).unwrap_or(0.0))
    };
    accept.split(',').filter_map(of_range).fold(0.0, f32::max)
}

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
    }
}

/// A text of metrics that grows. The samples of a family follow its head.
pub(super) struct Exposition {
    format: Format,
    text: String,
}

impl Exposition {
    pub(super) fn new(format: Format) -> Self {
        Self { format, text: String::new() }
    }

    pub(super) fn has_exemplars(&self) -> bool {
        self.format == Format::OpenMetrics
    }

    /// Begins a family. The name of a counter ends in `_total`.
    pub(super) fn family(&mut self, kind: Kind, name: &str, help: &str) {
        let is_open = self.format == Format::OpenMetrics && kind == Kind::Counter;
        let family = if is_open { name.trim_end_matches("_total") } else { name };
        self.line(format_args!("# HELP {family} {help}\n# TYPE {family} {}", kind.word()));
    }

    /// One sample. `labels` is `name="value",…`, or empty.
    pub(super) fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        match labels {
            "" => self.line(format_args!("{name} {value}")),
            _ => self.line(format_args!("{name}{{{labels}}} {value}")),
        }
    }

    /// A sample, and a text after it that OpenMetrics alone has.
    pub(super) fn sample_with_exemplar(&mut self, name: &str, labels: &str, value: impl Display, exemplar: &str) {
        self.line(format_args!("{name}{{{labels}}} {value}{exemplar}"));
    }

    /// A family with its samples; none if there are no samples: an unknown figure is left out.
    pub(super) fn all<L: AsRef<str>, V: Display>(
        &mut self,
        (kind, name, help): (Kind, &str, &str),
        samples: impl IntoIterator<Item = (L, V)>,
    ) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return;
        }
        self.family(kind, name, help);
        samples.for_each(|(labels, value)| self.sample(name, labels.as_ref(), value));
    }

    /// A family with one sample, if it is known.
    pub(super) fn one(&mut self, family: (Kind, &str, &str), value: Option<impl Display>) {
        self.all(family, value.map(|value| ("", value)));
    }

    fn line(&mut self, line: impl Display) {
        // Writing into a string cannot fail.
        let _ = writeln!(self.text, "{line}");
    }

    pub(super) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text += "# EOF\n";
        }
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scraper_gets_the_format_that_it_names() {
        let format = |accept: &'static str| Format::from_accept(Some(&HeaderValue::from_static(accept)));
        assert_eq!(Format::from_accept(None), Format::Text);
        assert_eq!(format("*/*"), Format::Text);
        assert_eq!(format("application/openmetrics-text;q=0, text/plain"), Format::Text);
        assert_eq!(format("application/openmetrics-text;q=0.1,text/plain;q=0.9"), Format::Text);
        assert_eq!(format("application/openmetrics-text; q=0.9, text/plain; q=0.9"), Format::OpenMetrics);
        let of_prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                             text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(format(of_prometheus), Format::OpenMetrics);
    }

    #[test]
    fn a_counter_has_the_name_that_its_format_wants() {
        let written = |format| {
            let mut out = Exposition::new(format);
            out.all((Kind::Counter, "a_total", "What."), [("b=\"c\"", 1)]);
            out.one((Kind::Gauge, "unknown", "What."), None::<u64>);
            out.finish()
        };
        assert_eq!(written(Format::Text), "# HELP a_total What.\n# TYPE a_total counter\na_total{b=\"c\"} 1\n");
        assert_eq!(written(Format::OpenMetrics), "# HELP a What.\n# TYPE a counter\na_total{b=\"c\"} 1\n# EOF\n");
    }
}
