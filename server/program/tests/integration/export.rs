//! What a view shows as CSV and JSON, and all views as HTML.

use std::time::Duration;

use serde_json::Value;
use watchboard_test_support::Binary;

const WITHIN: Duration = Duration::from_mins(1);

async fn lines(board: &Binary, query: &str) -> Vec<String> {
    let (status, body) = board.client.send("GET", &format!("/export?{query}")).await;
    assert_eq!(status, 200, "{query}");
    String::from_utf8(body.to_vec()).expect("it is UTF-8").lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn the_figures_of_a_view_can_be_taken_along() {
    let board = Binary::start(&["demo", "--no-traffic"]).await;
    for path in ["/shop/products", "/shop/products", "/shop/products/999999"] {
        board.client.send("GET", path).await;
    }
    let has_all = |json: &Value| json["requests"] == 3;
    let json = board.client.wait_for_json("/export?view=requests&format=json", WITHIN, has_all).await;
    let rows = json["tables"]["endpoints"].as_array().expect("rows");
    let products = rows.iter().find(|row| row["endpoint"] == "GET /shop/products").expect("its row");
    assert_eq!((&products["requests"], &products["server_errors"]), (&2.into(), &0.into()));
    let error = &json["tables"]["errors"][0];
    assert_eq!(
        (&error["status"], &error["message"], &error["errors"]),
        (&404.into(), &"no such product".into(), &1.into())
    );
    assert_eq!(json["tables"]["slowest"].as_array().map(Vec::len), Some(3));

    let endpoints = lines(&board, "view=requests").await;
    assert!(endpoints[0].starts_with("endpoint,requests,server_errors,"), "{}", endpoints[0]);
    assert!(endpoints.iter().any(|line| line.starts_with("GET /shop/products,2,0,0,0,")), "{endpoints:?}");
    let timeline = lines(&board, "view=memory&window=1m").await;
    assert!(timeline[0].starts_with("begins_unix_seconds,step_seconds,") && timeline[0].contains(",rss_bytes"));
    assert!(timeline[1].split(',').nth(1) == Some("1") && timeline.len() > 2, "{timeline:?}");
    let own = lines(&board, "view=requests&endpoint=GET%20/shop/products&table=slowest").await;
    assert_eq!(own.len(), 1 + 2);
}

#[tokio::test]
async fn all_views_are_in_one_file_that_loads_nothing() {
    let board = Binary::start(&["demo", "--no-traffic"]).await;
    board.client.send("GET", "/shop/products/999999").await;
    let has_it = |json: &Value| json["requests"] == 1;
    board.client.wait_for_json("/export?view=requests&format=json", WITHIN, has_it).await;
    let html = lines(&board, "view=memory&window=5m&format=html").await.concat();
    for part in [
        "<h2>overview</h2>",
        "<h2>requests</h2>",
        "<h2>memory</h2>",
        "<h2>GET /shop/products/{id}</h2>",
        "no such product",
        "class=\"drawing\"",
    ] {
        assert!(html.contains(part), "{part}");
    }
    for part in ["<script", "<link", "src=", "href=\"?", "url(", "@import", "<h2>database</h2>"] {
        assert!(!html.contains(part), "{part}");
    }
}

#[tokio::test]
async fn what_cannot_be_taken_along_is_named() {
    let board = Binary::start(&["demo", "--no-traffic"]).await;
    let (tables, span) = ("table one of timeline", "from before to");
    for (query, status, words) in [
        ("format=xml", 400, tables),
        ("table=threads", 404, tables),
        ("format=json&table=threads", 404, tables),
        ("from=2000&to=1000", 400, span),
        ("format=json&from=abc&to=1000", 400, span),
        ("format=html&from=1000", 400, span),
    ] {
        let (answered, body) = board.client.send("GET", &format!("/export?{query}")).await;
        assert_eq!(answered.as_u16(), status, "{query}");
        assert!(String::from_utf8_lossy(&body).contains(words), "{query}");
    }
    for format in ["csv", "json", "html"] {
        let (status, body) = board.client.send("GET", &format!("/export?format={format}&from=1000&to=2000")).await;
        assert_eq!(status, 404, "{format}");
        assert!(String::from_utf8_lossy(&body).contains("the history has nothing from 1000 to 2000"), "{format}");
    }
}
