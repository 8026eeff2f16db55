//! The figures of the endpoint that the page is of, and what its charts show of them.

use watchboard_wire::{EndpointColumns, EndpointDetail, Reading, Unit, Unknown};

use crate::{
    components::{ChartData, Series},
    figures::Figures,
    pages::charts::over_earlier,
};

pub(super) const NO_ENDPOINT: &str =
    "No such endpoint has been asked for since the start of the process. All are among the requests.";

pub(super) fn detail(figures: &Figures) -> Reading<&EndpointDetail> {
    figures.endpoint.as_ref().ok_or_else(|| Unknown::because(NO_ENDPOINT))
}

/// A chart's data from the endpoint's columns; empty for an unknown endpoint.
pub(super) fn columns(figures: &Figures, unit: Unit, read: impl Fn(&EndpointColumns) -> Vec<Series>) -> ChartData {
    let none = EndpointColumns::default();
    let series = |figures: &Figures| read(detail(figures).map_or(&none, |detail| &detail.timeline.columns));
    over_earlier(figures, unit, series)
}
