//! The binary: configuration, monitor, serve.

mod config;
#[path = "../examples/demo/shop.rs"]
mod shop;
#[path = "../examples/demo/traffic.rs"]
mod traffic;

use std::{io::IsTerminal, process::ExitCode, time::Duration};

use axum::Router;
use clap::Parser;
use config::{Command, Config};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tracing_subscriber::EnvFilter;
use watchboard::Monitor;

/// So that the demo's board shows what each endpoint allocates.
#[global_allocator]
static ALLOCATOR: watchboard::alloc::Tracking = watchboard::alloc::Tracking::system();

/// After the signal to stop, requests under way have this long to finish.
const DRAIN_WITHIN: Duration = Duration::from_secs(5);

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
    let listener = TcpListener::bind(config.listen).await.map_err(|error| {
        format!("cannot listen on {}: {error}. Choose another address with --listen.", config.listen)
    })?;
    let address = listener.local_addr().map_err(|error| format!("the listening address is not known: {error}"))?;
    let stop = stop_signal().map_err(|error| format!("cannot wait for signals: {error}"))?;
    let is_demo = matches!(config.command, Some(Command::Demo { .. }));
    let name = if is_demo { "demo shop" } else { "watchboard" };
    let builder = Monitor::builder().service(name).database(database);
    let monitor = builder.ready_needs_database(config.ready_needs_database).build();
    let app = if is_demo {
        let options = shop::options(config.mongodb_uri.as_deref()).await;
        shop::app(options.map(|options| monitor.listen(options)))
    } else {
        Router::new()
    };
    let app = monitor.watch(app, "/");
    tracing::info!("the board is at http://{address}/");
    if let Some(Command::Demo { no_traffic }) = config.command {
        tracing::info!(
            "the demo shop is at http://{address}/shop/products{}",
            if no_traffic { "" } else { ", with traffic" }
        );
        if !no_traffic {
            tokio::spawn(traffic::run(address));
        }
    }
    serve(listener, app, stop).await
}

async fn serve(listener: TcpListener, app: Router, mut stop: watch::Receiver<bool>) -> Result<(), String> {
    let mut deadline = stop.clone();
    let stopped = async move { _ = stop.wait_for(|stop| *stop).await };
    let serving = axum::serve(listener, app).with_graceful_shutdown(stopped).into_future();
    let overdue = async move {
        _ = deadline.wait_for(|stop| *stop).await;
        tokio::time::sleep(DRAIN_WITHIN).await;
    };
    tokio::select! {
        served = serving => served.map_err(|error| format!("serving failed: {error}")),
        () = overdue => {
            tracing::warn!("requests were still under way after {DRAIN_WITHIN:?}: their connections are closed");
            Ok(())
        }
    }
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
