//! What a module defines, imports and names, as it is written.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{
    Attribute, Expr, ExprMethodCall, ImplItem, Item, ItemFn, ItemImpl, ItemUse, Macro, Meta, Path, Type, UseTree,
    Visibility,
    visit::{self, Visit},
};

use crate::tree::{Module, attributes, is_test_only};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A struct, enum, trait or alias, and a component, whose properties are a type of its name.
    Type,
    Function,
    Method,
    Other,
}

pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

pub(crate) struct Import {
    /// The name in this module; `*` for all names.
    pub(crate) name: String,
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
    pub(crate) is_public: bool,
}

/// A path in code; `Self` is written out.
pub(crate) struct Mention {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
}

#[derive(Default)]
pub(crate) struct Outline {
    pub(crate) definitions: Vec<Definition>,
    pub(crate) imports: Vec<Import>,
    pub(crate) mentions: Vec<Mention>,
    /// What inherent impls define: the type as it is written, and the name.
    pub(crate) associated: Vec<(Vec<String>, String)>,
    self_type: Option<Vec<String>>,
}

impl Definition {
    /// Whether a path can name it from its module on.
    pub(crate) fn is_item(&self) -> bool {
        self.kind != Kind::Method
    }
}

impl Outline {
    pub(crate) fn new(module: &Module) -> Self {
        let mut outline = Self::default();
        for item in &module.items {
            outline.visit_item(item);
        }
        outline
    }

    fn define(&mut self, name: &syn::Ident, kind: Kind) {
        self.definitions.push(Definition { name: name.to_string(), line: name.span().start().line, kind });
    }

    fn mention(&mut self, mut path: Vec<String>, line: usize) {
        if path[0] == "Self" {
            let Some(of) = &self.self_type else { return };
            path.splice(..1, of.iter().cloned());
        }
        self.mentions.push(Mention { path, line });
    }

    /// Paths among the tokens of a macro: of several segments, or a name that is called or begins with a capital.
    fn scan(&mut self, tokens: TokenStream, only_long: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is =
            |at: usize, char: char| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == char);
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => self.scan(group.stream(), only_long),
                TokenTree::Ident(first) if at == 0 || !is(at - 1, '.') => {
                    let line = first.span().start().line;
                    let mut path = vec![first.to_string()];
                    if path[0] == "self" && is(at + 1, '.') {
                        path[0] = "Self".to_owned();
                        at += 1;
                        if let Some(TokenTree::Ident(name)) = tokens.get(at + 1) {
                            path.push(name.to_string());
                            at += 1;
                        }
                    }
                    while is(at + 1, ':') && is(at + 2, ':') {
                        let Some(TokenTree::Ident(next)) = tokens.get(at + 3) else { break };
                        path.push(next.to_string());
                        at += 3;
                    }
                    let is_called = matches!(tokens.get(at + 1), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
                    let is_capital = path[0].starts_with(char::is_uppercase);
                    if path.len() > 1 || !only_long && (is_called || is_capital) {
                        self.mention(path, line);
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn import(&mut self, tree: &UseTree, mut path: Vec<String>, is_public: bool, line: usize) {
        let (name, last) = match tree {
            UseTree::Path(tree) => {
                path.push(tree.ident.to_string());
                return self.import(&tree.tree, path, is_public, tree.ident.span().start().line);
            }
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.import(tree, path.clone(), is_public, line));
            }
            UseTree::Name(tree) if tree.ident == "self" => (path.last().cloned().unwrap_or_default(), None),
            UseTree::Name(tree) => (tree.ident.to_string(), Some(&tree.ident)),
            UseTree::Rename(tree) if tree.ident == "self" => (tree.rename.to_string(), None),
            UseTree::Rename(tree) => (tree.rename.to_string(), Some(&tree.ident)),
            UseTree::Glob(_) => ("*".to_owned(), None),
        };
        let line = last.map_or(line, |last| last.span().start().line);
        path.extend(last.map(ToString::to_string));
        self.imports.push(Import { name, path, line, is_public });
    }
}

pub(crate) fn segments(path: &Path) -> Vec<String> {
    let leading = path.leading_colon.as_ref().map(|_| String::new());
    leading.into_iter().chain(path.segments.iter().map(|segment| segment.ident.to_string())).collect()
}

impl<'ast> Visit<'ast> for Outline {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_test_only(attributes(item)) {
            return;
        }
        match item {
            Item::Struct(item) => self.define(&item.ident, Kind::Type),
            Item::Enum(item) => self.define(&item.ident, Kind::Type),
            Item::Union(item) => self.define(&item.ident, Kind::Type),
            Item::Trait(item) => self.define(&item.ident, Kind::Type),
            Item::Type(item) => self.define(&item.ident, Kind::Type),
            Item::Const(item) => self.define(&item.ident, Kind::Other),
            Item::Static(item) => self.define(&item.ident, Kind::Other),
            Item::Macro(item) => item.ident.iter().for_each(|name| self.define(name, Kind::Other)),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        let is_component = function.attrs.iter().any(|attribute| attribute.path().is_ident("component"));
        self.define(&function.sig.ident, if is_component { Kind::Type } else { Kind::Function });
        visit::visit_item_fn(self, function);
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let self_type = match &*item.self_ty {
            Type::Path(path) if path.qself.is_none() => Some(segments(&path.path)),
            _ => None,
        };
        if let (Some(of), None) = (&self_type, &item.trait_) {
            let names = item.items.iter().filter_map(|item| match item {
                ImplItem::Fn(function) => Some(function.sig.ident.to_string()),
                ImplItem::Const(constant) => Some(constant.ident.to_string()),
                _ => None,
            });
            self.associated.extend(names.map(|name| (of.clone(), name)));
        }
        let outer = std::mem::replace(&mut self.self_type, self_type);
        visit::visit_item_impl(self, item);
        self.self_type = outer;
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        match item {
            ImplItem::Fn(function) if is_test_only(&function.attrs) => {}
            item => visit::visit_impl_item(self, item),
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.define(&function.sig.ident, Kind::Method);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        self.define(&function.sig.ident, Kind::Method);
        visit::visit_trait_item_fn(self, function);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let leading = item.leading_colon.as_ref().map(|_| String::new());
        let is_public = !matches!(item.vis, Visibility::Inherited);
        self.import(&item.tree, leading.into_iter().collect(), is_public, item.use_token.span.start().line);
    }

    fn visit_path(&mut self, path: &'ast Path) {
        self.mention(segments(path), path.segments[0].ident.span().start().line);
        visit::visit_path(self, path);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        if matches!(&*call.receiver, Expr::Path(receiver) if receiver.path.is_ident("self")) {
            self.mention(vec!["Self".to_owned(), call.method.to_string()], call.method.span().start().line);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.scan(call.tokens.clone(), false);
        visit::visit_macro(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.scan(list.tokens.clone(), true);
        }
        visit::visit_attribute(self, attribute);
    }

    /// Every inline module has an outline of its own.
    fn visit_item_mod(&mut self, _: &'ast syn::ItemMod) {}
}
