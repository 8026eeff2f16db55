//! Who names whom: every path and import of the product, resolved.

use std::collections::BTreeSet;

use crate::scope::{Scope, Target};

/// A place that names something.
pub(crate) struct Use {
    pub(crate) module: usize,
    pub(crate) line: usize,
    pub(crate) target: Target,
    /// A `pub use` of what lies below its own module: it offers the name and needs nothing of it.
    pub(crate) is_reexport: bool,
}

impl Scope {
    pub(crate) fn uses(&self) -> Vec<Use> {
        (0..self.outlines.len()).flat_map(|module| self.uses_of(module)).collect()
    }

    fn uses_of(&self, module: usize) -> Vec<Use> {
        let outline = &self.outlines[module];
        let imports = outline.imports.iter().map(|import| (&import.path, import.line, import.is_public));
        let mentions = outline.mentions.iter().map(|mention| (&mention.path, mention.line, false));
        let uses = imports.chain(mentions).filter_map(|(path, line, is_public)| {
            let target = self.resolve(module, path)?;
            let is_below = target.module.is_some_and(|of| self.is_below(of, module));
            Some(Use { module, line, target, is_reexport: is_public && is_below })
        });
        uses.collect()
    }

    fn is_below(&self, module: usize, of: usize) -> bool {
        module == of || self.tree.modules[module].parent.is_some_and(|parent| self.is_below(parent, of))
    }

    /// The names by which a file needs another of its crate: from, to, line, name.
    pub(crate) fn ties(&self) -> BTreeSet<(String, String, usize, String)> {
        let mut ties = BTreeSet::new();
        for Use { module, line, target, .. } in self.uses().into_iter().filter(|used| !used.is_reexport) {
            let from = &self.tree.modules[module];
            let is_same_crate = target.module.is_some_and(|of| self.tree.modules[of].path[0] == from.path[0]);
            let own = target.module.map(|of| &self.tree.modules[of].file);
            for to in self.files(&target).into_iter().filter(|to| is_same_crate && *to != from.file) {
                let name = if Some(&to) == own { target.rest[0].clone() } else { target.rest[..2].join("::") };
                ties.insert((from.file.clone(), to, line, name));
            }
        }
        ties
    }
}
