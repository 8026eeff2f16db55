//! Which module may name which: what Cargo cannot hold, because both are in one crate, or one crate has what another must not use.

use crate::{scope::Scope, tree::Tree, uses::Use};

struct Layer {
    /// The modules that this is about, with all below them.
    modules: &'static [&'static str],
    never: &'static [&'static str],
    because: &'static str,
}

/// The modules of the library that measure, keep and judge figures.
const MEASURING: &[&str] = &[
    "watchboard::requests",
    "watchboard::commands",
    "watchboard::memory",
    "watchboard::database",
    "watchboard::history",
    "watchboard::health",
    "watchboard::histograms",
    "watchboard::alloc",
    "watchboard::masking",
    "watchboard::clock",
    "watchboard::supervision",
    "watchboard::sync",
];

const LAYERS: [Layer; 8] = [
    Layer {
        modules: &["watchboard_app"],
        never: &["tokio", "mongodb", "sysinfo", "procfs", "rustix", "axum", "watchboard"],
        because: "the pages know no server: they ask the trait Telemetry",
    },
    Layer {
        modules: &["watchboard_app::components"],
        never: &["watchboard_app::api", "watchboard_app::live", "watchboard_app::selection", "watchboard_app::pages"],
        because: "a component gets what it shows as an argument",
    },
    Layer {
        modules: &["watchboard_app::wire", "watchboard_wire"],
        never: &["leptos", "watchboard_app", "watchboard"],
        because: "wire types are plain data: they know serde alone",
    },
    Layer {
        modules: MEASURING,
        never: &["leptos", "leptos_axum", "server_fn", "watchboard_app"],
        because: "what measures knows wire types and no page",
    },
    Layer {
        modules: MEASURING,
        never: &["watchboard::monitor", "watchboard::sample", "watchboard::board"],
        because: "the monitor calls its parts, never the other way round",
    },
    Layer {
        modules: &["watchboard::history", "watchboard::database"],
        never: &["watchboard::memory"],
        because: "memory, database and history are watched apart from each other",
    },
    Layer {
        modules: &["watchboard::memory", "watchboard::database"],
        never: &["watchboard::requests"],
        because: "memory, database and requests are watched apart from each other",
    },
    Layer {
        modules: &["watchboard::board"],
        never: &["watchboard::monitor", "watchboard::requests", "watchboard::sample"],
        because: "the board reads what is published: it asks the trait Telemetry",
    },
];

/// The crates that wire types and their text are made with.
const WIRE_CRATES: &[&str] = &["alloc", "core", "std", "serde", "thiserror", "time"];

/// Whether `path` is `module` or below it.
fn is_in(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

impl Layer {
    fn forbids(&self, from: &str, to: &str) -> bool {
        let any = |modules: &[&str], path: &str| modules.iter().any(|module| is_in(path, module));
        any(self.modules, from) && any(self.never, to)
    }
}

/// Each breach: file, line, who names what, and why not.
fn breaches(scope: &Scope) -> Vec<String> {
    let mut breaches = Vec::new();
    for Use { module, line, target, .. } in scope.uses() {
        let module = &scope.tree.modules[module];
        let (from, to) = (module.path.join("::"), scope.full_path(&target));
        let mut add = |because| breaches.push(format!("{}:{line}: {from} names {to}, but {because}", module.file));
        LAYERS.iter().filter(|layer| layer.forbids(&from, &to)).for_each(|layer| add(layer.because));
        let is_wire = is_in(&from, "watchboard_app::wire") || is_in(&from, "watchboard_wire");
        if is_wire && target.module.is_none() && !WIRE_CRATES.iter().any(|allowed| is_in(&to, allowed)) {
            add("wire types know serde alone");
        }
    }
    breaches.sort();
    breaches.dedup();
    breaches
}

#[test]
fn layers_name_only_what_lies_below_them() {
    let breaches = breaches(&Scope::new(Tree::load()));
    assert!(breaches.is_empty(), "{} breaches:\n{}", breaches.len(), breaches.join("\n"));
}

/// The packages of the library as a host without the feature `mongodb` gets them.
#[test]
fn without_its_feature_mongodb_and_its_tls_are_not_built() {
    let mut tree = std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    tree.args(["tree", "-p", "watchboard", "--no-default-features", "-e", "normal", "--prefix", "none"]);
    let listed = tree.args(["--format", "{p}"]).current_dir(crate::files::root()).output().expect("cargo starts");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let packages = String::from_utf8(listed.stdout).expect("names are text");
    let unwanted = packages.lines().filter(|line| ["mongodb ", "rustls "].iter().any(|name| line.starts_with(name)));
    assert!(packages.contains("watchboard-wire ") && unwanted.count() == 0, "{packages}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRATES: [(&str, &str); 3] =
        [("watchboard", "src/lib.rs"), ("watchboard_app", "app/lib.rs"), ("watchboard_wire", "wire/lib.rs")];

    fn breaches_of(files: &[(&str, &str)]) -> Vec<String> {
        let sources = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        breaches(&Scope::new(Tree::new(&sources, &CRATES)))
    }

    #[test]
    fn a_name_is_followed_to_where_it_is_defined() {
        let root = ("src/lib.rs", "mod monitor; mod requests; mod sync; pub use monitor::Monitor;");
        let monitor = ("src/monitor.rs", "pub struct Monitor;");
        let sync = ("src/sync.rs", "pub fn lock() {}");
        let named = |text| breaches_of(&[root, monitor, sync, ("src/requests.rs", text)]).len();
        assert_eq!(named("use crate::sync::lock; fn monitor() { lock(); \"crate::monitor\"; }"), 0);
        assert_eq!(named("use crate::Monitor;"), 1);
        assert_eq!(named("fn f() { g!(super::monitor::Monitor) }"), 1);
        assert_eq!(named("fn f(_: leptos::View) {}"), 1);
    }

    #[test]
    fn crates_are_followed_through_reexports() {
        let wire = ("wire/lib.rs", "#[derive(serde::Serialize)] pub struct Memory;");
        let app = ("app/lib.rs", "pub use watchboard_wire as wire; mod pages; pub use pages::Page;");
        let pages = ("app/pages.rs", "pub struct Page;");
        let root = ("src/lib.rs", "mod memory;");
        let named = |text| breaches_of(&[wire, app, pages, root, ("src/memory.rs", text)]).len();
        assert_eq!(named("use watchboard_wire::Memory; use watchboard_app::wire;"), 0);
        assert_eq!(named("use watchboard_app::wire::Memory;"), 0);
        assert_eq!(named("use watchboard_app::Page;"), 1);
    }

    #[test]
    fn wire_types_know_serde_alone() {
        assert_eq!(breaches_of(&[("wire/lib.rs", "use leptos::prelude::*; use serde::Serialize;")]).len(), 2);
        assert_eq!(breaches_of(&[("wire/lib.rs", "fn f() { tokio::spawn(std::future::pending()) }")]).len(), 1);
    }
}
