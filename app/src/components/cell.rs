//! A cell of a table, as plain data.

use leptos::{either::EitherOf3, prelude::*};
use watchboard_wire::format;

/// One cell: its text, and the exact value or an explanation as its title.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cell {
    text: String,
    pub(super) title: String,
    pub(super) class: &'static str,
    /// The link of its text.
    href: Option<String>,
    /// A small drawing beside the text.
    drawing: String,
}

impl Cell {
    pub(crate) fn words(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    pub(crate) fn number(text: String, title: String) -> Self {
        Self { text, title, class: "number", ..Self::default() }
    }

    /// A size, short, with all its digits as title.
    pub(crate) fn bytes(bytes: u64) -> Self {
        Self::number(format::bytes(bytes as f64), format::exact(bytes))
    }

    /// A missing figure.
    pub(crate) fn dash() -> Self {
        Self::number("–".to_owned(), String::new())
    }

    pub(crate) fn with_title(self, title: String) -> Self {
        Self { title, ..self }
    }

    /// A small line of these values.
    pub(crate) fn line(values: &[f64], hue: &'static str) -> Self {
        Self { drawing: super::line::small_line(values, hue), class: "line", ..Self::default() }
    }

    /// A number with a bar of a share of its column, in percent.
    pub(crate) fn bar(text: String, percent: f64, title: String) -> Self {
        Self { drawing: super::line::cell_bar(0.0, percent), class: "number drawn", text, title, ..Self::default() }
    }

    /// A number with a bar between two places of its column, in percent.
    pub(crate) fn range(text: String, (from, to): (f64, f64), title: String) -> Self {
        Self { drawing: super::line::cell_bar(from, to), class: "number drawn range", text, title, ..Self::default() }
    }

    /// A drawing as wide as the column.
    pub(crate) fn strip(drawing: String) -> Self {
        Self { drawing, class: "strip", ..Self::default() }
    }

    /// With a small line of these values beside the text.
    pub(crate) fn with_line(self, values: &[f64], hue: &'static str) -> Self {
        Self { drawing: super::line::small_line(values, hue), class: "number drawn line", ..self }
    }

    /// Stretches of a time of `whole_us` microseconds.
    pub(crate) fn steps(stretches: &[super::Stretch], whole_us: u64) -> Self {
        Self { drawing: super::steps::draw_steps(stretches, whole_us), class: "steps", ..Self::default() }
    }

    pub(crate) fn with_link(self, href: String) -> Self {
        Self { href: Some(href), ..self }
    }

    pub(crate) fn class(self, class: &'static str) -> Self {
        Self { class, ..self }
    }

    /// What stands in it.
    pub(super) fn content(self) -> impl IntoView {
        let Self { text, href, drawing, .. } = self;
        match href {
            Some(href) => EitherOf3::A(view! { <a href=href>{text}</a> }),
            None if !drawing.is_empty() => EitherOf3::B(view! { <div inner_html=drawing></div><span>{text}</span> }),
            None => EitherOf3::C(text),
        }
    }
}
