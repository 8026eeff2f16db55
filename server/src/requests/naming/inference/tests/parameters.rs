//! Parameters whose values are words, and routes that are none.

use super::*;

/// Requests paths in turn, each so many times, and returns the rows that their requests are read in.
pub(super) fn rows(paths: &[&str], visits: usize) -> Vec<String> {
    let inference = RouteInference::default();
    let all = (0..visits).flat_map(|_| paths);
    let rows: Vec<_> = all.map(|path| visit(&inference, path).unwrap_or_else(|| "(unmatched)".to_owned())).collect();
    let merged = |row: String| inference.merged(&row).map_or(row, |merged| merged.to_string());
    let mut rows: Vec<_> = rows.into_iter().map(merged).collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}

#[test]
fn words_with_the_same_behind_them_are_values() {
    for (paths, expected) in [
        (
            &[
                "/repos/jane/linux/issues/7",
                "/repos/jane/linux/commits/3fa85f6",
                "/repos/jane/website/issues/8",
                "/repos/jane/website/commits/3fa85f7",
                "/repos/otter/notes/commits/3fa85f8",
                "/repos/otter/notes/issues/9",
                "/repos/otter/kernel/issues/10",
            ][..],
            &["/repos/{name}/{name}/commits/{hash}", "/repos/{name}/{name}/issues/{id}"][..],
        ),
        (&["/users/_search", "/events/_search", "/invoices/_search", "/orders/_search"], &["/{name}/_search"]),
        (
            &["/project/default/versions", "/project/monitoring/versions", "/project/staging/versions"],
            &["/project/{name}/versions"],
        ),
        (
            &[
                "/api/v2/project/github/acme/web-frontend/pipeline",
                "/api/v2/project/gitlab/hashline/api-gateway/pipeline",
                "/api/v2/project/azure/tiny-team/mobile-app/pipeline",
                "/api/v2/project/github/acme/web-frontend/commits/3fa85f6/status",
                "/api/v2/project/gitlab/hashline/api-gateway/commits/3fa85f7/status",
                "/api/v2/project/azure/tiny-team/mobile-app/commits/3fa85f8/status",
            ],
            &[
                "/api/v2/project/{name}/{name}/{name}/commits/{hash}/status",
                "/api/v2/project/{name}/{name}/{name}/pipeline",
            ],
        ),
        (
            &["/map/wind/4/7", "/map/rain/4/7", "/map/snow/4/7", "/map/pressure/4/7", "/map/clouds/4/7"],
            &["/map/{name}/{id}/{id}"],
        ),
        (
            &[
                "/v4/tennis/live",
                "/v4/rugby/live",
                "/v4/football/live",
                "/v4/handball/live",
                "/v4/tennis/players",
                "/v4/rugby/players",
                "/v4/football/players",
                "/v4/handball/players",
            ],
            &["(unmatched)", "/v4/{name}/live", "/v4/{name}/players"],
        ),
        (&["/doctors/by-specialty/cardiology"], &["/doctors/by-specialty/{name}"]),
        (
            &["/deals/stage/basic", "/deals/stage/premium", "/deals/stage/family", "/deals/stage/starter"],
            &["/deals/stage/{name}"],
        ),
        (&["/blobs/sha256:9f86d081884c7d65"], &["/blobs/{key}"]),
        (&["/holidays/2026/BY", "/holidays/2026/HE", "/holidays/2026/BE"], &["/holidays/{id}/{name}"]),
        (&["/plans/basic", "/plans/premium", "/plans/family", "/plans/starter"], &["/plans/{name}"]),
        (
            &["/history/otter-44/2026-01-02", "/history/berlin/2026-01-02", "/history/paris/2026-01-02"],
            &["/history/{name}/{date}"],
        ),
        (
            &["/markets/de", "/markets/pt-BR", "/videos/7/captions/fr"],
            &["/markets/{name}", "/videos/{id}/captions/{name}"],
        ),
    ] {
        assert_eq!(rows(paths, 4), expected, "{paths:?}");
    }
}

#[test]
fn of_many_words_alike_all_are_values() {
    let metrics = ["battery", "humidity", "motion", "power", "pressure", "temperature"];
    let paths: Vec<String> = metrics
        .iter()
        .flat_map(|metric| ["", "/latest"].map(|next| format!("/devices/7/telemetry/{metric}{next}")))
        .collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    assert_eq!(rows(&paths, 4), ["/devices/{id}/telemetry/{name}", "/devices/{id}/telemetry/{name}/latest"]);
    // The resources of an application are as many, and are not alike.
    let resources = ["orders", "invoices", "refunds", "parcels", "payments", "returns"];
    let paths: Vec<String> =
        resources.iter().flat_map(|resource| ["", "/latest"].map(|next| format!("/api/{resource}{next}"))).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    assert_eq!(rows(&paths, 4).len(), 12);
}

#[test]
fn kinds_of_things_behind_a_plural_are_values() {
    let kinds = ["contacts", "companies", "deals", "notes", "quotes", "tickets"];
    let paths: Vec<String> =
        kinds.iter().flat_map(|kind| ["", "/7"].map(|next| format!("/crm/v3/properties/{kind}{next}"))).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    assert_eq!(rows(&paths, 4), ["/crm/v3/properties/{name}", "/crm/v3/properties/{name}/{id}"]);
}

#[test]
fn words_are_values_where_maps_mail_and_flags_have_them() {
    for (paths, expected) in [
        (
            &["/tiles/v4/dark/4/7/9", "/tiles/v4/light/4/7/9", "/tiles/v4/terrain/4/7/9", "/tiles/v4/legend"][..],
            &["/tiles/v4/legend", "/tiles/v4/{name}/{id}/{id}/{id}"][..],
        ),
        (
            &[
                "/route/v1/driving/13.38,52.51",
                "/route/v1/walking/13.38,52.51",
                "/route/v1/cycling/13.38,52.51",
                "/route/v1/truck/13.38,52.51",
                "/route/v1/bus/13.38,52.51",
            ],
            &["/route/v1/{name}/{number}"],
        ),
        (
            &["/styles/v1/dark/sprite.json", "/styles/v1/light/sprite.json", "/styles/v1/terrain/sprite.json"],
            &["/styles/v1/{name}/sprite.json"],
        ),
        (
            &["/sources/7/lightcurve/g", "/sources/7/lightcurve/r", "/sources/7/lightcurve/z"],
            &["/sources/{id}/lightcurve/{name}"],
        ),
        (
            &["/folders/inbox/messages", "/folders/drafts/messages", "/folders/sent/messages", "/folders/search"],
            &["/folders/search", "/folders/{name}/messages"],
        ),
        (
            &["/events/purchase/counts", "/events/sign-up/counts", "/events/search/counts", "/events/search"],
            &["/events/search", "/events/search/counts", "/events/{name}/counts"],
        ),
        (
            &[
                "/objects/contacts/7/associations/deals",
                "/objects/deals/7/associations/deals",
                "/objects/quotes/7/associations/deals",
                "/objects/tickets/7/associations/deals",
            ],
            &["/objects/{name}/{id}/associations/deals"],
        ),
        (
            &[
                "/flags/7/dark-mode",
                "/flags/7/dark-mode/dependents",
                "/flags/7/dark-mode/status",
                "/flags/7/new-checkout",
                "/flags/7/new-checkout/dependents",
                "/flags/7/new-checkout/status",
                "/flags/7/rate-limit",
                "/flags/7/rate-limit/dependents",
                "/flags/7/rate-limit/status",
                "/flags/7/free-tier",
                "/flags/7/free-tier/dependents",
                "/flags/7/free-tier/status",
            ],
            &["/flags/{id}/{name}", "/flags/{id}/{name}/dependents", "/flags/{id}/{name}/status"],
        ),
        (
            &["/evaluate/7/dark_mode", "/evaluate/7/free-tier", "/evaluate/7/kill-switch", "/evaluate/7/new-checkout"],
            &["/evaluate/{id}/{name}"],
        ),
        (
            &["/layers/7/export/png", "/layers/7/export/geojson", "/layers/7/export/pdf", "/layers/7/export/status"],
            &["/layers/{id}/export/status", "/layers/{id}/export/{name}"],
        ),
        (
            &["/_cat/health", "/blog-7/_search", "/shop-8/_search", "/logs-9/_search", "/_cat/indices", "/_msearch"],
            &["/_cat/health", "/_cat/indices", "/_msearch", "/{name}/_search"],
        ),
        // Words of the root lead to the same items, and are no items themselves.
        (
            &[
                "/overlap/human/7",
                "/gene/human/7",
                "/sequence/human/7",
                "/overlap/mouse/7",
                "/gene/mouse/7",
                "/sequence/mouse/7",
            ],
            &[
                "/gene/human/{id}",
                "/gene/mouse/{id}",
                "/overlap/human/{id}",
                "/overlap/mouse/{id}",
                "/sequence/human/{id}",
                "/sequence/mouse/{id}",
            ],
        ),
    ] {
        assert_eq!(rows(paths, 4), expected, "{paths:?}");
    }
}

#[test]
fn routes_that_resources_have_in_common_are_no_values() {
    for paths in [
        &["/api/users/export", "/api/orders/export", "/api/products/export", "/api/invoices/export"][..],
        &["/shop/orders/{id}", "/shop/carts/{id}", "/shop/customers/{id}", "/shop/invoices/{id}", "/shop/reviews/{id}"],
        &["/user/list", "/order/list", "/product/list", "/cart/list", "/invoice/list", "/customer/list"],
        &["/api/users/{id}/history", "/api/orders/{id}/history", "/api/products/{id}/history"],
        &["/admin/shop/order/add/", "/admin/shop/product/add/", "/admin/shop/category/add/", "/admin/shop/price/add/"],
        &["/reports/sales/daily", "/reports/sales/monthly", "/reports/traffic/daily", "/reports/inventory/daily"],
        &["/orders/archive", "/orders/bulk", "/orders/export", "/orders/search", "/orders/recent"],
        &["/products/brands", "/products/categories", "/products/offers", "/products/reviews", "/products/tags"],
        &["/rest/api/3/issue", "/rest/api/3/myself"],
    ] {
        let requested: Vec<_> = paths.iter().map(|path| path.replace("{id}", "7")).collect();
        let requested: Vec<_> = requested.iter().map(String::as_str).collect();
        let mut expected = paths.to_vec();
        expected.sort_unstable();
        assert_eq!(rows(&requested, 4), expected);
    }
}

#[test]
fn what_comes_later_to_a_parameter_is_a_value_unless_something_else_follows() {
    let inference = RouteInference::default();
    for table in ["users", "invoices", "audit_log"] {
        visit(&inference, &format!("/{table}/_search"));
    }
    assert_eq!(inference.merged("/users/_search").as_deref(), Some("/{name}/_search"));
    for (path, row) in [
        ("/orders/_search", "/{name}/_search"),
        ("/events/_search", "/{name}/_search"),
        ("/_cluster/health", "/_cluster/health"),
        ("/orders", "/orders"),
    ] {
        assert_eq!(visit(&inference, path).as_deref(), Some(row), "{path}");
    }
}

#[test]
fn an_unknown_resource_is_shown_once_items_of_it_came() {
    let inference = RouteInference::default();
    assert_eq!(visit(&inference, "/api/musteriler/7"), None);
    assert_eq!(visit(&inference, "/api/musteriler/8").as_deref(), Some("/api/musteriler/{id}"));
    for language in ["rechnungen", "utilisateurs", "pedidos", "encomendas", "fatture", "bestellingen"] {
        let path = format!("/api/{language}/7");
        assert_eq!(visit(&inference, &path), Some(path.replace('7', "{id}")));
    }
}

#[test]
fn an_unknown_word_among_random_texts_may_be_one() {
    let inference = RouteInference::default();
    assert_eq!(visit(&inference, "/share/V1StGXR8Z5jdHi6B").as_deref(), Some("/share/{key}"));
    for _ in 0..50 {
        assert_eq!(visit(&inference, "/share/musteriler").as_deref(), Some("/share/{key}"));
    }
}

#[test]
fn words_that_lead_to_the_same_by_other_words_are_values() {
    let hosts = ["github", "gitlab", "bitbucket", "gitea", "forgejo", "azure", "codeberg", "sourcehut"];
    let owners = ["acme", "hashline", "nova-labs", "pixelfarm", "tiny-team", "openharbor", "kubeworks", "dataforge"];
    let repositories =
        ["web", "api-gateway", "infra", "terraform", "mobile-app", "billing_service", "docs.site", "tap"];
    let ends = ["pipeline", "job/7", "branches/main/badge.svg", "commits/3fa85f64aa/status"];
    let all = hosts.iter().zip(owners).zip(repositories);
    let paths: Vec<String> = all
        .flat_map(|((host, owner), repository)| {
            ends.map(|end| format!("/api/v2/project/{host}/{owner}/{repository}/{end}"))
        })
        .collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let behind = ["branches/{name}/badge.svg", "commits/{hash}/status", "job/{id}", "pipeline"];
    let expected = behind.map(|end| format!("/api/v2/project/{{name}}/{{name}}/{{name}}/{end}"));
    assert_eq!(rows(&paths, 4), expected);
}
