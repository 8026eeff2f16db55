//! What is shown behind words such as `/invite`, versions of an API, and files that are answers of one.

use super::*;

/// The rows that a path counts in when it comes some times.
fn rows_of(inference: &RouteInference, path: &str) -> Vec<String> {
    (0..12).filter_map(|_| visit(inference, path)).collect()
}

#[test]
fn a_code_or_a_person_is_never_shown() {
    for path in [
        "/invite/swordfish",
        "/reset-password/swordfish",
        "/magic-link/swordfish",
        "/verify/summer",
        "/unsubscribe/swordfish/confirm",
        "/gift/silver",
        "/share/dragon",
        "/hub/spawn/torvalds",
        "/api/mailbox/kafetinoma/messages",
        "/statements/parker.pdf",
        "/parker",
        "/api/v1/parker",
        "/api/v1/parker/settings",
    ] {
        let secret = ["swordfish", "summer", "silver", "dragon", "torvalds", "kafetinoma", "parker"];
        let rows = rows_of(&RouteInference::default(), path);
        assert!(!rows.iter().any(|row| secret.iter().any(|secret| row.contains(secret))), "{path}: {rows:?}");
    }
}

#[test]
fn what_routes_have_behind_such_words_is_shown() {
    for path in ["/reset/confirm", "/verify/email", "/otp/send", "/invite/accept", "/password/reset", "/token/v1/new"] {
        assert_eq!(visit(&RouteInference::default(), path).as_deref(), Some(path));
    }
}

#[test]
fn a_version_of_an_api_is_shown_and_a_date_or_a_version_that_differs_is_not() {
    let inference = RouteInference::default();
    for path in
        ["/ocpi/2.2.1/locations", "/2010-04-01/Accounts", "/api/2024-06/shows", "/admin/api/2024-01/products.json"]
    {
        assert_eq!(visit(&inference, path).as_deref(), Some(path));
    }
    assert_eq!(visit(&inference, "/reports/2024-01-01/items").as_deref(), Some("/reports/{date}/items"));
    for (version, row) in
        [("1.4.2", "/agent/1.4.2/notes"), ("1.5.0", "/agent/{number}/notes"), ("2.0.1", "/agent/{number}/notes")]
    {
        assert_eq!(visit(&inference, &format!("/agent/{version}/notes")).as_deref(), Some(row));
    }
    assert_eq!(inference.merged("/agent/1.4.2/notes").as_deref(), Some("/agent/{number}/notes"));
    for day in 1..8 {
        visit(&inference, &format!("/2024-01-0{day}/menu"));
    }
    assert_eq!(inference.merged("/2024-01-01/menu").as_deref(), Some("/{date}/menu"));
    assert_eq!(visit(&inference, "/2010-04-01/Accounts").as_deref(), Some("/{date}/Accounts"));
}

#[test]
fn literals_are_shown_and_values_are_not() {
    for (path, row) in [
        ("/Calls/7/Recordings.json", "/Calls/{id}/Recordings.json"),
        ("/subtitles/7/de.vtt", "/subtitles/{id}/{file}.vtt"),
        ("/projects/7/variables/DEPLOY_TOKEN", "/projects/{id}/variables/{name}"),
        ("/commands/START_SESSION", "/commands/START_SESSION"),
        ("/repos/umbrella/website/pulls", "/repos/{name}/{name}/pulls"),
        ("/podcasts/radio/episodes/why-we-sleep", "/podcasts/{name}/episodes/{name}"),
        ("/api/luftqualitaet/messstationen", "/api/luftqualitaet/messstationen"),
        ("/api/mietvertragsdaten/7/verlaengern", "/api/mietvertragsdaten/{id}/verlaengern"),
        ("/patients/7/telemeteria", "/patients/{id}/telemeteria"),
        ("/stops/de:09162:66554/departures", "/stops/{key}/departures"),
    ] {
        assert_eq!(visit(&RouteInference::default(), path).as_deref(), Some(row), "{path}");
    }
    for path in ["/tx/7", "/sapi/v1/position", "/api/v3/ticker/24hr"] {
        assert_eq!(rows_of(&RouteInference::default(), path).last(), Some(&path.replace("/7", "/{id}")));
    }
}
