//! The tree from outside: what lies at its top, how long its files are, how many modules the library has.

use std::collections::BTreeSet;

use crate::files::{all_paths, sources};

/// What lies at the top of the tree, beside files that begin with a dot. `LICENSE` stands for one or more licence texts.
const TOP_LEVEL: [&str; 15] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
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

/// Past this a file is split.
const MAX_LINES: usize = 400;

/// The figures from before the library and the program became two crates. A split must not be paid for with longer files.
const MAX_MEDIAN_LINES: usize = 114;
const MAX_P90_LINES: usize = 242;

/// ARCHITECTURE.md lists them on one screen.
const MAX_LIBRARY_MODULES: usize = 16;

#[test]
fn the_top_level_is_as_decided() {
    let paths = all_paths();
    let names = paths.iter().filter_map(|path| path.split('/').next()).filter(|name| !name.starts_with('.'));
    let found: BTreeSet<&str> = names.map(|name| if name.starts_with("LICENSE-") { "LICENSE" } else { name }).collect();
    let decided = BTreeSet::from(TOP_LEVEL);
    let extra: Vec<_> = found.difference(&decided).collect();
    let missing: Vec<_> = decided.difference(&found).collect();
    assert!(extra.is_empty() && missing.is_empty(), "the top level has {extra:?} too much and lacks {missing:?}");
}

#[test]
fn no_file_is_too_long() {
    let sources = sources(&["rs", "css"]);
    let lengths = sources.iter().map(|(path, text)| (path, text.lines().count()));
    let long: Vec<_> = lengths.filter(|(_, lines)| *lines > MAX_LINES).collect();
    assert!(long.is_empty(), "split what has more than {MAX_LINES} lines: {long:?}");
}

/// Over every Rust file of the repository. A percentile is the value at the rank `share * (n - 1)`, rounded down.
#[test]
fn files_are_as_short_as_they_were() {
    let mut lengths: Vec<usize> = sources(&["rs"]).values().map(|text| text.lines().count()).collect();
    lengths.sort_unstable();
    let last = lengths.len() - 1;
    let (median, p90) = (lengths[last / 2], lengths[last * 9 / 10]);
    println!("{} files, median {median}, p90 {p90}", lengths.len());
    assert!(
        median <= MAX_MEDIAN_LINES && p90 <= MAX_P90_LINES,
        "of {} files the median is {median} lines and the 90th percentile {p90}: at most {MAX_MEDIAN_LINES} and {MAX_P90_LINES}",
        lengths.len()
    );
}

#[test]
fn the_library_has_few_modules_at_its_first_level() {
    let modules: BTreeSet<String> = all_paths()
        .iter()
        .filter_map(|path| path.strip_prefix("server/src/")?.split('/').next())
        .map(|name| name.trim_end_matches(".rs").to_owned())
        // The root of the crate is what has them.
        .filter(|name| name != "lib")
        .collect();
    assert!(
        modules.len() <= MAX_LIBRARY_MODULES,
        "server/src has {} modules at its first level, at most {MAX_LIBRARY_MODULES}; move some below others: {modules:?}",
        modules.len()
    );
}
