//! Starts what was planned, and serves until it is told to stop.

use std::{convert::Infallible, net::SocketAddr};

use axum::{Router, body::Body, extract::ConnectInfo, response::Response};
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
use watchboard::{Monitor, RequestsBody, RequestsLayer};

use crate::{
    config::Command,
    demo::{shop, traffic},
    plan::Plan,
    proxy::{Answer, Proxy, openapi},
    serve::{Arrival, Server, workers},
    watched_process,
};

/// # Errors
/// What cannot be had: an address, a thread.
pub(crate) async fn run(plan: Plan) -> Result<(), String> {
    let Plan { config, database, login, pid, routes, tls } = plan;
    let (board, address) = listen(config.listen, "--listen").await?;
    let stop = stop_signal().map_err(|error| format!("cannot wait for signals: {error}"))?;
    let is_demo = matches!(config.command, Some(Command::Demo { .. }));
    let watched = watched_process::find(pid, config.upstream.as_ref()).await;
    let mut builder = Monitor::builder().database(database);
    builder = match watched {
        // An application of its own has its own name.
        Some(watched) => builder.watch_process(watched),
        None => builder.service(if is_demo { "demo shop" } else { "watchboard" }),
    };
    if config.upstream.is_some() {
        builder = builder.routes(routes.clone());
    }
    // Without a login the board is open to its own machine, as the library has it.
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
            let (proxy, layer) = (Proxy::new(upstream.clone(), config.upstream_timeout()), monitor.layer());
            let (server, stop) = (server.clone(), stop.clone());
            Some(workers::run(listener, move |listener, threads| {
                let (proxy, layer) = (proxy.of_thread(), layer.clone());
                let mut server = server(listener);
                server.max_connections = server.max_connections.div_ceil(threads);
                server.run(move |request, arrival| pass_on(&proxy, &layer, request, arrival), stop.clone())
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
    let shown = async {
        server(board).run(move |request, arrival| show(app.clone(), request, arrival), stop).await;
        Ok(())
    };
    let proxied = async {
        match proxied {
            Some(proxied) => proxied.await.map_err(|error| format!("the proxy cannot run: {error}")),
            None => Ok(()),
        }
    };
    tokio::try_join!(shown, proxied).map(drop)
}

/// A request to the board, or to the demo's shop.
fn show(
    app: Router,
    request: Request<Incoming>,
    arrival: Arrival,
) -> impl Future<Output = Result<Response, Infallible>> + Send {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(arrival.client);
    request.extensions_mut().insert(ConnectInfo(arrival.peer.address));
    app.oneshot(request)
}

/// A request to the application behind the proxy, recorded as the library records any.
fn pass_on(
    proxy: &Proxy,
    layer: &RequestsLayer,
    request: Request<Incoming>,
    arrival: Arrival,
) -> impl Future<Output = Result<http::Response<RequestsBody<Answer>>, Infallible>> + Send + use<> {
    layer.layer(proxy.arrived(&arrival)).call(request)
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
