//! One nestable router: the page, its server function, its assets, and the endpoints for machines. It is given a
//! [`Telemetry`], never the monitor.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{OriginalUri, Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
    routing::{get, post},
};
use leptos::prelude::provide_context;
use leptos_axum::ResponseOptions;
use tower_http::compression::CompressionLayer;
use watchboard_app::{
    port::{Telemetry, provide_telemetry},
    shell::{PageRequest, asked_by, shell},
};

use crate::{assets, health_json, prometheus};

type Port = State<Arc<dyn Telemetry>>;

/// Why the application cannot do its work now, if it cannot.
pub(crate) type Unready = Arc<dyn Fn() -> Option<String> + Send + Sync>;

/// The board. Only our own paths, each behind whatever the host puts in front of the router.
pub(crate) fn router(telemetry: Arc<dyn Telemetry>, unready: Unready) -> Router {
    // Fails when the host has set it already, which is as good.
    let _ = any_spawner::Executor::init_tokio();
    Router::new()
        .route("/", get(page))
        .route("/api/watchboard/refresh", post(server_function))
        .route("/metrics", get(metrics))
        .route("/health", get(health))
        .route("/api/v1/health", get(health))
        .route("/livez", get(alive))
        .route("/readyz", get(async move || readiness(unready())))
        .layer(axum::middleware::map_response(never_stored))
        .route("/assets/{name}", get(asset))
        .layer(CompressionLayer::new().br(true).gzip(true))
        .with_state(telemetry)
}

/// Figures are of their moment: no cache keeps them.
async fn never_stored(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn page(State(telemetry): Port, OriginalUri(original): OriginalUri, request: Request) -> Response {
    let cookies = request.headers().get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let page = PageRequest {
        first: telemetry.refresh(asked_by(&query), None).await,
        base: base(original.path(), request.uri().path()),
        query,
        cookies: cookies.collect::<Vec<_>>().join("; "),
        assets: assets::of_page(),
    };
    let context = move || {
        provide_context(page.clone());
        secure();
    };
    leptos_axum::render_app_to_stream_with_context(context, shell)(request).await
}

/// Where the board is mounted, without a slash at the end: what is left of the original path when its own is taken off.
/// The path of the request and not the route, so that a mount with parameters works too.
fn base(original: &str, own: &str) -> String {
    original.strip_suffix(own).unwrap_or(original).trim_end_matches('/').to_owned()
}

/// The page runs its own script and its own WASM and asks nobody else for anything.
fn secure() {
    let (Some(nonce), Some(response)) = (leptos::nonce::use_nonce(), leptos::prelude::use_context::<ResponseOptions>())
    else {
        return;
    };
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
    response.insert_header(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response.insert_header(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
}

async fn server_function(State(telemetry): Port, request: Request) -> Response {
    let context = move || {
        provide_telemetry(Arc::clone(&telemetry));
        provide_context(assets::of_page());
    };
    axum::response::IntoResponse::into_response(leptos_axum::handle_server_fns_with_context(context, request).await)
}

async fn health(State(telemetry): Port) -> Response {
    health_json::response(&telemetry.frozen())
}

async fn metrics(State(telemetry): Port) -> Response {
    prometheus::response(&telemetry.frozen())
}

/// The process answers, whatever a database does: starting it anew would not help one.
async fn alive() -> &'static str {
    "ok"
}

fn readiness(unready: Option<String>) -> (StatusCode, String) {
    unready.map_or_else(|| (StatusCode::OK, "ok".to_owned()), |reason| (StatusCode::SERVICE_UNAVAILABLE, reason))
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response<Body> {
    assets::response(&name, &headers)
}

#[cfg(test)]
mod tests {
    use super::base;

    #[test]
    fn the_base_is_the_mount_path() {
        for (original, own, expected) in [
            ("/", "/", ""),
            ("/ops/board", "/", "/ops/board"),
            ("/ops/board/", "/", "/ops/board"),
            ("/tenants/7/board", "/", "/tenants/7/board"),
        ] {
            assert_eq!(base(original, own), expected, "{original}");
        }
    }
}
