//! HTTP/1.1 as bytes: requests go out exactly as given, and responses are parsed without a library.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const WITHIN: Duration = Duration::from_secs(20);

/// An answer, with the lines of its head as they came.
#[derive(Debug, PartialEq, Eq)]
pub struct RawResponse {
    pub status: String,
    pub headers: Vec<String>,
    /// The joined chunks, with their trailers at the end.
    pub body: Vec<u8>,
}

/// Sends bytes, and reads until the other side closes.
pub async fn exchange(address: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    // It may have answered and closed before all was sent.
    let _ = stream.write_all(request).await;
    let mut all = vec![];
    let read = async {
        let mut buffer = [0; 4096];
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(count) => all.extend_from_slice(&buffer[..count]),
            }
        }
    };
    timeout(WITHIN, read).await.expect("it closes");
    all
}

/// Reads until what has come ends with `end`.
pub async fn read_until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut all = vec![];
    let read = async {
        while !all.ends_with(end) {
            all.push(stream.read_u8().await.expect("it goes on"));
        }
    };
    timeout(WITHIN, read).await.unwrap_or_else(|_| panic!("no {:?}", String::from_utf8_lossy(end)));
    all
}

impl RawResponse {
    /// Parses one response. Its body ends with the bytes.
    pub fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let end =
            bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_else(|| panic!("no head in {text:?}"));
        let head = String::from_utf8(bytes[..end].to_vec()).expect("text");
        let mut lines = head.split("\r\n").map(ToOwned::to_owned);
        let status = lines.next().expect("a status line");
        let headers: Vec<String> = lines.collect();
        let chunked = headers.iter().any(|line| line.eq_ignore_ascii_case("transfer-encoding: chunked"));
        let rest = &bytes[end + 4..];
        let body = if chunked { join_chunks(rest) } else { rest.to_vec() };
        Self { status, headers, body }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let pairs = self.headers.iter().filter_map(|line| line.split_once(": "));
        pairs.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    pub fn code(&self) -> u16 {
        self.status.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status code")
    }

    /// Drops headers of the connection and the date.
    #[must_use]
    pub fn end_to_end(mut self) -> Self {
        self.status = self.status.replacen("HTTP/1.0", "HTTP/1.1", 1);
        self.headers.retain(|line| {
            let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
            !["connection", "keep-alive", "transfer-encoding", "date"].contains(&name.as_str())
        });
        self.headers.sort();
        self
    }
}

fn join_chunks(mut rest: &[u8]) -> Vec<u8> {
    let mut body = vec![];
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n").expect("a chunk's size");
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).expect("text"), 16).expect("a size");
        rest = &rest[end + 2..];
        if size == 0 {
            // Names of trailers are case-insensitive.
            body.extend(rest.strip_suffix(b"\r\n").expect("an end").to_ascii_lowercase());
            return body;
        }
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
}
