//! Looks the application's host name up again and again. The proxy connects to the addresses that it has now, and the board watches the
//! process at one of them.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    net::lookup_host,
    pin,
    sync::watch,
    time::{sleep, timeout},
};
use watchboard::{Watch, WatchTarget};

use crate::{
    proxy::{Upstream, UpstreamAddresses},
    tasks,
    watch_target::choose_address,
};

/// Between two look-ups while no address is known.
const RETRY_EACH: Duration = Duration::from_secs(1);
/// Between two look-ups of a name with addresses.
const REFRESH_EACH: Duration = Duration::from_secs(5);
/// A look-up that takes longer is reported. It goes on, since nothing can end it.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// Follows the addresses of the upstream's name until `stop` turns true. A literal address and a Unix socket have no name. The process at
/// one of the addresses is watched, unless it is watched by its id.
pub(crate) fn start(
    upstream: &Upstream,
    addresses: UpstreamAddresses,
    target: WatchTarget,
    is_watched_by_pid: bool,
    stop: &watch::Receiver<bool>,
) {
    let (None, Some((host, port))) = (upstream.socket_address(), upstream.host_and_port()) else { return };
    let host = host.to_owned();
    let follower = NameFollower { host, port, addresses, target, is_watched_by_pid, last_failure: None };
    let stops = stop.clone();
    tasks::spawn("look-ups of the application's name", stop.clone(), move || follower.clone().follow(stops.clone()));
}

#[derive(Clone)]
struct NameFollower {
    host: String,
    port: u16,
    addresses: UpstreamAddresses,
    target: WatchTarget,
    is_watched_by_pid: bool,
    last_failure: Option<String>,
}

impl NameFollower {
    /// Runs until `stop` turns true, with one look-up at a time. A name that has no address any more keeps its last ones: the name server may
    /// be out of order.
    async fn follow(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = self.look_up() => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            tokio::select! {
                () = sleep(if self.addresses.all().is_empty() { RETRY_EACH } else { REFRESH_EACH }) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    async fn look_up(&mut self) {
        let host = self.host.clone();
        let looked_up = lookup_host((&*host, self.port));
        pin!(looked_up);
        let found = if let Ok(found) = timeout(ANSWERED_WITHIN, &mut looked_up).await {
            found
        } else {
            // Otherwise this reason and the final one would be logged in turn, in each round.
            if self.last_failure.is_none() {
                self.note_failure(&format!("no answer within {ANSWERED_WITHIN:?}"));
            }
            looked_up.await
        };
        match found.map(Iterator::collect::<Vec<_>>) {
            Ok(addresses) if addresses.is_empty() => self.note_failure("the name has no address"),
            Ok(addresses) => self.note_addresses(&addresses),
            Err(error) => self.note_failure(&error.to_string()),
        }
    }

    fn note_addresses(&mut self, addresses: &[SocketAddr]) {
        let is_new = self.addresses.set(addresses);
        if self.last_failure.take().is_some() || is_new {
            tracing::info!("the addresses of {} are {addresses:?}", self.host);
        }
        self.target.set_unresolved(None);
        if !self.is_watched_by_pid
            && let Some(address) = choose_address(&self.target.watch(), addresses)
        {
            self.target.set_watch(Watch::Listening(address));
        }
    }

    /// Logs a reason once, until there is another. The board shows it as long as no address is known.
    fn note_failure(&mut self, reason: &str) {
        let host = &self.host;
        if self.addresses.all().is_empty() {
            self.target.set_unresolved(Some(format!("{host} cannot be looked up: {reason}")));
            if !self.is_watched_by_pid {
                let sentence = format!("The address of {host} cannot be looked up: {reason}.");
                self.target.set_watch(Watch::Unseen(sentence));
            }
        }
        if self.last_failure.as_deref() != Some(reason) {
            tracing::warn!("the address of {host} cannot be looked up: {reason}");
            self.last_failure = Some(reason.to_owned());
        }
    }
}
