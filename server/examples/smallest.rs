//! The smallest host: an axum app with one route, and the board at /ops/board. Run it with
//! `cargo run -p watchboard --example smallest [ADDRESS:PORT [MONGODB-URI]]`.

use std::net::SocketAddr;

use axum::{Router, routing::get};
use watchboard::{Database, LocalOnly, Monitor};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let app = Router::new().route("/users/{id}", get(|| async { "a user\n" }));
    // Open to its own machine. `watchboard::watch` does the same in one call, with a board that opens by a link in the log.
    let monitor = Monitor::builder().database(arguments.next().map(Database::from_uri)).access(LocalOnly::default());
    let app = monitor.build().watch(app, "/ops/board");
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("the board is at http://{}/ops/board", listener.local_addr()?);
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
}
