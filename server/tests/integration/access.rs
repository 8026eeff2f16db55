//! Who sees the board within another application, by the host's policy: this machine alone, or whom the host lets in.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::Request,
    http::request::Parts,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use tokio::{net::TcpListener, time::sleep};
use watchboard::{Access, BoardRoute, LocalOnly, Monitor, Pass, mount_path};
use watchboard_test_support::{TestClient, Visitor, assets, attributes, header_text, resolve, text};

const BOARD: &str = "/ops/board";

fn host() -> Router {
    Router::new().route("/users/{id}", get(|| async { "a user" }))
}

/// The path of a route below the mount; that of the page is the mount itself.
fn path(route: BoardRoute) -> String {
    [BOARD, route.path()].concat().trim_end_matches('/').replace("{name}", "app.js")
}

async fn visitor(app: Router) -> Visitor {
    Visitor::new(TestClient::serve(app).await.address)
}

#[tokio::test]
async fn the_board_can_be_open_to_its_own_machine_alone() {
    let visitor = visitor(open(host())).await;
    let page = visitor.get(BOARD).await;
    assert!(page.status() == 200 && text(&page).contains("open to this machine alone"));
    let strangers = [
        (visitor.clone().with("host", "evil.example"), 421),
        (visitor.clone().with("x-forwarded-for", "203.0.113.7"), 403),
        (visitor.clone().with("forwarded", "for=203.0.113.7"), 403),
    ];
    for (stranger, status) in strangers {
        for &route in BoardRoute::ALL {
            let answer = stranger.send(route.method().as_str(), &path(route), "").await;
            assert_eq!(answer.status(), status, "{route:?}");
            assert!(text(&answer).contains(".access(") && text(&answer).contains("ssh -L"), "{}", text(&answer));
        }
        assert_eq!(stranger.get("/users/7").await.body(), "a user", "the host's own routes are the host's");
    }
}

fn open(app: Router) -> Router {
    Monitor::builder().access(LocalOnly::default()).build().watch(app, BOARD)
}

#[tokio::test]
async fn a_board_that_is_not_told_who_asks_is_closed_and_says_what_to_do() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let visitor = Visitor::new(listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, open(host())).await });
    for &route in BoardRoute::ALL {
        let answer = visitor.send(route.method().as_str(), &path(route), "").await;
        assert_eq!(answer.status(), 403, "{route:?}");
        assert!(text(&answer).contains("into_make_service_with_connect_info::<SocketAddr>()"), "{}", text(&answer));
    }
    assert_eq!(visitor.get("/users/7").await.status(), 200);
}

#[tokio::test]
async fn a_function_of_the_host_decides_for_every_route() {
    let access = |request: &Parts| request.headers.get("x-team").is_some_and(|team| team == "ops");
    let app = Monitor::builder().access(access).build().watch(host(), BOARD);
    let stranger = visitor(app).await;
    let member = stranger.clone().with("x-team", "ops").with("host", "board.example").with("via", "1.1 proxy");
    for &route in BoardRoute::ALL {
        let send = async |visitor: &Visitor| visitor.send(route.method().as_str(), &path(route), "").await;
        assert_eq!(send(&stranger).await.status(), 403, "{route:?}");
        assert_ne!(send(&member).await.status(), 403, "{route:?}");
    }
    assert_eq!(stranger.get("/ops/board/nothing").await.status(), 403);
    let page = member.get(BOARD).await;
    assert!(page.status() == 200 && !text(&page).contains("open to this machine alone"));
}

/// A login of the host's own, which takes its time.
struct Members;

impl Access for Members {
    async fn admit(&self, mut request: Request) -> Result<Request, Response> {
        sleep(Duration::from_millis(1)).await;
        if request.uri().path() == "/leave" {
            return Err(Redirect::to("/goodbye").into_response());
        }
        if request.headers().contains_key("x-member") {
            request.extensions_mut().insert(Pass::signed_in("/leave"));
            return Ok(request);
        }
        if BoardRoute::from_path(request.uri().path()) == Some(BoardRoute::Readyz) {
            request.extensions_mut().insert(Pass::StatusOnly);
            return Ok(request);
        }
        Err(Redirect::to(&["/login?from=", mount_path(&request)].concat()).into_response())
    }

    fn paths(&self) -> &'static [&'static str] {
        &["/leave"]
    }
}

#[tokio::test]
async fn a_policy_can_wait_answer_in_its_own_way_and_end_sessions_from_the_page() {
    for mount in ["/ops/board", "/"] {
        let app = Monitor::builder().access(Members).build().watch(host(), mount);
        let stranger = visitor(app).await;
        let mount = mount.trim_end_matches('/');
        let answer = stranger.get(&format!("{mount}/health")).await;
        assert_eq!(
            (answer.status().as_u16(), header_text(&answer, "location")),
            (303, &*format!("/login?from={mount}"))
        );
        assert_eq!(stranger.get(&format!("{mount}/readyz")).await.body(), "", "the status and nothing else");
        let member = stranger.clone().with("x-member", "7");
        assert_eq!(member.get(&format!("{mount}/readyz")).await.body(), "ok");
        let page = member.get(if mount.is_empty() { "/" } else { mount }).await;
        let leave = attributes(text(&page), "action").pop().expect("a button");
        assert_eq!(resolve(if mount.is_empty() { "/" } else { mount }, leave), format!("{mount}/leave"));
        assert_eq!(header_text(&member.post(&format!("{mount}/leave"), "").await, "location"), "/goodbye");
        assert_eq!(member.get("/users/7").await.body(), "a user");
    }
}

#[tokio::test]
async fn below_a_path_with_parameters_and_nested_it_is_guarded_too() {
    let monitor = Monitor::builder().access(Members).build();
    let app = host().nest("/tenants/{tenant}/board", monitor.dashboard());
    let stranger = visitor(app).await;
    for path in ["", "/health", "/assets/app.js"] {
        let answer = stranger.get(&format!("/tenants/7/board{path}")).await;
        let expected = (303, "/login?from=/tenants/7/board");
        assert_eq!((answer.status().as_u16(), header_text(&answer, "location")), expected, "{path}");
    }
}

#[tokio::test]
async fn below_a_path_with_parameters_the_page_gets_its_assets() {
    let monitor = Monitor::builder().access(|_: &Parts| true).build();
    let visitor = visitor(host().nest("/tenants/{tenant}/board", monitor.dashboard())).await;
    let page = visitor.get("/tenants/7/board").await;
    let assets = assets("/tenants/7/board", text(&page));
    assert!(assets.len() >= 2, "{}", text(&page));
    for asset in assets {
        assert!(asset.starts_with("/tenants/7/board/assets/"), "{asset}");
        assert_eq!(visitor.get(&asset).await.status(), 200, "{asset}");
    }
}

/// What a peer is told by: an address that is this machine's by another name.
#[tokio::test]
async fn a_peer_of_ipv6_loopback_is_this_machine() {
    let Ok(listener) = TcpListener::bind("[::1]:0").await else {
        return eprintln!("skipped: this machine has no IPv6");
    };
    let address = listener.local_addr().unwrap();
    let app = open(host()).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    assert_eq!(TestClient::new(address).send("GET", BOARD).await.0, 200);
}
