//! A client that can send any source address of loopback, any `Host` and any other header.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, Request, Response, header},
};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use tokio::net::TcpSocket;

#[derive(Clone)]
pub struct Visitor {
    board: SocketAddr,
    from: IpAddr,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Visitor {
    pub fn new(board: SocketAddr) -> Self {
        Self { board, from: Ipv4Addr::LOCALHOST.into(), headers: Vec::new() }
    }

    /// From another address of loopback.
    #[must_use]
    pub fn from(self, last: u8) -> Self {
        Self { from: Ipv4Addr::new(127, 0, 0, last).into(), ..self }
    }

    /// With a header on every request.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("a header's name");
        self.headers.push((name, value.parse().expect("a header's value")));
        self
    }

    /// With the cookie that `response` sets.
    #[must_use]
    pub fn with_cookie_of(self, response: &Response<Bytes>) -> Self {
        let cookie = response.headers().get(header::SET_COOKIE).expect("a cookie").to_str().expect("text");
        let (pair, _) = cookie.split_once(';').expect("attributes");
        self.with("cookie", pair)
    }

    pub async fn get(&self, path: &str) -> Response<Bytes> {
        self.send("GET", path, "").await
    }

    /// A form, as a browser sends it.
    pub async fn post(&self, path: &str, form: &str) -> Response<Bytes> {
        self.clone().with("content-type", "application/x-www-form-urlencoded").send("POST", path, form.to_owned()).await
    }

    pub async fn send(&self, method: &str, path: &str, body: impl Into<Body>) -> Response<Bytes> {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((self.from, 0).into()).expect("an address of loopback");
        let stream = socket.connect(self.board).await.expect("a connection");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a connection");
        let connection = tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path).body(body.into()).expect("a request");
        let headers = request.headers_mut();
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        headers.entry(header::HOST).or_insert_with(|| self.board.to_string().parse().expect("a host"));
        let (head, body) = sender.send_request(request).await.expect("a response").into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        connection.abort();
        Response::from_parts(head, body)
    }
}

/// The body, as text.
pub fn text(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).expect("text")
}

/// A header as text, empty if there is none.
pub fn header_text<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("text"))
}
