//! An application of `FastAPI` under uvicorn behind the proxy: the same answers, byte for byte, and sockets as without the proxy.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use watchboard_test_support::{
    Binary, Python,
    raw::{RawResponse, exchange},
};

/// The application, the binary in front of it, and where each listens.
async fn start() -> (Python, Binary, [SocketAddr; 2]) {
    let application = Python::fastapi();
    application.wait_until_listening().await;
    let (binary, proxy) = Binary::with_upstream(application.port, &[]).await;
    let addresses = [([127, 0, 0, 1], application.port).into(), proxy];
    (application, binary, addresses)
}

#[tokio::test]
async fn answers_are_what_they_are_without_it() {
    let (_application, _binary, addresses) = start().await;
    let order = r#"{"number": 7, "name": "ü"}"#;
    let long = "0123456789abcdef".repeat(64 * 1024);
    for (line, headers, body) in [
        ("GET /products/42?q=a%20b", String::new(), ""),
        ("HEAD /products/42", String::new(), ""),
        ("GET /products/none", String::new(), ""),
        ("GET /nowhere", String::new(), ""),
        ("POST /orders", format!("Content-Type: application/json\r\nContent-Length: {}\r\n", order.len()), order),
        ("POST /orders", "Content-Type: application/json\r\nContent-Length: 2\r\n".to_owned(), "{}"),
        ("PUT /digest", format!("Content-Length: {}\r\n", long.len()), long.as_str()),
        ("PUT /digest", "Transfer-Encoding: chunked\r\n".to_owned(), "5\r\nhello\r\n6\r\n there\r\n0\r\n\r\n"),
        ("GET /stream", String::new(), ""),
        ("GET /moved", String::new(), ""),
        ("GET /cookies", String::new(), ""),
        ("GET /fails", String::new(), ""),
        ("GET /openapi.json", String::new(), ""),
        ("DELETE /products/42", String::new(), ""),
    ] {
        let request = format!("{line} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n{headers}\r\n{body}");
        let mut answers = vec![];
        for address in addresses {
            answers.push(RawResponse::parse(&exchange(address, request.as_bytes()).await).end_to_end());
        }
        assert!(answers[0] == answers[1], "{line}: {answers:#?}");
    }
}

/// What a client sees of a conversation: the handshake, each message, and the end.
async fn conversation(address: SocketAddr, messages: &[Message]) -> Vec<String> {
    let mut request = format!("ws://{address}/echo?a=b").into_client_request().expect("a request");
    request.headers_mut().insert("sec-websocket-protocol", "other, shop.v1".parse().expect("a value"));
    let (mut socket, response) = connect_async(request).await.expect("a handshake");
    let mut seen = vec![format!("{} {:?}", response.status(), response.headers().get("sec-websocket-protocol"))];
    for message in messages {
        socket.send(message.clone()).await.expect("it is open");
        seen.push(format!("{:?}", socket.next().await));
    }
    // Its end is answered by the library.
    while let Some(message) = socket.next().await {
        seen.push(format!("{message:?}"));
    }
    seen
}

#[tokio::test]
async fn websockets_carry_the_same_messages_and_the_same_end() {
    let (_application, _binary, [own, proxy]) = start().await;
    let binary = |count: usize| Message::binary((0..count).map(|number| number as u8).collect::<Vec<_>>());
    let close = CloseFrame { code: CloseCode::Library(4002), reason: "enough".into() };
    for last in [Message::text("leave"), Message::Close(Some(close))] {
        let messages = [
            Message::text("one"),
            Message::text("zwölf ✓"),
            Message::Ping("are you there".into()),
            binary(0),
            binary(70_000),
            binary(1 << 20),
            last,
        ];
        let [there, here] = [conversation(own, &messages).await, conversation(proxy, &messages).await];
        assert!(there.len() > messages.len() && there[0].starts_with("101"), "{}", there[0]);
        assert!(here == there, "it differs from the same conversation without the binary");
    }
}

#[tokio::test]
async fn a_websocket_that_is_refused_is_refused() {
    let (_application, _binary, addresses) = start().await;
    for address in addresses {
        match connect_async(format!("ws://{address}/closed")).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), 403),
            other => panic!("{other:?}"),
        }
    }
}
