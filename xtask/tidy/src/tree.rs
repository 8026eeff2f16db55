//! The modules of the product crates, parsed. What is compiled for tests alone is left out.

use std::collections::BTreeMap;

use syn::{Attribute, Expr, Item, ItemMod, Lit, Meta, Visibility};

use crate::files::{Sources, sources};

/// The product crates: the name by which others import each, and its root. The tree has those whose root exists.
const CRATES: [(&str, &str); 5] = [
    ("watchboard_wire", "app/wire/src/lib.rs"),
    ("watchboard_app", "app/src/lib.rs"),
    ("watchboard_frontend", "frontend/src/lib.rs"),
    ("watchboard", "server/src/lib.rs"),
    ("watchboard_cli", "server/program/src/main.rs"),
];

/// A module with its items; an inline module is a module of its own in the same file.
pub(crate) struct Module {
    /// The crate's name, then the modules down to this one.
    pub(crate) path: Vec<String>,
    pub(crate) file: String,
    pub(crate) line: usize,
    /// Without modules, and without what is compiled for tests alone.
    pub(crate) items: Vec<Item>,
    pub(crate) parent: Option<usize>,
    /// Whether it is `pub mod`.
    pub(crate) is_public: bool,
    pub(crate) children: BTreeMap<String, usize>,
}

#[derive(Default)]
pub(crate) struct Tree {
    pub(crate) modules: Vec<Module>,
    /// The root module of each library by the crate's name.
    pub(crate) libraries: BTreeMap<String, usize>,
}

impl Tree {
    pub(crate) fn load() -> Self {
        Self::new(&sources(&["rs"]), &CRATES)
    }

    pub(crate) fn new(sources: &Sources, crates: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for &(name, root) in crates.iter().filter(|(_, root)| sources.contains_key(*root)) {
            let module = tree.add_file(sources, vec![name.to_owned()], root.to_owned(), 1, None);
            if root.ends_with("lib.rs") {
                tree.libraries.insert(name.to_owned(), module);
            }
        }
        tree
    }

    fn add_file(
        &mut self,
        sources: &Sources,
        path: Vec<String>,
        file: String,
        line: usize,
        parent: Option<usize>,
    ) -> usize {
        let text = sources.get(&file).unwrap_or_else(|| panic!("{file} is declared as a module and is not there"));
        let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let folder = match file.rsplit_once('/') {
            Some((folder, "lib.rs" | "main.rs" | "mod.rs")) => folder.to_owned(),
            _ => file.trim_end_matches(".rs").to_owned(),
        };
        self.add_items(sources, Module::new(path, file, line, parent), &folder, parsed.items)
    }

    /// Adds a module whose own modules lie in `folder`.
    fn add_items(&mut self, sources: &Sources, module: Module, folder: &str, items: Vec<Item>) -> usize {
        let (path, file) = (module.path.clone(), module.file.clone());
        let number = self.modules.len();
        self.modules.push(module);
        for item in items.into_iter().flat_map(expand) {
            let Item::Mod(child) = item else {
                if !is_test_only(attributes(&item)) {
                    self.modules[number].items.push(item);
                }
                continue;
            };
            if is_test_only(&child.attrs) {
                continue;
            }
            let name = child.ident.to_string();
            let line = child.ident.span().start().line;
            let child_path = [&path[..], std::slice::from_ref(&name)].concat();
            let is_public = matches!(child.vis, Visibility::Public(_));
            let added = if let Some((_, items)) = child.content {
                let module = Module::new(child_path, file.clone(), line, Some(number));
                self.add_items(sources, module, &format!("{folder}/{name}"), items)
            } else {
                let child_file = file_of(&child, sources, &file, folder);
                self.add_file(sources, child_path, child_file, 1, Some(number))
            };
            self.modules[added].is_public = is_public;
            self.modules[number].children.insert(name, added);
        }
        number
    }
}

impl Module {
    fn new(path: Vec<String>, file: String, line: usize, parent: Option<usize>) -> Self {
        Self { path, file, line, items: Vec::new(), parent, is_public: false, children: BTreeMap::new() }
    }
}

/// The file of `mod name;` in `file`.
fn file_of(module: &ItemMod, sources: &Sources, file: &str, folder: &str) -> String {
    if let Some(path) = module.attrs.iter().find_map(path_attribute) {
        let mut parts: Vec<&str> = file.split('/').collect();
        parts.pop();
        for part in path.split('/') {
            match part {
                ".." => _ = parts.pop(),
                part => parts.push(part),
            }
        }
        return parts.join("/");
    }
    let nested = format!("{folder}/{}/mod.rs", module.ident);
    if sources.contains_key(&nested) { nested } else { format!("{folder}/{}.rs", module.ident) }
}

fn path_attribute(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    let Expr::Lit(literal) = &pair.value else { return None };
    let Lit::Str(path) = &literal.lit else { return None };
    pair.path.is_ident("path").then(|| path.value())
}

/// A macro's call whose input is items, as of `pin_project!`, stands for these.
fn expand(item: Item) -> Vec<Item> {
    if let Item::Macro(call) = &item
        && call.ident.is_none()
        && let Ok(input) = syn::parse2::<syn::File>(call.mac.tokens.clone())
    {
        return input.items;
    }
    vec![item]
}

/// Whether this is compiled for tests alone.
pub(crate) fn is_test_only(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string().replace(' ', "");
            condition == "test" || condition.starts_with("all(test,")
        }
        _ => false,
    })
}

pub(crate) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
