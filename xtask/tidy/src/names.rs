//! A type's name stands for one concept in the whole tree; a bare participle or pronoun is no name.

use std::collections::BTreeMap;

use crate::{
    outline::{Definition, Kind, Outline},
    tree::Tree,
};

/// Types of one name that are one concept all the same: the name, and why.
const TWINS: &[(&str, &str)] = &[
    ("CommandReader", "its stand-in in a build without MongoDB"),
    ("Listener", "its stand-in in a build without MongoDB"),
    ("Fleet", "its stand-in in a build without MongoDB"),
    ("FleetOptions", "its stand-in in a build without MongoDB"),
    ("Published", "its stand-in in a build without MongoDB"),
];

/// Participles and pronouns. None of them alone is the name of a module, a type or a function.
#[rustfmt::skip]
const BANNED: &[&str] = &[
    "accepted", "admitted", "again", "allocated", "answered", "arrived", "asked", "bounded", "called",
    "changed", "checked", "counted", "covered", "decoded", "degraded", "each", "encoded", "ended",
    "escaped", "exhausted", "failed", "failing", "found", "freed", "frozen", "gathered", "generalised",
    "given", "grouped", "guarded", "inferred", "kept", "known", "lacking", "lent", "listed", "mapped",
    "marked", "maybe", "met", "mine", "most", "named", "none", "nowhere", "numbered", "own", "paced",
    "passing", "refreshed", "refused", "repeated", "resized", "said", "scaled", "seen", "sending",
    "sent", "shielded", "shown", "sized", "sorted", "started", "succeeded", "taken", "throttled",
    "timed", "titled", "told", "took", "unauthorized", "underway", "unread", "untold", "watched", "why",
];

/// Every definition with its file.
fn definitions() -> Vec<(String, Definition)> {
    let tree = Tree::load();
    let mut definitions: Vec<(String, Definition)> = Vec::new();
    for module in &tree.modules {
        definitions.extend(Outline::new(module).definitions.into_iter().map(|of| (module.file.clone(), of)));
    }
    definitions.sort_by(|(file, a), (other, b)| (file, a.line).cmp(&(other, b.line)));
    definitions
}

#[test]
fn a_type_name_stands_for_one_concept() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, definition) in definitions().into_iter().filter(|(_, definition)| definition.kind == Kind::Type) {
        places.entry(definition.name).or_default().push(format!("{file}:{}", definition.line));
    }
    places.retain(|name, places| places.len() > 1 && !TWINS.iter().any(|(twin, _)| twin == name));
    let doubles: Vec<String> = places.iter().map(|(name, places)| format!("{name}: {}", places.join(", "))).collect();
    assert!(
        doubles.is_empty(),
        "{} names stand for more than one type; name all but one by their subject:\n{}",
        doubles.len(),
        doubles.join("\n")
    );
}

fn is_banned(name: &str) -> bool {
    BANNED.iter().any(|banned| name.eq_ignore_ascii_case(banned))
}

fn assert_none(bad: &[String]) {
    assert!(
        bad.is_empty(),
        "{} names are a bare participle or pronoun; say what it is:\n{}",
        bad.len(),
        bad.join("\n")
    );
}

#[test]
fn modules_and_types_have_names() {
    let modules = Tree::load().modules.into_iter().filter_map(|module| {
        let name = module.path.last()?;
        is_banned(name).then(|| format!("{}:{}: module {name}", module.file, module.line))
    });
    let types = definitions().into_iter().filter(|(_, of)| of.kind == Kind::Type && is_banned(&of.name));
    let types = types.map(|(file, of)| format!("{file}:{}: type {}", of.line, of.name));
    assert_none(&modules.chain(types).collect::<Vec<_>>());
}

#[test]
fn functions_have_names() {
    let is_function = |of: &Definition| matches!(of.kind, Kind::Function | Kind::Method);
    let functions: Vec<_> = definitions().into_iter().filter(|(_, of)| is_function(of)).collect();
    let bad = functions.iter().filter(|(_, of)| is_banned(&of.name));
    assert_none(&bad.map(|(file, of)| format!("{file}:{}: function {}", of.line, of.name)).collect::<Vec<_>>());
}
