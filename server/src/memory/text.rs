//! The kernel's texts of names and numbers.

/// The number that stands behind a name at the beginning of a line. None where there is no such line, or no number.
pub(super) fn field(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let text = "anon 7\ninactive_anon 8\nRssAnon:\t  9 kB\nempty \nwords many";
        assert_eq!([field(text, "anon "), field(text, "RssAnon:")], [Some(7), Some(9)]);
        assert_eq!([field(text, "empty "), field(text, "words "), field(text, "none ")], [None; 3]);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,200}", name in ".{0,8}") {
            let _ = field(&text, &name);
        }
    }
}
