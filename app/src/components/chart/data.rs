//! The data of a chart: series over the window, how they are drawn, and a limit.

use watchboard_wire::{Axis, ShownSpan, Unit};

/// One line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    pub(crate) name: &'static str,
    /// The class that gives the line its colour.
    pub(crate) hue: &'static str,
    /// Oldest first; `None` is a gap.
    pub(crate) values: Vec<Option<f64>>,
}

impl Series {
    pub(crate) fn new<T: Copy + Into<f64>>(name: &'static str, hue: &'static str, column: &[Option<T>]) -> Self {
        Self { name, hue, values: column.iter().map(|value| value.map(Into::into)).collect() }
    }

    /// The value at an index of `points`, 0 the oldest. A young series has no value at the start.
    pub(in crate::components) fn value_at(&self, index: usize, points: usize) -> Option<f64> {
        let at = (index + self.values.len()).checked_sub(points)?;
        self.values.get(at).copied().flatten()
    }
}

/// How the series of a chart are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ChartShape {
    /// Each as a line.
    #[default]
    Lines,
    /// Each as an area on top of those before it: they are parts of a whole.
    Stack,
    /// Percentiles, the lowest first: areas between them, on a logarithmic axis.
    Bands,
    /// As a stack, but the last series hangs below zero: what is taken back.
    Mirror,
    /// As a stack of shares that fill the whole height, in cells: a state over time.
    Ribbon,
}

/// A limit of a chart. Its legend always has it, so that nothing moves when the data comes near.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ChartLimit {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
    /// Whether the chart reaches to it.
    pub(crate) is_drawn: bool,
}

/// The series of an earlier span, which lie under those of the chart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EarlierSeries {
    pub(crate) series: Vec<Series>,
    pub(crate) points: usize,
    /// Where the oldest of its points lies among the chart's, and how many of those each takes.
    pub(crate) place: (f64, f64),
}

/// The data of a chart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ChartData {
    pub(crate) span: ShownSpan,
    pub(crate) unit: Unit,
    pub(crate) shape: ChartShape,
    pub(crate) series: Vec<Series>,
    pub(crate) earlier: Option<EarlierSeries>,
    pub(crate) limit: Option<ChartLimit>,
    /// The name of the sum of its series, for the legend; empty for none.
    pub(crate) total: &'static str,
    /// A warning beside the legend.
    pub(crate) warning: String,
}

impl ChartData {
    /// A chart without lines.
    pub(crate) fn new(span: ShownSpan, unit: Unit) -> Self {
        let (shape, warning) = (ChartShape::Lines, String::new());
        Self { span, unit, shape, series: vec![], earlier: None, limit: None, total: "", warning }
    }

    pub(super) fn axis(&self) -> Axis {
        let earlier = || self.earlier_lines().into_iter().flatten().flatten();
        let heights = || self.tops().chain(earlier()).chain(self.drawn_limit());
        match self.shape {
            ChartShape::Bands => Unit::log_axis(heights().fold(f64::INFINITY, f64::min), heights().fold(0.0, f64::max)),
            ChartShape::Mirror => self.unit.axis(heights().fold(0.0, f64::max)).mirrored(),
            ChartShape::Lines | ChartShape::Stack | ChartShape::Ribbon => self.unit.axis(heights().fold(0.0, f64::max)),
        }
    }

    pub(super) fn drawn_limit(&self) -> Option<f64> {
        self.limit.filter(|limit| limit.is_drawn).map(|limit| limit.value)
    }

    /// How many of the series stand on each other, from the first on.
    pub(super) fn stacked(&self) -> usize {
        match self.shape {
            ChartShape::Lines | ChartShape::Bands => 0,
            ChartShape::Stack | ChartShape::Ribbon => self.series.len(),
            ChartShape::Mirror => self.series.len() - 1,
        }
    }

    /// The values by their distances from zero: of a stack, the sums.
    fn tops(&self) -> impl Iterator<Item = f64> {
        let stacked = self.stacked();
        let sums = (0..self.points()).filter(move |_| stacked > 0).filter_map(move |at| self.sum_at(stacked, at));
        self.values_of(stacked).chain(sums)
    }

    /// The sum of the first `count` series at an index; `None` where no series has a value.
    pub(super) fn sum_at(&self, count: usize, at: usize) -> Option<f64> {
        let values = || self.series.iter().map(|series| series.value_at(at, self.points()));
        values().flatten().next().map(|_| values().take(count).flatten().sum())
    }

    /// The same with one series alone, by its name; with all of them if none has it.
    pub(super) fn only(&self, name: &str) -> Self {
        let mut alone = self.clone();
        if let Some(series) = self.series.iter().find(|series| series.name == name) {
            alone.series = vec![series.clone()];
            if let Some(earlier) = &mut alone.earlier {
                earlier.series.retain(|series| series.name == name);
            }
            // Alone it hangs below nothing.
            alone.shape = if self.shape == ChartShape::Mirror { ChartShape::Lines } else { self.shape };
        }
        alone
    }

    /// The lines of the earlier span, by its points: of a stack, of their sum.
    pub(super) fn earlier_lines(&self) -> Vec<Vec<Option<f64>>> {
        let Some(EarlierSeries { series, points, .. }) = &self.earlier else { return vec![] };
        let line = |series: &Series| (0..*points).map(|at| series.value_at(at, *points)).collect::<Vec<_>>();
        let lines: Vec<_> = series.iter().map(line).collect();
        let stacked = match self.shape {
            ChartShape::Lines | ChartShape::Bands => return lines,
            ChartShape::Ribbon => return vec![],
            ChartShape::Stack => lines.len(),
            ChartShape::Mirror => lines.len().saturating_sub(1),
        };
        let sum = |at: usize| {
            let values = || lines[..stacked].iter().filter_map(|line| line[at]);
            values().next().map(|_| values().sum())
        };
        vec![(0..*points).map(sum).collect()]
    }

    /// Whether there is no value yet.
    pub(super) fn is_empty(&self) -> bool {
        self.values_of(0).next().is_none()
    }

    /// The values of the series from an index on.
    fn values_of(&self, first: usize) -> impl Iterator<Item = f64> {
        self.series[first..].iter().flat_map(|series| series.values.iter().flatten().copied())
    }

    /// Adds a limit. It is drawn if the data comes near it: far above, it would flatten the lines.
    pub(crate) fn with_limit_in_sight(mut self, name: &'static str, limit: Option<f64>) -> Self {
        let largest = self.tops().fold(0.0, f64::max);
        self.limit = limit.map(|value| ChartLimit { name, value, is_drawn: value < largest * 4.0 });
        self
    }

    /// The index of the newest value: the last point, or the one before it while the last has no value.
    pub(super) fn newest_point(&self) -> usize {
        let points = self.points();
        let known = |index: &usize| self.series.iter().any(|series| series.value_at(*index, points).is_some());
        (points - 2..points).rev().find(known).unwrap_or(points - 1)
    }

    /// The number of points that it shows.
    pub(super) fn points(&self) -> usize {
        self.span.points
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use watchboard_wire::Window;

    #[test]
    fn a_series_stands_alone_on_an_axis_of_its_own() {
        let span = ShownSpan { window: Window::Minute, points: 60 };
        for shape in [ChartShape::Lines, ChartShape::Stack, ChartShape::Bands, ChartShape::Mirror, ChartShape::Ribbon] {
            let series = vec![Series::new("few", "a", &[Some(2.0f32)]), Series::new("many", "b", &[Some(900.0f32)])];
            let data = ChartData { shape, series, ..ChartData::new(span, Unit::PerSecond) };
            let few = data.only("few");
            assert_eq!(few.series.iter().map(|series| series.name).collect::<Vec<_>>(), ["few"]);
            assert!(few.axis().end() < 900.0, "{shape:?}");
            assert_eq!((data.only(""), data.only("none")), (data.clone(), data));
        }
    }

    #[test]
    fn a_limit_far_above_is_named_and_not_drawn() {
        let span = ShownSpan { window: Window::Minute, points: 60 };
        let data = |value: f32| {
            let series = vec![Series::new("rate", "rate", &[Some(value)])];
            ChartData { series, ..ChartData::new(span, Unit::PerSecond) }.with_limit_in_sight("limit", Some(100.0))
        };
        let (far, near) = (data(1.0), data(60.0));
        assert_eq!([far.drawn_limit(), near.drawn_limit()], [None, Some(100.0)]);
        assert!(far.axis().end() < 100.0 && near.axis().end() >= 100.0);
        assert_eq!(far.limit.map(|limit| limit.value), near.limit.map(|limit| limit.value), "both legends have it");
    }

    #[test]
    fn a_young_series_stands_at_the_right_end() {
        let series = Series::new("rate", "rate", &[Some(1.0f32), None, Some(3.0)]);
        let values: Vec<_> = (0..5).map(|index| series.value_at(index, 5)).collect();
        assert_eq!(values, [None, None, Some(1.0), None, Some(3.0)]);
        assert_eq!((series.value_at(0, 2), series.value_at(1, 2)), (None, Some(3.0)), "the newest are shown");
    }
}
