use super::*;
use watchboard_wire::Window;

#[test]
fn each_band_of_a_point_is_a_rectangle_and_the_most_is_darkest() {
    let data = HeatData {
        span: Window::Minute.span(0, 99),
        points: vec![vec![(Band(10), 1), (Band(12), 100)], vec![]],
        lines: vec![],
    };
    let svg = draw(&data);
    assert_eq!(svg.matches("<rect").count(), 2);
    assert!(svg.contains("viewBox=\"0 0 60 3\""), "three bands: {svg}");
    assert!(svg.contains("<rect class=\"shade-5\" x=\"58\" y=\"0\""), "{svg}");
    assert!(svg.contains("<rect class=\"shade-2\" x=\"58\" y=\"2\""), "{svg}");
    assert!(!draw(&HeatData::default()).contains("rect"));
}

#[test]
fn a_line_has_gaps_where_no_request_was() {
    let values = vec![Some(1e3), None, Some(2e3), Some(2e3), None, None];
    let data = HeatData {
        span: watchboard_wire::ShownSpan { window: Window::Minute, points: 6 },
        points: vec![vec![(Band(0), 1)]; 6],
        lines: vec![Series { name: "p50", hue: "hue-p50", values }],
    };
    let places: Vec<_> = draw(&data).split("points=\"").skip(1).map(|line| line.split(',').count()).collect();
    assert_eq!(places, [3, 3], "a dash of two places, and a line of two");
}
