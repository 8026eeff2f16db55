//! What paths become, and what is learnt and forgotten.

mod held;
mod looks;
mod packages;
mod parameters;
mod private_places;
mod shapes;

use super::{
    super::learning::{CROWDED, HALVE_EACH, MAX_TEMPLATES},
    *,
};

/// The name of a path before anything is learnt.
fn template(path: &str) -> String {
    Tables::default().name(path).template
}

/// Requests a path, which the application responds to. Returns the row that it counts in; `None` for unmatched requests.
fn visit(inference: &RouteInference, path: &str) -> Option<String> {
    inference.name(path, |name| match name {
        RouteName::Known(template) => Some(template.to_owned()),
        RouteName::New(name) => inference.learn(&name).map(|template| template.to_string()),
        RouteName::Candidate(template, name) => {
            Some(inference.learn(&name).map_or_else(|| template.to_owned(), |template| template.to_string()))
        }
        RouteName::TooMany => Some("(other)".to_owned()),
    })
}

#[test]
fn what_differs_is_in_braces() {
    for (path, expected) in [
        ("/", "/"),
        ("/users/42/posts/7/", "/users/{id}/posts/{id}/"),
        ("/v1/orders/3fa85f64-5717-4562-b3fc-2c963f66afa6", "/v1/orders/{uuid}"),
        ("/events/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/events/{key}"),
        ("/invoices/42.pdf", "/invoices/{id}.pdf"),
        ("/reports/report.pdf", "/reports/report.pdf"),
        ("/list;jsessionid=99", "/list"),
        ("/a//b", "/a//b"),
        ("/users/jane/orders", "/users/{name}/orders"),
        ("/u/jane", "/u/{name}"),
        ("/users/mark", "/users/{name}"),
        ("/users/me", "/users/me"),
        ("/admin/jsi18n/", "/admin/jsi18n/"),
        ("/packages/otterlib/-rev/10-3f2a9c1b", "/packages/{name}/-rev/{key}"),
        ("/api/settings/@jupyterlab/notebook-extension:tracker", "/api/settings/@{name}/{name}"),
        ("/ipaddr.js/-/ipaddr.js-1.9.1.tgz", "/{name}/-/{file}.tgz"),
        ("/es6-promise/-/es6-promise-4.2.8.tgz", "/{name}/-/{file}.tgz"),
        ("/packages/zod4tea", "/packages/{name}"),
    ] {
        assert_eq!(template(path), expected, "{path}");
    }
    assert_eq!(template(&"/deep".repeat(40)), format!("{}/{{*rest}}", "/deep".repeat(12)));
}

#[test]
fn many_folders_of_static_files_are_one_row() {
    let inference = RouteInference::default();
    let visit = |path: &str| visit(&inference, path).expect("a row");
    assert_eq!(visit("/static/site.css"), "/static/*");
    for folder in ["lab", "tree", "base"] {
        assert_eq!(visit(&format!("/static/{folder}/main.js")), format!("/static/{folder}/*"));
    }
    assert_eq!(inference.version(), 0);
    assert_eq!(visit("/static/notebook/main.js"), "/static/*");
    let version = inference.version();
    assert!(version > 0, "the rows before are merged");
    for folder in ["lab", "tree", "base"] {
        let row = format!("/static/{folder}/*");
        assert_eq!(inference.merged(&row).as_deref(), Some("/static/*"));
        assert!(inference.knows(&row));
        assert_eq!(visit(&format!("/static/{folder}/other.js")), "/static/*");
    }
    assert_eq!(visit("/static/components/main.js"), "/static/*");
    assert_eq!(visit("/static/components/other.js"), "/static/*");
    assert_eq!(visit("/assets/js/main.js"), "/assets/js/*", "another folder");
    assert_eq!(visit("/static/lab"), "/static/lab", "no file");
    // Folders below each other.
    for (number, folder) in ["a", "b", "c", "d", "e"].iter().enumerate() {
        let row = if number < 3 { format!("/lab/static/{folder}/*") } else { "/lab/static/*".to_owned() };
        let path = format!("/lab/static/{folder}/main.js");
        assert_eq!(visit(&path), row);
    }
}

#[test]
fn static_files_are_one_row_a_folder() {
    for (path, expected) in [
        ("/assets/index-3f2a9c1b.js", "/assets/*"),
        ("/assets/Inter-Bold.woff2", "/assets/*"),
        ("/static/js/main.8a7b.chunk.js", "/static/js/*"),
        ("/static/lang/de.json", "/static/lang/*"),
        ("/_next/static/chunks/pages-1a2b.js", "/_next/static/chunks/*"),
        ("/_next/static/Xk29dLqPq/_buildManifest.js", "/_next/static/*"),
        ("/-/static/app.js", "/-/static/*"),
        ("/node_modules/lodash-es/lodash.js", "/node_modules/*"),
        ("/img/logo@2x.png", "/img/*"),
        ("/users/42/avatar.png", "/users/{id}/avatar.png"),
        ("/favicon.ico", "/favicon.ico"),
        ("/app.3f2a9c1b.js", "/{file}.js"),
        ("/@fs/home/jane/shop/node_modules/vue/index.js", "/@fs/*"),
        ("/@id/__x00__plugin-vue:export-helper", "/@id/*"),
        ("/shop/@fs/home/jane/logo.svg", "/shop/@fs/*"),
        ("/@vite/client", "/@vite/client"),
        ("/feed.xml", "/feed.xml"),
        ("/data.json", "/data.json"),
    ] {
        assert_eq!(template(path), expected, "{path}");
    }
}

#[test]
fn a_word_is_shown_at_once_and_an_unknown_one_when_it_recurs() {
    let inference = RouteInference::default();
    assert_eq!(visit(&inference, "/api/orders").as_deref(), Some("/api/orders"));
    assert_eq!(visit(&inference, "/api/musteriler"), None, "it may be anything");
    assert_eq!(visit(&inference, "/api/musteriler"), None);
    assert_eq!(visit(&inference, "/api/musteriler").as_deref(), Some("/api/musteriler"));
    for name in ["gorilla", "jane"] {
        visit(&inference, &format!("/users/{name}"));
        assert_eq!(visit(&inference, &format!("/users/{name}")).as_deref(), Some("/users/{name}"), "behind a plural");
    }
}

#[test]
fn a_place_has_one_part_in_braces() {
    let inference = RouteInference::default();
    for (path, template) in [
        ("/files/42", "/files/{id}"),
        ("/files/Xk29dLqP", "/files/{id}"),
        ("/files/3fa85f64-5717-4562-b3fc-2c963f66afa6", "/files/{id}"),
        ("/files/gorilla", "/files/{id}"),
        ("/files/42.pdf", "/files/{id}.pdf"),
    ] {
        assert_eq!(visit(&inference, path).as_deref(), Some(template), "{path}");
    }
}

/// Words of the lists that no application below has.
fn invented(count: usize) -> impl Iterator<Item = String> {
    let words: Vec<_> = include_str!("../words.txt").split_ascii_whitespace().filter(|word| word.len() > 6).collect();
    (0..count).map(move |number| {
        let (first, second) = (words[number * 7 % words.len()], words[number / 3 % words.len()]);
        format!("/{first}-{second}-{}", words[number % words.len()])
    })
}

#[test]
fn invented_paths_take_no_row_from_the_application() {
    for count in [40, 4_000] {
        let inference = RouteInference::default();
        let routes = ["/orders", "/orders/7", "/customers", "/api/v1/reports", "/login"];
        let seen_before: Vec<_> = routes.map(|route| (0..3).map(|_| visit(&inference, route)).last()).into();
        let all: Vec<_> = invented(count).collect();
        for path in &all {
            visit(&inference, path);
        }
        let after: Vec<_> = routes.map(|route| Some(visit(&inference, route))).into();
        assert_eq!(after, seen_before, "{count}");
        assert_eq!(after[1].clone().flatten().as_deref(), Some("/orders/{id}"));
        for new in ["/warehouses", "/api/v2/pallets", "/shipments/42/labels"] {
            (0..3).for_each(|_| _ = visit(&inference, new));
            assert_eq!(visit(&inference, new), Some(new.replace("42", "{id}")), "{count}");
        }
        let tables = inference.tables.load();
        assert!(tables.templates.len() < CROWDED + 20, "{} templates", tables.templates.len());
        if count > CROWDED {
            assert!(tables.templates.len() < 20, "{:?}", tables.templates.keys());
            let merged = all.iter().find_map(|path| inference.merged(path));
            assert_eq!(merged.as_deref(), Some("/{name}"));
        }
    }
}

#[test]
fn a_row_that_was_merged_comes_back_when_it_recurs() {
    let inference = RouteInference::default();
    visit(&inference, "/warehouses");
    invented(200).for_each(|path| _ = visit(&inference, &path));
    let version = inference.version();
    assert_eq!(inference.merged("/warehouses").as_deref(), Some("/{name}"));
    (0..3).for_each(|_| _ = visit(&inference, "/warehouses"));
    assert_eq!(inference.merged("/warehouses"), None);
    assert_eq!(visit(&inference, "/warehouses").as_deref(), Some("/warehouses"));
    assert!(inference.version() > version);
}

#[test]
fn what_recurs_no_more_is_shown_no_more() {
    let inference = RouteInference::default();
    (0..3).for_each(|_| _ = visit(&inference, "/api/musteriler"));
    assert!(inference.knows("/api/musteriler"));
    let start = Instant::now();
    for hours in 1..4 {
        inference.forget(start + hours * 2 * HALVE_EACH);
    }
    assert_eq!(inference.merged("/api/musteriler").as_deref(), Some("/api/{name}"));
    assert_eq!(visit(&inference, "/api/musteriler").as_deref(), Some("/api/{name}"));
}

#[test]
fn a_panic_of_one_thread_does_not_end_the_learning_of_others() {
    let inference = Arc::new(RouteInference::default());
    let poisoned = Arc::clone(&inference);
    let panicked = std::thread::spawn(move || {
        let _learning = poisoned.learning.lock();
        panic!("while it learns a template");
    });
    panicked.join().unwrap_err();
    assert_eq!(inference.learn("/users/{id}").as_deref(), Some("/users/{id}"));
    let busy = inference.learning.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    assert_eq!(inference.learn("/orders/{id}"), None, "another thread learns one");
    drop(busy);
    assert!(inference.learn("/orders/{id}").is_some());
}

#[test]
fn there_are_only_so_many() {
    let inference = RouteInference::default();
    // No two places have a word in common: they would have a parameter before it.
    let words: Vec<_> =
        include_str!("../words.txt").split_ascii_whitespace().filter(|word| !word.ends_with('s')).collect();
    let words: Vec<_> = words.into_iter().filter(|word| word.len() > 4).collect();
    for number in 0..2 * MAX_TEMPLATES {
        let (second, third) = (words[100 + number % 997], words[1100 + number / 997]);
        visit(&inference, &format!("/{}/{second}-{third}", words[number % 60]));
    }
    assert_eq!(inference.tables.load().templates.len(), MAX_TEMPLATES);
    assert_eq!(visit(&inference, "/somewhere/else/entirely/new").as_deref(), Some("(other)"));
    inference.forget(Instant::now() + HALVE_EACH);
    assert_eq!(visit(&inference, "/somewhere/else/entirely/new").as_deref(), Some("/somewhere/else/entirely/new"));
}
