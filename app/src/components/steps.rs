//! The steps of a request as bars on its time. They are too small and too many for plotters.

use std::fmt::Write;

/// A stretch of time with its title.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stretch {
    pub(crate) at_us: u64,
    pub(crate) elapsed_us: u64,
    pub(crate) failed: bool,
    pub(crate) title: String,
}

/// Draws stretches of a time of `whole_us` microseconds.
pub(crate) fn draw_steps(stretches: &[Stretch], whole_us: u64) -> String {
    // In thousandths, since fractions take more bytes.
    let part = |us: u64| us.min(whole_us) * 1_000 / whole_us.max(1);
    let mut rects = String::new();
    for Stretch { at_us, elapsed_us, failed, title } in stretches {
        let class = if *failed { "hue-server" } else { "hue-database" };
        let title = title.replace('&', "&amp;").replace('<', "&lt;");
        // Writing into a string cannot fail.
        let _ = write!(
            rects,
            "<rect class=\"{class}\" x=\"{}\" width=\"{}\" height=\"12\"><title>{title}</title></rect>",
            part(*at_us),
            part(*elapsed_us).max(4)
        );
    }
    format!("<svg viewBox=\"0 0 1000 12\" preserveAspectRatio=\"none\">{rects}</svg>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_where_they_were_and_names_are_text() {
        let stretch = Stretch { at_us: 500, elapsed_us: 250, failed: false, title: "find a.<b>".to_owned() };
        let svg = draw_steps(&[stretch], 1_000);
        assert!(svg.contains("x=\"500\" width=\"250\"") && svg.contains("find a.&lt;b>"), "{svg}");
    }
}
