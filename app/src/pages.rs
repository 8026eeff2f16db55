//! The views, one file each. They choose the figures, and components draw them.

mod attention;
mod cells;
mod charts;
mod commands;
mod database;
mod endpoint;
mod endpoints;
mod errors;
mod long_lived;
mod memory;
mod overview;
mod request;
mod requests;
mod slowest;
mod strips;
mod tiles;
mod top;

pub(crate) use database::DatabasePage;
pub(crate) use endpoint::EndpointPage;
pub(crate) use memory::MemoryPage;
pub(crate) use overview::Overview;
pub(crate) use request::RequestDrawer;
pub(crate) use requests::RequestsPage;
