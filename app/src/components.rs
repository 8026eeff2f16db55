//! The parts of pages. A component gets all that it shows as an argument: it knows neither the api, nor the live
//! figures, nor the selection.

mod bar;
mod card;
mod cell;
mod chart;
mod explained_facts;
mod facts;
mod heat;
mod hints;
mod line;
mod stat;
mod steps;
mod table;

pub(crate) use bar::{Bar, FULL_PERCENT, Slice, StackedBar, TIGHT_PERCENT, Usage};
pub(crate) use card::Card;
pub(crate) use cell::Cell;
pub(crate) use chart::{
    Chart, ChartData, ChartLimit, ChartMark, ChartShape, ChartSpan, Crosshair, EarlierSeries, Series, sparkline,
};
pub(crate) use explained_facts::ExplainedFacts;
pub(crate) use facts::{Fact, Facts};
pub(crate) use heat::{HeatData, HeatMap};
pub(crate) use line::cell_bar;
pub(crate) use stat::StatTile;
pub(crate) use steps::Stretch;
pub(crate) use table::{Column, ROWS_THERE, SortHead, Sorting, Table, TableRow, TallTable, numbers, words};
