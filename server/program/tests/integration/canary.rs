//! What clients, applications and other processes say is nowhere on the board, unless it is masked: by error answers of real frameworks,
//! and by recorded ones of those that are not installed here.

use std::time::Duration;

use axum::{
    Router,
    extract::Path,
    http::{HeaderName, StatusCode, header},
    routing::any,
};
use serde_json::Value;
use watchboard_test_support::{Binary, Node, Python, TestClient, board_texts, places_of, raw::exchange};

use crate::{fuzzing::refresh_bodies, recorded_errors::RECORDED};

const WITHIN: Duration = Duration::from_secs(30);

/// What the clients of these tests send, in every part of it that tells something. In no case of letters.
pub const CANARIES: [&str; 9] =
    ["quokka", "wombat", "numbat", "dugong", "49291234", "4929 1234", "4929-1234", "203.0.113.77", "swordfish"];

/// A body with what an error may quote.
const ORDER: &str = r#"{"name": "Quokka Wombat", "address": "17 Numbat Terrace", "email": "quokka@wombat.example",
    "password": "quokkaword", "token": "wombattoken", "url": "postgres://quokka:wombat@203.0.113.77/dugong",
    "card": "4929 1234 5678 9012", "size": "quokka", "number": "swordfish"}"#;

/// Every text of the board and of its log, also by what a live page asks.
async fn all_texts(board: &Binary, health: &Value) -> Vec<(String, String)> {
    let endpoints = health["application"]["endpoints"].as_object().cloned().unwrap_or_default();
    let endpoints: Vec<String> = endpoints.keys().cloned().collect();
    let mut texts = board_texts(&board.client, "", &endpoints).await;
    let page = texts.iter().find(|(path, _)| path.contains("overview")).expect("the overview").1.clone();
    for question in refresh_bodies(&page) {
        let head = format!(
            "POST /api/watchboard/refresh HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/octet-stream\r\n\
             Accept: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
            question.len()
        );
        let answer = exchange(board.client.address, &[head.as_bytes(), &question].concat()).await;
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        texts.push(("a refresh".to_owned(), String::from_utf8_lossy(&answer).into_owned()));
    }
    texts.push(("the log".to_owned(), board.log_text()));
    texts
}

/// Waits until so many requests are counted, and returns what is said of the last errors, after all else was searched for canaries.
async fn errors_without_canaries(board: &Binary, requests: usize) -> String {
    let counted = |health: &Value| health["application"]["total_requests"] == requests;
    let health = board.client.wait_for_json("/health", WITHIN, counted).await;
    let texts = all_texts(board, &health).await;
    assert_eq!(places_of(&CANARIES, &texts), Vec::<String>::new());
    health["application"]["recent_errors"].to_string()
}

/// Sends a request with the order and with secrets in its head.
async fn post(proxy: std::net::SocketAddr, path: &str, body: &str) -> String {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nAuthorization: Bearer quokkatoken\r\nCookie: session=wombat\r\n\
         User-Agent: dugong\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    String::from_utf8_lossy(&exchange(proxy, request.as_bytes()).await).into_owned()
}

#[tokio::test]
async fn recorded_errors_of_frameworks_lose_their_data() {
    let recorded = |Path(number): Path<usize>| async move {
        let error = &RECORDED[number];
        let status = StatusCode::from_u16(error.status).expect("a status");
        (status, [(header::CONTENT_TYPE, error.content_type), (HeaderName::from_static("x-by"), error.by)], error.body)
    };
    let customer = || async { (StatusCode::NOT_FOUND, "no such customer") };
    let application =
        Router::new().route("/recorded/{number}", any(recorded)).route("/customers/{name}", any(customer));
    let application = TestClient::serve(application).await;
    let (board, proxy) = Binary::with_upstream(application.address.port(), &["--route", "/customers/{name}"]).await;
    for (number, error) in RECORDED.iter().enumerate() {
        assert!(CANARIES.iter().any(|word| error.body.to_lowercase().contains(word)), "{}: {}", error.by, error.body);
        let answer = post(proxy, &format!("/recorded/{number}"), "").await;
        assert!(answer.contains(error.body), "{}: the client gets it all: {answer}", error.by);
    }
    post(proxy, "/customers/quokka.wombat@dugong.example?token=quokka", ORDER).await;
    let errors = errors_without_canaries(&board, RECORDED.len() + 1).await;
    for error in RECORDED {
        assert!(errors.contains(error.shown), "{}: {} in {errors}", error.by, error.shown);
    }
    assert!(errors.contains("no such customer") && errors.contains("POST /customers/{name}"));
}

#[tokio::test]
async fn errors_names_and_arguments_of_python_lose_their_data() {
    let application = Python::frameworks("quokka dugong");
    application.wait_until_listening().await;
    let (board, proxy) = Binary::with_upstream(application.port, &[]).await;
    // The connection that waited until it listened is none of the proxy's.
    let errors = [
        ("/flask/missing", "Not Found: no user #"),
        ("/flask/parse", "Expecting value: line # column #"),
        ("/flask/number", "ValueError: invalid literal for int() with base #"),
        ("/flask/key", "500 server error: KeyError: #"),
        ("/flask/sqlite", "OperationalError: near #: syntax error"),
        ("/flask/connect", "cannot connect to #: Authorization: #, card #"),
        ("/django/choice", "400 client error"),
        ("/django/customer", "Customer # not found"),
    ];
    for (path, _) in errors {
        let answer = post(proxy, path, ORDER).await;
        assert!(answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 5"), "{path}: {answer}");
    }
    let processes =
        |health: &Value| health["memory_analysis"]["application"]["processes"].as_array().map_or(0, Vec::len);
    let health = board.client.wait_for_json("/health", WITHIN, |health| processes(health) == 5).await;
    let said = errors_without_canaries(&board, errors.len()).await;
    for (_, error) in errors {
        assert!(said.contains(error), "{error} in {said}");
    }
    let commands = health["memory_analysis"]["application"]["processes"].as_array().cloned().unwrap_or_default();
    let mut commands: Vec<&str> = commands.iter().filter_map(|process| process["command"].as_str()).collect();
    commands.sort_unstable();
    assert_eq!(commands, ["cat", "gunicorn: worker #", "python3", "python3 shop.py", "sh"], "{health:#}");
    assert_eq!(health["service"], "shop");
}

#[tokio::test]
async fn errors_of_fastapi_lose_their_data() {
    let application = Python::fastapi();
    application.wait_until_listening().await;
    let (board, proxy) = Binary::with_upstream(application.port, &[]).await;
    let answer = post(proxy, "/orders", ORDER).await;
    assert!(answer.contains("swordfish") && answer.contains("input"), "it quotes the input: {answer}");
    post(proxy, "/orders", "{\"number\": quokka").await;
    exchange(proxy, b"GET /products/wombat HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n").await;
    let errors = errors_without_canaries(&board, 3).await;
    for error in [
        "int_parsing: body.number: Input should be a valid integer",
        "json_invalid: body.",
        "JSON decode error",
        "path.number",
    ] {
        assert!(errors.contains(error), "{error} in {errors}");
    }
}

#[tokio::test]
async fn errors_title_and_arguments_of_node_lose_their_data() {
    let application = Node::titled("quokka wombat").await;
    let (board, proxy) = Binary::with_upstream(application.port, &[]).await;
    for body in ["swordfish", "{\"items\": \"quokka\"}", "{\"items\": []}"] {
        post(proxy, "/orders", body).await;
    }
    let health = board.client.wait_for_json("/health", WITHIN, |health| health["service"] == "node").await;
    let errors = errors_without_canaries(&board, 3).await;
    for error in ["Unexpected token #", "# is not a function", "Cannot read properties of undefined #"] {
        assert!(errors.contains(error), "{error} in {errors}");
    }
    assert_eq!(health["memory_analysis"]["application"]["processes"][0]["command"], "node", "{health:#}");
}

#[tokio::test]
async fn whole_texts_are_kept_when_the_flag_says_so() {
    let application = Python::fastapi();
    application.wait_until_listening().await;
    let (board, proxy) = Binary::with_upstream(application.port, &["--keep-error-text"]).await;
    let customer = Router::new().fallback(|| async { (StatusCode::NOT_FOUND, "Customer Quokka not found") });
    let customer = TestClient::serve(customer).await;
    let (other, other_proxy) = Binary::with_upstream(customer.address.port(), &["--keep-error-text"]).await;
    post(proxy, "/orders", ORDER).await;
    post(other_proxy, "/customers/1", ORDER).await;
    let counted = |health: &Value| health["application"]["total_requests"] == 1;
    let health = other.client.wait_for_json("/health", WITHIN, counted).await;
    assert_eq!(health["application"]["recent_errors"][0]["error"], "404 client error: Customer Quokka not found");
    let texts = all_texts(&other, &health).await;
    let pages =
        texts.iter().filter(|(path, text)| path.contains("endpoint") && text.contains("Customer Quokka not found"));
    assert_eq!(pages.count(), 1, "the endpoint's own view");
    // Also then only the fields of the list are kept.
    let health = board.client.wait_for_json("/health", WITHIN, counted).await;
    let texts = all_texts(&board, &health).await;
    assert_eq!(places_of(&["swordfish"], &texts), Vec::<String>::new());
}
