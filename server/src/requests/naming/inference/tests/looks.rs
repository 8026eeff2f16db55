//! What is shown for its look alone.

use super::*;

#[test]
fn images_of_things_keep_their_names() {
    let inference = RouteInference::default();
    for name in ["cover.jpg", "avatar.png", "floorplan.svg", "qrcode.png", "waveform.webp"] {
        for _ in 0..2 {
            assert_eq!(visit(&inference, &format!("/albums/7/{name}")), Some(format!("/albums/{{id}}/{name}")));
        }
    }
}

#[test]
fn names_of_people_are_no_operations_and_nothing_to_find_by() {
    for (path, expected) in [
        ("/pay/$anna", "/pay/${name}"),
        ("/patients/$lastn", "/patients/$lastn"),
        ("/accounts/by-puuid/7", "/accounts/by-puuid/{id}"),
    ] {
        assert_eq!(template(path), expected, "{path}");
    }
    assert_ne!(visit(&RouteInference::default(), "/photos/by-anna").as_deref(), Some("/photos/by-anna"));
}
