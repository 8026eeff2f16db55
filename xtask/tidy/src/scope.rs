//! Resolves a path to the module that defines what it names, through imports and re-exports.

use std::collections::{BTreeMap, BTreeSet};

use crate::{outline::Outline, tree::Tree};

/// An import of an import is followed this often. More is a circle.
const MAX_DEPTH: u8 = 16;

/// What a path names.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its module; none in a crate that is not the product's.
    pub(crate) module: Option<usize>,
    /// In a product crate the item and what follows it, or nothing for the module itself; else the whole path.
    pub(crate) rest: Vec<String>,
}

pub(crate) struct Scope {
    pub(crate) tree: Tree,
    /// By the number of the module.
    pub(crate) outlines: Vec<Outline>,
    names: Vec<BTreeSet<String>>,
    /// The files that define associated functions: by the type's module and name, and the function's.
    associated: BTreeMap<(usize, String, String), BTreeSet<String>>,
}

impl Scope {
    pub(crate) fn new(tree: Tree) -> Self {
        let outlines: Vec<Outline> = tree.modules.iter().map(Outline::new).collect();
        let names = outlines.iter().map(|outline| {
            let definitions = outline.definitions.iter().filter(|definition| definition.is_item());
            definitions.map(|definition| definition.name.clone()).collect()
        });
        let names = names.collect();
        let mut scope = Self { tree, outlines, names, associated: BTreeMap::new() };
        for number in 0..scope.outlines.len() {
            for (of, name) in &scope.outlines[number].associated {
                if let Some(Target { module: Some(module), rest }) = scope.resolve(number, of)
                    && let [item] = &rest[..]
                {
                    let key = (module, item.clone(), name.clone());
                    scope.associated.entry(key).or_default().insert(scope.tree.modules[number].file.clone());
                }
            }
        }
        scope
    }

    /// What `path` names where it stands in `module`; nothing for what is local, of the prelude, or a primitive.
    pub(crate) fn resolve(&self, module: usize, path: &[String]) -> Option<Target> {
        self.resolve_at(module, path, 0)
    }

    /// The whole path of a target.
    pub(crate) fn full_path(&self, target: &Target) -> String {
        let module = target.module.map_or(&[][..], |module| &self.tree.modules[module].path);
        [module, &target.rest].concat().join("::")
    }

    /// The files that define a target: its module's, and that of the `impl` with the associated function.
    pub(crate) fn files(&self, target: &Target) -> BTreeSet<String> {
        let (Some(module), Some(item)) = (target.module, target.rest.first()) else { return BTreeSet::new() };
        let mut files = BTreeSet::from([self.tree.modules[module].file.clone()]);
        if let Some(name) = target.rest.get(1)
            && let Some(impls) = self.associated.get(&(module, item.clone(), name.clone()))
        {
            files.extend(impls.iter().cloned());
        }
        files
    }

    fn resolve_at(&self, module: usize, path: &[String], depth: u8) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "" => self.in_crates(rest),
            "crate" => self.below(self.root_of(module), rest, depth),
            "self" | "super" => self.below(module, path, depth),
            _ => self.in_scope(module, path, depth).or_else(|| self.in_crates(path)),
        }
    }

    /// What `path` names when it is read from `module` on.
    fn below(&self, module: usize, path: &[String], depth: u8) -> Option<Target> {
        let Some((name, rest)) = path.split_first() else {
            return Some(Target { module: Some(module), rest: Vec::new() });
        };
        match name.as_str() {
            "self" => self.below(module, rest, depth),
            "super" => self.below(self.tree.modules[module].parent?, rest, depth),
            // What a macro defines is not parsed: it counts as the module's own.
            _ => self
                .in_scope(module, path, depth)
                .or_else(|| Some(Target { module: Some(module), rest: path.to_vec() })),
        }
    }

    /// What `path` names if `module` defines or imports its first name.
    fn in_scope(&self, module: usize, path: &[String], depth: u8) -> Option<Target> {
        if depth > MAX_DEPTH {
            return None;
        }
        let (name, rest) = path.split_first()?;
        let is_defined = self.names[module].contains(name);
        if let Some(child) = self.tree.modules[module].children.get(name)
            && (!rest.is_empty() || !is_defined)
        {
            return self.below(*child, rest, depth);
        }
        if is_defined {
            return Some(Target { module: Some(module), rest: path.to_vec() });
        }
        let imports = &self.outlines[module].imports;
        let by_name = imports.iter().filter(|import| import.name == *name).find_map(|import| {
            let whole = [&import.path[..], rest].concat();
            // `use name::Item as name;` would find itself.
            let is_own = import.path.first() == Some(name);
            if is_own { self.in_crates(&whole) } else { self.resolve_at(module, &whole, depth + 1) }
        });
        by_name.or_else(|| {
            imports.iter().filter(|import| import.name == "*").find_map(|import| {
                let all_of = self.resolve_at(module, &import.path, depth + 1)?;
                let from = all_of.module.filter(|from| *from != module && all_of.rest.is_empty())?;
                self.in_scope(from, path, depth + 1)
            })
        })
    }

    /// What `path` names if it begins with a crate.
    fn in_crates(&self, path: &[String]) -> Option<Target> {
        let (name, rest) = path.split_first()?;
        if let Some(root) = self.tree.libraries.get(name) {
            return self.below(*root, rest, 0);
        }
        let is_crate = !rest.is_empty() && !is_primitive(name) && name.starts_with(char::is_lowercase);
        is_crate.then(|| Target { module: None, rest: path.to_vec() })
    }

    fn root_of(&self, module: usize) -> usize {
        self.tree.modules[module].parent.map_or(module, |parent| self.root_of(parent))
    }
}

fn is_primitive(name: &str) -> bool {
    let numbers = name.starts_with(['f', 'i', 'u']) && name[1..].chars().all(|char| char.is_ascii_digit());
    numbers || matches!(name, "bool" | "char" | "isize" | "str" | "usize")
}
