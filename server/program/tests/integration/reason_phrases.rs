//! Reason phrases pass as they are, also those beyond ASCII.

use std::time::Duration;

use tokio::{
    io::AsyncWriteExt,
    net::TcpListener,
    time::{sleep, timeout},
};
use watchboard_test_support::{
    Binary,
    raw::{exchange, read_until},
};

const WITHIN: Duration = Duration::from_secs(20);
const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn a_reason_phrase_passes_in_any_letters() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (_binary, proxy) = Binary::with_upstream(listener.local_addr().unwrap().port(), &[]).await;
    for (head, rest) in [
        (&b"HTTP/1.1 200 Sch\xf6n gr\xfc\xdft"[..], &b"\r\nContent-Length: 2\r\n\r\nok"[..]),
        ("HTTP/1.1 404 Не найдено\r\nContent-Length: 2\r\n\r\nok".as_bytes(), b""),
        (b"HTTP/1.1 200 Plain and odd\r\nContent-Length: 2\r\n\r\nok", b""),
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", b""),
    ] {
        let answers = async {
            let mut stream = timeout(WITHIN, listener.accept()).await.expect("in time").expect("a connection").0;
            read_until(&mut stream, b"\r\n\r\n").await;
            stream.write_all(head).await.unwrap();
            // The rest of the line comes in another packet.
            sleep(Duration::from_millis(30)).await;
            stream.write_all(rest).await.unwrap();
        };
        let (got, ()) = tokio::join!(exchange(proxy, GET), answers);
        let line = |bytes: &[u8]| {
            let line = bytes.split(|byte| *byte == b'\r').next().map(<[u8]>::trim_ascii_end);
            line.map(|line| String::from_utf8_lossy(line).into_owned())
        };
        assert_eq!(line(&got), line(head), "{}", String::from_utf8_lossy(&got));
        let sent = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
        assert!(got.starts_with(sent), "{:?}", String::from_utf8_lossy(&got));
        assert!(got.ends_with(b"ok"));
    }
}
