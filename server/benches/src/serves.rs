//! A server that says where it listens and serves until it is killed.

use axum::{Router, routing::get};
use watchboard::Monitor;

/// The router of the comparison between allocators.
#[allow(dead_code, reason = "the benchmark itself has routers of its own")]
pub(crate) fn run() -> anyhow::Result<()> {
    let router = || {
        let monitor: &Monitor = Box::leak(Box::new(Monitor::builder().build()));
        Router::new().route("/users/{id}", get(|| async { "a user" })).layer(monitor.layer())
    };
    serve(router)
}

/// `router` is made within the runtime.
pub(crate) fn serve(router: impl FnOnce() -> Router) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        axum::serve(listener, router()).await?;
        Ok(())
    })
}
