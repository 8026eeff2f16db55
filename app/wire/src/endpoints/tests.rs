use super::EndpointRow;

#[test]
fn a_line_goes_on_where_the_page_has_it() {
    let row = |line_last, line: &[u64]| EndpointRow { line_last, line: line.to_vec(), ..EndpointRow::default() };
    let extended = |mut newer: EndpointRow, known| {
        newer.extend(known, 5);
        newer.line
    };
    assert_eq!(extended(row(4, &[9, 1]), row(3, &[1, 2, 3])), [1, 2, 9, 1], "the last point was still filling");
    assert_eq!(extended(row(9, &[7]), row(3, &[1, 2, 3])), [0, 0, 0, 0, 7]);
    assert_eq!(extended(row(4, &[4, 5]), row(9, &[])), [4, 5]);
    assert_eq!(extended(row(1 << 40, &[7]), row(3, &[1])), [0, 0, 0, 0, 7]);
}
