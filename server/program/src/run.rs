//! Starts the plan, and serves until a signal stops it.

mod monitor;

use std::{
    convert::Infallible,
    env, fs, io,
    net::SocketAddr,
    num::NonZero,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use axum::{Router, body::Body, extract::ConnectInfo, response::Response};
use http::Request;
use hyper::body::Incoming;
use thiserror::Error;
use tokio::{
    net::TcpListener,
    runtime,
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tower::ServiceExt;
use tower_layer::Layer;
use tower_service::Service;
use watchboard::{BasePath, Capacity, RequestsBody, RequestsLayer};

use self::monitor::{Capacities, Subject};
use crate::{
    config::Command,
    demo::{shop, traffic},
    name_follower,
    plan::Plan,
    proxy::{Proxy, ResponseBody, openapi, unmatched_routes},
    serve::{Arrival, Bounds, HttpServer, listen as listen_at, workers},
    tasks::{self, supervise},
    watch_target::watch_target,
};

/// The program cannot start or go on.
#[derive(Debug, Error)]
pub(crate) enum RunError {
    #[error("there are no threads to run on: {0}")]
    Runtime(#[source] io::Error),
    #[error("cannot listen on {address}: {source}. Choose another address with {flag}.")]
    Listen { address: SocketAddr, flag: &'static str, source: io::Error },
    #[error("the listening address is not known: {0}")]
    LocalAddress(#[source] io::Error),
    #[error("cannot wait for signals: {0}")]
    Signals(#[source] io::Error),
    #[error("the proxy cannot run: {0}")]
    Proxy(#[source] io::Error),
}

/// The kernel's number for "a file is at its limit of size". By default it ends the process, only because of the log.
const SIGXFSZ: i32 = 25;

/// Threads that have ended are gone after this time.
const RELEASED_WITHIN: Duration = Duration::from_secs(1);

/// Serves the board and the proxy.
///
/// # Errors
/// An address or a thread is not available.
pub(crate) fn run(plan: Plan) -> Result<(), RunError> {
    let workers =
        env::var("TOKIO_WORKER_THREADS").ok().and_then(|number| number.parse().ok()).filter(|number| *number > 0);
    let workers = workers.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get));
    try_threads(workers).map_err(RunError::Runtime)?;
    let runtime = runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build();
    let runtime = runtime.map_err(RunError::Runtime)?;
    let result = runtime.block_on(serve(plan));
    // It does not wait for a reading of files that hangs.
    runtime.shutdown_background();
    result
}

/// Whether so many threads can be started. Where they cannot, tokio hangs or panics.
fn try_threads(count: usize) -> io::Result<()> {
    let own_threads = || fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
    let (before, began) = (own_threads(), Instant::now());
    let started: Vec<_> = (0..count).map(|_| thread::Builder::new().spawn(thread::park)).collect();
    started.into_iter().try_for_each(|thread| {
        let thread = thread?;
        thread.thread().unpark();
        thread.join().map_err(|_| io::Error::other("a thread panicked"))
    })?;
    // The kernel releases a thread a little after it was joined, and counts it until then.
    while own_threads() > before && began.elapsed() < RELEASED_WITHIN {
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

async fn serve(plan: Plan) -> Result<(), RunError> {
    let stop = stop_signal().map_err(RunError::Signals)?;
    let Plan { config, database, access, pid, routes, tls, dialer } = plan;
    let bounds = Bounds::for_this_process(config.max_connections, config.upstream.is_some());
    tracing::info!("at once: {bounds}");
    let (board, address) = listen(config.listen, "--listen")?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let base_path = config.base_path.clone();
    let url = format!("{scheme}://{address}{}/", base_path.as_ref().map_or("", BasePath::as_str));
    let target = watch_target(pid, config.upstream.as_ref());
    let capacities = Capacities::new(&bounds);
    let proxy = config.upstream.as_ref().map(|_| listen(config.proxy_listen, "--proxy-listen")).transpose()?;
    let proxy_url = proxy.as_ref().map(|(_, address)| format!("{scheme}://{address}/"));
    let subject = Subject { target: target.clone(), database, access, url, proxy_url: proxy_url.clone() };
    let monitor = monitor::start(&config, subject, &capacities, &routes);
    let Capacities { board: board_connections, connections, proxy: proxy_bounds } = capacities;
    let app = if config.is_demo() {
        let options = shop::options(config.mongodb_uri.as_deref()).await;
        monitor.watch(shop::app(options.map(|options| monitor.listen(options))), "/")
    } else {
        monitor.dashboard()
    };
    let trusted = config.trusted_proxies();
    if let Some(tls) = tls.clone() {
        let stops = stop.clone();
        tasks::spawn("certificate watcher", stop.clone(), move || tls.clone().follow(stops.clone()));
    }
    let server = move |listener, capacity: Capacity, max_connections, is_proxy| HttpServer {
        listener,
        tls: tls.clone(),
        trusted: trusted.clone(),
        max_connections,
        capacity,
        is_proxy,
    };
    let proxied = match config.upstream.as_ref().zip(dialer).zip(proxy) {
        None => None,
        Some(((upstream, dialer), (listener, _))) => {
            tracing::info!("requests to {} go on to {upstream}", proxy_url.unwrap_or_default());
            if let Some(target) = target {
                name_follower::start(upstream, dialer.addresses.clone(), target, pid.is_some(), &stop);
            }
            if !config.route.is_empty() {
                tasks::spawn_once("report of unmatched routes", unmatched_routes::report(routes.clone(), stop.clone()));
            }
            if let Some(document) = config.openapi.clone() {
                let (dialer, stops) = (dialer.clone(), stop.clone());
                tasks::spawn("reader of the OpenAPI document", stop.clone(), move || {
                    openapi::follow(document.clone(), dialer.clone(), routes.clone(), stops.clone())
                });
            }
            let proxy = Proxy::new(dialer, config.upstream_timeout(), proxy_bounds);
            let layer = monitor.layer();
            let (server, stops) = (server.clone(), stop.clone());
            let workers = workers::start(listener, stop.clone(), move |listener, threads| {
                let (proxy, layer) = (proxy.for_thread(bounds.idle(threads)), layer.clone());
                let max_connections = (bounds.connections as usize).div_ceil(threads);
                let server = server(listener, connections.clone(), max_connections, true);
                server.run(move |request, arrival| forward(&proxy, &layer, request, arrival), stops.clone())
            });
            Some(workers.await.map_err(RunError::Proxy)?)
        }
    };
    tracing::info!("the board is at {scheme}://{address}/");
    if let Some(Command::Demo { no_traffic }) = config.command {
        tracing::info!(
            "the demo shop is at {scheme}://{address}/shop/products{}",
            if no_traffic { "" } else { ", with traffic" }
        );
        if !no_traffic {
            tasks::spawn("demo traffic", stop.clone(), move || traffic::run(address));
        }
    }
    let (board, stops) = (Arc::new(board), stop.clone());
    let board_server = async {
        let serve = move || {
            let (app, base_path) = (app.clone(), base_path.clone());
            let handle = move |request, arrival| serve_board(app.clone(), request, arrival, base_path.as_ref());
            let server = server(Arc::clone(&board), board_connections.clone(), bounds.board as usize, false);
            server.run(handle, stops.clone())
        };
        supervise("listener of the board", stop, serve).await;
        Ok(())
    };
    let proxied = async {
        match proxied {
            Some(proxied) => proxied.await.map_err(RunError::Proxy),
            None => Ok(()),
        }
    };
    let result = tokio::try_join!(board_server, proxied).map(drop);
    // Tasks of the last connections may still have the board.
    monitor.stop();
    result
}

/// A request to the board, or to the demo's shop.
fn serve_board(
    app: Router,
    request: Request<Incoming>,
    arrival: Arrival,
    base_path: Option<&BasePath>,
) -> impl Future<Output = Result<Response, Infallible>> + Send + use<> {
    let mut request = request.map(Body::new);
    if let Some(base_path) = arrival.client.base_path(request.headers()).as_ref().or(base_path) {
        base_path.apply(&mut request);
    }
    request.extensions_mut().insert(arrival.client);
    request.extensions_mut().insert(ConnectInfo(arrival.peer.address));
    app.oneshot(request)
}

/// A request to the application behind the proxy, recorded by the library's layer.
fn forward(
    proxy: &Proxy,
    layer: &RequestsLayer,
    request: Request<Incoming>,
    arrival: Arrival,
) -> impl Future<Output = Result<http::Response<RequestsBody<ResponseBody>>, Infallible>> + Send + use<> {
    layer.layer(proxy.service_for(&arrival)).call(request)
}

fn listen(address: SocketAddr, flag: &'static str) -> Result<(TcpListener, SocketAddr), RunError> {
    let listener = listen_at(address).map_err(|source| RunError::Listen { address, flag, source })?;
    let address = listener.local_addr().map_err(RunError::LocalAddress)?;
    Ok((listener, address))
}

/// Turns true at the first SIGTERM or SIGINT.
fn stop_signal() -> io::Result<watch::Receiver<bool>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    // From here on a write fails instead, which the log survives.
    drop(signal(SignalKind::from_raw(SIGXFSZ))?);
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        sender.send_replace(true);
    });
    Ok(receiver)
}
