//! The board of the program without a password: it opens by the link in the log, once and on this machine.

use std::process::Stdio;

use axum::{body::Bytes, http::Response};
use tokio::process::Command;
use watchboard::BoardRoute;
use watchboard_test_support::{Binary, Nginx, Visitor, attributes, header_text, resolve, text};

/// What comes before a link in the log.
const LINK: &str = "by this link: ";

async fn board(arguments: &[&str]) -> (Binary, Visitor) {
    let mut command = Command::new(watchboard_test_support::binary_path());
    command.args(arguments).stderr(Stdio::piped()).kill_on_drop(true);
    let board = Binary::from_command(command).await;
    let visitor = Visitor::new(board.client.address);
    (board, visitor)
}

/// The links that the log has. The first is complete before the board listens.
fn links(board: &Binary) -> Vec<String> {
    board.log_lines(LINK).iter().map(|line| line.rsplit_once(LINK).expect("a link").1.trim().to_owned()).collect()
}

/// Waits until the log has so many links, and returns the last.
async fn nth_link(board: &Binary, count: usize) -> String {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let mut links = links(board);
        assert!(links.len() <= count, "{links:?}");
        if links.len() == count {
            return links.remove(count - 1);
        }
        assert!(tokio::time::Instant::now() < deadline, "{links:?}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// The path and the query of a link.
fn target(link: &str) -> &str {
    &link[link.find("/?").expect("a query")..]
}

fn token(link: &str) -> &str {
    link.split_once("?token=").expect("a token").1
}

async fn redeem(visitor: &Visitor, token: &str) -> Response<Bytes> {
    visitor.post("/sign-in", &format!("token={token}&next=view%3Dmemory")).await
}

#[tokio::test]
async fn the_link_opens_the_board_once_and_a_look_at_it_does_not_count() {
    let (board, stranger) = board(&[]).await;
    let link = nth_link(&board, 1).await;
    assert!(
        link.starts_with(&format!("http://{}/?token=", board.client.address)) && token(&link).len() == 64,
        "{link}"
    );
    // Programs that preview links, and browsers that fetch ahead.
    for method in ["HEAD", "GET", "GET"] {
        let preview = stranger.clone().with("sec-purpose", "prefetch").with("user-agent", "Slackbot-LinkExpanding 1.0");
        let page = preview.send(method, target(&link), "").await;
        assert_eq!(page.status(), 200, "{method}");
        assert!(page.headers().get("set-cookie").is_none() && !text(&page).contains("data-bundle"));
        assert_eq!(header_text(&page, "referrer-policy"), "same-origin", "the token goes to no other site");
    }
    let page = stranger.get(&format!("{}&view=memory", target(&link))).await;
    let (action, html) = (attributes(text(&page), "action")[0], text(&page));
    assert!(html.contains(&format!("name=\"token\" value=\"{}\"", token(&link))) && html.contains("view=memory"));
    assert_eq!(resolve("/", action), "/sign-in");
    let signed_in = redeem(&stranger, token(&link)).await;
    assert_eq!((signed_in.status().as_u16(), header_text(&signed_in, "location")), (303, "./?view=memory"));
    let cookie = header_text(&signed_in, "set-cookie");
    let name = format!("watchboard_session.{}=", board.client.address.port());
    assert!(cookie.starts_with(&name) && cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
    let viewer = stranger.clone().with_cookie_of(&signed_in);
    for path in ["/", "/health", "/api/v1/health", "/metrics", "/livez", "/readyz"] {
        assert_eq!(viewer.get(path).await.status(), 200, "{path}");
    }
    // Once more it is good for nothing, and says what to do; the log has the next one already.
    let used = stranger.get(target(&link)).await;
    assert!(
        used.status() == 401 && text(&used).contains("was used already") && text(&used).contains("log"),
        "{}",
        text(&used)
    );
    let again = redeem(&stranger, token(&link)).await;
    assert!(again.status() == 401 && again.headers().get("set-cookie").is_none());
    let next = nth_link(&board, 2).await;
    assert_ne!(next, link);
    // A viewer who opens it stays signed in; it is good for another browser, which can also paste it.
    let seen = viewer.get(&format!("{}&view=memory", target(&next))).await;
    assert_eq!((seen.status().as_u16(), header_text(&seen, "location")), (303, "./?view=memory"));
    let pasted = next.replace(':', "%3A").replace('/', "%2F").replace('?', "%3F").replace('=', "%3D");
    assert_eq!(redeem(&stranger, &pasted).await.status(), 303);
    assert!(text(&viewer.get("/").await).contains("action=\"./sign-out\""));
    let out = viewer.post("/sign-out", "").await;
    assert_eq!((out.status().as_u16(), header_text(&out, "location")), (303, "./"));
    assert_eq!(viewer.get("/").await.status(), 401);
}

#[tokio::test]
async fn without_the_link_nothing_but_the_probes_is_open() {
    let (board, stranger) = board(&[]).await;
    nth_link(&board, 1).await;
    let liar = stranger.clone().with("authorization", &format!("Bearer {}", "0".repeat(64)));
    for &route in BoardRoute::ALL {
        for nobody in [&stranger, &liar] {
            let answer = nobody.send(route.method().as_str(), &route.path().replace("{name}", "app.js"), "").await;
            let is_probe = matches!(route, BoardRoute::Livez | BoardRoute::Readyz);
            assert_eq!(answer.status(), if is_probe { 200 } else { 401 }, "{route:?}");
            assert!(!is_probe || text(&answer).is_empty(), "the status and nothing else");
            assert!(!text(&answer).contains("data-bundle") && !text(&answer).contains("uptime"), "{route:?}");
        }
        // From elsewhere a balancer may look, and nobody else.
        let elsewhere = stranger.clone().with("host", "10.0.0.7:3000").with("x-forwarded-for", "203.0.113.7");
        let answer = elsewhere.send(route.method().as_str(), route.path(), "").await;
        let is_probe = matches!(route, BoardRoute::Livez | BoardRoute::Readyz);
        assert_eq!(answer.status(), if is_probe { 200 } else { 403 }, "{route:?}");
    }
    let health = stranger.get("/health").await;
    assert!(text(&health).contains("WATCHBOARD_TOKEN") && text(&health).contains("--open"), "{}", text(&health));
    for (header, value) in [("origin", "http://evil.example"), ("origin", "null"), ("sec-fetch-site", "same-site")] {
        for path in ["/sign-in", "/sign-out", BoardRoute::Refresh.path(), BoardRoute::Marks.path()] {
            let answer = stranger.clone().with(header, value).post(path, "token=0").await;
            assert_eq!(answer.status(), 403, "{path}, {header}: {value}");
        }
    }
    for form in ["", "token=", "token=0", &format!("token={}", "0".repeat(64)), "token=%3Ftoken%3D"] {
        let answer = stranger.post("/sign-in", form).await;
        assert!(answer.status() == 401 || answer.status() == 422, "{form}: {}", answer.status());
    }
    assert_eq!(stranger.post("/sign-in", &format!("token={}", "x".repeat(5000))).await.status(), 413);
    // Strangers who ask a hundred times fill no log.
    for _ in 0..100 {
        assert_eq!(stranger.get("/").await.status(), 401);
    }
    assert_eq!(links(&board).len(), 1);
    assert_eq!(board.log_lines("token=").len(), 1, "and no other line has a token");
}

#[tokio::test]
async fn a_program_that_logs_warnings_alone_still_tells_its_link() {
    for arguments in [&["--log", "warn"][..], &["--log", "off"], &["--log-format", "json"]] {
        let mut command = Command::new(watchboard_test_support::binary_path());
        // It says no more where it listens: at a port that is known before.
        let listen = format!("127.0.0.1:{}", watchboard_test_support::free_port());
        command.args(arguments).args(["--listen", &listen]).stderr(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(process.stderr.take().unwrap()));
        let line = loop {
            let line = lines.next_line().await.unwrap().expect("a link");
            if line.contains("?token=") {
                break line;
            }
        };
        assert!(line.contains(&format!("http://{listen}/?token=")), "{line}");
    }
}

#[tokio::test]
async fn two_boards_on_one_host_keep_their_sessions() {
    let ((one, first), (two, second)) = (board(&[]).await, board(&[]).await);
    let cookie = async |board: &Binary, visitor: &Visitor| {
        let answer = redeem(visitor, token(&nth_link(board, 1).await)).await;
        header_text(&answer, "set-cookie").split(';').next().expect("a pair").to_owned()
    };
    // A browser keeps both, since cookies know no ports, and sends both to each.
    let both = format!("{}; {}", cookie(&one, &first).await, cookie(&two, &second).await);
    for visitor in [&first, &second] {
        assert_eq!(visitor.clone().with("cookie", &both).get("/").await.status(), 200);
    }
}

#[tokio::test]
async fn below_a_prefix_the_link_and_its_session_are_too() {
    let (board, direct) = board(&["--base-path", "/ops"]).await;
    let link = nth_link(&board, 1).await;
    assert!(link.starts_with(&format!("http://{}/ops/?token=", board.client.address)), "{link}");
    assert_eq!(direct.get(&link[link.find("/ops/?").expect("a path")..]).await.status(), 200);
    let locations = format!("location /ops/ {{ proxy_pass http://{}/; }}", board.client.address);
    let nginx = Nginx::start(&locations).await;
    let visitor = Visitor::new(nginx.address);
    let signed_in = visitor.post("/ops/sign-in", &format!("token={}", token(&link))).await;
    assert_eq!((signed_in.status().as_u16(), header_text(&signed_in, "location")), (303, "/ops/"));
    assert!(header_text(&signed_in, "set-cookie").contains("; Path=/ops; "));
    assert_eq!(visitor.with_cookie_of(&signed_in).get("/ops/").await.status(), 200);
}
