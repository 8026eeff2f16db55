//! Starts the plan, and serves until a signal stops it.

use std::{convert::Infallible, io, net::SocketAddr};

use axum::{Router, body::Body, extract::ConnectInfo, response::Response};
use http::Request;
use hyper::body::Incoming;
use thiserror::Error;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tower::ServiceExt;
use tower_layer::Layer;
use tower_service::Service;
use watchboard::{Capacity, Monitor, RequestsBody, RequestsLayer};

use crate::{
    config::Command,
    demo::{shop, traffic},
    plan::Plan,
    proxy::{Proxy, ProxyBounds, ResponseBody, openapi},
    serve::{Arrival, Bounds, HttpServer, listen as listen_at, workers},
    watch_target::find_watch_target,
};

/// The program cannot start or go on.
#[derive(Debug, Error)]
pub(crate) enum RunError {
    #[error("cannot listen on {address}: {source}. Choose another address with {flag}.")]
    Listen { address: SocketAddr, flag: &'static str, source: io::Error },
    #[error("the listening address is not known: {0}")]
    LocalAddress(#[source] io::Error),
    #[error("cannot wait for signals: {0}")]
    Signals(#[source] io::Error),
    #[error("the proxy cannot run: {0}")]
    Proxy(#[source] io::Error),
}

/// Serves the board and the proxy.
///
/// # Errors
/// An address or a thread is not available.
pub(crate) async fn run(plan: Plan) -> Result<(), RunError> {
    let Plan { config, database, login, pid, routes, tls } = plan;
    let bounds = Bounds::of_this_process(config.max_connections, config.upstream.is_some());
    tracing::info!("at once: {bounds}");
    let (board, address) = listen(config.listen, "--listen")?;
    let stop = stop_signal().map_err(RunError::Signals)?;
    let is_demo = matches!(config.command, Some(Command::Demo { .. }));
    let target = find_watch_target(pid, config.upstream.as_ref()).await;
    let mut builder = Monitor::builder().database(database);
    builder = match target {
        // The board names the application by its process.
        Some(target) => builder.watch_process(target),
        None => builder.service(if is_demo { "demo shop" } else { "watchboard" }),
    };
    let board_connections = Capacity::new("connections to the board", bounds.board);
    let connections = Capacity::new("connections", bounds.connections);
    let proxy_bounds = ProxyBounds {
        requests: Capacity::new("requests in progress", bounds.requests),
        tunnels: Capacity::new("tunnels (WebSockets)", bounds.tunnels),
    };
    builder = builder.capacity(&board_connections);
    if config.upstream.is_some() {
        builder = builder.routes(routes.clone()).capacity(&connections);
        builder = builder.capacity(&proxy_bounds.requests).capacity(&proxy_bounds.tunnels);
    }
    // Without a login the library serves local requests alone.
    if let Some(login) = login {
        builder = builder.access(login);
    }
    let monitor = builder.ready_needs_database(config.ready_needs_database).build();
    let app = if is_demo {
        let options = shop::options(config.mongodb_uri.as_deref()).await;
        monitor.watch(shop::app(options.map(|options| monitor.listen(options))), "/")
    } else {
        monitor.dashboard()
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let trusted = config.trusted_proxies();
    let server = move |listener, capacity: Capacity, max_connections| HttpServer {
        listener,
        tls: tls.clone(),
        trusted: trusted.clone(),
        max_connections,
        capacity,
    };
    let proxied = match &config.upstream {
        None => None,
        Some(upstream) => {
            let (listener, address) = listen(config.proxy_listen, "--proxy-listen")?;
            tracing::info!("requests to {scheme}://{address}/ go on to http://{upstream}/");
            if let Some(document) = config.openapi.clone() {
                tokio::spawn(openapi::follow(document, upstream.clone(), routes, stop.clone()));
            }
            let proxy = Proxy::new(upstream.clone(), config.upstream_timeout(), proxy_bounds);
            let layer = monitor.layer();
            let (server, stop) = (server.clone(), stop.clone());
            Some(workers::run(listener, move |listener, threads| {
                let (proxy, layer) = (proxy.for_thread(bounds.idle(threads)), layer.clone());
                let max_connections = (bounds.connections as usize).div_ceil(threads);
                let server = server(listener, connections.clone(), max_connections);
                server.run(move |request, arrival| forward(&proxy, &layer, request, arrival), stop.clone())
            }))
        }
    };
    tracing::info!("the board is at {scheme}://{address}/");
    if let Some(Command::Demo { no_traffic }) = config.command {
        tracing::info!(
            "the demo shop is at {scheme}://{address}/shop/products{}",
            if no_traffic { "" } else { ", with traffic" }
        );
        if !no_traffic {
            tokio::spawn(traffic::run(address));
        }
    }
    let board_server = async {
        let server = server(board, board_connections, bounds.board as usize);
        server.run(move |request, arrival| serve_board(app.clone(), request, arrival), stop).await;
        Ok(())
    };
    let proxied = async {
        match proxied {
            Some(proxied) => proxied.await.map_err(RunError::Proxy),
            None => Ok(()),
        }
    };
    tokio::try_join!(board_server, proxied).map(drop)
}

/// A request to the board, or to the demo's shop.
fn serve_board(
    app: Router,
    request: Request<Incoming>,
    arrival: Arrival,
) -> impl Future<Output = Result<Response, Infallible>> + Send {
    let mut request = request.map(Body::new);
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
