//! The tree keeps to what ARCHITECTURE.md says: who may know whom, and how long a file may be.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Past this a file is split, or says here why not.
const MOST_LINES: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files of the tree with one of these endings, by their path from the root.
fn files(endings: &[&str]) -> Vec<String> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root());
    let listed = git.output().expect("git is there");
    let listed = String::from_utf8(listed.stdout).expect("names are text");
    let fits = |name: &&str| endings.iter().any(|ending| name.ends_with(ending)) && root().join(name).is_file();
    listed.lines().filter(fits).map(ToOwned::to_owned).collect()
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_top_level_is_as_decided() {
    let mut found: Vec<String> =
        files(&[""]).iter().filter_map(|name| name.split('/').next().map(ToOwned::to_owned)).collect();
    found.sort();
    found.dedup();
    found.retain(|name| !name.starts_with('.'));
    let decided = [
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "SECURITY.md",
        "app",
        "docs",
        "end2end",
        "frontend",
        "server",
        "style",
        "xtask",
    ];
    assert_eq!(found, decided);
}

#[test]
fn no_file_is_too_long() {
    let lines = |name: &String| read(name).lines().count();
    let long: Vec<_> = files(&[".rs", ".css"]).into_iter().filter(|name| lines(name) > MOST_LINES).collect();
    assert_eq!(long, Vec::<String>::new(), "over {MOST_LINES} lines");
}

/// Below `folder` no file speaks of any of `names`.
fn knows_nothing_of(folder: &str, names: &[&str]) {
    let knowing: Vec<String> = files(&[".rs"])
        .into_iter()
        .filter(|name| name.starts_with(folder))
        .flat_map(|name| {
            let text = read(&name);
            let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            let known = names.iter().filter(move |known| code.iter().any(|line| line.contains(**known)));
            known.map(|known| format!("{name} speaks of {known}")).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(knowing, Vec::<String>::new());
}

#[test]
fn who_may_know_whom() {
    knows_nothing_of("app/", &["tokio::", "mongodb::", "sysinfo::", "procfs::", "axum::"]);
    knows_nothing_of("app/src/components", &["crate::api", "crate::pages"]);
    knows_nothing_of("app/src/wire", &["leptos::", "crate::pages", "crate::components", "crate::live"]);
    knows_nothing_of("server/src/requests", &["leptos", "crate::monitor", "crate::dashboard", "crate::sampler"]);
    knows_nothing_of("server/src/history", &["leptos", "crate::monitor", "crate::dashboard", "crate::memory"]);
    knows_nothing_of("server/src/memory", &["leptos", "crate::monitor", "crate::dashboard", "crate::requests"]);
    knows_nothing_of("server/src/database", &["leptos", "crate::monitor", "crate::dashboard", "crate::requests"]);
    knows_nothing_of("server/src/dashboard", &["crate::monitor", "crate::requests", "crate::sampler"]);
}
