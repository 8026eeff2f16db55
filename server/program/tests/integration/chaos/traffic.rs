//! The clients of the chaos test: they count each answer that they get, and stop for a moment when the counts are compared.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{body::Body, http::Request};
use fastrand::Rng;
use http_body_util::BodyExt;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{sync::watch, task::JoinSet, time::sleep};

const CLIENTS: u64 = 8;
const PATHS: [(&str, &str); 5] = [
    ("GET", "/several"),
    ("POST", "/echo"),
    ("GET", "/bytes?count=20000"),
    ("GET", "/nowhere"),
    ("GET", "/several?again=1"),
];

#[derive(Default)]
struct Counts {
    answered: AtomicU64,
    under_way: AtomicU64,
}

/// Clients that send one request after another until they are dropped.
pub(super) struct Traffic {
    counts: Arc<Counts>,
    goes_on: watch::Sender<bool>,
    _clients: JoinSet<()>,
}

impl Traffic {
    pub(super) fn start(proxy: SocketAddr, seed: u64) -> Self {
        let counts = Arc::<Counts>::default();
        let (goes_on, gate) = watch::channel(true);
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            clients.spawn(client(proxy, Rng::with_seed(seed ^ number), Arc::clone(&counts), gate.clone()));
        }
        Self { counts, goes_on, _clients: clients }
    }

    /// Stops the clients, and returns the number of answers since the start.
    pub(super) async fn pause(&self) -> u64 {
        self.goes_on.send_replace(false);
        while self.counts.under_way.load(Relaxed) > 0 {
            sleep(Duration::from_millis(20)).await;
        }
        self.counts.answered.load(Relaxed)
    }

    pub(super) fn resume(&self) {
        self.goes_on.send_replace(true);
    }
}

async fn client(proxy: SocketAddr, mut rng: Rng, counts: Arc<Counts>, mut gate: watch::Receiver<bool>) {
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    loop {
        // Before the look at the gate: so no request starts after the clients have been seen at rest.
        counts.under_way.fetch_add(1, Relaxed);
        if !*gate.borrow_and_update() {
            counts.under_way.fetch_sub(1, Relaxed);
            if gate.wait_for(|goes_on| *goes_on).await.is_err() {
                return;
            }
            continue;
        }
        let (method, path) = PATHS[rng.usize(..PATHS.len())];
        let body = if method == "POST" { Body::from(vec![b'x'; rng.usize(..5000)]) } else { Body::empty() };
        let request = Request::builder().method(method).uri(format!("http://{proxy}{path}")).body(body);
        match client.request(request.expect("a request")).await {
            Ok(response) => {
                // A broken body is an answer too.
                let _ = response.into_body().collect().await;
                counts.answered.fetch_add(1, Relaxed);
            }
            Err(error) => assert!(error.is_connect(), "a request got no answer: {error:?}"),
        }
        counts.under_way.fetch_sub(1, Relaxed);
        sleep(Duration::from_millis(rng.u64(1..8))).await;
    }
}
