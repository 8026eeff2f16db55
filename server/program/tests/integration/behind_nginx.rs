//! The board behind a real nginx: who gets in, and the addresses that the page has behind a prefix.

use std::process::Stdio;

use tokio::process::Command;
use watchboard_test_support::{Binary, Nginx, Visitor, assets, attributes, header_text, resolve, text};

const PASSWORD_FORM: &str = "password=correct+horse+battery&next=view%3Dmemory";
/// Of "correct horse battery", by the cheapest parameters there are.
const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gLHIkr1qgP4r3sH1P/NIg3+PMckaLQ3RkuIiytJhVlY";

async fn board(arguments: &[&str]) -> Binary {
    let mut command = Command::new(watchboard_test_support::binary_path());
    command.args(arguments).stderr(Stdio::piped()).kill_on_drop(true);
    Binary::from_command(command).await
}

/// nginx that answers `/ops/` by the board, and all other paths by "another application".
async fn nginx(board: &Binary, to: &str, more: &str) -> (Nginx, Visitor) {
    let address = board.client.address;
    let locations = format!(
        "location /ops/ {{ proxy_pass http://{address}{to}; {more} }} location / {{ return 200 'another application'; }}"
    );
    let nginx = Nginx::start(&locations).await;
    let visitor = Visitor::new(nginx.address);
    (nginx, visitor)
}

#[tokio::test]
async fn a_proxy_that_does_not_give_itself_away_publishes_nothing() {
    let board = board(&[]).await;
    for (to, more) in [("/", ""), ("/", "proxy_set_header Host localhost;"), ("/", "proxy_set_header Connection '';")] {
        let (_nginx, stranger) = nginx(&board, to, more).await;
        for path in ["/ops/", "/ops/health", "/ops/api/v1/health", "/ops/metrics"] {
            let answer = stranger.get(path).await;
            assert_eq!(answer.status(), 401, "{path} {more}: {}", text(&answer));
            assert!(!text(&answer).contains("data-bundle") && !text(&answer).contains("uptime"), "{path}");
        }
        for path in ["/ops/livez", "/ops/readyz"] {
            assert_eq!(stranger.get(path).await.status(), 200, "a balancer needs no credentials: {path} {more}");
        }
    }
}

#[tokio::test]
async fn behind_a_stripped_prefix_the_page_and_its_forms_are_its_own() {
    let plain = board(&["--password-hash", HASH]).await;
    let based = board(&["--password-hash", HASH, "--base-path", "/ops"]).await;
    let trusting = board(&["--password-hash", HASH, "--trusted-proxy", "127.0.0.1"]).await;
    let prefix = "proxy_set_header X-Forwarded-Prefix /ops; proxy_set_header X-Forwarded-For $remote_addr;";
    for (name, board, to, more) in [
        ("without a setting", &plain, "/", ""),
        ("--base-path, stripped", &based, "/", ""),
        ("--base-path, kept", &based, "", ""),
        ("X-Forwarded-Prefix, stripped", &trusting, "/", prefix),
        ("X-Forwarded-Prefix, kept", &trusting, "", prefix),
    ] {
        let (_nginx, stranger) = nginx(board, to, more).await;
        let sign_in = stranger.get("/ops/").await;
        assert_eq!(sign_in.status(), 401, "{name}");
        let action = resolve("/ops/", attributes(text(&sign_in), "action")[0]);
        assert_eq!(action, "/ops/sign-in", "{name}");
        let refused = stranger.post(&action, "password=hunter2").await;
        assert_eq!(refused.status(), 401, "{name}");
        assert_eq!(resolve(&action, attributes(text(&refused), "action")[0]), action, "{name}: again");
        let signed_in = stranger.post(&action, PASSWORD_FORM).await;
        assert_eq!(signed_in.status(), 303, "{name}: {}", text(&signed_in));
        let (path, query) = header_text(&signed_in, "location").split_once('?').expect("a view");
        let page = resolve(&action, path);
        assert_eq!((page.as_str(), query), ("/ops/", "view=memory"), "{name}");
        // Without a path the browser takes that of the request: `/ops`.
        let cookie = header_text(&signed_in, "set-cookie");
        let scope = cookie.split("; ").find_map(|attribute| attribute.strip_prefix("Path=")).unwrap_or("/ops");
        assert_eq!(scope, "/ops", "{name}: {cookie}");
        let viewer = stranger.with_cookie_of(&signed_in);
        let html = viewer.get(&page).await;
        let html = text(&html);
        let assets = assets(&page, html);
        assert!(assets.len() >= 2, "{name}: {html}");
        for asset in assets {
            let answer = viewer.get(&asset).await;
            assert!(answer.status() == 200 && answer.body() != "another application", "{name}: {asset}");
        }
        let refresh = resolve(&page, &[attributes(html, "data-base")[0], "/api/watchboard/refresh"].concat());
        assert_eq!(refresh, "/ops/api/watchboard/refresh", "{name}");
        let sign_out = resolve(&page, attributes(html, "action").last().expect("a button to sign out"));
        let out = viewer.post(&sign_out, "").await;
        assert_eq!(out.status(), 303, "{name}");
        assert_eq!(resolve(&sign_out, header_text(&out, "location")), "/ops/", "{name}");
        assert_eq!(viewer.get(&page).await.status(), 401, "{name}");
    }
}

#[tokio::test]
async fn a_prefix_of_a_stranger_or_one_that_is_no_path_is_ignored() {
    let trusting = board(&["--password-hash", HASH, "--trusted-proxy", "127.0.0.7"]).await;
    let direct = Visitor::new(trusting.client.address);
    let proxy = direct.clone().from(7);
    let action = async |visitor: &Visitor, prefix: &str| {
        let page = visitor.clone().with("x-forwarded-prefix", prefix).get("/").await;
        attributes(text(&page), "action")[0].to_owned()
    };
    assert_eq!(action(&proxy, "/ops").await, "/ops/sign-in");
    assert_eq!(action(&proxy, "/ops/").await, "/ops/sign-in");
    assert_eq!(resolve("/", &action(&direct, "/ops").await), "/sign-in", "a stranger's");
    for prefix in [
        "//evil.example",
        "https://evil.example",
        "ops",
        "/ops//evil",
        "/../x",
        "/ops/..",
        "/a b",
        "/a\"b",
        "/a;b",
        "/a?b",
        "/a#b",
        "/a\\b",
        "/a,/b",
        "/%2e%2e",
        "javascript:alert(1)",
    ] {
        assert_eq!(resolve("/", &action(&proxy, prefix).await), "/sign-in", "{prefix}");
    }
}
