//! The board of an application that says nothing of access: it opens by a link, once and on this machine.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use axum::{Router, routing::get};
use tracing_subscriber::fmt::MakeWriter;
use watchboard::{BoardRoute, Monitor};
use watchboard_test_support::{Nginx, TestClient, Visitor, attributes, header_text, resolve, text};

const BOARD: &str = "/ops/board";

fn host() -> Router {
    Router::new().route("/users/{id}", get(|| async { "a user" }))
}

async fn visitor(app: Router) -> Visitor {
    Visitor::new(TestClient::serve(app).await.address)
}

fn token(link: &str) -> &str {
    link.split_once("token=").expect("a token").1
}

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn links(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let words = text.split_whitespace().filter(|word| word.contains("?token="));
        words.map(ToOwned::to_owned).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn one_call_prints_a_link_and_each_sign_in_the_next() {
    let log = Log::default();
    let _subscriber =
        tracing::subscriber::set_default(tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish());
    let stranger = visitor(watchboard::watch(host(), BOARD, ())).await;
    let [link] = &log.links()[..] else { panic!("{:?}", log.links()) };
    assert!(link.starts_with("/ops/board?token="), "{link}");
    for &route in BoardRoute::ALL {
        let path = [BOARD, route.path()].concat().trim_end_matches('/').replace("{name}", "app.js");
        let is_probe = matches!(route, BoardRoute::Livez | BoardRoute::Readyz);
        let answer = stranger.send(route.method().as_str(), &path, "").await;
        assert_eq!(answer.status(), if is_probe { 200 } else { 401 }, "{route:?}");
        let elsewhere = stranger.clone().with("host", "evil.example").send(route.method().as_str(), &path, "").await;
        assert_eq!(elsewhere.status(), if is_probe { 200 } else { 421 }, "{route:?}: DNS rebinding");
    }
    assert_eq!(stranger.get("/users/7").await.body(), "a user", "the host's own routes are the host's");
    assert_eq!(log.links().len(), 1, "a good link is printed once");
    for page in [link.clone(), format!("{link}&view=memory")] {
        let answer = stranger.get(&page).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(resolve(&page, attributes(text(&answer), "action")[0]), "/ops/board/sign-in");
    }
    let form = format!("token={}&next=view%3Dmemory", token(link));
    let signed_in = stranger.post("/ops/board/sign-in", &form).await;
    assert_eq!(header_text(&signed_in, "location"), "./../board?view=memory");
    let cookie = header_text(&signed_in, "set-cookie");
    assert!(cookie.starts_with("watchboard_session.") && cookie.contains(".ops.board="), "{cookie}");
    let viewer = stranger.clone().with_cookie_of(&signed_in);
    for path in ["", "/health", "/metrics"] {
        assert_eq!(viewer.get(&[BOARD, path].concat()).await.status(), 200, "{path}");
    }
    let page = viewer.get(BOARD).await;
    assert_eq!(resolve(BOARD, attributes(text(&page), "data-base")[0]), BOARD);
    assert_eq!(resolve(BOARD, attributes(text(&page), "action").pop().expect("a button")), "/ops/board/sign-out");
    assert_eq!(stranger.post("/ops/board/sign-in", &form).await.status(), 401, "it served once");
    let [_, next] = &log.links()[..] else { panic!("{:?}", log.links()) };
    assert_eq!(stranger.get(next).await.status(), 200);
}

#[tokio::test]
async fn the_method_makes_links_and_a_policy_of_the_host_needs_none() {
    let monitor = Monitor::builder().url("http://127.0.0.1:8080/ops/board").build();
    let stranger = visitor(host().nest(BOARD, monitor.dashboard())).await;
    let links = [0, 1].map(|_| monitor.sign_in_link("https://shop.example/ops/board").expect("a link"));
    for link in &links {
        assert!(link.starts_with("https://shop.example/ops/board?token="), "{link}");
        let form = format!("token={}", token(link));
        let https = stranger.clone().with("origin", "https://shop.example").with("sec-fetch-site", "same-origin");
        let signed_in = https.post("/ops/board/sign-in", &form).await;
        assert_eq!(signed_in.status(), 303);
        let cookie = header_text(&signed_in, "set-cookie");
        assert!(cookie.starts_with("__Secure-watchboard_session.") && cookie.ends_with("; Secure"), "{cookie}");
        assert_eq!(stranger.clone().with_cookie_of(&signed_in).get(BOARD).await.status(), 200);
    }
    let own = Monitor::builder().access(|_: &axum::http::request::Parts| true).build();
    assert_eq!(own.sign_in_link("http://127.0.0.1:8080/ops/board"), None);
}

#[tokio::test]
async fn two_boards_of_one_application_keep_their_sessions() {
    let monitors = [Monitor::builder().build(), Monitor::builder().build()];
    let app = host().nest("/first/board", monitors[0].dashboard()).nest("/second/board", monitors[1].dashboard());
    let stranger = visitor(app).await;
    let mut cookies = vec![];
    for (monitor, mount) in monitors.iter().zip(["/first/board", "/second/board"]) {
        let link = monitor.sign_in_link("").expect("a link");
        let signed_in = stranger.post(&[mount, "/sign-in"].concat(), &format!("token={}", token(&link))).await;
        cookies.push(header_text(&signed_in, "set-cookie").split(';').next().expect("a pair").to_owned());
    }
    let viewer = stranger.with("cookie", &cookies.join("; "));
    for mount in ["/first/board", "/second/board"] {
        assert_eq!(viewer.get(mount).await.status(), 200, "{mount}");
    }
}

#[tokio::test]
async fn behind_a_proxy_that_strips_a_prefix_the_embedded_board_is_whole() {
    let monitor = Monitor::builder().build();
    let server = TestClient::serve(monitor.watch(host(), BOARD)).await;
    let locations = format!("location /shop/ {{ proxy_pass http://{}/; }}", server.address);
    let nginx = Nginx::start(&locations).await;
    let stranger = Visitor::new(nginx.address);
    let page = "/shop/ops/board";
    let asked = stranger.get(page).await;
    assert_eq!(asked.status(), 401, "nginx does not say that it is one");
    let action = resolve(page, attributes(text(&asked), "action")[0]);
    assert_eq!(action, "/shop/ops/board/sign-in");
    let link = monitor.sign_in_link("").expect("a link");
    let signed_in = stranger.post(&action, &format!("token={}", token(&link))).await;
    assert_eq!(resolve(&action, header_text(&signed_in, "location")), page);
    // Without a path the browser takes that of the request: /shop/ops/board.
    assert!(!header_text(&signed_in, "set-cookie").contains("Path"));
    let viewer = stranger.with_cookie_of(&signed_in);
    let board = viewer.get(page).await;
    for asset in watchboard_test_support::assets(page, text(&board)) {
        assert!(asset.starts_with("/shop/ops/board/assets/"), "{asset}");
        assert_eq!(viewer.get(&asset).await.status(), 200, "{asset}");
    }
}
