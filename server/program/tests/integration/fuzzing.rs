//! Generates almost valid input: valid bytes that are flipped, cut, repeated, or joined with other input.

use fastrand::Rng;
use watchboard_wire::{Part, RefreshCursor, RefreshQuery, Window};

/// To an application.
pub const REQUESTS: &[&[u8]] = &[
    b"GET /users/42?q=%C3%A9&a=1 HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nX-Forwarded-For: 198.51.100.1, [2001:db8::1]:4711\r\nForwarded: for=\"[2001:db8::1]\";proto=https\r\nX-Forwarded-Proto: https\r\n\r\n",
    b"POST /orders/550e8400-e29b-41d4-a716-446655440000/2026-01-31 HTTP/1.1\r\nHost: a:80\r\nContent-Length: 11\r\nExpect: 100-continue\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\nhello there",
    b"PUT /files/da39a3ee5e6b4b0d3255bfef95601890afd80709 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\nTE: trailers\r\nConnection: TE, x-hop\r\nX-Hop: 1\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-Sum: 42\r\n\r\n",
    b"GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
    b"GET http://other.example:8080/a/../b//c/%2e%2e/1234567890 HTTP/1.0\r\nHost: b\r\nVia: 1.1 c\r\nX-Request-Id: 7f9c\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
];

/// To the board.
pub const VIEWS: &[&[u8]] = &[
    b"GET /?view=requests&window=5m&endpoint=GET%20/users/%7Bid%7D&sort=p99&order=ascending&filter=%C3%A9&rows=all HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: watchboard=theme:dark,interval:2; a=b\r\nAccept-Encoding: br, gzip;q=0.5\r\n\r\n",
    b"GET /?view=memory&window=24h HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAccept: text/html\r\nReferer: http://localhost/?view=%\r\n\r\n",
    b"GET /?view=database&window=1m&sort=&filter=%zz%&endpoint HTTP/1.1\r\nHost: [::1]:3000\r\nConnection: close\r\n\r\n",
    b"GET /assets/app-0123456789abcdef.js HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nIf-None-Match: \"a\"\r\nRange: bytes=0-1\r\nAccept-Encoding: br\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer abc\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: text/plain;version=0.0.4;q=0.3\r\n\r\n",
];

/// To a board that has a login.
pub const VISITS: &[&[u8]] = &[
    b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nOrigin: http://localhost\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 41\r\n\r\npassword=wrong+%C3%A9&next=view%3Dmemory&",
    b"GET /?view=memory HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Forwarded-For: 203.0.113.7\r\nCookie: __Secure-watchboard_session=00ff; watchboard_session=0000000000000000000000000000000000000000000000000000000000000000\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: LOCALHOST.:65535\r\nConnection: close\r\nAuthorization: Bearer 0123456789abcdef0123456789abcdef\r\n\r\n",
    b"POST /sign-out HTTP/1.1\r\nHost: [::ffff:127.0.0.1]\r\nConnection: close\r\nContent-Length: 0\r\nCookie: =;;a;\"b\"\r\n\r\n",
    b"GET /sign-in?next=%2F%2Fevil.example HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Forwarded-Proto: https, http\r\n\r\n",
];

/// Of an application.
pub const ANSWERS: &[&[u8]] = &[
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 42\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x05hello",
    b"HTTP/1.0 500 Oops\r\nContent-Type: application/json\r\n\r\n{\"detail\": \"order 42 of 550e8400-e29b-41d4-a716-446655440000 \xc3\xa9 failed\"}",
    b"HTTP/1.1 404 Not Found\r\nContent-Encoding: gzip\r\nContent-Type: text/event-stream\r\nContent-Length: 3\r\nX-Request-Id: a b\r\n\r\n\x1f\x8b\x08",
    b"HTTP/1.1 304 Not Modified\r\nETag: \"7\"\r\nSet-Cookie: a=b\r\nSet-Cookie: c\r\n\r\n",
];

pub const DOCUMENTS: &[&[u8]] = &[
    br#"{"openapi": "3.1.0", "servers": [{"url": "https://shop.example/api/v1/"}], "paths": {"/users/{id}": {"get": {}}, "/users/{id}/orders/{order_id}": {}, "/files/{*rest}": {}}}"#,
    br#"{"swagger": "2.0", "basePath": "/v2", "paths": {"/a{b}c": {}, "/{}": {}, "/{a}{b}": {}, "/{{x}}": null, "//": {}, "relative": {}}}"#,
];

pub const CONFIGURATIONS: &[&[u8]] = &[
    b"upstream = \"http://127.0.0.1:8000\"\nproxy_listen = \"127.0.0.1:8080\"\nlisten = \"127.0.0.1:3000\"\nhost = [\"board.example.com\"]\nroute = [\"/users/{id}\", \"/a/{*rest}\"]\nlog_format = \"json\"\nlog = \"debug,hyper=info\"\nmax_connections = 100\n",
    b"# a comment\nmongodb_uri = \"mongodb://ada:secret@127.0.0.1:27017/?directConnection=true\"\nready_needs_database = true\ntrusted_proxy = [\"10.0.0.0/8\", \"::1\"]\nupstream_timeout = 60\npassword_hash = \"$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gLHIkr1qgP4r3sH1P/NIg3+PMckaLQ3RkuIiytJhVlY\"\npid = 1\ntoken_hash = \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"\n",
];

/// What numbers and ends are most often mistaken for.
const ODD: &[&[u8]] = &[
    b"\0",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b" ",
    b"\t",
    b":",
    b"%",
    b"%00",
    b"%ff",
    b"..",
    b"/",
    b"//",
    b"{",
    b"}",
    b"\"",
    b",",
    b"-1",
    b"0",
    b"18446744073709551616",
    b"4294967296",
    b"\xff\xff\xff\xff",
    b"\x80",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98\x80",
    b"[",
    b"]",
    b"NaN",
    b"1e999",
];

/// One of the seeds, changed in a few places.
pub fn mutated(seeds: &[&[u8]], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = rng.choice(seeds).expect("there are some").to_vec();
    // Now and then it is right, so that what lies behind is reached too.
    for _ in 0..rng.usize(0..6) {
        change(&mut bytes, rng.choice(seeds).expect("there are some"), rng);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], rng: &mut Rng) {
    let at = rng.usize(..=bytes.len());
    let to = rng.usize(at..=bytes.len().min(at + 32));
    match rng.u8(0..8) {
        0 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(0..8),
        1 if at < bytes.len() => bytes[at] = rng.u8(..),
        2 => drop(bytes.drain(at..to)),
        3 => {
            let part = bytes[at..to].to_vec();
            let times = 1 << rng.u32(0..10);
            bytes.splice(at..at, part.repeat(times));
        }
        4 => {
            let from = rng.usize(..other.len());
            bytes.splice(at..to, other[from..].iter().copied());
        }
        5 => bytes.truncate(at),
        _ => {
            let odd = rng.choice(ODD).expect("there are some");
            bytes.splice(at..if rng.bool() { at } else { to }, odd.iter().copied());
        }
    }
}

/// An answer with a document that is nearly one.
pub fn document_answer(rng: &mut Rng) -> Vec<u8> {
    let document = mutated(DOCUMENTS, rng);
    [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", document.len()).as_bytes(), &document].concat()
}

/// What a live page asks, of each view.
pub fn refresh_bodies(page: &str) -> Vec<Vec<u8>> {
    let (_, rest) = page.split_once("data-bundle=\"").expect("the browser bundle is built");
    let bundle = rest.split('"').next().expect("its name");
    let parts =
        [Part::Charts, Part::Overview, Part::Requests, Part::Memory, Part::Database, Part::Endpoint("GET /é".into())];
    let message = |(part, window)| {
        let cursor = Some(RefreshCursor { started_at_unix_ms: 1_700_000_000_000, tick: 7, window: Window::Hour });
        postcard::to_allocvec(&(
            bundle,
            RefreshQuery { window, part, span: Some((7, u64::MAX)), ..RefreshQuery::default() },
            cursor,
        ))
        .expect("it can be written")
    };
    parts.into_iter().zip(Window::ALL).map(message).collect()
}

/// One of these bodies, changed, in a request that is right.
pub fn refresh(refresh_bodies: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let refresh_bodies: Vec<&[u8]> = refresh_bodies.iter().map(Vec::as_slice).collect();
    let body = mutated(&refresh_bodies, rng);
    let head = format!(
        "POST /api/watchboard/refresh HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/octet-stream\r\n\
         Accept: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), &body].concat()
}

/// Frames of HTTP/2 behind the preface.
pub fn http2(rng: &mut Rng) -> Vec<u8> {
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| -> Vec<u8> {
        let length = payload.len() as u32;
        [&length.to_be_bytes()[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    };
    // `:method GET`, `:scheme http`, `:path /users/42`, `:authority a`, by HPACK.
    let head = b"\x82\x86\x04\x09/users/42\x01\x01a";
    let frames: Vec<Vec<u8>> = vec![
        frame(4, 0, 0, b"\x00\x03\x00\x00\x00\x64\x00\x04\x00\x00\xff\xff"),
        frame(1, 5, 1, head),
        frame(1, 4, 3, head),
        frame(0, 1, 3, b"hello"),
        frame(1, 0, 5, &head[..8]),
        frame(9, 4, 5, &head[8..]),
        frame(8, 0, 0, &1_000_000u32.to_be_bytes()),
        frame(3, 0, 1, &8u32.to_be_bytes()),
        frame(2, 0, 7, b"\x00\x00\x00\x01\x10"),
        frame(6, 0, 0, b"01234567"),
        frame(7, 0, 0, b"\x00\x00\x00\x00\x00\x00\x00\x00"),
    ];
    let seeds: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(&frames[0]);
    for _ in 0..rng.usize(1..12) {
        bytes.extend(if rng.bool() {
            rng.choice(&frames).expect("there are some").clone()
        } else {
            mutated(&seeds, rng)
        });
    }
    bytes
}
