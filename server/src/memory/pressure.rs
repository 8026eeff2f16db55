//! The kernel's PSI: `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, and the same of `full`.

use procfs::{FromBufRead, MemoryPressure};
use watchboard_wire::Pressure;

/// None where the text is not of this form, as of a kernel that refuses to tell.
pub(super) fn parse(text: &str) -> Option<Pressure> {
    let MemoryPressure { some, full } = MemoryPressure::from_buf_read(text.as_bytes()).ok()?;
    Some(Pressure { some_percent: f64::from(some.avg10), full_percent: f64::from(full.avg10) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shares_of_the_last_ten_seconds() {
        let text = "some avg10=1.50 avg60=0.00 avg300=0.00 total=7\nfull avg10=0.25 avg60=0.00 avg300=0.00 total=3\n";
        assert_eq!(parse(text), Some(Pressure { some_percent: 1.5, full_percent: 0.25 }));
        assert_eq!([parse(""), parse("some avg10=much")], [None; 2]);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,200}") {
            let _ = parse(&text);
        }
    }
}
