//! Paths that wait for their name, and rows that they are read in then.

use super::{super::super::is_held_route, *};

fn visit_or_hold(inference: &RouteInference, path: &str) -> String {
    inference.name(path, |name| match name {
        RouteName::Known(template) => template.to_owned(),
        RouteName::New(name) | RouteName::Candidate(_, name) => {
            inference.learn_or_hold(&name).expect("room").to_string()
        }
        RouteName::TooMany => "(other)".to_owned(),
    })
}

#[test]
fn requests_before_a_path_had_a_name_are_read_in_its_row() {
    let inference = RouteInference::default();
    let first = visit_or_hold(&inference, "/api/musteriler");
    assert!(is_held_route(&first) && !first.contains("musteriler"), "{first}");
    inference.forget(Instant::now());
    assert_eq!(inference.held_template(&first), None);
    let (version, second) = (inference.version(), visit_or_hold(&inference, "/api/musteriler"));
    assert_eq!(second, first);
    assert_eq!(visit_or_hold(&inference, "/api/musteriler"), "/api/musteriler");
    inference.forget(Instant::now());
    assert_eq!(inference.held_template(&first).as_deref(), Some("/api/musteriler"));
    assert!(inference.version() > version);
    // What shows a parameter names those before it.
    let held: Vec<_> =
        ["otterlib", "zorbaq", "klimper"].map(|word| visit_or_hold(&inference, &format!("/current/{word}"))).into();
    inference.forget(Instant::now());
    assert_eq!(inference.held_template(&held[0]).as_deref(), Some("/current/{name}"));
}

#[test]
fn what_comes_while_another_thread_learns_is_learnt_later() {
    let inference = RouteInference::default();
    let learning = inference.learning.lock().unwrap();
    let held = visit_or_hold(&inference, "/orders/7");
    assert!(is_held_route(&held), "{held}");
    drop(learning);
    inference.forget(Instant::now());
    assert_eq!(inference.held_template(&held).as_deref(), Some("/orders/{id}"));
}

#[test]
fn only_so_many_paths_wait() {
    let inference = RouteInference::default();
    let of_number = |number: usize| inference.held.hold(&format!("/api/{number}x"), true);
    let held: Vec<_> = (0..1_000).filter_map(of_number).collect();
    assert_eq!(held.len(), 128);
    assert_eq!(of_number(0).as_deref(), Some(&*held[0]), "one that waits already");
}
