//! What the pages are made of. None of these knows the api.

mod bar;
mod card;
mod chart;
mod controls;
mod heat;
mod line;
mod nav;
mod stat;
mod status_line;
mod steps;
mod table;

pub(crate) use bar::{Bar, Slice, StackedBar, Usage};
pub(crate) use card::Card;
pub(crate) use chart::{Chart, ChartData, Crosshair, Series};
pub(crate) use controls::Controls;
pub(crate) use heat::{HeatData, HeatMap};
pub(crate) use nav::{Nav, Windows};
pub(crate) use stat::Stat;
pub(crate) use status_line::StatusLine;
pub(crate) use steps::Stretch;
pub(crate) use table::{Cell, Column, Fact, Facts, ROWS_THERE, Row, Table, TallTable, numbers, words};
