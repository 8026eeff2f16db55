//! The fleet: instances that share a MongoDB. Each delivers its steps there and says that it lives. A client and threads of the monitor's own
//! do it: no request waits for them, and their commands are in nobody's figures.

#[cfg(feature = "mongodb")]
mod client;
#[cfg(feature = "mongodb")]
mod deflated;
#[cfg(feature = "mongodb")]
mod delivery;
#[cfg(feature = "mongodb")]
mod earlier_run;
#[cfg(feature = "mongodb")]
mod instances;
#[cfg(feature = "mongodb")]
mod last_seen;
#[cfg(feature = "mongodb")]
mod lease;
#[cfg(all(feature = "measures", feature = "mongodb"))]
pub mod measures;
#[cfg(feature = "mongodb")]
mod member;
#[cfg(feature = "mongodb")]
mod merger;
#[cfg(not(feature = "mongodb"))]
mod no_driver;
#[cfg(feature = "mongodb")]
mod notice;
#[cfg(feature = "mongodb")]
mod options;
#[cfg(feature = "mongodb")]
mod outliers;
#[cfg(feature = "mongodb")]
mod points;
#[cfg(feature = "mongodb")]
mod presence;
#[cfg(feature = "mongodb")]
mod reading;
#[cfg(feature = "mongodb")]
mod source;
#[cfg(feature = "mongodb")]
mod strips;
#[cfg(feature = "mongodb")]
mod sums_of_runs;
#[cfg(feature = "mongodb")]
mod whole;

#[cfg(not(feature = "mongodb"))]
pub(crate) use self::no_driver::{Fleet, FleetOptions, Published};
#[cfg(feature = "mongodb")]
pub(crate) use self::{
    member::Fleet,
    options::{FleetOptions, InstanceLabel, Published},
};
