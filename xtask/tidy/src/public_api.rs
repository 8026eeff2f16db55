//! The public API of the library: its items, held against `public-api.txt`. So no change of it goes unnoticed.

use std::{env, fs, path::Path};

use quote::ToTokens;
use syn::{Attribute, Field, Fields, Generics, ImplItem, Item, Meta, TraitItem, Type, UseTree, Visibility};

use crate::{
    outline::segments,
    scope::{Scope, Target},
    tree::{Tree, attributes},
};

const LIBRARY: &str = "watchboard";
const RENEW: &str = "RENEW_PUBLIC_API";

/// The lines of the list: each begins with the public path of its item.
struct Listing<'a> {
    scope: &'a Scope,
    lines: Vec<String>,
}

impl Listing<'_> {
    /// The public items of a module, and of the public modules in it.
    fn add_module(&mut self, module: usize, path: &str) {
        let scope = self.scope;
        for item in &scope.tree.modules[module].items {
            match item {
                Item::Use(item) if is_public(&item.vis) => {
                    let mut names = Vec::new();
                    flatten(&item.tree, &mut Vec::new(), &mut names);
                    let marks = marks(&item.attrs);
                    for (name, target) in &names {
                        self.add_reexport(module, path, &marks, (name.as_str(), target.as_slice()));
                    }
                }
                item => {
                    if let Some(name) = name_of(item) {
                        self.add_item(module, item, &format!("{path}::{name}"));
                    }
                }
            }
        }
        for (name, child) in &scope.tree.modules[module].children {
            if scope.tree.modules[*child].is_public {
                self.lines.push(format!("{path}::{name}: mod"));
                self.add_module(*child, &format!("{path}::{name}"));
            }
        }
    }

    fn add_reexport(&mut self, module: usize, path: &str, marks: &str, (name, target): (&str, &[String])) {
        let scope = self.scope;
        match scope.resolve(module, target) {
            Some(Target { module: Some(of), rest }) if rest.len() == 1 => {
                let items = scope.tree.modules[of].items.iter();
                let of_name = items.filter(|item| name_of(item).as_ref() == rest.first());
                of_name.for_each(|item| self.add_item(of, item, &format!("{path}::{name}")));
            }
            Some(Target { module: Some(of), rest }) if rest.is_empty() => {
                self.lines.push(format!("{path}::{name}: {marks}mod"));
                self.add_module(of, &format!("{path}::{name}"));
            }
            _ => self.lines.push(format!("{path}::{name}: {marks}use {}", target.join("::"))),
        }
    }

    /// An item that is defined in `module` and public as `path`.
    fn add_item(&mut self, module: usize, item: &Item, path: &str) {
        let Some(name) = name_of(item).filter(|_| visibility(item).is_some_and(is_public)) else { return };
        let marks = marks(attributes(item));
        match item {
            Item::Fn(item) => self.lines.push(format!("{path}: {marks}{}", text(&item.sig))),
            Item::Const(item) => self.lines.push(format!("{path}: {marks}const {}", text(&item.ty))),
            Item::Type(item) => self.lines.push(format!("{path}: {marks}type {}", text(&item.ty))),
            Item::Struct(item) => {
                let rest = if item.fields.iter().all(|field| is_public(&field.vis)) { "" } else { ", private fields" };
                self.lines.push(format!("{path}: {marks}struct{}{rest}", generics(&item.generics)));
                let fields = item.fields.iter().filter(|field| is_public(&field.vis));
                fields.for_each(|field| self.lines.push(format!("{path}: field {}", field_text(field))));
                self.add_impls(module, &name, path, &item.attrs);
            }
            Item::Enum(item) => {
                self.lines.push(format!("{path}: {marks}enum{}", generics(&item.generics)));
                for variant in &item.variants {
                    let fields = variant.fields.iter().map(field_text).collect::<Vec<_>>().join(", ");
                    let fields = match variant.fields {
                        Fields::Named(_) => format!(" {{ {fields} }}"),
                        Fields::Unnamed(_) => format!("({fields})"),
                        Fields::Unit => String::new(),
                    };
                    let marks = self::marks(&variant.attrs);
                    self.lines.push(format!("{path}: variant {marks}{}{fields}", variant.ident));
                }
                self.add_impls(module, &name, path, &item.attrs);
            }
            Item::Trait(item) => {
                self.lines.push(format!(
                    "{path}: {marks}trait{}: {}",
                    generics(&item.generics),
                    text(&item.supertraits)
                ));
                for item in &item.items {
                    if let TraitItem::Fn(function) = item {
                        let kind = if function.default.is_some() { "provided" } else { "required" };
                        self.lines.push(format!("{path}: {kind} {}", text(&function.sig)));
                    }
                }
                self.add_blanket_impls(module, &name, path);
            }
            _ => {}
        }
    }

    /// What is derived and implemented for a type, anywhere in the library.
    fn add_impls(&mut self, module: usize, name: &str, path: &str, attributes: &[Attribute]) {
        for derived in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
            let Meta::List(list) = &derived.meta else { continue };
            text(&list.tokens).split(',').for_each(|of| self.lines.push(format!("{path}: derive {}", of.trim())));
        }
        for (of, item) in impls(self.scope) {
            let Type::Path(self_type) = &*item.self_ty else { continue };
            if !is_target(self.scope, of, &segments(&self_type.path), module, name) {
                continue;
            }
            let marks = marks(&item.attrs);
            if let Some((of_trait, _)) = &item.trait_ {
                let (generics, condition) = (text(&item.generics), condition(&item.generics));
                let (of_trait, of_type) = (text(of_trait), text(&item.self_ty));
                self.lines.push(format!("{path}: {marks}impl{generics} {of_trait} for {of_type}{condition}"));
                continue;
            }
            for item in &item.items {
                match item {
                    ImplItem::Fn(function) if is_public(&function.vis) => {
                        let marks = format!("{marks}{}", self::marks(&function.attrs));
                        self.lines.push(format!("{path}: {marks}{}", text(&function.sig)));
                    }
                    ImplItem::Const(constant) if is_public(&constant.vis) => {
                        self.lines.push(format!("{path}: {marks}const {}: {}", constant.ident, text(&constant.ty)));
                    }
                    _ => {}
                }
            }
        }
    }

    /// Implementations of a trait for a type parameter.
    fn add_blanket_impls(&mut self, module: usize, name: &str, path: &str) {
        for (of, item) in impls(self.scope) {
            let Some((of_trait, _)) = &item.trait_ else { continue };
            let Type::Path(self_type) = &*item.self_ty else { continue };
            let is_blanket = self.scope.resolve(of, &segments(&self_type.path)).is_none();
            if is_blanket && is_target(self.scope, of, &segments(of_trait), module, name) {
                let (generics, of_type) = (generics(&item.generics), text(&item.self_ty));
                self.lines.push(format!("{path}: impl{generics} for {of_type}"));
            }
        }
    }
}

/// Every implementation in the library, with its module.
fn impls(scope: &Scope) -> Vec<(usize, &syn::ItemImpl)> {
    let modules = scope.tree.modules.iter().enumerate().filter(|(_, module)| module.path[0] == LIBRARY);
    let items = modules.flat_map(|(number, module)| module.items.iter().map(move |item| (number, item)));
    items.filter_map(|(number, item)| if let Item::Impl(item) = item { Some((number, item)) } else { None }).collect()
}

fn is_target(scope: &Scope, from: usize, path: &[String], module: usize, name: &str) -> bool {
    let target = scope.resolve(from, path);
    target.is_some_and(|target| target.module == Some(module) && target.rest.first().is_some_and(|of| of == name))
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn visibility(item: &Item) -> Option<&Visibility> {
    Some(match item {
        Item::Const(item) => &item.vis,
        Item::Enum(item) => &item.vis,
        Item::Fn(item) => &item.vis,
        Item::Struct(item) => &item.vis,
        Item::Trait(item) => &item.vis,
        Item::Type(item) => &item.vis,
        _ => return None,
    })
}

fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// Each name of a `use`, with its path.
fn flatten(tree: &UseTree, path: &mut Vec<String>, names: &mut Vec<(String, Vec<String>)>) {
    let (last, name) = match tree {
        UseTree::Path(tree) => {
            path.push(tree.ident.to_string());
            flatten(&tree.tree, path, names);
            path.pop();
            return;
        }
        UseTree::Group(group) => return group.items.iter().for_each(|tree| flatten(tree, path, names)),
        UseTree::Name(tree) => (tree.ident.to_string(), tree.ident.to_string()),
        UseTree::Rename(tree) => (tree.ident.to_string(), tree.rename.to_string()),
        UseTree::Glob(_) => ("*".to_owned(), "*".to_owned()),
    };
    names.push((name, [&path[..], &[last]].concat()));
}

/// The attributes that change what users may do: features and `non_exhaustive`.
fn marks(attributes: &[Attribute]) -> String {
    let marks = attributes.iter().filter(|of| of.path().is_ident("cfg") || of.path().is_ident("non_exhaustive"));
    marks.fold(String::new(), |marks, attribute| marks + "#[" + &text(&attribute.meta) + "] ")
}

fn field_text(field: &Field) -> String {
    let name = field.ident.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    name + &text(&field.ty)
}

fn generics(generics: &Generics) -> String {
    text(generics) + &condition(generics)
}

fn condition(generics: &Generics) -> String {
    generics.where_clause.as_ref().map(|of| format!(" {}", text(of).trim_end_matches(','))).unwrap_or_default()
}

/// Code in one line, with spaces as in formatted code.
fn text(code: &impl ToTokens) -> String {
    // An arrow has to survive the rule for `>`.
    let rules = [
        ("->", "→"),
        (" :: ", "::"),
        (" ::", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        (" : ", ": "),
        ("& ", "&"),
        (" (", "("),
        ("→(", "→ ("),
        (",(", ", ("),
        (",)", ")"),
        ("→", "->"),
    ];
    let tokens = code.to_token_stream().to_string();
    rules.iter().fold(tokens, |text, (from, to)| text.replace(from, to))
}

fn list(scope: &Scope) -> String {
    let mut listing = Listing { scope, lines: Vec::new() };
    listing.add_module(scope.tree.libraries[LIBRARY], LIBRARY);
    listing.lines.sort();
    listing.lines.dedup();
    listing.lines.join("\n") + "\n"
}

#[test]
fn the_public_api_is_as_listed() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("public-api.txt");
    let now = list(&Scope::new(Tree::load()));
    if env::var_os(RENEW).is_some() {
        fs::write(&file, &now).expect("the list is written");
    }
    let listed = fs::read_to_string(&file).unwrap_or_default();
    let gone = listed.lines().filter(|line| !now.lines().any(|of| of == *line)).map(|line| format!("- {line}"));
    let new = now.lines().filter(|line| !listed.lines().any(|of| of == *line)).map(|line| format!("+ {line}"));
    let difference: Vec<String> = gone.chain(new).collect();
    assert!(
        difference.is_empty(),
        "the public API differs from xtask/tidy/public-api.txt:\n{}\nIf that is intended, write the list anew and name the change in \
         CHANGELOG.md:\n    {RENEW}=1 cargo test -p watchboard-tidy public_api",
        difference.join("\n")
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_listed_by_their_public_path() {
        let root =
            "mod shop; pub mod stock; pub use shop::{Guest as Visit, Shop}; pub fn open(of: &[u8]) -> Option<Shop> {}";
        let shop = "
            #[derive(Clone, Debug)] #[non_exhaustive] pub enum Guest { Known { id: u64 }, #[cfg(feature = \"a\")] Other(u8) }
            pub struct Shop<A = u8> { pub name: String, hidden: A }
            impl<A> Shop<A> { pub fn close(&mut self) {} fn clean(&self) {} }
            impl<A> From<A> for Shop<A> { fn from(_: A) -> Self {} }
            struct Hidden;
        ";
        let stock = "pub trait Count: Send { fn count(&self) -> u64; fn double(&self) -> u64 { 2 } } impl<F: Fn()> Count for F {}";
        let sources = [("src/lib.rs", root), ("src/shop.rs", shop), ("src/stock.rs", stock)];
        let sources = sources.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        let expected = "\
watchboard::Shop: field name: String
watchboard::Shop: fn close(&mut self)
watchboard::Shop: impl<A> From<A> for Shop<A>
watchboard::Shop: struct<A = u8>, private fields
watchboard::Visit: #[non_exhaustive] enum
watchboard::Visit: derive Clone
watchboard::Visit: derive Debug
watchboard::Visit: variant #[cfg(feature = \"a\")] Other(u8)
watchboard::Visit: variant Known { id: u64 }
watchboard::open: fn open(of: &[u8]) -> Option<Shop>
watchboard::stock: mod
watchboard::stock::Count: impl<F: Fn()> for F
watchboard::stock::Count: provided fn double(&self) -> u64
watchboard::stock::Count: required fn count(&self) -> u64
watchboard::stock::Count: trait: Send
";
        assert_eq!(list(&Scope::new(Tree::new(&sources, &[(LIBRARY, "src/lib.rs")]))), expected);
    }
}
