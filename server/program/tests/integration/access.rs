//! The login of the real program: attacks by strangers, and the pages of people with a session or the token.

use std::{
    net::SocketAddr,
    process::Stdio,
    sync::{Arc, LazyLock},
};

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version, password_hash::SaltString};
use axum::http::{Method, StatusCode};
use tokio::{io::AsyncWriteExt, process::Command};
use watchboard::BoardRoute;
use watchboard_test_support::{Binary, Visitor, assets, header_text, text};
use watchboard_wire::{RefreshCursor, RefreshQuery};

const PASSWORD: &str = "correct horse battery";
const FORM: &str = "password=correct+horse+battery&next=view%3Dmemory";
const TOKEN: &str = "a-token-of-a-prometheus-0123456789";

/// The password's hash, by these parameters.
fn hash(kib: u32, rounds: u32) -> String {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(kib, rounds, 1, None).unwrap());
    let salt = SaltString::encode_b64(b"0123456789abcdef").unwrap();
    argon2.hash_password(PASSWORD.as_bytes(), &salt).unwrap().to_string()
}

/// By the cheapest parameters there are.
static HASH: LazyLock<String> = LazyLock::new(|| hash(8, 1));

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(watchboard_test_support::binary_path());
    command.args(arguments).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// A board with a password and a token.
async fn closed(arguments: &[&str]) -> (Binary, Visitor) {
    let mut command = command(arguments);
    command.env("WATCHBOARD_PASSWORD_HASH", &*HASH).env("WATCHBOARD_TOKEN", TOKEN);
    let board = Binary::from_command(command).await;
    let visitor = Visitor::new(board.client.address);
    (board, visitor)
}

async fn sign_in(visitor: &Visitor) -> Visitor {
    let response = visitor.post("/sign-in", FORM).await;
    assert_eq!(response.status(), 303, "{}", text(&response));
    visitor.clone().with_cookie_of(&response)
}

fn is_sign_in_page(response: &axum::http::Response<axum::body::Bytes>) -> bool {
    text(response).contains("name=\"password\"") && !text(response).contains("data-bundle")
}

/// What a live page asks: by the name of its script, that of its build.
fn question(page: &str) -> Vec<u8> {
    let (_, rest) = page.split_once("data-bundle=\"").expect("the browser bundle is built");
    let bundle = rest.split('"').next().unwrap();
    postcard::to_allocvec(&(bundle, RefreshQuery::default(), None::<RefreshCursor>)).unwrap()
}

#[tokio::test]
async fn every_route_is_closed_to_strangers_and_open_to_whom_it_is_for() {
    let (board, stranger) = closed(&[]).await;
    let viewer = sign_in(&stranger).await;
    let program = stranger.clone().with("authorization", &format!("Bearer {TOKEN}"));
    let made_up = format!("watchboard_session.{}={}", board.client.address.port(), "0".repeat(64));
    let impostor = stranger.clone().with("authorization", &format!("Bearer {TOKEN}0")).with("cookie", &made_up);
    let page = text(&viewer.get("/").await).to_owned();
    let asset = assets("/", &page).remove(0);
    for &route in BoardRoute::ALL {
        let (method, path) = (route.method(), route.path().replace("/assets/{name}", &asset));
        let (body, done) = match route {
            BoardRoute::Marks => (b"deploy".to_vec(), 201),
            _ if method == Method::POST => (question(&page), 200),
            _ => (vec![], 200),
        };
        let send = async |visitor: &Visitor| visitor.send(method.as_str(), &path, body.clone()).await;
        assert_eq!(send(&viewer).await.status(), done, "{route:?}, signed in");
        let is_for_programs = matches!(
            route,
            BoardRoute::Health | BoardRoute::HealthV1 | BoardRoute::Metrics | BoardRoute::Export | BoardRoute::Marks
        );
        let is_public = matches!(route, BoardRoute::Livez | BoardRoute::Readyz);
        let for_program = send(&program).await;
        assert_eq!(for_program.status(), if is_for_programs || is_public { done } else { 401 }, "{route:?}, by token");
        for nobody in [&stranger, &impostor] {
            let answer = send(nobody).await;
            assert_eq!(answer.status(), if is_public { 200 } else { 401 }, "{route:?}, without credentials");
            assert_eq!(is_sign_in_page(&answer), route == BoardRoute::Page, "{route:?}");
            let challenge = if is_for_programs { "Bearer" } else { "" };
            assert_eq!(header_text(&answer, "www-authenticate"), challenge, "{route:?}");
            for other in ["HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"] {
                let answer = nobody.send(other, &path, "").await;
                assert!(answer.status() != 200 || (is_public && other == "HEAD"), "{other} {route:?}");
            }
        }
        if route == BoardRoute::Readyz {
            assert_eq!((text(&for_program), text(&send(&stranger).await)), ("ok", ""));
        }
    }
    for path in ["/nothing", "/assets/nothing", "/assets/..%2f..%2fetc%2fpasswd", "//", "/health/", "/sign-out"] {
        assert_eq!(stranger.get(path).await.status(), 401, "{path}");
        let status = viewer.get(path).await.status();
        assert!(status == 404 || path == "/sign-out", "{path}: {status}");
    }
    let page = stranger.get("/sign-in").await;
    assert!(page.status() == 200 && is_sign_in_page(&page));
}

#[tokio::test]
async fn every_answer_tells_the_browser_to_keep_to_itself() {
    let (_board, stranger) = closed(&[]).await;
    let viewer = sign_in(&stranger).await;
    let paths = BoardRoute::ALL.iter().copied().map(BoardRoute::path).chain(["/sign-in", "/sign-out", "/nothing"]);
    for path in paths {
        for visitor in [&stranger, &viewer, &stranger.clone().with("host", "evil.example")] {
            let answer = visitor.get(path).await;
            let policy = header_text(&answer, "content-security-policy");
            for part in ["default-src 'none'", "base-uri 'none'", "form-action", "frame-ancestors 'none'"] {
                assert!(policy.contains(part), "{path}: {policy}");
            }
            assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'") && !policy.contains('*'));
            assert_eq!(header_text(&answer, "x-content-type-options"), "nosniff", "{path}");
            assert_eq!(header_text(&answer, "cross-origin-opener-policy"), "same-origin", "{path}");
            assert_eq!(header_text(&answer, "cross-origin-resource-policy"), "same-origin", "{path}");
            assert_eq!(header_text(&answer, "referrer-policy"), "same-origin", "{path}");
            assert_eq!(header_text(&answer, "cache-control"), "no-store", "{path}");
            assert!(!answer.headers().keys().any(|name| name.as_str().starts_with("access-control")), "{path}");
        }
    }
}

#[tokio::test]
async fn a_session_is_begun_anew_at_each_sign_in_and_over_when_it_is_ended() {
    let (board, stranger) = closed(&[]).await;
    let name = format!("watchboard_session.{}=", board.client.address.port());
    // Fixation: an id that somebody else knows is not taken over.
    let known = format!("{name}{}", "ab".repeat(32));
    let signed_in = stranger.clone().with("cookie", &known).post("/sign-in", FORM).await;
    let cookie = header_text(&signed_in, "set-cookie");
    assert!(cookie.starts_with(&name) && !cookie.contains(&known), "{cookie}");
    // Its path is that of the request. A link of another site opens the page with it.
    assert!(cookie.ends_with("; Max-Age=604800; HttpOnly; SameSite=Lax") && !cookie.contains("Path"), "{cookie}");
    assert_eq!(header_text(&signed_in, "location"), "./?view=memory");
    assert_eq!(stranger.clone().with("cookie", &known).get("/").await.status(), 401);
    let first = stranger.clone().with_cookie_of(&signed_in);
    assert_eq!(first.get("/").await.status(), 200);
    // Whoever signs in once more has another session, and no more the one before.
    let again = first.post("/sign-in", FORM).await;
    let second = stranger.clone().with_cookie_of(&again);
    assert_ne!(header_text(&again, "set-cookie"), cookie);
    assert_eq!(
        (first.get("/").await.status(), second.get("/").await.status()),
        (StatusCode::UNAUTHORIZED, StatusCode::OK)
    );
    assert!(text(&second.get("/").await).contains("action=\"./sign-out\""));
    let out = second.post("/sign-out", "").await;
    assert_eq!((out.status().as_u16(), header_text(&out, "location")), (303, "./"));
    assert!(header_text(&out, "set-cookie").starts_with(&format!("{name}; Max-Age=0")));
    // Replayed by somebody who has seen it before.
    assert_eq!(second.get("/").await.status(), 401);
    assert_eq!(second.get("/health").await.status(), 401);
}

#[tokio::test]
async fn over_https_the_cookie_is_bound_to_its_host() {
    let (_board, stranger) = closed(&["--trusted-proxy", "127.0.0.1"]).await;
    let proxied = stranger.with("x-forwarded-proto", "https").with("x-forwarded-for", "203.0.113.7");
    let signed_in = proxied.post("/sign-in", FORM).await;
    let cookie = header_text(&signed_in, "set-cookie");
    assert!(cookie.starts_with("__Secure-watchboard_session.") && cookie.ends_with("; Secure"), "{cookie}");
    assert_eq!(proxied.clone().with_cookie_of(&signed_in).get("/").await.status(), 200);
    // Plain http could have set this one.
    let plain = cookie.replace("__Secure-", "");
    assert_eq!(proxied.with("cookie", plain.split(';').next().unwrap()).get("/").await.status(), 401);
}

#[tokio::test]
async fn another_site_cannot_have_the_browser_post() {
    let (_board, stranger) = closed(&[]).await;
    let viewer = sign_in(&stranger).await;
    for (header, value) in [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for path in ["/sign-in", "/sign-out", BoardRoute::Refresh.path()] {
            let answer = viewer.clone().with(header, value).post(path, FORM).await;
            assert_eq!(answer.status(), 403, "{path}, {header}: {value}");
            assert!(answer.headers().get("set-cookie").is_none());
        }
    }
    assert_eq!(viewer.get("/").await.status(), 200, "nobody was signed out");
    let own = viewer.clone().with("sec-fetch-site", "same-origin").with("origin", "http://127.0.0.1");
    assert_eq!(own.post("/sign-out", "").await.status(), 303);
}

#[tokio::test]
async fn another_name_that_leads_here_is_not_answered() {
    let (_board, stranger) = closed(&["--host", "board.example,other.example", "--host", "third.example"]).await;
    let viewer = sign_in(&stranger).await;
    for host in ["evil.example", "board.example.evil.example", "192.0.2.1", "127.0.0.1.nip.io", ""] {
        for path in ["/", "/health", "/livez", "/sign-in"] {
            let answer = viewer.clone().with("host", host).get(path).await;
            assert_eq!(answer.status(), 421, "{host}{path}");
            assert!(text(&answer).contains("--host NAME"), "{}", text(&answer));
        }
        assert_eq!(stranger.clone().with("host", host).post("/sign-in", FORM).await.status(), 421);
    }
    for host in ["localhost", "127.0.0.1:1", "[::1]", "Board.Example:8443", "other.example", "third.example"] {
        assert_eq!(viewer.clone().with("host", host).get("/").await.status(), 200, "{host}");
    }
}

#[tokio::test]
async fn after_the_sign_in_nobody_is_led_elsewhere() {
    let (_board, stranger) = closed(&[]).await;
    for (next, location) in [
        ("", "./"),
        ("view%3Dmemory%26window%3D1h", "./?view=memory&window=1h"),
        ("%2F%2Fevil.example", "./?//evil.example"),
        ("https%3A%2F%2Fevil.example", "./?https://evil.example"),
        ("%5C%5Cevil.example", "./?\\\\evil.example"),
        ("a%0D%0ASet-Cookie%3A%20b%3D1", "./"),
        ("%40evil.example", "./?@evil.example"),
    ] {
        let answer = stranger.post("/sign-in", &format!("password=correct+horse+battery&next={next}")).await;
        assert_eq!((answer.status().as_u16(), header_text(&answer, "location")), (303, location), "{next}");
        assert_eq!(answer.headers().get_all("set-cookie").iter().count(), 1);
    }
    let page = stranger.get("/?view=memory&filter=%22%3E%3Cscript%3E").await;
    assert!(text(&page).contains("value=\"view=memory&amp;filter=%22%3E%3Cscript%3E\""), "{}", text(&page));
}

#[tokio::test]
async fn guessing_ends_soon_and_only_for_who_guesses() {
    let (_board, stranger) = closed(&[]).await;
    for _ in 0..5 {
        let answer = stranger.post("/sign-in", "password=hunter2&next=view%3Dmemory").await;
        assert_eq!(answer.status(), 401);
        assert!(
            text(&answer).contains("The password is not right.") && text(&answer).contains("value=\"view=memory\"")
        );
    }
    let locked = stranger.post("/sign-in", FORM).await;
    assert_eq!(locked.status(), 429, "not even with the right password");
    let seconds: u64 = header_text(&locked, "retry-after").parse().unwrap();
    assert!((1..=300).contains(&seconds) && text(&locked).contains("Too many tries: try again in"), "{seconds}");
    // Headers that anybody can send make no other address.
    let liar = stranger.clone().with("x-forwarded-for", "203.0.113.9").with("forwarded", "for=203.0.113.9");
    assert_eq!(liar.post("/sign-in", FORM).await.status(), 429);
    sign_in(&stranger.clone().from(2)).await;
}

#[tokio::test]
async fn many_addresses_together_have_a_bound_too() {
    let (_board, stranger) = closed(&[]).await;
    let mut refused = 0;
    for address in 0..13 {
        let visitor = stranger.clone().from(10 + address);
        for _ in 0..5 {
            refused += u32::from(visitor.post("/sign-in", "password=hunter2").await.status() == 429);
        }
    }
    assert_eq!(refused, 5, "of 65 in much less than a minute");
}

#[tokio::test]
async fn a_crowd_waits_in_line_and_whoever_finds_it_full_is_told_when_to_return() {
    // By parameters that take a while, as real ones do.
    let hash = hash(19 * 1024, 8);
    let mut command = command(&[]);
    command.env("WATCHBOARD_PASSWORD_HASH", hash);
    let board = Binary::from_command(command).await;
    let visitor = Arc::new(Visitor::new(board.client.address));
    let crowd: Vec<_> = (0..30)
        .map(|number| {
            let one = Visitor::clone(&visitor).from(number + 1);
            tokio::spawn(async move { one.post("/sign-in", FORM).await })
        })
        .collect();
    let mut statuses = Vec::new();
    for one in crowd {
        let answer = one.await.unwrap();
        if answer.status() == 429 {
            assert_eq!(header_text(&answer, "retry-after"), "2");
        }
        statuses.push(answer.status().as_u16());
    }
    let count = |status| statuses.iter().filter(|found| **found == status).count();
    assert!(count(303) >= 9 && count(429) >= 1 && count(303) + count(429) == 30, "{statuses:?}");
    sign_in(&visitor).await;
}

#[tokio::test]
async fn what_is_too_large_or_no_form_is_refused() {
    let (_board, stranger) = closed(&[]).await;
    let viewer = sign_in(&stranger).await;
    let large = format!("password={}", "x".repeat(5000));
    assert_eq!(stranger.post("/sign-in", &large).await.status(), 413);
    assert_eq!(stranger.post("/sign-in", "next=view").await.status(), 422);
    assert_eq!(stranger.send("POST", "/sign-in", FORM).await.status(), 415);
    assert_eq!(stranger.post("/sign-in", &format!("password={}", "x".repeat(2000))).await.status(), 401);
    assert_eq!(viewer.send("POST", BoardRoute::Refresh.path(), vec![0; 17 * 1024]).await.status(), 413);
}

#[tokio::test]
async fn it_can_be_open_to_its_own_machine_and_says_so() {
    let board = Binary::start(&[]).await;
    let visitor = Visitor::new(board.client.address);
    let page = visitor.get("/").await;
    assert!(page.status() == 200 && text(&page).contains("Without a login: open to this machine alone."));
    assert_eq!(visitor.get("/readyz").await.body(), "ok");
    for (header, value, status) in [
        ("host", "evil.example", 421),
        ("x-forwarded-for", "203.0.113.7", 403),
        ("x-real-ip", "203.0.113.7", 403),
        ("via", "1.1 proxy", 403),
    ] {
        for &route in BoardRoute::ALL {
            let answer = visitor.clone().with(header, value).send(route.method().as_str(), route.path(), "").await;
            assert_eq!(answer.status(), status, "{header} {route:?}");
            assert!(text(&answer).contains("watchboard --help"), "{}", text(&answer));
        }
    }
}

#[tokio::test]
async fn elsewhere_it_does_not_start_without_credentials_and_says_how() {
    let others = [&["--listen", "0.0.0.0:0"][..], &["--listen", "[::]:0"], &["--host", "board.example"]];
    for arguments in others.iter().flat_map(|flags| [flags.to_vec(), [flags, &["--open"][..]].concat()]) {
        let arguments = &arguments[..];
        let output = command(arguments).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("watchboard hash-password") && said.contains("--password-file"), "{said}");
    }
}

#[tokio::test]
async fn elsewhere_it_answers_to_its_addresses_and_names_with_credentials() {
    let mut command = command(&["--listen", "0.0.0.0:0", "--host", "board.example"]);
    command.env("WATCHBOARD_TOKEN", TOKEN);
    let board = Binary::spawn(command).await;
    let address = SocketAddr::from(([127, 0, 0, 1], board.client.address.port()));
    let stranger = Visitor::new(address);
    let program = stranger.clone().with("authorization", &format!("Bearer {TOKEN}"));
    for host in ["192.0.2.7:3000", "127.0.0.1", "board.example"] {
        assert_eq!(program.clone().with("host", host).get("/health").await.status(), 200, "{host}");
        assert_eq!(stranger.clone().with("host", host).get("/livez").await.status(), 200, "{host}");
    }
    assert_eq!(program.clone().with("host", "evil.example").get("/health").await.status(), 421);
    let page = program.get("/").await;
    assert!(page.status() == 401 && text(&page).contains("This board has no password"), "{}", text(&page));
    assert_eq!(stranger.post("/sign-in", FORM).await.status(), 401);
}

#[tokio::test]
async fn a_hash_is_made_of_a_line_of_input_and_opens_the_board() {
    let hash = async |password: &str| {
        let mut command = command(&["hash-password"]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        process.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).await.unwrap();
        process.wait_with_output().await.unwrap()
    };
    let short = hash("hunter2").await;
    let said = String::from_utf8_lossy(&short.stderr);
    assert!(short.status.code() == Some(1) && short.stdout.is_empty() && said.contains("is too short"), "{said}");
    assert!(!said.contains("hunter2"));
    let made = String::from_utf8(hash(PASSWORD).await.stdout).unwrap();
    assert!(made.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{made}");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), made).unwrap();
    let board = Binary::start(&["--password-file", file.path().to_str().unwrap()]).await;
    sign_in(&Visitor::new(board.client.address)).await;
}
