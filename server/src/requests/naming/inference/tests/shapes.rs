//! Words that are values by the shape of what stands behind them, and words that are none.

use super::{parameters::rows, *};

/// The rows of a path for each word, which takes the place of `*`.
fn rows_of_words(words: &[&str], path: &str) -> Vec<String> {
    let paths: Vec<_> = words.iter().map(|word| path.replace('*', word)).collect();
    rows(&paths.iter().map(String::as_str).collect::<Vec<_>>(), 4)
}

const FUELS: &[&str] = &["coal", "gas", "solar", "water", "wind"];
const CABINS: &[&str] = &["business", "economy", "premium", "suite"];
const MODES: &[&str] = &["bus", "cycling", "driving", "scooter", "truck", "walking"];
const ROUTES: &[&str] = &["cancel", "capture", "events", "history", "refunds", "ship"];

#[test]
fn words_with_one_part_behind_each_are_values() {
    assert_eq!(rows_of_words(FUELS, "/generation/DE_LU/*/2026-01-02"), ["/generation/{key}/{name}/{date}"]);
    // An application's resources are as many.
    assert_eq!(rows_of_words(FUELS, "/api/*/2026-01-02").len(), FUELS.len());
}

#[test]
fn words_that_all_end_paths_behind_what_a_thing_has_are_values() {
    assert_eq!(rows_of_words(CABINS, "/flights/7/seatmap/*"), ["/flights/{id}/seatmap/{name}"]);
    assert_eq!(rows_of_words(MODES, "/matrix/v1/*"), ["/matrix/v1/{name}"]);
    for path in ["/payments/7/*", "/v1/*", "/api/*", "/flights/7/settings/*"] {
        assert_eq!(rows_of_words(ROUTES, path).len(), ROUTES.len(), "{path}");
    }
}

#[test]
fn an_item_has_its_action_and_no_name() {
    for (path, row) in [
        ("/servers/db-primary:start", "/servers/{name}:start"),
        ("/servers/db-primary:resize", "/servers/{name}:resize"),
        ("/servers/db-primary:swordfish", "/servers/{name}"),
        ("/databases/main/documents:write", "/databases/{name}/documents:write"),
        ("/repos/umbrella/next.js", "/repos/{name}/{name}"),
        ("/tree/v3/notes", "/tree/{name}/notes"),
        ("/cdn/3fa85f64e/v1.8.2/notes", "/cdn/{hash}/{name}/notes"),
        ("/geo/52.52/13.40", "/geo/{number}/{number}"),
        ("/matches/7/head2head", "/matches/{id}/head2head"),
        ("/stats/head-to-head/BOS/LAL", "/stats/head-to-head/{key}/{key}"),
        ("/patients/by-mrn/7", "/patients/by-mrn/{id}"),
        ("/episodes/byguid/3fa85f64-5717-4562-b3fc-2c963f66afa6", "/episodes/byguid/{uuid}"),
        ("/trending/in", "/trending/{name}"),
        ("/orders/ByStatus/7", "/orders/ByStatus/{id}"),
        ("/classes/on/monday", "/classes/on/{name}"),
        ("/orders/status/paid", "/orders/status/{name}"),
        ("/api/Orders/Search", "/api/Orders/Search"),
        ("/shows/@jane/videos", "/shows/@{name}/videos"),
        ("/packages/@acme%2fui", "/packages/{name}"),
        ("/channels/@jane/videos", "/channels/@{name}/videos"),
        ("/repos/rails/rails/issues", "/repos/{name}/{name}/issues"),
        ("/items/Category/7", "/items/Category/{id}"),
        ("/repos/rails/rails/contents/Dockerfile", "/repos/{name}/{name}/contents/{file}"),
        ("/burials/by-surname/Abernathy", "/burials/by-surname/{name}"),
    ] {
        assert_eq!(visit(&RouteInference::default(), path).as_deref(), Some(row), "{path}");
    }
}
