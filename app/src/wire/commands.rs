//! What the application asks of its database, as its client's events tell.

use serde::{Deserialize, Serialize};

/// The commands of the application's own client, in the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AppCommands {}
