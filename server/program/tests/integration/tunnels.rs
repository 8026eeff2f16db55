//! Upgraded connections, such as those of web sockets: their places, their end with either side, and at the end of the program.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::tungstenite::Message;
use watchboard_test_support::{
    Binary, Node,
    raw::{RawResponse, exchange, read_until},
};

const WITHIN: Duration = Duration::from_secs(20);
/// A side may pause for 15 s after the other has ended.
const ENDS_WITHIN: Duration = Duration::from_secs(25);
/// The monitor opens files of the application, and its page a connection.
const OTHERS: usize = 15;
const SWITCHED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";

/// A client that has asked for an upgrade, and the first byte of the answer's status.
async fn upgrade(proxy: SocketAddr) -> (TcpStream, String) {
    let mut client = TcpStream::connect(proxy).await.unwrap();
    client.write_all(b"GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n").await.unwrap();
    let head = String::from_utf8(read_until(&mut client, b"\r\n\r\n").await).unwrap();
    (client, head.split(' ').nth(1).unwrap().to_owned())
}

fn tunnels(health: &Value) -> &Value {
    let capacities = health["application"]["capacities"].as_array().expect("a list");
    capacities.iter().find(|capacity| capacity["name"] == "tunnels (WebSockets)").expect("tunnels")
}

#[tokio::test]
async fn open_tunnels_take_no_place_of_a_request() {
    // 8,192 takes half a minute and 33,000 descriptors.
    let count: usize = std::env::var("WATCHBOARD_TEST_TUNNELS").map_or(40, |count| count.parse().expect("a number"));
    let node = Node::start().await;
    let (binary, proxy) = Binary::with_upstream(node.port, &["--max-connections", &count.to_string()]).await;
    let before = binary.descriptors();
    let mut open = vec![];
    for _ in 0..count {
        let (client, status) = upgrade(proxy).await;
        assert_eq!(status, "101");
        open.push(client);
    }
    let (_, status) = upgrade(proxy).await;
    assert_eq!(status, "503", "a place for each, and no more");
    for _ in 0..10 {
        let ask = exchange(proxy, b"GET /several HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = timeout(WITHIN, ask).await.expect("requests have places of their own");
        assert_eq!(RawResponse::parse(&answer).code(), 200);
    }
    let is_shown = |health: &Value| tunnels(health)["in_use"] == count && tunnels(health)["exceeded"] == 1;
    let health = binary.client.wait_for_json("/health", WITHIN, is_shown).await;
    assert_eq!((&tunnels(&health)["limit"], &health["status"]), (&count.into(), &"degraded".into()));
    let reasons = health["reasons"].to_string().replace(['\u{a0}', '\u{202f}'], " ");
    assert!(reasons.contains("tunnels (WebSockets) are taken: 1 more found no place"), "{reasons}");
    let metrics = String::from_utf8(binary.client.send("GET", "/metrics").await.1.to_vec()).unwrap();
    assert!(
        metrics.contains(&format!("watchboard_places_in_use{{bound=\"tunnels (WebSockets)\"}} {count}")),
        "{metrics}"
    );
    drop(open);
    binary.client.wait_for_json("/health", WITHIN, |health| tunnels(health)["in_use"] == 0).await;
    binary.wait_for_descriptors(before + OTHERS, WITHIN).await;
}

#[tokio::test]
async fn a_tunnel_ends_when_either_side_has_gone() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (binary, proxy) = Binary::with_upstream(listener.local_addr().unwrap().port(), &[]).await;
    let before = binary.descriptors();
    // Those who stay neither read nor close.
    let mut stay = vec![];
    for number in 0..40 {
        let (client, application) = tokio::join!(upgrade(proxy), async {
            let (mut application, _) = listener.accept().await.unwrap();
            read_until(&mut application, b"\r\n\r\n").await;
            application.write_all(SWITCHED).await.unwrap();
            application
        });
        let (leaves, stays) = if number % 2 == 0 { (client.0, application) } else { (application, client.0) };
        if number % 4 < 2 {
            SockRef::from(&leaves).set_linger(Some(Duration::ZERO)).unwrap();
        }
        stay.push(stays);
        drop(leaves);
    }
    binary.wait_for_descriptors(before + OTHERS, ENDS_WITHIN).await;
    drop(stay);
}

#[tokio::test]
async fn a_side_that_has_sent_all_gets_the_rest_of_the_other() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_binary, proxy) = Binary::with_upstream(listener.local_addr().unwrap().port(), &[]).await;
    let application = async {
        let (mut application, _) = listener.accept().await.unwrap();
        read_until(&mut application, b"\r\n\r\n").await;
        application.write_all(SWITCHED).await.unwrap();
        let mut all = String::new();
        application.read_to_string(&mut all).await.unwrap();
        sleep(Duration::from_secs(2)).await;
        application.write_all(format!("got {all}").as_bytes()).await.unwrap();
    };
    let client = async {
        let (mut client, _) = upgrade(proxy).await;
        client.write_all(b"all of it").await.unwrap();
        client.shutdown().await.unwrap();
        let mut rest = String::new();
        client.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "got all of it");
    };
    timeout(WITHIN, async { tokio::join!(application, client) }).await.expect("it ends");
}

/// An application whose web sockets send back what they get.
async fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut send, mut receive) = tokio_tungstenite::accept_async(stream).await.unwrap().split();
                while let Some(Ok(message)) = receive.next().await {
                    if send.send(message).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn web_sockets_have_the_time_of_requests_when_the_program_stops() {
    let (mut binary, proxy) = Binary::with_upstream(echo().await, &[]).await;
    let connect = || async { tokio_tungstenite::connect_async(format!("ws://{proxy}/socket")).await.unwrap().0 };
    let (mut closes, mut stays) = (connect().await, connect().await);
    let mut say = async |text: &str| {
        closes.send(Message::text(text)).await.unwrap();
        assert_eq!(timeout(WITHIN, closes.next()).await.unwrap().unwrap().unwrap(), Message::text(text));
    };
    say("before").await;
    binary.signal("TERM").await;
    binary.wait_for_log("stopping").await;
    sleep(Duration::from_secs(2)).await;
    say("two seconds after").await;
    closes.close(None).await.unwrap();
    // The other does not close. Its end is clean: no reset, and nothing that the application did not say.
    let began = Instant::now();
    let mut byte = [0];
    let read = stays.get_mut();
    let end = timeout(WITHIN, read.read(&mut byte)).await.expect("it ends");
    assert_eq!(end.expect("no reset"), 0);
    assert!(began.elapsed() > Duration::from_secs(6), "it has ten seconds");
    let status = timeout(WITHIN, binary.wait_for_exit()).await.expect("it stops");
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn the_program_stops_as_soon_as_its_last_web_socket_has_closed() {
    let (mut binary, proxy) = Binary::with_upstream(echo().await, &[]).await;
    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{proxy}/socket")).await.unwrap();
    binary.signal("TERM").await;
    binary.wait_for_log("stopping").await;
    socket.close(None).await.unwrap();
    while let Some(Ok(_)) = socket.next().await {}
    drop(socket);
    let status = timeout(Duration::from_secs(5), binary.wait_for_exit()).await.expect("it stops");
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn an_application_hears_that_a_client_left_before_its_upgrade() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_binary, proxy) = Binary::with_upstream(listener.local_addr().unwrap().port(), &[]).await;
    for protocol in ["websocket", "h2c"] {
        let mut client = TcpStream::connect(proxy).await.unwrap();
        let head = format!("GET /wait HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        let (mut application, _) = listener.accept().await.unwrap();
        read_until(&mut application, b"\r\n\r\n").await;
        client.shutdown().await.unwrap();
        // It has not answered, and would wait for a client that is not there.
        let mut rest = vec![];
        let ended = timeout(WITHIN, application.read_to_end(&mut rest)).await;
        assert_eq!((ended.expect("it hears of the end").unwrap(), &*rest), (0, &[][..]), "{protocol}");
    }
}
