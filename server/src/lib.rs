//! A dashboard for axum apps. It shows endpoints, latency, errors, memory and the database on one live page.
//!
//! ```no_run
//! use std::net::SocketAddr;
//!
//! use axum::{Router, routing::get};
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let app = Router::new().route("/users/{id}", get(|| async { "a user" }));
//!     // One call: it records requests, and mounts the board at /ops/board. `()` stands for "no database".
//!     let app = watchboard::watch(app, "/ops/board", ());
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     // By default the board opens by a link in the log, for local requests; it needs the address of each client for that.
//!     axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
//! }
//! ```
//!
//! [`Builder::access`] lets other people see the board.
//!
//! [`Monitor`] does the same in parts. A [tower layer](Monitor::layer) records each request in a few atomic adds. A thread of the
//! monitor does everything else once a second, and answers the pages. The process's figures come from Linux's `/proc`.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod alloc;
mod board;
mod clock;
mod commands;
mod database;
mod fleet;
mod health;
mod histograms;
mod history;
mod masking;
mod memory;
mod monitor;
mod requests;
mod sample;
mod supervision;
mod sync;

use axum::Router;

pub use board::{
    BasePath, BasePathError, BoardRoute, LocalOnly, SessionError, Sessions, SignInPage,
    access::{Access, Pass},
    board_address, mount_path, read_form, redirect_to_view,
};
pub use database::Database;
#[cfg(all(feature = "measures", feature = "mongodb"))]
#[doc(hidden)]
pub use fleet::measures as fleet_measures;
pub use history::HistoryStep;
#[cfg(feature = "measures")]
#[doc(hidden)]
pub use history::measures;
pub use memory::{Watch, WatchTarget, memory_limit_bytes};
pub use monitor::{Builder, Monitor};
pub use requests::{
    Capacity, CapacityPlace, ClientLeft, Incoming, RequestsBody, RequestsFuture, RequestsLayer, RequestsService,
    RouteError, Routes, Tunnel, UpstreamTiming, is_stream, is_websocket,
};
pub use supervision::program;
pub use watchboard_wire::{ClosedBy, TraceUrl, TraceUrlError};

/// Records all requests to `app`, and mounts the board at `path`: the one call. `database` is MongoDB's `ClientOptions` or `Client`, a
/// [`Database`], an `Option` of one, or `()`. By default the board opens by a link in the log: see [`Builder::access`].
///
/// ```no_run
/// use axum::{Router, routing::get};
///
/// let app: Router = Router::new().route("/users/{id}", get(|| async { "a user" }));
/// let app = watchboard::watch(app, "/ops/board", ());
/// ```
pub fn watch<S: Clone + Send + Sync + 'static>(app: Router<S>, path: &str, database: impl Into<Database>) -> Router<S> {
    Monitor::builder().database(database).build().watch(app, path)
}
