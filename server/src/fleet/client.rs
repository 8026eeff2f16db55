//! The monitor's own client of the fleet's MongoDB: its connections are few, and it gives up soon.

use std::time::Duration;

use mongodb::{
    Client, Database,
    bson::doc,
    options::{Acknowledgment, ClientOptions, ReadConcern, WriteConcern},
};

use watchboard_wire::is_fleet_database;

use super::lease::make_lease;
use crate::history::store::{MongoSteps, StoreError};

/// The database of a connection string that names none.
const DATABASE: &str = "watchboard";
/// The time for the driver to find a primary.
const SELECT_WITHIN: Duration = Duration::from_secs(3);
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// The interval of the driver's monitors, by which a new primary is found.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// Delivery, presence, merging, and pages.
const POOL: u32 = 4;

/// Makes the collections with their indexes, and the lease. What is there stays.
pub(super) async fn prepare(steps: &MongoSteps) -> Result<(), StoreError> {
    steps.prepare().await?;
    make_lease(steps).await
}

/// Connects to the database of a connection string, and makes its collections. A board alone may be allowed to read only: what is not there has
/// nothing to show.
pub(super) async fn connect(uri: &str, instance: &str) -> Result<Database, StoreError> {
    let refused = |reason: String| StoreError::Refused(reason);
    let options = ClientOptions::parse(uri).await;
    let mut options = options.map_err(|error| refused(crate::database::mongodb::uri_failure(uri, &error).detail))?;
    options.app_name = Some("watchboard".to_owned());
    options.max_pool_size = Some(POOL);
    options.min_pool_size = None;
    options.server_selection_timeout = Some(SELECT_WITHIN);
    options.connect_timeout = Some(CONNECT_WITHIN);
    options.heartbeat_freq = Some(HEARTBEAT);
    // What is read decides what is written: it has to be what a majority has.
    options.selection_criteria = None;
    options.read_concern = Some(ReadConcern::majority());
    options.write_concern = Some(WriteConcern::from(Acknowledgment::Majority));
    let name = options.default_database.clone().unwrap_or_else(|| DATABASE.to_owned());
    if !is_fleet_database(&name) {
        let reason = format!(
            "the database {name:?} of its connection string cannot have the figures of a fleet: name another one"
        );
        return Err(StoreError::Refused(reason));
    }
    let client =
        Client::with_options(options).map_err(|_| refused("its options cannot be used together".to_owned()))?;
    let database = client.database(&name);
    let steps = MongoSteps::new(database.clone(), instance);
    if instance.is_empty() {
        steps.command(doc! { "ping": 1 }).await?;
    } else {
        prepare(&steps).await?;
    }
    Ok(database)
}
