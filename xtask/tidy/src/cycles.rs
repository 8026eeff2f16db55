//! Files have no cycle. An edge leads from a file to each file of its crate that defines a name which it uses.
//!
//! `mod x;` is no edge, nor is the re-export of a name from a module below. A method counts where it is called as
//! `Type::method` or on `self`; the type of any other receiver is not known here.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt::Write,
};

use crate::{scope::Scope, tree::Tree};

type Ties = BTreeSet<(String, String, usize, String)>;

/// The groups of files each of which reaches all others of its group.
fn cycles(ties: &Ties) -> Vec<BTreeSet<&str>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to, ..) in ties {
        next.entry(from).or_default().insert(to);
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> = next.keys().map(|file| (*file, reachable(file, &next))).collect();
    let mutual = |file: &str| {
        let of_file = &reached[file];
        let back = |to: &&str| reached.get(to).is_some_and(|of_other| of_other.contains(file));
        of_file.iter().copied().filter(back).collect::<BTreeSet<&str>>()
    };
    let groups: BTreeSet<BTreeSet<&str>> = reached.keys().map(|file| mutual(file)).collect();
    groups.into_iter().filter(|group| group.len() > 1).collect()
}

fn reachable<'a>(file: &'a str, next: &BTreeMap<&str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![file];
    while let Some(file) = open.pop() {
        let new = next.get(file).into_iter().flatten().filter(|to| reached.insert(**to));
        open.extend(new.copied());
    }
    reached
}

/// The shortest path from one file to another, both included.
fn shortest_path<'a>(from: &'a str, to: &str, next: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Vec<&'a str> {
    let mut paths = VecDeque::from([vec![from]]);
    let mut seen = BTreeSet::from([from]);
    while let Some(path) = paths.pop_front() {
        let last = path[path.len() - 1];
        if last == to {
            return path;
        }
        let new = next[last].iter().filter(|file| seen.insert(**file));
        paths.extend(new.map(|file| [&path[..], &[*file]].concat()));
    }
    Vec::new()
}

/// The shortest cycles of a group that share no edge, each with the names that tie it: each needs a cut of its own.
fn describe(group: &BTreeSet<&str>, ties: &Ties) -> String {
    let mut names: BTreeMap<(&str, &str), BTreeMap<&str, usize>> = BTreeMap::new();
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to, line, name) in ties.iter().filter(|(from, to, ..)| group.contains(&**from) && group.contains(&**to))
    {
        names.entry((from, to)).or_default().entry(name).or_insert(*line);
        next.entry(from).or_default().insert(to);
    }
    let mut rings = BTreeSet::new();
    for (from, to) in names.keys() {
        let mut ring = shortest_path(to, from, &next);
        let first = (0..ring.len()).min_by_key(|at| ring[*at]).unwrap_or_default();
        ring.rotate_left(first);
        rings.insert((ring.len(), ring));
    }
    let mut text = format!("\n{} files need each other:", group.len());
    let mut described = BTreeSet::new();
    for (_, ring) in rings {
        let edges: Vec<_> = ring.iter().copied().zip(ring.iter().copied().cycle().skip(1)).collect();
        if edges.iter().any(|edge| described.contains(edge)) {
            continue;
        }
        for edge in &edges {
            let names: Vec<String> = names[edge].iter().map(|(name, line)| format!("{name}:{line}")).collect();
            _ = write!(text, "\n  {} -> {}: {}", edge.0, edge.1, names.join(", "));
        }
        text.push('\n');
        described.extend(edges);
    }
    text
}

#[test]
fn files_have_no_cycle() {
    let ties = Scope::new(Tree::load()).ties();
    let cycles: Vec<String> = cycles(&ties).iter().map(|group| describe(group, &ties)).collect();
    assert!(
        cycles.is_empty(),
        "{} cycles; move what both need into a file of its own, or pass it as an argument:\n{}",
        cycles.len(),
        cycles.join("\n")
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cycles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let sources = files.iter().map(|(path, text)| (format!("src/{path}"), (*text).to_owned())).collect();
        let ties = Scope::new(Tree::new(&sources, &[("shop", "src/lib.rs")])).ties();
        cycles(&ties).iter().map(|group| group.iter().map(ToString::to_string).collect()).collect()
    }

    #[test]
    fn a_reexport_leads_to_the_file_that_defines() {
        let root = ("lib.rs", "mod a; mod b; pub use a::A;");
        assert_eq!(cycles_of(&[root, ("a.rs", "pub struct A(crate::b::B);"), ("b.rs", "pub struct B;")]).len(), 0);
        let cycle = cycles_of(&[root, ("a.rs", "pub struct A(crate::b::B);"), ("b.rs", "pub struct B(crate::A);")]);
        assert_eq!(cycle, [["src/a.rs", "src/b.rs"]]);
    }

    #[test]
    fn a_parent_and_its_child_are_a_cycle_if_both_name_the_other() {
        let child = ("a.rs", "use super::Shop; pub fn open(_: Shop) {}");
        assert_eq!(cycles_of(&[("lib.rs", "mod a; pub use a::open; pub struct Shop;"), child]).len(), 0);
        assert_eq!(cycles_of(&[("lib.rs", "mod a; pub struct Shop; fn f() { a::open(Shop) }"), child]).len(), 1);
    }

    #[test]
    fn names_in_macros_and_in_split_impls_count() {
        let root = ("lib.rs", "mod a; mod b;");
        let a = ("a.rs", "pub fn f() { view! { <Row x=crate::b::g(1) /> } } pub struct Row;");
        assert_eq!(cycles_of(&[root, a, ("b.rs", "pub fn g() { h!(super::a::f()) }")]).len(), 1);
        let split = ("b.rs", "impl crate::a::A { pub fn g(&self) {} }");
        assert_eq!(cycles_of(&[root, ("a.rs", "pub struct A; impl A { fn f(&self) { self.g() } }"), split]).len(), 1);
    }

    #[test]
    fn what_is_compiled_for_tests_alone_does_not_count() {
        let root = ("lib.rs", "mod a; mod b;");
        let a = ("a.rs", "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }");
        assert_eq!(cycles_of(&[root, a, ("b.rs", "use super::a::A; pub struct B(A);")]).len(), 0);
    }
}
