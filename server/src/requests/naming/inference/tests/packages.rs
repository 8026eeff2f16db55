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
