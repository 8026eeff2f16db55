//! The table of WebSockets and streams: it comes with the first one, and shows its end.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use watchboard_end2end::{Board, Browser};

const FRESHNESS: &str = "document.querySelector('.freshness .words').textContent";
const CELLS: &str =
    "[...document.querySelectorAll('#websockets-and-streams tbody tr > *')].map(e => e.textContent).join(' | ')";
const ASK: &[u8] = b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const SWITCHED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

async fn read_head(stream: &mut TcpStream) {
    let mut head = vec![];
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a head"));
    }
}

/// The two ends of a WebSocket through the proxy.
async fn open(proxy: u16, application: &TcpListener) -> [TcpStream; 2] {
    let mut client = TcpStream::connect(("127.0.0.1", proxy)).await.expect("the proxy listens");
    client.write_all(ASK).await.expect("it reads");
    let (mut application, _) = application.accept().await.expect("the proxy connects");
    read_head(&mut application).await;
    application.write_all(SWITCHED).await.expect("it reads");
    read_head(&mut client).await;
    [client, application]
}

#[tokio::test]
async fn an_open_websocket_and_its_end_are_in_the_table() {
    let application = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let upstream = format!("http://{}", application.local_addr().expect("an address"));
    let free = TcpListener::bind("127.0.0.1:0").await.and_then(|free| free.local_addr()).expect("a free port").port();
    let listen = format!("127.0.0.1:{free}");
    let board = Board::start(&["--upstream", &upstream, "--proxy-listen", &listen]).await;
    let browser = Browser::start(true).await;
    browser.tab.goto(&format!("{}?view=requests&window=1m", board.url)).await.unwrap();
    browser.until(FRESHNESS, |text| text == "Live").await;
    assert_eq!(browser.value("document.querySelector('#websockets-and-streams')").await, serde_json::Value::Null);

    let [mut client, mut application] = open(free, &application).await;
    client.write_all(b"\x81\x82\0\0\0\0hi").await.unwrap();
    application.write_all(b"\x81\x02ok\x82\x03abc").await.unwrap();
    let is = |expected: &'static str| {
        move |cells: &serde_json::Value| cells.as_str().is_some_and(|cells| cells.replace('\u{a0}', " ") == expected)
    };
    browser.until(CELLS, is("GET /chat | WebSocket | 1 | 1 | – | – | 8 B | 9 B | 1 | 2 | –")).await;

    client.write_all(b"\x88\x82\0\0\0\0\x03\xE8").await.unwrap();
    let mut frames = [0; 16];
    application.read_exact(&mut frames).await.expect("both frames of the client");
    assert_eq!(frames[8], 0x88);
    drop((client, application));
    let has_ended = |cells: &serde_json::Value| {
        cells.as_str().is_some_and(|cells| cells.contains("| 0 | 1 |") && cells.ends_with("1 by client: 1000 normal"))
    };
    browser.until(CELLS, has_ended).await;
    // The row leads to the endpoint, whose page has the same card.
    browser.value("document.querySelector('#websockets-and-streams tbody a').click()").await;
    browser.until("document.querySelector('#endpoint-name')?.textContent ?? null", |name| name == "GET /chat").await;
    browser.until(CELLS, has_ended).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}
