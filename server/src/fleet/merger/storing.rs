//! Stores what is merged, unless a later holder of the lease has.

use super::super::{
    lease::Tenure,
    points::{InstancePoints, encode_points},
};
use crate::history::store::{MongoSteps, StoreError, StoreTier, StoredStep};

pub(super) async fn store(
    steps: &MongoSteps,
    (tier, start): (StoreTier, u64),
    merged: Option<Vec<u8>>,
    tenure: Tenure,
) -> Result<(), StoreError> {
    match merged {
        Some(bytes) => steps.replace_merged(&StoredStep { tier, start, bytes }, tenure.number).await,
        None => Ok(()),
    }
}

/// Stores the figures of each instance that heat maps show.
pub(super) async fn store_points(
    steps: &MongoSteps,
    place: (StoreTier, u64),
    points: &InstancePoints,
    tenure: Tenure,
) -> Result<(), StoreError> {
    store(steps, place, Some(encode_points(points)), tenure).await
}
