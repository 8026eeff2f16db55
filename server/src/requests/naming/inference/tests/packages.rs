//! The paths of a registry of packages.

use super::*;

#[test]
fn packages_of_a_registry_are_one_row() {
    let inference = RouteInference::default();
    let packages = [
        "accepts",
        "body-parser",
        "bytes",
        "content-type",
        "cookie",
        "debug",
        "depd",
        "ee-first",
        "encodeurl",
        "escape-html",
        "etag",
        "finalhandler",
        "forwarded",
        "fresh",
        "iconv-lite",
        "inherits",
        "ipaddr.js",
        "lodash",
        "merge-descriptors",
        "methods",
        "mime-db",
        "ms",
        "negotiator",
        "object-inspect",
        "on-finished",
        "parseurl",
        "proxy-addr",
        "qs",
        "range-parser",
        "raw-body",
        "safe-buffer",
        "send",
        "setprototypeof",
        "statuses",
        "toidentifier",
        "type-is",
        "unpipe",
        "utils-merge",
        "vary",
    ];
    for package in packages {
        visit(&inference, "/");
        visit(&inference, &format!("/{package}"));
        visit(&inference, &format!("/{package}/-/{package}-1.2.3.tgz"));
        visit(&inference, &format!("/@types%2f{package}"));
        visit(&inference, &format!("/@types/{package}/-/{package}-1.2.3.tgz"));
    }
    let tables = inference.tables.load();
    let rows: Vec<_> = tables.templates.keys().map(|template| &**template).collect();
    assert!(rows.len() <= 10, "{rows:?}");
    for row in ["/", "/{name}", "/{name}/-/{file}.tgz", "/@{name}/{name}", "/@{name}/{name}/-/{file}.tgz"] {
        assert!(rows.contains(&row), "{row} of {rows:?}");
    }
}

#[test]
fn packages_of_a_small_registry_are_one_row() {
    let inference = RouteInference::default();
    for package in ["otterlib", "left-lamp", "billing"] {
        // It is published, and its description asked for.
        for _ in 0..5 {
            visit(&inference, &format!("/{package}"));
        }
    }
    let shown = |inference: &RouteInference| visit(inference, "/otterlib");
    assert_eq!(shown(&inference).as_deref(), Some("/otterlib"), "it may be a page");
    visit(&inference, "/left-lamp/-/left-lamp-1.0.0.tgz");
    assert_eq!(shown(&inference).as_deref(), Some("/{name}"));
    for package in ["otterlib", "left-lamp", "billing"] {
        assert_eq!(inference.merged(&format!("/{package}")).as_deref(), Some("/{name}"), "{package}");
    }
    assert_eq!(visit(&inference, "/ipaddr.js").as_deref(), Some("/{name}"));
    let tags = visit(&inference, "/-/package/otterlib/dist-tags");
    assert_eq!(tags.as_deref(), Some("/-/package/{name}/dist-tags"));
}
