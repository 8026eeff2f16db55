//! The views, one file each. They choose the figures, and components draw them.

mod attention;
mod cards;
mod cells;
mod charts;
pub(crate) mod chunks;
mod commands;
mod database;
mod endpoint;
mod endpoints;
mod errors;
mod export_links;
mod instances;
mod long_lived;
mod memory;
mod overview;
mod request;
mod requests;
mod show_all;
mod slowest;
mod strips;
mod tiles;
mod top;

use database::DatabasePage;
use endpoint::EndpointPage;
use instances::InstancesPage;
use memory::MemoryPage;
pub(crate) use overview::Overview;
use requests::RequestsPage;
