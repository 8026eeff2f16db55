//! The database server's own state, as it tells the probe.

use serde::{Deserialize, Serialize};

/// What the server says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DatabaseServer {}
