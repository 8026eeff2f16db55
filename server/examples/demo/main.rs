//! A web shop that is watched as any axum app would be, with traffic of its own. `watchboard demo` is the same shop.

mod shop;
mod traffic;

use std::net::SocketAddr;

use watchboard::{Database, Monitor};

/// One line more, and the board shows what each endpoint allocates.
#[global_allocator]
static ALLOCATOR: watchboard::alloc::Tracking = watchboard::alloc::Tracking::system();

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mongodb_uri = std::env::var("WATCHBOARD_MONGODB_URI").ok();
    let monitor = Monitor::builder().service("demo shop").mongodb(mongodb_uri.clone().map(Database::from_uri)).build();
    let options = shop::options(mongodb_uri.as_deref()).await.map(|options| monitor.listen(options));
    let app = monitor.watch(shop::app(options), "/");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    let address = listener.local_addr()?;
    println!("the board is at http://{address}/");
    tokio::spawn(traffic::run(address));
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
}
