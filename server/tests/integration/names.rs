//! How rows are named where nobody declares the routes: secrets are never shown, and the routes of an API are.

use std::{
    collections::{BTreeSet, HashMap},
    convert::Infallible,
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, Response},
};
use tower::{Layer, Service, ServiceExt, service_fn};
use watchboard::{Monitor, Routes};

/// An application that responds to every path, below a monitor that infers its routes.
struct Application {
    monitor: Monitor,
    requests: u64,
}

impl Application {
    fn new() -> Self {
        let routes = Routes::default().with_inference();
        // Its board is asked without a connection that could tell who asks.
        let monitor = Monitor::builder().routes(routes).access(|_: &axum::http::request::Parts| true).build();
        Self { monitor, requests: 0 }
    }

    async fn visit(&mut self, path: &str) {
        let mut service = self.monitor.layer().layer(service_fn(|_: Request<Body>| {
            std::future::ready(Ok::<_, Infallible>(Response::new(Body::empty())))
        }));
        let request = Request::get(path).body(Body::empty()).expect("a path");
        let response = service.call(request).await.expect("it answers");
        axum::body::to_bytes(Body::new(response.into_body()), usize::MAX).await.expect("a body");
        self.requests += 1;
    }

    /// A call of gRPC, as its client says; the answer has this type.
    async fn call(&mut self, path: &str, answered: &'static str) {
        let answer = move |_: Request<Body>| {
            let body = Body::from_stream(futures_util::stream::empty::<Result<axum::body::Bytes, Infallible>>());
            let response = Response::builder().header("content-type", answered).body(body).expect("a response");
            std::future::ready(Ok::<_, Infallible>(response))
        };
        let mut service = self.monitor.layer().layer(service_fn(answer));
        let request =
            Request::post(path).header("content-type", "application/grpc").body(Body::empty()).expect("a path");
        let response = service.call(request).await.expect("it answers");
        axum::body::to_bytes(Body::new(response.into_body()), usize::MAX).await.expect("a body");
        self.requests += 1;
    }

    async fn board(&self, path: &str) -> String {
        let request = Request::get(path).body(Body::empty()).expect("a path");
        let response = self.monitor.dashboard().oneshot(request).await.expect("it answers");
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        String::from_utf8(body.into()).expect("text")
    }

    /// `/health`, once it has all requests.
    async fn health(&self) -> serde_json::Value {
        loop {
            let health: serde_json::Value = serde_json::from_str(&self.board("/health").await).expect("JSON");
            if health["application"]["total_requests"] == self.requests {
                return health;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// All that the board says.
    async fn texts(&self) -> String {
        let health = self.health().await.to_string();
        let (page, metrics) = (self.board("/?view=requests").await, self.board("/metrics").await);
        health + &page + &metrics
    }

    /// Rows without their method.
    async fn rows(&self) -> BTreeSet<String> {
        let health = self.health().await;
        let rows = health["application"]["endpoints"].as_object().expect("a map");
        assert_eq!(rows.values().filter_map(serde_json::Value::as_u64).sum::<u64>(), self.requests, "no count is lost");
        rows.keys().map(|row| row.trim_start_matches("GET ").to_owned()).collect()
    }
}

/// Characters of a random text.
fn random(random: &mut fastrand::Rng, alphabet: &str, length: usize) -> String {
    let letters: Vec<_> = alphabet.chars().collect();
    (0..length).map(|_| *random.choice(&letters).expect("an alphabet")).collect()
}

const DIGITS: &str = "0123456789";
const HEX: &str = "0123456789abcdef";
const SMALL: &str = "abcdefghijklmnopqrstuvwxyz";
const BASE36: &str = "0123456789abcdefghijklmnopqrstuvwxyz";
const BASE62: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const URL_SAFE: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
const CROCKFORD: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A kind of secret: its name and one secret of it.
type Kind = (&'static str, fn(&mut fastrand::Rng) -> String);

fn uuid(rng: &mut fastrand::Rng) -> String {
    [8, 4, 4, 4, 12].map(|length| random(rng, HEX, length)).join("-")
}

const RANDOM: &[Kind] = &[
    ("token_urlsafe(16)", |rng| random(rng, URL_SAFE, 22)),
    ("token_urlsafe(24)", |rng| random(rng, URL_SAFE, 32)),
    ("nanoid", |rng| random(rng, URL_SAFE, 21)),
    ("uuid", uuid),
    ("ulid", |rng| random(rng, CROCKFORD, 26)),
    ("sk_live", |rng| format!("sk_live_{}", random(rng, BASE62, 24))),
    ("pk_test", |rng| format!("pk_test_{}", random(rng, BASE62, 24))),
    ("ghp", |rng| format!("ghp_{}", random(rng, BASE62, 36))),
    ("xoxb", |rng| format!("xoxb-{}-{}", random(rng, DIGITS, 11), random(rng, BASE62, 24))),
    ("share id of 8", |rng| random(rng, BASE62, 8)),
    ("share id of 11", |rng| random(rng, URL_SAFE, 11)),
    ("share id of 8 in small letters and digits", |rng| random(rng, BASE36, 8)),
    ("password of 12", |rng| random(rng, "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!*", 12)),
    ("JWT", |rng| {
        format!("eyJ{}.eyJ{}.{}", random(rng, URL_SAFE, 30), random(rng, URL_SAFE, 60), random(rng, URL_SAFE, 43))
    }),
];
const OF_PEOPLE: &[Kind] = &[
    ("e-mail address", |rng| format!("{}@{}.com", random(rng, SMALL, 6), random(rng, SMALL, 7))),
    ("user name", |rng| format!("user:{}", random(rng, SMALL, 7))),
    ("word as a user name", |rng| {
        format!("user:{}{}", ["olivia", "hunter", "grace", "admin", "orders"][rng.usize(0..5)], random(rng, SMALL, 4))
    }),
];

/// The secrets that are shown in clear after each was visited so many times, one after another.
async fn shown(kinds: &[Kind], count: usize, visits: usize) -> Vec<String> {
    let mut rng = fastrand::Rng::with_seed(3);
    let mut shown = vec![];
    for (name, make) in kinds {
        let mut application = Application::new();
        let secrets: Vec<_> = (0..count).map(|_| make(&mut rng)).collect();
        for (number, secret) in secrets.iter().enumerate() {
            // Where a share id stands: behind a plural, a word, a letter, or alone.
            let path = format!("{}{secret}", ["/files/", "/share/", "/s/", "/"][number % 4]);
            for _ in 0..visits {
                application.visit(&path).await;
            }
        }
        let texts = application.texts().await;
        let rows = application.rows().await;
        assert!(rows.len() <= 16, "{name}: {rows:?}");
        let is_shown = |secret: &&String| {
            let secret = secret.strip_prefix("user:").unwrap_or(secret);
            texts.contains(secret)
        };
        shown.extend(secrets.iter().filter(is_shown).map(|secret| format!("{name}: {secret}")));
    }
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_shown_after_one_visit() {
    assert_eq!(shown(RANDOM, 1_000, 1).await, Vec::<String>::new());
    assert_eq!(shown(OF_PEOPLE, 1_000, 1).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_random_secret_is_shown_after_fifty_visits() {
    assert_eq!(shown(RANDOM, 60, 50).await, Vec::<String>::new());
}

/// A value for a part of a template, as `{id:uuid}` asks for.
fn value(rng: &mut fastrand::Rng, kind: &str) -> String {
    let one = |rng: &mut fastrand::Rng, of: &[&str]| of[rng.usize(0..of.len())].to_owned();
    match kind {
        "id" => rng.u32(1..3_000_000).to_string(),
        "uuid" => uuid(rng),
        "hash" => random(rng, HEX, 40),
        "key" => random(rng, BASE62, 14),
        "ulid" => format!("01J{}", random(rng, CROCKFORD, 23)),
        "year" => rng.u32(2018..2027).to_string(),
        "ip" => format!("10.{}.{}.7", rng.u32(0..256), rng.u32(0..256)),
        "code" => random(rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 3),
        "plate" => format!("{}-{}", random(rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 2), rng.u32(100..999)),
        "date" => format!("2026-0{}-1{}", rng.u32(1..9), rng.u32(0..9)),
        "month" => format!("2026-0{}", rng.u32(1..9)),
        "coords" => format!("{}.{},{}.{}", rng.u32(0..90), rng.u32(1..99), rng.u32(0..90), rng.u32(1..99)),
        "isbn" => format!("978{}", rng.u32(1_000_000_000..2_000_000_000)),
        "lang" => one(rng, &["zz", "qx", "xq", "yy"]),
        "model" => one(rng, &["velo-4o-mini", "marlin-7b-v2", "tern-1.5"]),
        "name" => one(rng, &["octavia", "bjarne", "mikhaila", "tadeusz", "saoirse", "wojtek", "priyanka"]),
        _ => format!("{}-{}", one(rng, &["kestrel", "osprey", "quokka", "lapwing"]), random(rng, SMALL, 4)),
    }
}

/// A template with its parts as `{}`.
fn shape(template: &str) -> String {
    let parts = template.split('{').enumerate();
    let parts =
        parts.map(
            |(number, part)| {
                if number == 0 { part.to_owned() } else { format!("{{{}", &part[part.find('}').unwrap_or(0)..]) }
            },
        );
    parts.collect()
}

/// Twenty services.
const SERVICES: &str = include_str!("names/services.txt");
/// Twenty others, whose parameters often have words as values. Lines with a percent sign have the values of one kind.
const SERVICES_OF_WORDS: &str = include_str!("names/services_of_words.txt");

/// Twenty more, some of which serve files.
const SERVICES_WITH_FILES: &str = include_str!("names/services_with_files.txt");

/// Twenty more, with the routes that frameworks make.
const SERVICES_OF_FRAMEWORKS: &str = include_str!("names/services_of_frameworks.txt");

/// The rows of services that are right, of all rows; and what is wrong. Each route is called so many times.
async fn right_rows(services: &str, visits: usize) -> (usize, usize, Vec<String>) {
    let mut rng = fastrand::Rng::with_seed(5);
    let (mut right, mut all, mut wrong) = (0, 0, vec![]);
    let kinds = services.lines().filter_map(|line| line.strip_prefix("% ")?.split_once(' '));
    let kinds: HashMap<_, Vec<_>> = kinds.map(|(kind, values)| (kind, values.split(' ').collect())).collect();
    for service in services.split("# ").skip(1) {
        let (_, templates) = service.split_once('\n').expect("a name and its routes");
        let mut application = Application::new();
        for visit in 0..visits {
            for template in templates.lines() {
                let mut path = String::new();
                for (number, part) in template.split('{').enumerate() {
                    match part.split_once('}').filter(|_| number > 0) {
                        Some((part, rest)) => {
                            let kind = part.rsplit(':').next().unwrap_or(part);
                            path += &kinds.get(kind).map_or_else(
                                || value(&mut rng, kind),
                                |values| values[visit % values.len()].to_owned(),
                            );
                            path += rest;
                        }
                        None => path += part,
                    }
                }
                application.visit(&path).await;
            }
        }
        let shapes: BTreeSet<_> = templates.lines().map(shape).collect();
        let rows = application.rows().await;
        let named: BTreeSet<_> = rows.iter().map(|row| shape(row)).collect();
        right += rows.iter().filter(|row| shapes.contains(&shape(row))).count();
        all += rows.len();
        wrong.extend(rows.into_iter().filter(|row| !shapes.contains(&shape(row))));
        wrong.extend(shapes.difference(&named).map(|shape| format!("missing: {shape}")));
    }
    (right, all, wrong)
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_of_twenty_services_are_recognised() {
    for (services, visits) in [(SERVICES, 1), (SERVICES, 5), (SERVICES_WITH_FILES, 5)] {
        let (right, all, wrong) = right_rows(services, visits).await;
        println!("{right} of {all} rows are right after {visits} calls: {wrong:#?}");
        assert!(right * 100 >= all * 95, "{right} of {all} rows are right after {visits} calls: {wrong:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_whose_values_are_words_are_recognised_when_enough_of_them_came() {
    for (services, visits) in [(SERVICES_OF_WORDS, 8), (SERVICES_OF_WORDS, 50), (SERVICES_OF_FRAMEWORKS, 20)] {
        let (right, all, wrong) = right_rows(services, visits).await;
        assert!(right * 100 >= all * 95, "{right} of {all} rows are right after {visits} calls: {wrong:#?}");
    }
}

/// How many rows of another set are right, and which are not, for work on the rules: `NAMES_SET` is its file.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures the set of `NAMES_SET`, and demands nothing"]
async fn rows_of_another_set() {
    let file = std::env::var("NAMES_SET").expect("NAMES_SET, a file like those in tests/integration/names");
    let services = std::fs::read_to_string(&file).expect("a set");
    for visits in [1, 5, 20, 50] {
        let (right, all, wrong) = right_rows(&services, visits).await;
        println!(
            "{:.1} %: {right} of {all} rows are right after {visits} calls: {wrong:#?}",
            100.0 * right as f64 / all as f64
        );
    }
}

/// Paths of words, as somebody invents them.
fn invented(count: usize) -> impl Iterator<Item = String> {
    let words: Vec<_> = include_str!("../../src/requests/naming/words.txt").split_ascii_whitespace().collect();
    let words: Vec<_> = words.into_iter().filter(|word| word.len() > 6).collect();
    (0..count).map(move |number| format!("/{}-{}", words[number % 999], words[number / 999 + 999]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_invented_paths_leaves_the_applications_rows_and_all_counts_right() {
    for count in [40, 4_000] {
        let mut application = Application::new();
        let routes = ["/orders", "/orders/{id}", "/customers", "/api/v1/reports"];
        for _ in 0..5 {
            for route in routes {
                application.visit(&route.replace("{id}", "7")).await;
            }
        }
        for path in invented(count) {
            application.visit(&path).await;
        }
        for _ in 0..5 {
            for route in routes {
                application.visit(&route.replace("{id}", "8")).await;
            }
            application.visit("/warehouses").await;
        }
        let health = application.health().await;
        let rows = health["application"]["endpoints"].as_object().expect("a map");
        let requests = |row: &str| rows.get(row).and_then(serde_json::Value::as_u64);
        for route in routes {
            assert_eq!(requests(&format!("GET {route}")), Some(10), "{route} beside {count}");
        }
        assert_eq!(rows.values().filter_map(serde_json::Value::as_u64).sum::<u64>(), application.requests);
        if count > 1_000 {
            assert!(rows.len() < 10, "{rows:?}");
            // `/warehouses` counts there until it recurs.
            assert_eq!((requests("GET /{name}"), requests("GET /warehouses")), (Some(4_002), Some(3)));
        }
        let page = application.board("/?view=requests").await;
        assert!(page.contains("/api/v1/reports") && (count < 1_000 || !page.contains(&invented(1).next().unwrap())));
    }
}

#[tokio::test]
async fn a_stranger_who_says_that_he_calls_makes_no_rows_of_his_paths() {
    let mut application = Application::new();
    for number in 0..20 {
        application.call(&format!("/hooks/T0kenSecret{number}"), "text/html").await;
    }
    application.call("/etcdserverpb.KV/Haggle", "application/grpc").await;
    let texts = application.texts().await;
    assert!(!texts.contains("T0kenSecret"), "{texts}");
    assert!(application.rows().await.contains("POST /etcdserverpb.KV/Haggle"), "{:?}", application.rows().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_requests_of_a_path_count_in_its_row_once_it_has_a_name() {
    let mut application = Application::new();
    application.visit("/orders").await;
    for _ in 0..3 {
        application.visit("/api/musteriler").await;
    }
    let named = async |application: &Application| {
        let rows = application.health().await["application"]["endpoints"].clone();
        (rows.get("GET /api/musteriler").and_then(serde_json::Value::as_u64), rows.get("(unmatched)").is_some())
    };
    while named(&application).await != (Some(3), false) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let health = application.health().await;
    assert_eq!(health["application"]["endpoints"]["GET /orders"], 1, "{health:#}");
}
