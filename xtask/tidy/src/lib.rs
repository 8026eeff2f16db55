//! Tests that hold the structure of the tree: `cargo test -p watchboard-tidy`.
//!
//! [`tree`] loads the modules of the product crates, [`outline`] lists what each module defines, imports and names, [`scope`]
//! resolves names to the module that defines them. The checks: [`shape`], [`layers`], [`cycles`], [`names`],
//! [`public_api`].
#![cfg(test)]

mod cycles;
mod files;
mod layers;
mod names;
mod outline;
mod public_api;
mod scope;
mod shape;
mod tree;
mod uses;
