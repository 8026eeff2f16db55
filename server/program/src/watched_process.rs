//! Whose memory the binary shows: that of the process that is named, or of the application that it stands in front of.

use http::uri::Authority;
use tokio::net::lookup_host;
use watchboard::Watch;

use crate::proxy::address_of;

/// None where it is the binary's own.
pub(crate) async fn find(pid: Option<u32>, upstream: Option<&Authority>) -> Option<Watch> {
    if let Some(pid) = pid {
        return Some(Watch::Pid(pid));
    }
    let upstream = upstream?;
    let (host, port) = address_of(upstream);
    let found = lookup_host((host, port)).await.map(|mut found| found.next());
    let why = match found {
        Ok(Some(address)) => return Some(Watch::Listening(address)),
        Ok(None) => "it has none".to_owned(),
        Err(error) => error.to_string(),
    };
    Some(Watch::Unseen(format!(
        "The address of {host} was not known when watchboard was started: {why}. Start it anew once it is, or name the application's \
         process by --pid."
    )))
}
