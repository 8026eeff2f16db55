//! The kernel's PSI: `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, and the same of `full`.

use watchboard_wire::Pressure;

/// `None` if the text has another form: some kernels have the file and refuse to read it.
pub(super) fn parse(text: &str) -> Option<Pressure> {
    let share = |name: &str| {
        let averages = text.lines().find_map(|line| line.strip_prefix(name))?;
        averages.split_whitespace().find_map(|average| average.strip_prefix("avg10="))?.parse().ok()
    };
    Some(Pressure { some_percent: share("some ")?, full_percent: share("full ")? })
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
