//! The options of the probe's own client: small, and quick to give up.

use std::{sync::Arc, time::Duration};

use mongodb::{event::EventHandler, options::ClientOptions};

use super::members::Members;

/// The time for the driver to find a usable server. It is shorter than that of a whole answer, so that the driver says why.
const SELECT_WITHIN: Duration = Duration::from_secs(1);
/// The time for a connection, and for an answer to the driver's monitors.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// The interval of the driver's monitors: the least that it allows. With the default of ten seconds a frozen server would keep
/// its place for as long.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// One connection for the probe, one to replace it when it hangs.
const POOL: u32 = 2;

/// The name of the probe's client at the server.
pub(super) const APP_NAME: &str = "watchboard";

/// The options of the probe's client, from those of the application. Its monitors' events go to `members`.
pub(super) fn probe_options(mut options: ClientOptions, members: Arc<Members>) -> ClientOptions {
    options.app_name = Some(APP_NAME.to_owned());
    options.max_pool_size = Some(POOL);
    options.min_pool_size = None;
    options.server_selection_timeout = Some(SELECT_WITHIN);
    options.connect_timeout = Some(CONNECT_WITHIN);
    options.heartbeat_freq = Some(HEARTBEAT);
    // The probe asks the primary, wherever the application reads.
    options.selection_criteria = None;
    options.read_concern = None;
    options.write_concern = None;
    // The application's handlers are for the events of its own client.
    options.command_event_handler = None;
    options.cmap_event_handler = None;
    options.sdam_event_handler = Some(EventHandler::callback(move |event| members.note(event)));
    options
}
