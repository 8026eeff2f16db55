//! The shop of the demo: fast and slow routes, parameters, client and server errors, a panic, a streaming body, and orders in MongoDB.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use futures_util::stream;
use mongodb::{
    Client, Collection,
    bson::{Document, doc},
    options::ClientOptions,
};
use serde::Deserialize;
use serde_json::json;
use tokio::time::sleep;

/// Products are numbered from 1 to this.
const PRODUCTS: u32 = 500;
/// Orders in a list.
const ORDERS_LISTED: u32 = 20;
/// Entries of the leak: 512 MiB.
const MAX_LOOKS: usize = 4_096;
/// A longer database call ends in an error: an apology is better than a shop that hangs.
const DATABASE_WITHIN: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct Shop {
    /// Without a MongoDB orders are accepted and dropped.
    orders: Option<Collection<Document>>,
    looks: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// The options of the shop's MongoDB client. The board shows an unusable URI.
pub(crate) async fn options(mongodb_uri: Option<&str>) -> Option<ClientOptions> {
    ClientOptions::parse(mongodb_uri?).await.ok()
}

/// The shop's routes, all under `/shop`.
pub(crate) fn app(mongodb: Option<ClientOptions>) -> Router {
    let orders = mongodb.and_then(orders);
    let routes = Router::new()
        .route("/products", get(list_products))
        .route("/products/{id}", get(show_product))
        .route("/search", get(search))
        .route("/orders", post(place_order))
        .route("/orders", get(list_orders))
        .route("/orders/{id}", get(show_order))
        .route("/cart/{id}", put(update_cart))
        .route("/checkout", post(check_out))
        .route("/coupons/{code}", get(redeem_coupon))
        .route("/images/{name}", get(show_image))
        .route("/export", get(export))
        .route("/recommendations/{id}", get(recommend))
        .with_state(Shop { orders, looks: Arc::default() });
    Router::new().nest("/shop", routes).fallback(nothing_here)
}

async fn nothing_here() -> Response {
    error(StatusCode::NOT_FOUND, "nothing is here: the shop's products are at /shop/products, the board is at /")
}

/// The collection of the orders. The board shows why there is no client.
fn orders(mut options: ClientOptions) -> Option<Collection<Document>> {
    options.server_selection_timeout = Some(DATABASE_WITHIN);
    Some(Client::with_options(options).ok()?.database("watchboard_demo").collection("orders"))
}

/// Waits about `ms`, sometimes much longer.
async fn work(ms: u64) {
    let usual = ms * fastrand::u64(60..160) / 100;
    let slow = if fastrand::u32(0..100) == 0 { ms * 5 } else { 0 };
    sleep(Duration::from_millis(usual + slow)).await;
}

fn error(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": message }))).into_response()
}

fn product(id: u32) -> serde_json::Value {
    json!({ "id": id, "name": format!("Product {id}"), "price_cents": 500 + id * 7 % 9000 })
}

async fn list_products() -> Response {
    work(4).await;
    Json((1..=20).map(product).collect::<Vec<_>>()).into_response()
}

async fn show_product(Path(id): Path<u32>) -> Response {
    work(2).await;
    if (1..=PRODUCTS).contains(&id) {
        Json(product(id)).into_response()
    } else {
        error(StatusCode::NOT_FOUND, "no such product")
    }
}

#[derive(Deserialize)]
struct Search {
    q: String,
}

async fn search(Query(Search { q }): Query<Search>) -> Response {
    work(60).await;
    let found: Vec<_> = (1..=PRODUCTS)
        .map(product)
        .filter(|product| product["name"].as_str().is_some_and(|name| name.contains(&q)))
        .collect();
    Json(found).into_response()
}

#[derive(Deserialize)]
struct Order {
    product: u32,
    quantity: u32,
}

async fn place_order(State(shop): State<Shop>, Json(order): Json<Order>) -> Response {
    work(8).await;
    if order.quantity == 0 {
        return error(StatusCode::UNPROCESSABLE_ENTITY, "an order needs a quantity of at least 1");
    }
    let number = fastrand::u32(1..1000);
    if let Some(orders) = &shop.orders {
        let document = doc! { "number": number, "product": order.product, "quantity": order.quantity };
        if database(orders.insert_one(document)).await.is_err() {
            return error(StatusCode::SERVICE_UNAVAILABLE, "the orders cannot be read or written now");
        }
    }
    (StatusCode::CREATED, Json(json!({ "order": number }))).into_response()
}

async fn show_order(State(shop): State<Shop>, Path(number): Path<u32>) -> Response {
    let Some(orders) = &shop.orders else {
        work(3).await;
        return Json(json!({ "order": number })).into_response();
    };
    match database(orders.find_one(doc! { "number": number })).await {
        Ok(Some(_)) => Json(json!({ "order": number })).into_response(),
        Ok(None) => error(StatusCode::NOT_FOUND, "no such order"),
        Err(()) => error(StatusCode::SERVICE_UNAVAILABLE, "the orders cannot be read or written now"),
    }
}

/// A bug on purpose: it fetches the orders one by one instead of in one query.
async fn list_orders(State(shop): State<Shop>) -> Response {
    let Some(orders) = &shop.orders else {
        work(12).await;
        return Json(json!({ "orders": [] })).into_response();
    };
    let mut found = vec![];
    for number in 1..=ORDERS_LISTED {
        match database(orders.find_one(doc! { "number": number })).await {
            Ok(Some(_)) => found.push(number),
            Ok(None) => {}
            Err(()) => return error(StatusCode::SERVICE_UNAVAILABLE, "the orders cannot be read or written now"),
        }
    }
    Json(json!({ "orders": found })).into_response()
}

/// The answer of a database call, or `Err` if there is none in time.
async fn database<T>(call: impl IntoFuture<Output = mongodb::error::Result<T>>) -> Result<T, ()> {
    tokio::time::timeout(DATABASE_WITHIN, call.into_future()).await.map_err(|_| ())?.map_err(|_| ())
}

async fn update_cart(Path(_id): Path<String>) -> StatusCode {
    work(5).await;
    StatusCode::NO_CONTENT
}

async fn check_out() -> Response {
    work(25).await;
    match fastrand::u32(0..40) {
        0 => error(StatusCode::BAD_GATEWAY, "the payment provider did not answer"),
        _ => Json(json!({ "paid": true })).into_response(),
    }
}

async fn redeem_coupon(Path(code): Path<String>) -> Response {
    work(3).await;
    // A bug on purpose: a code without a dash panics.
    let (campaign, _) = code.split_once('-').expect("a coupon code has a dash");
    Json(json!({ "campaign": campaign, "percent": 10 })).into_response()
}

/// A bug on purpose: a leak. It keeps 128 KiB for each look at a product.
async fn recommend(State(shop): State<Shop>, Path(id): Path<u32>) -> Response {
    work(4).await;
    let look = vec![id as u8; 128 * 1024];
    let looks = {
        let mut looks = shop.looks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        looks.push(look);
        // The demo can run for any time.
        if looks.len() > MAX_LOOKS {
            looks.clear();
        }
        looks.len()
    };
    Json(json!({ "products": [product(id % PRODUCTS + 1)], "looks": looks })).into_response()
}

async fn show_image(Path(_name): Path<String>) -> impl IntoResponse {
    work(1).await;
    ([("content-type", "image/png")], vec![0u8; 48 * 1024])
}

/// A slow body: a line every few milliseconds.
async fn export() -> Response {
    let lines = stream::unfold(0u32, |line| async move {
        if line == 40 {
            return None;
        }
        sleep(Duration::from_millis(fastrand::u64(4..16))).await;
        let text = format!("{line},Product {line},{}\n", fastrand::u32(1..100));
        Some((Ok::<_, Infallible>(Bytes::from(text)), line + 1))
    });
    ([("content-type", "text/csv")], Body::from_stream(lines)).into_response()
}
