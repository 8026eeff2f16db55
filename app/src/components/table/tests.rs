use super::*;

#[test]
fn a_narrow_screen_shows_what_leads_and_what_sorts() {
    let lead = |title, word| numbers(title, "").sorts(word).leads();
    let columns =
        [words("Endpoint").sorts("name"), lead("Time", "time"), lead("p99", "p99"), numbers("Max", "").sorts("max")];
    let shown = |by: &str| shown_columns(&columns, |word| word == by);
    assert_eq!(shown("time"), [false, true, true, false]);
    assert_eq!(shown("name"), [false, true, true, false], "the name is always there");
    assert_eq!(shown("max"), [false, true, false, true]);
    assert_eq!(shown_columns(&[words("Name"), words("State")], |_| false), [true, true], "nothing leads");
}
