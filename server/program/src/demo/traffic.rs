//! The traffic of the demo: requests over loopback, in waves, a few of them wrong.

use std::{net::SocketAddr, time::Duration};

use axum::body::Body;
use http_body_util::BodyExt;
use hyper::{Request, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::time::{Instant, sleep};

type Visitors = Client<HttpConnector, Body>;

/// Visits until the process ends.
pub(crate) async fn run(address: SocketAddr) {
    let visitors: Visitors = Client::builder(TokioExecutor::new()).build_http();
    let started = Instant::now();
    loop {
        // Between some 8 and 32 requests a second, in waves of four minutes.
        let wave = (started.elapsed().as_secs_f64() / 240.0 * std::f64::consts::TAU).sin();
        let pause = Duration::from_secs_f64(fastrand::f64() * 2.0 / (20.0 + 12.0 * wave));
        sleep(pause).await;
        tokio::spawn(visit(visitors.clone(), address));
    }
}

/// Sends one request. The board shows its errors.
async fn visit(visitors: Visitors, address: SocketAddr) {
    let id = fastrand::u32(1..500);
    let (method, path, body) = match fastrand::u32(0..1000) {
        0..300 => ("GET", "products".to_owned(), ""),
        300..540 => ("GET", format!("products/{id}"), ""),
        540..550 => ("GET", format!("products/{}", id + 1000), ""),
        550..660 => ("GET", format!("search?q={}", id % 10), ""),
        660..720 => ("POST", "orders".to_owned(), r#"{"product":7,"quantity":1}"#),
        720..726 => ("POST", "orders".to_owned(), r#"{"product":7,"quantity":0}"#),
        726..780 => ("GET", format!("orders/{id}"), ""),
        780..790 => ("GET", "orders".to_owned(), ""),
        790..860 => ("PUT", format!("cart/{id}"), ""),
        860..900 => ("POST", "checkout".to_owned(), ""),
        900..950 => ("GET", format!("coupons/SUMMER-{id}"), ""),
        950..951 => ("GET", "coupons/summer".to_owned(), ""),
        951..963 => ("GET", format!("images/{id}.png"), ""),
        963..966 => ("GET", "wp-login.php".to_owned(), ""),
        966..980 => ("GET", "export".to_owned(), ""),
        _ => ("GET", format!("recommendations/{id}"), ""),
    };
    let request = Request::builder()
        .method(method)
        .uri(format!("http://{address}/shop/{path}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header("traceparent", format!("00-{:032x}-{:016x}-01", fastrand::u128(1..), fastrand::u64(1..)))
        .body(Body::from(body));
    let Ok(request) = request else { return };
    if let Ok(response) = visitors.request(request).await {
        let mut body = response.into_body();
        // A few visitors leave in the middle of an export.
        let impatient = path == "export" && fastrand::u32(0..10) == 0;
        while let Some(Ok(_)) = body.frame().await {
            if impatient {
                return;
            }
        }
    }
}
