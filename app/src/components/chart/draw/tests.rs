use super::*;
use crate::components::chart::data::{ChartLimit, EarlierSeries, Series};
use watchboard_wire::{ShownSpan, Unit, Window};

fn data(values: &[Option<f32>]) -> ChartData {
    ChartData {
        series: vec![Series::new("rate", "hue-rate", values)],
        ..ChartData::new(ShownSpan { window: Window::Minute, points: 60 }, Unit::PerSecond)
    }
}

fn lines_of(svg: &str) -> usize {
    svg.matches("class=\"hue-rate\"").count()
}

#[test]
fn gaps_are_gaps_and_a_lone_point_is_seen() {
    let svg = sparkline(&data(&[Some(1.0), Some(2.0), None, None, Some(4.0), None, Some(1.0), Some(1.0)]));
    assert_eq!(lines_of(&svg), 3, "{svg}");
}

#[test]
fn a_drawing_has_neither_text_nor_colour_nor_size() {
    let limit = Some(ChartLimit { name: "limit", value: 9.0, is_drawn: true });
    let svg = chart(&ChartData { limit, ..data(&[Some(1.0), Some(8.0)]) });
    assert!(svg.starts_with("<svg preserveAspectRatio=\"none\""), "{svg}");
    assert_eq!(
        (svg.matches("class=\"grid\"").count(), svg.matches("class=\"limit\"").count(), lines_of(&svg)),
        (6, 1, 1)
    );
    for absent in ["<text", "stroke=", "fill=", "style=", " width=", "opacity"] {
        assert!(!svg.contains(absent), "{absent} in {svg}");
    }
}

#[test]
fn no_data_draws_the_grid_alone() {
    let svg = chart(&data(&[]));
    assert_eq!((svg.matches("class=\"grid\"").count(), lines_of(&svg)), (6, 0));
}

#[test]
fn a_cell_of_a_ribbon_is_as_wide_as_a_point_and_a_gap_is_none() {
    let shares = Series::new("answered", "hue-rate", &[Some(100.0f32), None, Some(100.0), Some(100.0)]);
    let span = ShownSpan { window: Window::Minute, points: 4 };
    let ribbon = ChartData { shape: ChartShape::Ribbon, series: vec![shares], ..ChartData::new(span, Unit::Percent) };
    let cells = |mark: &DrawnShape| match mark {
        DrawnShape::Area(_, path) => (path[0].0, path[path.len() / 2 - 1].0),
        DrawnShape::Line(..) => panic!("a ribbon has no lines"),
    };
    assert_eq!(series(&ribbon, 0).iter().map(cells).collect::<Vec<_>>(), [(0.0, 0.5), (1.5, 3.0)]);
}

#[test]
fn a_failed_cell_of_a_ribbon_is_half_as_high() {
    let share = |name, values: &[Option<f32>]| Series::new(name, name, values);
    let ribbon = ChartData {
        shape: ChartShape::Ribbon,
        series: vec![
            share("failed", &[Some(100.0), Some(0.0), Some(0.0)]),
            share("answered", &[Some(0.0), Some(100.0), Some(100.0)]),
        ],
        ..ChartData::new(ShownSpan { window: Window::Minute, points: 3 }, Unit::Percent)
    };
    let top = |class: usize| {
        let heights = series(&ribbon, 0).into_iter().filter_map(move |mark| match mark {
            DrawnShape::Area(of, path) if of == class => Some(path.into_iter().map(|(_, height)| height)),
            _ => None,
        });
        heights.flatten().fold(0.0, f64::max)
    };
    assert_eq!((top(0), top(1)), (0.5, 1.0));
}

#[test]
fn parts_of_a_whole_stand_on_each_other() {
    let parts = |shape| ChartData {
        shape,
        series: vec![
            Series::new("fine", "hue-fine", &[Some(3.0f32), None, Some(2.0), Some(1.0)]),
            Series::new("failed", "hue-failed", &[Some(1.0f32), None, None, Some(1.0)]),
        ],
        ..data(&[])
    };
    let stack = chart(&parts(ChartShape::Stack));
    let areas = |svg: &str, class: &str| svg.matches(&format!("<polygon class=\"{class}\"")).count();
    assert_eq!((areas(&stack, "hue-fine"), areas(&stack, "hue-failed")), (2, 2), "{stack}");
    let axis = parts(ChartShape::Stack).axis();
    assert!(axis.end() >= 4.0, "the axis holds the sum: {axis:?}");
    let mirror = parts(ChartShape::Mirror);
    let zero = mirror.axis().place(0.0);
    assert!((zero - 0.5).abs() < 1e-9, "what hangs below zero has as much room: {zero}");
    assert_eq!(areas(&chart(&mirror), "hue-fine") + areas(&chart(&mirror), "hue-failed"), 4);
    let bands = chart(&parts(ChartShape::Bands));
    assert_eq!((areas(&bands, "hue-fine"), areas(&bands, "hue-failed")), (0, 2), "{bands}");
}

#[test]
fn an_earlier_span_lies_where_its_time_does_and_within_the_chart() {
    let path = |place: (f64, f64), shape| {
        let values = [10.0f32, 20.0, 30.0].map(Some);
        let series = vec![Series::new("a", "hue-a", &values), Series::new("b", "hue-b", &values)];
        let earlier = Some(EarlierSeries { series, points: 3, place });
        earlier_lines(&ChartData { shape, earlier, ..data(&[Some(60.0)]) })
    };
    // Points of ten seconds among those of a second, of which the first begins two seconds before the chart.
    let [line, _] = &path((-2.0, 10.0), ChartShape::Lines)[..] else { panic!("two lines") };
    assert_eq!(line.iter().map(|(x, _)| *x).collect::<Vec<_>>(), [2.5, 12.5, 12.5, 22.5]);
    let [cut, _] = &path((-12.0, 10.0), ChartShape::Lines)[..] else { panic!("two lines") };
    assert_eq!(cut.iter().map(|(x, _)| *x).collect::<Vec<_>>(), [0.0, 2.5, 2.5, 12.5]);
    let sums = path((0.0, 1.0), ChartShape::Stack);
    assert_eq!(sums.len(), 1, "of a stack the sum");
    assert_eq!(path((500.0, 1.0), ChartShape::Lines), Vec::<Path>::new(), "it is beside the chart");
}

fn earlier_lines(data: &ChartData) -> Vec<Path> {
    let paths = earlier(data, &data.axis()).into_iter().map(|shape| match shape {
        DrawnShape::Line(_, path) | DrawnShape::Area(_, path) => path,
    });
    paths.collect()
}
