//! The end of a connection whose client asks for nothing. The clock stands still while anything is to be done, and jumps otherwise.

use std::convert::Infallible;

use http::Response;
use http_body_util::Empty;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    time::Instant,
};
use watchboard::Capacity;

use super::{
    connection::{CHECK_EACH, HEAD_WITHIN, READ_WITHIN},
    *,
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// A request for the host `a`, on stream 1.
const REQUEST: &[u8] = b"\0\0\x06\x01\x05\0\0\0\x01\x82\x86\x84\x41\x01a";
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;

/// Sends these bytes, and what keeps the connection alive. Returns the kinds of frames that came, and the time until the end.
async fn frames_until_end(bytes: &[u8]) -> (Vec<u8>, Duration) {
    let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let server = HttpServer {
        listener: listener.into(),
        tls: None,
        trusted: TrustedProxies::default(),
        max_connections: 10,
        capacity: Capacity::new("connections", 10),
        is_proxy: false,
    };
    let (_stop, stop) = watch::channel(false);
    let answer = |_, _| async { Ok::<_, Infallible>(Response::new(Empty::<bytes::Bytes>::new())) };
    tokio::spawn(server.run(answer, stop));
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(bytes).await.unwrap();
    let (began, mut kinds) = (Instant::now(), vec![]);
    let mut head = [0; 9];
    while client.read_exact(&mut head).await.is_ok() {
        let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
        client.read_exact(&mut payload).await.unwrap();
        let (kind, flags) = (head[3], head[4]);
        kinds.push(kind);
        if matches!(kind, PING | SETTINGS) && flags & ACK == 0 {
            let payload = if kind == PING { payload } else { vec![] };
            let answer = [&[0, 0, payload.len() as u8, kind, ACK, 0, 0, 0, 0][..], &payload].concat();
            // It may have closed after its goodbye.
            let _ = client.write_all(&answer).await;
        }
    }
    (kinds, began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn http_2_without_a_request_ends_by_a_goodbye() {
    let (kinds, after) = frames_until_end(PREFACE).await;
    assert!(kinds.contains(&GOAWAY), "{kinds:?}");
    assert!((HEAD_WITHIN..HEAD_WITHIN + CHECK_EACH).contains(&after), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn http_2_without_further_requests_ends_by_a_goodbye() {
    let (kinds, after) = frames_until_end(&[PREFACE, REQUEST].concat()).await;
    assert!(kinds.contains(&GOAWAY) && kinds.contains(&PING), "{kinds:?}");
    assert!((READ_WITHIN..READ_WITHIN + 2 * CHECK_EACH).contains(&after), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn http_1_without_a_request_ends() {
    let (_, after) = frames_until_end(b"GET").await;
    assert!((HEAD_WITHIN..HEAD_WITHIN + CHECK_EACH).contains(&after), "{after:?}");
}
