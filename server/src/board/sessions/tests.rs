//! Tests of sessions and of their cookie.

use axum::{body::Body, extract::OriginalUri};

use super::*;

const HOUR: Duration = Duration::from_hours(1);

fn request(host: &str, path: &str, own: &str) -> Request<Body> {
    let mut request = Request::builder().uri(own).header(header::HOST, host).body(Body::empty()).unwrap();
    request.extensions_mut().insert(OriginalUri(path.parse().unwrap()));
    request
}

#[test]
fn a_session_ends_when_it_is_not_used_and_after_a_week_in_any_case() {
    let (sessions, start) = (Sessions::default(), Instant::now());
    let (idle, busy) = (sessions.insert(start).unwrap(), sessions.insert(start).unwrap());
    let lives = (1..=200).filter(|hour| sessions.is_live(&busy, start + HOUR * *hour)).count();
    assert_eq!(lives, 7 * 24 - 1);
    assert!(!sessions.is_live(&idle, start + IDLE));
    let again = sessions.insert(start + 200 * HOUR).unwrap();
    assert!(sessions.is_live(&again, start + 200 * HOUR) && sessions.lock().len() == 1, "what ended is forgotten");
}

#[test]
fn one_too_many_makes_the_first_one_go() {
    let (sessions, start) = (Sessions::default(), Instant::now());
    let ids: Vec<_> = (0..=MOST).map(|at| sessions.insert(start + Duration::from_secs(at as u64)).unwrap()).collect();
    let live = |id: &String| sessions.is_live(id, start + HOUR);
    assert!(!live(&ids[0]) && ids[1..].iter().all(live) && sessions.lock().len() == MOST);
}

#[test]
fn a_made_up_id_is_no_session_and_no_id_is_kept() {
    let (sessions, now) = (Sessions::default(), Instant::now());
    let id = sessions.insert(now).unwrap();
    assert!(id.len() == 64 && !format!("{sessions:?}").contains(&id));
    assert!(!sessions.is_live("", now) && !sessions.is_live(&"0".repeat(64), now));
}

#[test]
fn the_cookie_is_named_by_port_and_mount() {
    let mut boards = vec![];
    for (host, path, name) in [
        ("127.0.0.1:3000", "/sign-in", "watchboard_session.3000"),
        ("127.0.0.1:3001", "/sign-in", "watchboard_session.3001"),
        ("localhost", "/ops/board/sign-in", "watchboard_session.ops.board"),
        ("[::1]:80", "/a;b/sign-in", "watchboard_session.80.a.b"),
    ] {
        let (sessions, request) = (Sessions::default(), request(host, path, "/sign-in"));
        let plain = sessions.begin(&request, false).unwrap();
        let (pair, attributes) = plain.to_str().unwrap().split_once("; ").unwrap();
        assert_eq!(pair.split_once('=').unwrap().0, name);
        assert_eq!(attributes, "Max-Age=604800; HttpOnly; SameSite=Lax", "the browser takes the path of the request");
        let https = sessions.begin(&request, true).unwrap();
        let https = https.to_str().unwrap();
        assert!(https.starts_with(&format!("__Secure-{name}=")) && https.ends_with("; Secure"), "{https}");
        boards.push((sessions, request, pair.to_owned()));
    }
    let all = boards.iter().map(|(.., pair)| pair.as_str()).collect::<Vec<_>>().join("; ");
    for (sessions, request, pair) in &mut boards {
        request.headers_mut().insert(header::COOKIE, all.parse().unwrap());
        assert!(sessions.admit(request, false), "{pair}");
        assert!(!sessions.admit(request, true), "plain http could have set it");
    }
    // The end of one session leaves those of other boards.
    let (sessions, request, _) = &boards[0];
    sessions.end(request, false);
    let live: Vec<bool> = boards.iter().map(|(sessions, request, _)| sessions.admit(request, false)).collect();
    assert_eq!(live, [false, true, true, true]);
}

#[test]
fn below_a_known_prefix_the_cookie_has_its_path() {
    let mut request = request("board.example", "/sign-in", "/sign-in");
    "/ops".parse::<BasePath>().unwrap().apply(&mut request);
    let cookie = Sessions::default().begin(&request, true).unwrap();
    assert!(cookie.to_str().unwrap().contains("; Path=/ops; "), "{cookie:?}");
}

#[test]
fn another_cookie_of_the_name_does_not_hide_the_session() {
    let (sessions, mut request) = (Sessions::default(), request("localhost:1", "/", "/"));
    let cookie = sessions.begin(&request, false).unwrap();
    let pair = cookie.to_str().unwrap().split(';').next().unwrap();
    let both = format!("watchboard_session.1=tossed; {pair}; watchboard_session.1");
    request.headers_mut().insert(header::COOKIE, both.parse().unwrap());
    assert!(sessions.admit(&request, false));
}
