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
use watchboard::{BasePath, LocalOnly, Monitor, RequestsBody, RequestsLayer};

use crate::{
    config::Command,
    demo::{shop, traffic},
    login::AccessMode,
    plan::Plan,
    proxy::{Proxy, ResponseBody, openapi},
    serve::{Arrival, HttpServer, workers},
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
    let Plan { config, database, access, pid, routes, tls } = plan;
    let (board, address) = listen(config.listen, "--listen").await?;
    let stop = stop_signal().map_err(RunError::Signals)?;
    let is_demo = matches!(config.command, Some(Command::Demo { .. }));
    let target = find_watch_target(pid, config.upstream.as_ref()).await;
    let mut builder = Monitor::builder().database(database);
    builder = match target {
        // The board names the application by its process.
        Some(target) => builder.watch_process(target),
        None => builder.service(if is_demo { "demo shop" } else { "watchboard" }),
    };
    if config.upstream.is_some() {
        builder = builder.routes(routes.clone());
    }
    let scheme = if tls.is_some() { "https" } else { "http" };
    let base_path = config.base_path.clone();
    builder = match access {
        AccessMode::Login(login) => builder.access(*login),
        AccessMode::LocalOnly => builder.access(LocalOnly::default()),
        // The library's default. Only this program knows the address.
        AccessMode::SignInLink => {
            builder.url(format!("{scheme}://{address}{}/", base_path.as_ref().map_or("", BasePath::as_str)))
        }
    };
    let monitor = builder.ready_needs_database(config.ready_needs_database).build();
    let app = if is_demo {
        let options = shop::options(config.mongodb_uri.as_deref()).await;
        monitor.watch(shop::app(options.map(|options| monitor.listen(options))), "/")
    } else {
        monitor.dashboard()
    };
    let (trusted, max_connections) = (config.trusted_proxies(), config.max_connections as usize);
    let server = move |listener| HttpServer { listener, tls: tls.clone(), trusted: trusted.clone(), max_connections };
    let proxied = match &config.upstream {
        None => None,
        Some(upstream) => {
            let (listener, address) = listen(config.proxy_listen, "--proxy-listen").await?;
            tracing::info!("requests to {scheme}://{address}/ go on to http://{upstream}/");
            if let Some(document) = config.openapi.clone() {
                tokio::spawn(openapi::follow(document, upstream.clone(), routes, stop.clone()));
            }
            let (proxy, layer) = (Proxy::new(upstream.clone(), config.upstream_timeout()), monitor.layer());
            let (server, stop) = (server.clone(), stop.clone());
            Some(workers::run(listener, move |listener, threads| {
                let (proxy, layer) = (proxy.for_thread(), layer.clone());
                let mut server = server(listener);
                server.max_connections = server.max_connections.div_ceil(threads);
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
        let serve = move |request, arrival| serve_board(app.clone(), request, arrival, base_path.as_ref());
        server(board).run(serve, stop).await;
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

async fn listen(address: SocketAddr, flag: &'static str) -> Result<(TcpListener, SocketAddr), RunError> {
    let listener = TcpListener::bind(address).await.map_err(|source| RunError::Listen { address, flag, source })?;
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
