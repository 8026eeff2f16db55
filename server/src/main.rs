//! The binary: configuration, monitor, serve.

mod client;
mod config;
mod openapi;
mod proxy;
mod serve;
#[path = "../examples/demo/shop.rs"]
mod shop;
mod tls;
#[path = "../examples/demo/traffic.rs"]
mod traffic;
mod watched;
mod workers;

use std::{io::IsTerminal, net::SocketAddr, process::ExitCode};

use axum::{Router, body::Body, extract::ConnectInfo, response::Response};
use clap::Parser;
use config::{Command, Config};
use http::Request;
use hyper::body::Incoming;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tower::ServiceExt;
use tower_layer::Layer;
use tower_service::Service;
use tracing_subscriber::EnvFilter;
use watchboard::{Monitor, RequestsLayer, WatchedBody};

use crate::{
    proxy::{Answer, Proxy},
    serve::{Arrival, Server},
};

/// So that the demo's board shows what each endpoint allocates.
#[global_allocator]
static ALLOCATOR: watchboard::alloc::Tracking<mimalloc::MiMalloc> =
    watchboard::alloc::Tracking::around(mimalloc::MiMalloc);

#[tokio::main]
async fn main() -> ExitCode {
    let config = Config::parse();
    let filter = EnvFilter::try_from_env("WATCHBOARD_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .with_target(false)
        .init();
    match run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            tracing::error!("{reason}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> Result<(), String> {
    let database = config.database()?;
    let (board, address) = listen(config.listen, "--listen").await?;
    let stop = stop_signal().map_err(|error| format!("cannot wait for signals: {error}"))?;
    let is_demo = matches!(config.command, Some(Command::Demo { .. }));
    let watched = watched::process(config.pid()?, config.upstream.as_ref()).await;
    let mut builder = Monitor::builder().database(database);
    builder = match watched {
        // An application of its own has its own name.
        Some(watched) => builder.watch_process(watched),
        None => builder.service(if is_demo { "demo shop" } else { "watchboard" }),
    };
    let routes = config.routes()?;
    if config.upstream.is_some() {
        builder = builder.routes(routes.clone());
    }
    let monitor = builder.ready_needs_database(config.ready_needs_database).build();
    let app = if is_demo {
        let options = shop::options(config.mongodb_uri.as_deref()).await;
        shop::app(options.map(|options| monitor.listen(options)))
    } else {
        Router::new()
    };
    let app = monitor.watch(app, "/");
    let tls = config.tls()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let (trusted, max_connections) = (config.trusted_proxies(), config.max_connections as usize);
    let server = move |listener| Server { listener, tls: tls.clone(), trusted: trusted.clone(), max_connections };
    let proxied = match &config.upstream {
        None => None,
        Some(upstream) => {
            let (listener, address) = listen(config.proxy_listen, "--proxy-listen").await?;
            tracing::info!("requests to {scheme}://{address}/ go on to http://{upstream}/");
            if let Some(document) = config.openapi.clone() {
                tokio::spawn(openapi::follow(document, upstream.clone(), routes, stop.clone()));
            }
            let (upstream, within, layer) = (upstream.clone(), config.upstream_timeout(), monitor.layer());
            let (server, stop) = (server.clone(), stop.clone());
            Some(workers::run(listener, move |listener, threads| {
                let (proxy, layer) = (Proxy::new(upstream.clone(), within), layer.clone());
                let mut server = server(listener);
                server.max_connections = server.max_connections.div_ceil(threads);
                server.run(move |request, arrival| pass_on(&proxy, &layer, request, arrival), stop.clone())
            }))
        }
    };
    tracing::info!("the board is at {scheme}://{address}/");
    if let Some(Command::Demo { no_traffic }) = config.command {
        tracing::info!(
            "the demo shop is at http://{address}/shop/products{}",
            if no_traffic { "" } else { ", with traffic" }
        );
        if !no_traffic {
            tokio::spawn(traffic::run(address));
        }
    }
    let shown = server(board).run(move |request, arrival| show(app.clone(), request, arrival), stop);
    let proxied = async {
        match proxied {
            Some(proxied) => proxied.await.map_err(|error| format!("the proxy cannot run: {error}")),
            None => Ok(()),
        }
    };
    tokio::join!(shown, proxied).1
}

/// A request to the board, or to the demo's shop.
async fn show(app: Router, request: Request<Incoming>, arrival: Arrival) -> Response {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(arrival.client);
    request.extensions_mut().insert(ConnectInfo(arrival.peer.address));
    let Ok(response) = app.oneshot(request).await;
    response
}

/// A request to the application behind the proxy, recorded as the library records any.
fn pass_on(
    proxy: &Proxy,
    layer: &RequestsLayer,
    request: Request<Incoming>,
    arrival: Arrival,
) -> impl Future<Output = http::Response<WatchedBody<Answer>>> + Send + use<> {
    let answered = layer.layer(proxy.arrived(arrival)).call(request);
    async {
        let Ok(response) = answered.await;
        response
    }
}

async fn listen(address: SocketAddr, flag: &str) -> Result<(TcpListener, SocketAddr), String> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}. Choose another address with {flag}."))?;
    let address = listener.local_addr().map_err(|error| format!("the listening address is not known: {error}"))?;
    Ok((listener, address))
}

/// Turns true at the first SIGTERM or SIGINT.
fn stop_signal() -> std::io::Result<watch::Receiver<bool>> {
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
