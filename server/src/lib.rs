//! The server-watch dashboard for axum apps: which endpoints are used, how fast and how wrong they are, where the memory
//! goes, and whether MongoDB is well, on one live page.
//!
//! ```no_run
//! use std::net::SocketAddr;
//!
//! use axum::{Router, routing::get};
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let app = Router::new().route("/users/{id}", get(|| async { "a user" }));
//!     // One call: requests are recorded, and the board is at /ops/board. `()` stands for "no database".
//!     let app = watchboard::watch(app, "/ops/board", ());
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     // Told who asks, the board is open to this machine alone.
//!     axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
//! }
//! ```
//!
//! [`Builder::access`] says who else may see the board.
//!
//! [`Monitor`] does the same in parts. Requests are recorded by a [tower layer](Monitor::layer) in a handful of atomic adds;
//! everything else happens once a second on a thread of the monitor's own, which answers the pages too.
//! The process's figures come from Linux's `/proc`.

pub mod alloc;
mod board;
mod builder;
mod clock;
mod commands;
mod database;
#[cfg(doctest)]
mod doc_tests;
mod health;
mod histograms;
mod history;
mod memory;
mod monitor;
mod requests;
mod sample;
mod sync;

use axum::Router;

pub use board::{
    Route, SignInPage,
    access::{Access, Pass, mount_path},
};
pub use builder::Builder;
pub use database::Database;
pub use memory::Watch;
pub use monitor::Monitor;
pub use requests::{
    Incoming, RequestsBody, RequestsFuture, RequestsLayer, RequestsService, RouteError, Routes, UpstreamTiming,
};

/// Watches `app` and mounts the board at `path` beside it: the one call. `database` is MongoDB's
/// [`ClientOptions`](mongodb::options::ClientOptions), a [`Client`](mongodb::Client), a [connection string](Database::from_uri),
/// an `Option` of one, or `()`. The board is open to this machine alone: see [`Builder::access`].
pub fn watch<S: Clone + Send + Sync + 'static>(app: Router<S>, path: &str, database: impl Into<Database>) -> Router<S> {
    Monitor::builder().database(database).build().watch(app, path)
}
