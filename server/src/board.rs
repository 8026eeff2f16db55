//! One router to nest: the page, its server function, its assets, and the endpoints for machines. It knows a [`Telemetry`], never
//! the monitor.

pub(crate) mod access;
mod answer;
mod assets;
mod base_path;
mod error_json;
mod export;
mod findings_json;
mod health_fleet;
mod health_json;
mod health_span;
mod local_only;
mod memory_json;
mod note;
mod prometheus;
mod refused_refresh;
mod route;
mod secure;
mod sessions;
mod short_body;
mod sign_in;
pub(crate) mod sign_in_link;
mod span_times;
mod tokens;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header},
    middleware::{from_fn, from_fn_with_state, map_response},
    response::{Html, IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, any, on},
};
use leptos::prelude::provide_context;
use tower_http::compression::CompressionLayer;
use watchboard_app::{
    page_request::PageRequest,
    port::{Telemetry, provide_telemetry},
    shell::{refresh_query, shell},
};
use watchboard_wire::InstanceScope;

use self::{
    access::{AccessPolicy, Pass},
    base_path::base_address,
};

pub(crate) use self::health_json::body_now as health_body;
pub use self::{
    base_path::{BasePath, BasePathError, board_address, mount_path},
    local_only::LocalOnly,
    route::BoardRoute,
    sessions::{SessionError, Sessions},
    sign_in::{SignInPage, read_form, redirect_to_view},
};

type BoardState = State<Arc<dyn Telemetry>>;

/// Why the application cannot do its work now, if it cannot.
pub(crate) type Unready = Arc<dyn Fn() -> Option<String> + Send + Sync>;

/// Declared routes that no request has matched.
pub(crate) type UnmatchedRoutes = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

/// What the board reads beside the figures.
pub(crate) struct HostState {
    pub(crate) unready: Unready,
    pub(crate) unmatched_routes: UnmatchedRoutes,
}

/// A page's query has a few hundred bytes.
const QUERY_BYTES: usize = 16 * 1024;

/// The board. It has only our own paths. The access policy is in front of all of them, and of paths without a route.
pub(crate) fn router(telemetry: Arc<dyn Telemetry>, host_state: &HostState, policy: AccessPolicy) -> Router {
    // It fails if the host has already set one, which serves as well.
    let _ = any_spawner::Executor::init_tokio();
    let routes = BoardRoute::ALL.iter().map(|route| (route.path(), method_router(*route, host_state)));
    let policy_paths = policy.paths.iter().map(|path| (*path, any(StatusCode::NOT_FOUND)));
    routes
        .chain(policy_paths)
        .fold(Router::new(), |router, (path, methods)| router.route(path, methods))
        .fallback(no_such_page)
        .layer(from_fn_with_state(policy, access::check))
        .layer(from_fn(secure::same_site))
        .layer(CompressionLayer::new().br(true).gzip(true))
        .layer(map_response(secure::headers))
        .with_state(telemetry)
}

fn method_router(route: BoardRoute, host_state: &HostState) -> MethodRouter<Arc<dyn Telemetry>> {
    let method = MethodFilter::try_from(route.method()).expect("a method of HTTP");
    match route {
        BoardRoute::Page => on(method, page),
        BoardRoute::Refresh => on(method, refresh),
        BoardRoute::Asset => on(method, asset),
        BoardRoute::Health | BoardRoute::HealthV1 => {
            let unmatched = Arc::clone(&host_state.unmatched_routes);
            on(method, async move |State(telemetry): BoardState, uri: Uri| health(&*telemetry, &uri, unmatched()).await)
        }
        BoardRoute::Metrics => on(method, metrics),
        BoardRoute::Export => on(method, export::export),
        BoardRoute::Marks => on(method, note::note),
        BoardRoute::Livez => on(method, alive),
        BoardRoute::Readyz => {
            let unready = Arc::clone(&host_state.unready);
            on(method, async move || readiness(unready()))
        }
    }
}

async fn page(State(telemetry): BoardState, request: Request) -> Response {
    let redirect = || health_fleet::redirect_of_viewer(&telemetry.full_snapshot(), request.uri());
    if let Some(redirect) = span_times::redirect(request.uri()).or_else(redirect) {
        return redirect;
    }
    let cookies = request.headers().get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let base = base_address(&request);
    let pass = request.extensions().get();
    let page = PageRequest {
        first: telemetry.refresh_with_earlier(refresh_query(&query), None).await,
        is_open: pass == Some(&Pass::Open),
        sign_out: match pass {
            Some(Pass::SignedIn { sign_out, .. }) => Some([&base, &**sign_out].concat()),
            _ => None,
        },
        base,
        query,
        cookies: cookies.collect::<Vec<_>>().join("; "),
        assets: assets::of_page(),
    };
    let context = move || {
        provide_context(page.clone());
        secure::page_policy();
    };
    leptos_axum::render_app_to_stream_with_context(context, shell)(request).await
}

async fn refresh(State(telemetry): BoardState, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let query = match short_body::read(body, "a query of a page", QUERY_BYTES).await {
        Ok(query) => query,
        Err(response) => return response,
    };
    let context = move || {
        provide_telemetry(Arc::clone(&telemetry));
        provide_context(assets::of_page());
    };
    let request = Request::from_parts(parts, Body::from(query));
    refused_refresh::with_status(leptos_axum::handle_server_fns_with_context(context, request).await.into_response())
        .await
}

async fn health(telemetry: &dyn Telemetry, uri: &Uri, unmatched_routes: Vec<String>) -> Response {
    let scope = health_fleet::asked_scope(uri);
    match health_span::asked_span(uri) {
        Some(Ok(span)) => return health_span::response(telemetry, span, scope).await,
        Some(Err(refused)) => return refused,
        None => {}
    }
    if scope != InstanceScope::Own {
        return health_fleet::response(telemetry, scope).await;
    }
    let full = telemetry.complete_snapshot().await;
    health_json::response(&full, &telemetry.faults(), unmatched_routes)
}

async fn metrics(State(telemetry): BoardState, headers: HeaderMap) -> Response {
    let format = prometheus::Format::from_accept(headers.get(header::ACCEPT));
    prometheus::response(format, &telemetry.full_snapshot(), &telemetry.faults())
}

/// The process answers, whatever the state of the database: a restart would not help the database.
async fn alive() -> &'static str {
    "ok"
}

fn readiness(unready: Option<String>) -> (StatusCode, String) {
    unready.map_or_else(|| (StatusCode::OK, "ok".to_owned()), |reason| (StatusCode::SERVICE_UNAVAILABLE, reason))
}

/// A path that the board does not have.
async fn no_such_page(request: Request) -> (StatusCode, Html<String>) {
    let board = format!("{}/", base_address(&request));
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>No such page</title>\
         <h1>There is no such page</h1><p>Watchboard has nothing at this address. <a href=\"{board}\">The board is here</a>.</p>\n"
    );
    (StatusCode::NOT_FOUND, Html(page))
}

/// The name comes from the path: parameters can hold those of the mount too.
async fn asset(uri: Uri, headers: HeaderMap) -> Response<Body> {
    let name = uri.path().rsplit('/').next().unwrap_or_default();
    assets::response(name, &headers).await
}
