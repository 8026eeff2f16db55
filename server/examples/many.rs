//! A host of many endpoints, with traffic on all of them in turn: to see how the board bears them. Run it with
//! `cargo run -p watchboard --example many [ADDRESS:PORT [ENDPOINTS [FOLDER]]]`. The folder is that of its history.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{Router, body::Body, extract::Request, http::StatusCode, routing::get};
use tokio::time::MissedTickBehavior;
use tower::ServiceExt;
use watchboard::{LocalOnly, Monitor};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let endpoints: u32 = arguments.next().and_then(|number| number.parse().ok()).unwrap_or(512);
    let routes = (0..endpoints).fold(Router::new(), |app, number| {
        app.route(&format!("/resources/{number}/items/{{id}}"), get(move || answer(number)))
    });
    let builder = Monitor::builder().access(LocalOnly::default());
    let builder = arguments.next().into_iter().fold(builder, watchboard::Builder::data_dir);
    let app = builder.build().watch(routes, "/");
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("the board is at http://{}/", listener.local_addr()?);
    tokio::spawn(traffic(app.clone(), endpoints));
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
}

async fn answer(number: u32) -> (StatusCode, &'static str) {
    tokio::time::sleep(Duration::from_micros(u64::from(number % 50) * 100)).await;
    let status = if number % 40 == 7 { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
    (status, "an item")
}

/// The requests of a second, to all endpoints in turn.
const REQUESTS_PER_SECOND: u32 = 1_000;

async fn traffic(app: Router, endpoints: u32) {
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    // A machine that is busy gets fewer, and none in a burst.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut numbers = (0..endpoints).cycle();
    loop {
        ticks.tick().await;
        for number in numbers.by_ref().take(REQUESTS_PER_SECOND as usize / 10) {
            let request = Request::get(format!("/resources/{number}/items/{}", number * 7)).body(Body::empty());
            let Ok(request) = request else { continue };
            let app = app.clone();
            tokio::spawn(async move {
                let Ok::<_, Infallible>(response) = app.oneshot(request).await;
                // Read to its end, as a client would.
                let _ = axum::body::to_bytes(response.into_body(), 1024).await;
            });
        }
    }
}
