//! What is shown for its look alone.

use super::*;

#[test]
fn images_of_things_keep_their_names() {
    let inference = RouteInference::default();
    for name in [
        "cover.jpg",
        "cover-L.jpg",
        "thumbnail_200.png",
        "floorplan.svg",
        "qrcode.png",
        "waveform.webp",
        "playlist.m3u8",
    ] {
        for _ in 0..2 {
            assert_eq!(visit(&inference, &format!("/albums/7/{name}")), Some(format!("/albums/{{id}}/{name}")));
        }
    }
}

#[test]
fn what_stands_before_a_word_says_that_it_is_a_name() {
    for (path, expected) in [
        ("/databases/7/tables/orders", "/databases/{id}/tables/{name}"),
        ("/carriers/swiftpost", "/carriers/{name}"),
        ("/projects/web-prod", "/projects/{name}"),
        ("/projects/bulk-import", "/projects/bulk-import"),
        ("/alerts/severity/info", "/alerts/severity/{name}"),
        ("/airports/iata/MUC/delays", "/airports/iata/{key}/delays"),
        ("/states/light.desk_lamp", "/states/{name}"),
        ("/metrics/disk.io.read", "/metrics/{name}"),
        ("/api/admin.users.list", "/api/admin.users.list"),
        ("/candles/5m", "/candles/{name}"),
        ("/models/3d", "/models/3d"),
        ("/geo/DE/reach", "/geo/{name}/reach"),
        ("/fares/calendar/MUC", "/fares/calendar/{key}"),
        ("/v1/projects/orders/badge.svg", "/v1/projects/orders/badge.svg"),
        ("/images/icons/map.png", "/images/icons/*"),
        ("/apis/apiextensions.k8s.io/v1/pods", "/apis/apiextensions.k8s.io/v1/pods"),
        ("/wp-admin/admin-ajax.php", "/wp-admin/admin-ajax.php"),
        ("/login/mark_rivers", "/login/{name}"),
        ("/login/oauth/authorize", "/login/oauth/authorize"),
        ("/lookup/Carter_White", "/lookup/{name}"),
        ("/pay/charlotte-baker/confirm", "/pay/{name}/confirm"),
        ("/api/products/7/images/front.jpg", "/api/products/{id}/images/{file}"),
        ("/repos/jane/web/contents/package.json", "/repos/{name}/{name}/contents/{file}"),
        ("/images/logo.png", "/images/*"),
        ("/orgs/open-harbor", "/orgs/{name}"),
        ("/devices/mac/a4:cf:12:0b:77:01", "/devices/mac/{name}"),
        ("/v1/tiles/7/12/9@2x.png", "/v1/tiles/{id}/{id}/{id}@2x.png"),
        ("/repos/7/compare/main...next", "/repos/{id}/compare/{name}...{name}"),
        ("/rates/2026-01-01..2026-02-01", "/rates/{date}..{date}"),
        ("/certificates/7/chain.pem", "/certificates/{id}/chain.pem"),
        ("/flags/enable-sso", "/flags/{name}"),
        ("/flags/search", "/flags/search"),
        ("/reports/aging", "/reports/aging"),
        ("/stations/nearest", "/stations/nearest"),
        ("/v2/acme-labs/web/manifests/nightly", "/v2/{name}/{name}/manifests/{name}"),
        ("/v2/debian/tags/list", "/v2/{name}/tags/list"),
        ("/v2/debian/users", "/v2/debian/users"),
        ("/orgs/acme-labs", "/orgs/{name}"),
        ("/settlements/7/usd", "/settlements/{id}/{name}"),
        ("/flags/7/staging", "/flags/{id}/{name}"),
        ("/api/sandbox", "/api/sandbox"),
        ("/queues/7/orders.created", "/queues/{id}/{name}"),
        ("/archive/v1.2.3.tar.gz", "/archive/{file}.tar.gz"),
        ("/iiif/3/7/info.json", "/iiif/3/{id}/info.json"),
    ] {
        assert_eq!(template(path), expected, "{path}");
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

/// A file among others is a value.
#[test]
fn any_file_stands_where_many_kinds_of_files_do() {
    let inference = RouteInference::default();
    let files = ["report.pdf", "schema.json", "office.png", "main.go", "Dockerfile", "README.md", "query.sql"];
    for _ in 0..3 {
        for file in files {
            visit(&inference, &format!("/api/files/7/{file}"));
        }
    }
    for file in files.into_iter().chain(["other.zip", "logo.svg"]) {
        assert_eq!(visit(&inference, &format!("/api/files/7/{file}")).as_deref(), Some("/api/files/{id}/{file}"));
    }
}

#[test]
fn an_answer_in_many_formats_is_one_row() {
    let inference = RouteInference::default();
    for format in ["csv", "json"] {
        let row = visit(&inference, &format!("/accounts/7/sales.{format}"));
        assert_eq!(row, Some(format!("/accounts/{{id}}/sales.{format}")));
    }
    for format in ["xml", "pdf", "csv", "parquet"] {
        let row = visit(&inference, &format!("/accounts/7/sales.{format}"));
        assert_eq!(row.as_deref(), Some("/accounts/{id}/sales.{format}"));
    }
    assert_eq!(visit(&inference, "/accounts/7/orders.csv").as_deref(), Some("/accounts/{id}/orders.csv"));
    assert_eq!(inference.merged("/accounts/{id}/sales.csv").as_deref(), Some("/accounts/{id}/sales.{format}"));
    // Also after templates were forgotten to make room.
    inference.update(|_, tables| {
        let tables = Arc::make_mut(tables);
        tables.is_full = true;
        tables.forget();
    });
    assert_eq!(visit(&inference, "/accounts/7/sales.tsv").as_deref(), Some("/accounts/{id}/sales.{format}"));
}

#[test]
fn files_keep_what_says_what_they_are() {
    for (path, expected) in [
        ("/v2/tiles/satellite/7/12/9.png", "/v2/tiles/satellite/{id}/{id}/{id}.png"),
        ("/uploads/9.png", "/uploads/*"),
        ("/socket.io/", "/socket.io/"),
        ("/hr/cv-mueller.docx", "/hr/{file}.docx"),
        ("/hr/report-dieter-final.pdf", "/hr/{file}.pdf"),
        ("/contents/jane/otter.txt/checkpoints", "/contents/{name}/{file}.txt/checkpoints"),
        ("/exports/2026-11-05.ndjson.gz", "/exports/{date}.ndjson.gz"),
        ("/api/v3/jobs/7/artifacts/bundle.js", "/api/v3/jobs/{id}/artifacts/*"),
    ] {
        assert_eq!(template(path), expected, "{path}");
    }
}

#[test]
fn words_are_told_from_titles_codes_and_countries() {
    assert_eq!(template("/reports/profit-and-loss/2026"), "/reports/profit-and-loss/{id}");
    assert_eq!(template("/rates/at/7"), "/rates/at/{id}");
    assert_ne!(template("/articles/the-rise-and-fall"), "/articles/the-rise-and-fall");
    let inference = RouteInference::default();
    for code in ["XQJ", "VLP", "PMO", "AIR", "KZR", "CCD"] {
        for _ in 0..3 {
            visit(&inference, &format!("/aircraft/{code}"));
        }
    }
    assert_eq!(visit(&inference, "/aircraft/AIR").as_deref(), Some("/aircraft/{key}"));
}
