//! Finds the process whose memory the board shows: the one that `--pid` names, or the application behind the proxy.

use tokio::net::lookup_host;
use watchboard::Watch;

use crate::proxy::Upstream;

/// Without a target the board shows the program's own process.
pub(crate) async fn find_watch_target(pid: Option<u32>, upstream: Option<&Upstream>) -> Option<Watch> {
    if let Some(pid) = pid {
        return Some(Watch::Pid(pid));
    }
    let upstream = upstream?;
    let Some((host, port)) = upstream.host_and_port() else {
        return Some(Watch::Unseen(format!("The process behind {upstream} is not known: name it by --pid.")));
    };
    let reason = match lookup_host((host, port)).await.map(|mut addresses| addresses.next()) {
        Ok(Some(address)) => return Some(Watch::Listening(address)),
        Ok(None) => "it has none".to_owned(),
        Err(error) => error.to_string(),
    };
    Some(Watch::Unseen(format!(
        "The address of {host} was not known when watchboard was started: {reason}. Start it anew once it is, or name the application's \
         process by --pid."
    )))
}
