//! WebSockets, other upgraded connections and streams as the board counts them: exactly, while they are open and when they have ended.

use std::{net::SocketAddr, process::Stdio, time::Duration};

use axum::body::Body;
use futures_util::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use hyper::{Request, client::conn::http2::handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Command,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, accept_async, connect_async,
    tungstenite::{
        Message,
        protocol::{
            CloseFrame,
            frame::{
                Frame,
                coding::{CloseCode, Data, OpCode},
            },
        },
    },
};
use watchboard_test_support::{
    Binary, Node, Python, binary_path,
    raw::{RawResponse, exchange, read_until},
    tool,
};

const WITHIN: Duration = Duration::from_secs(20);
const SWITCHED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\
    Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
const ASK: &[u8] = b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// The figures of one kind of a row.
fn figures<'a>(health: &'a Value, endpoint: &str) -> &'a Value {
    let rows = health["application"]["long_lived"].as_array().expect("a list");
    rows.iter().find(|row| row["endpoint"] == endpoint).unwrap_or(&Value::Null)
}

/// The figures once so many have ended and none is open.
async fn wait_for_ends(binary: &Binary, endpoint: &str, ended: usize) -> Value {
    let has_ended = |health: &Value| {
        let row = figures(health, endpoint);
        row["open"] == 0 && row["opened"] == ended
    };
    figures(&binary.client.wait_for_json("/health", WITHIN, has_ended).await, endpoint).clone()
}

/// An application whose WebSockets send back what they get. A text may ask for an end: `close CODE`, `end`, `reset`.
async fn start_application() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(accept_async(stream).await.unwrap()));
        }
    });
    port
}

async fn serve(mut socket: WebSocketStream<TcpStream>) {
    while let Some(Ok(message)) = socket.next().await {
        match message.to_text() {
            Ok("end") if message.is_text() => return,
            Ok("reset") if message.is_text() => {
                return SockRef::from(socket.get_ref()).set_linger(Some(Duration::ZERO)).unwrap();
            }
            Ok(text) if message.is_text() && text.starts_with("close ") => {
                let code = CloseCode::from(text["close ".len()..].parse::<u16>().unwrap());
                socket.close(Some(CloseFrame { code, reason: "as asked".into() })).await.unwrap();
            }
            _ if message.is_text() || message.is_binary() => socket.send(message).await.unwrap(),
            _ => {}
        }
    }
}

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(proxy: SocketAddr) -> Client {
    connect_async(format!("ws://{proxy}/chat")).await.expect("a handshake").0
}

/// The bytes of a frame with a payload of so many.
fn frame_bytes(payload: usize, is_masked: bool) -> usize {
    let length = match payload {
        0..=125 => 0,
        126..=0xFFFF => 2,
        _ => 8,
    };
    2 + length + if is_masked { 4 } else { 0 } + payload
}

#[tokio::test]
async fn messages_and_bytes_of_a_websocket_are_counted_exactly_while_it_is_open() {
    let (binary, proxy) = Binary::with_upstream(start_application().await, &[]).await;
    let mut socket = connect(proxy).await;
    let part = |text: &'static str, data, is_last| Message::Frame(Frame::message(text, OpCode::Data(data), is_last));
    for message in [
        Message::text("a"),
        Message::binary(vec![7; 100_000]),
        Message::binary(vec![7; 300]),
        part("in ", Data::Text, false),
        Message::Ping("ping".into()),
        part("parts", Data::Continue, true),
    ] {
        socket.send(message).await.unwrap();
    }
    // Four messages and the answer to the ping.
    for _ in 0..5 {
        socket.next().await.unwrap().unwrap();
    }
    let masked: usize = [1, 100_000, 300, 3, 4, 5].into_iter().map(|bytes| frame_bytes(bytes, true)).sum();
    let plain: usize = [1, 100_000, 300, 4, 8].into_iter().map(|bytes| frame_bytes(bytes, false)).sum();
    let is_open = |health: &Value| figures(health, "GET /chat")["sent_bytes"] == plain;
    let health = binary.client.wait_for_json("/health", WITHIN, is_open).await;
    let open = json!({
        "endpoint": "GET /chat", "kind": "websockets", "open": 1, "opened": 1, "unobserved": 0,
        "duration_mean_seconds": null, "duration_max_seconds": null,
        "received_bytes": masked, "sent_bytes": plain, "received_messages": 4, "sent_messages": 4, "unparsed": 0,
        "closed": [],
    });
    assert_eq!(figures(&health, "GET /chat"), &open);
    assert_eq!(
        (&health["application"]["open"], &health["application"]["in_flight"]),
        (&json!({ "websockets": 1 }), &json!(0))
    );

    socket.close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() })).await.unwrap();
    while let Some(Ok(_)) = socket.next().await {}
    let ended = wait_for_ends(&binary, "GET /chat", 1).await;
    let seconds = |name: &str| ended[name].as_f64().expect("a duration");
    assert!(seconds("duration_mean_seconds") > 0.0 && seconds("duration_max_seconds") < 60.0, "{ended}");
    assert_eq!(ended["closed"], json!([{ "code": 1000, "name": "normal", "by": "client", "count": 1 }]));
    let bytes = [&ended["received_bytes"], &ended["sent_bytes"]];
    assert_eq!(bytes, [&json!(masked + frame_bytes(2, true)), &json!(plain + frame_bytes(2, false))]);
    assert_eq!((&ended["received_messages"], &ended["sent_messages"]), (&json!(4), &json!(4)));

    let metrics = String::from_utf8(binary.client.send("GET", "/metrics").await.1.to_vec()).unwrap();
    let row = "{http_request_method=\"GET\",http_route=\"/chat\"";
    for sample in [
        format!("watchboard_websockets_open{row}}} 0"),
        format!("watchboard_websockets_opened_total{row}}} 1"),
        format!("watchboard_websockets_closed_total{row},code=\"1000\",by=\"client\"}} 1"),
        format!("watchboard_websockets_messages_total{row},direction=\"received\"}} 4"),
        format!("watchboard_websockets_bytes_total{row},direction=\"sent\"}} {}", plain + frame_bytes(2, false)),
        format!("watchboard_websockets_duration_seconds_count{row}}} 1"),
        format!("http_server_active_requests{row}}} 0"),
    ] {
        assert!(metrics.lines().any(|line| line == sample), "{sample} in {metrics}");
    }
}

#[tokio::test]
async fn each_end_has_its_code_and_the_side_that_closed_first() {
    let (binary, proxy) = Binary::with_upstream(start_application().await, &[]).await;
    let close_frame = |code, reason: &'static str| Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    let lasts = [
        Message::Close(None),
        close_frame(CloseCode::Away, ""),
        close_frame(CloseCode::Library(4001), "a reason of some length"),
        Message::text("close 1011"),
        Message::text("close 4001"),
        Message::text("end"),
        Message::text("reset"),
    ];
    for last in &lasts {
        let mut socket = connect(proxy).await;
        socket.send(last.clone()).await.unwrap();
        while let Some(Ok(_)) = socket.next().await {}
    }
    // Clients that leave without a word.
    drop(connect(proxy).await);
    let leaves = connect(proxy).await;
    if let MaybeTlsStream::Plain(stream) = leaves.get_ref() {
        SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
    drop(leaves);
    // One that says goodbye once the application has dropped the connection.
    let mut late = connect(proxy).await;
    late.send(Message::text("end")).await.unwrap();
    if let MaybeTlsStream::Plain(stream) = late.get_ref() {
        assert_eq!(stream.peek(&mut [0]).await.unwrap(), 0, "the end of the application");
    }
    let _ = late.send(close_frame(CloseCode::Normal, "")).await;
    drop(late);
    let ended = wait_for_ends(&binary, "GET /chat", lasts.len() + 3).await;
    let closed: Vec<String> = ended["closed"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|way| format!("{} {} by {}: {}", way["code"], way["name"], way["by"], way["count"]).replace('"', ""))
        .collect();
    assert_eq!(
        closed,
        [
            "1001 going away by client: 1",
            "1005 no code by client: 1",
            "1006 without a close frame by client: 2",
            "1006 without a close frame by application: 3",
            "1011 internal error by application: 1",
            "4001 of the application by client: 1",
            "4001 of the application by application: 1",
        ]
    );
    assert_eq!(binary.client.json("/health").await["application"]["error_count"], 0);
}

#[tokio::test]
async fn compressed_frames_count_and_what_is_no_frame_passes_unread() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (binary, proxy) = Binary::with_upstream(listener.local_addr().unwrap().port(), &[]).await;
    let mut client = TcpStream::connect(proxy).await.unwrap();
    client.write_all(ASK).await.unwrap();
    let (mut application, _) = listener.accept().await.unwrap();
    read_until(&mut application, b"\r\n\r\n").await;
    // "Hello" compressed, the example of RFC 7692, in one frame and in two; then bytes that are no frame, and a close frame that is none then.
    let frames = b"\xC1\x07\xF2\x48\xCD\xC9\xC9\x07\x00\x41\x03\xF2\x48\xCD\x80\x04\xC9\xC9\x07\x00";
    let garbage = b"\xFF\xFF\xFF no frame \x88\x02\x03\xE8";
    for part in [SWITCHED, frames, garbage] {
        application.write_all(part).await.unwrap();
    }
    read_until(&mut client, b"\r\n\r\n").await;
    let mut passed = vec![0; frames.len() + garbage.len()];
    client.read_exact(&mut passed).await.unwrap();
    assert_eq!(passed, [&frames[..], garbage].concat());
    drop((client, application));
    let ended = wait_for_ends(&binary, "GET /chat", 1).await;
    assert_eq!(
        (&ended["sent_messages"], &ended["unparsed"], &ended["sent_bytes"]),
        (&json!(2), &json!(1), &json!(passed.len()))
    );
    assert_eq!(ended["closed"][0]["code"], Value::Null, "{ended}");
}

#[tokio::test]
async fn messages_that_a_library_compresses_are_counted() {
    let application = Python::fastapi();
    application.wait_until_listening().await;
    let (binary, proxy) = Binary::with_upstream(application.port, &[]).await;
    let script = "import sys\nfrom websockets.sync.client import connect\n\
        with connect(sys.argv[1]) as socket:\n    assert socket.protocol.extensions, 'it is not compressed'\n\
        \x20   for text in ('a', 'b' * 200_000, ['in', ' parts']):\n        socket.send(text)\n        socket.recv()\n";
    let mut client = Command::new("python3");
    client.args(["-c", script, &format!("ws://{proxy}/echo")]).env("PYTHONPATH", tool("uvicorn"));
    assert!(client.status().await.expect("python3 starts").success());
    let ended = wait_for_ends(&binary, "GET /echo", 1).await;
    assert_eq!(
        (&ended["received_messages"], &ended["sent_messages"], &ended["unparsed"]),
        (&json!(3), &json!(3), &json!(0))
    );
    assert!(ended["received_bytes"].as_u64() < Some(10_000), "{ended}");
    assert_eq!(ended["closed"], json!([{ "code": 1000, "name": "normal", "by": "client", "count": 1 }]));
}

#[tokio::test]
async fn another_protocol_has_bytes_and_no_messages() {
    let node = Node::start().await;
    let (binary, proxy) = Binary::with_upstream(node.port, &[]).await;
    let mut client = TcpStream::connect(proxy).await.unwrap();
    client.write_all(b"GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n").await.unwrap();
    read_until(&mut client, b"\r\n\r\n").await;
    client.write_all(b"\x88\x02\x03\xE8 and back").await.unwrap();
    read_until(&mut client, b"and back").await;
    drop(client);
    let ended = wait_for_ends(&binary, "GET /socket", 1).await;
    assert_eq!((&ended["kind"], &ended["received_messages"]), (&json!("upgrades"), &Value::Null));
    assert_eq!((&ended["received_bytes"], &ended["sent_bytes"]), (&json!(13), &json!(13)));
    assert_eq!(ended["closed"], json!([{ "code": null, "name": null, "by": "client", "count": 1 }]));
}

#[tokio::test]
async fn a_list_of_protocols_is_no_websocket_and_its_bytes_are_no_frames() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (binary, proxy) = Binary::with_upstream(listener.local_addr().unwrap().port(), &[]).await;
    let mut client = TcpStream::connect(proxy).await.unwrap();
    client.write_all(ASK).await.unwrap();
    let (mut application, _) = listener.accept().await.unwrap();
    read_until(&mut application, b"\r\n\r\n").await;
    let switched = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket, x\r\n\r\n";
    application.write_all(switched).await.unwrap();
    read_until(&mut client, b"\r\n\r\n").await;
    application.write_all(b"\xFF\xFF\xFF no frame").await.unwrap();
    read_until(&mut client, b"no frame").await;
    drop((client, application));
    let ended = wait_for_ends(&binary, "GET /chat", 1).await;
    assert_eq!((&ended["kind"], &ended["unparsed"]), (&json!("upgrades"), &json!(0)));
    assert_eq!((&ended["sent_bytes"], &ended["sent_messages"]), (&json!(12), &Value::Null));
}

/// The bound of requests in progress.
fn requests_in_progress(health: &Value) -> &Value {
    let capacities = health["application"]["capacities"].as_array().expect("a list");
    capacities.iter().find(|capacity| capacity["name"] == "requests in progress").expect("a bound")
}

#[tokio::test]
async fn open_streams_are_no_requests_in_flight_and_take_no_place_of_a_request() {
    // More need as many descriptors, of this process and of the application too.
    let count: usize = std::env::var("WATCHBOARD_TEST_STREAMS").map_or(40, |count| count.parse().expect("a number"));
    let node = Node::start().await;
    let (binary, proxy) = Binary::with_upstream(node.port, &[]).await;
    let mut open = vec![];
    for _ in 0..count {
        let mut client = TcpStream::connect(proxy).await.unwrap();
        client.write_all(b"GET /events?every=2000 HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        read_until(&mut client, b"data: 0").await;
        open.push(client);
    }
    let all_open = |health: &Value| figures(health, "GET /events")["open"] == count;
    let health = binary.client.wait_for_json("/health", WITHIN, all_open).await;
    assert_eq!(requests_in_progress(&health)["in_use"], 0);
    assert_eq!(
        (&health["application"]["in_flight"], &health["application"]["open"]),
        (&json!(0), &json!({ "streams": count }))
    );
    let row = figures(&health, "GET /events");
    assert!(row["sent_bytes"].as_u64() >= Some(count as u64 * 9) && row["received_bytes"].is_null(), "{row}");
    drop(open);
    let ended = wait_for_ends(&binary, "GET /events", count).await;
    assert_eq!(ended["closed"], json!([{ "code": null, "name": null, "by": "client", "count": count }]));
    assert!(ended["duration_max_seconds"].as_f64() >= ended["duration_mean_seconds"].as_f64(), "{ended}");
}

#[tokio::test]
async fn more_streams_than_there_are_places_of_requests_refuse_no_request() {
    let node = Node::start().await;
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -Sn 256 && ulimit -Hn 256 && exec \"$@\"", "sh"]).arg(binary_path());
    command.args(["--open", "--proxy-listen", "127.0.0.1:0", "--max-connections", "20"]);
    command.args(["--upstream", &format!("http://127.0.0.1:{}", node.port)]);
    command.stderr(Stdio::piped()).kill_on_drop(true);
    let binary = Binary::from_command(command).await;
    let proxy = binary.proxy.expect("it stands in front");
    let requests = requests_in_progress(&binary.client.json("/health").await)["limit"].as_u64().unwrap();
    let count = requests as usize + 10;
    let stream = TcpStream::connect(proxy).await.unwrap();
    let (mut sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut open = vec![];
    for _ in 0..count {
        let events = Request::get("http://a/events").body(Body::empty()).unwrap();
        sender.ready().await.unwrap();
        let mut response = sender.send_request(events).await.unwrap();
        assert_eq!(response.status(), 200, "the {}th of {count}", open.len() + 1);
        response.frame().await.unwrap().unwrap();
        open.push(response);
    }
    for _ in 0..10 {
        let answer = exchange(proxy, b"GET /several HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        assert_eq!(RawResponse::parse(&answer).code(), 200);
    }
    let all_open = |health: &Value| figures(health, "GET /events")["open"] == count;
    let health = binary.client.wait_for_json("/health", WITHIN, all_open).await;
    let places = requests_in_progress(&health);
    assert_eq!((&places["in_use"], &places["exceeded"]), (&json!(count - 20), &json!(0)), "20 have places of streams");
    drop(open);
}
