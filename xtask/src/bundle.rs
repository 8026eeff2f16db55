//! The browser bundle in `server/site`: whether it is that of the sources, and how it is built.

#[path = "../../server/build/stamp.rs"]
mod stamp;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::{
    install,
    step::{Step, cargo, root},
};

const TARGET_ARGUMENTS: [&str; 4] = ["--target", "wasm32-unknown-unknown", "--profile", "wasm"];

/// Builds the bundle if it is not that of the sources. In a fresh clone it is.
pub(crate) fn renew() -> Result<()> {
    let Err(reason) = stamp::check(root()) else { return Ok(()) };
    println!("==> the browser bundle is stale: {reason}");
    build()
}

/// Fails if the bundle is not that of the sources.
pub(crate) fn check() -> Result<()> {
    match stamp::check(root()) {
        Ok(()) => Ok(()),
        Err(reason) => {
            bail!("the browser bundle is stale: {reason}. Renew it with `cargo xtask bundle`, and commit it")
        }
    }
}

pub(crate) fn build() -> Result<()> {
    install::wasm_target()?;
    // The bundler splits the WASM by what calls what, which the relocations tell.
    let relocations = ["--", "-Clink-arg=--emit-relocs"];
    let arguments = [&["rustc", "-p", "watchboard-frontend", "--lib"], &TARGET_ARGUMENTS[..], &relocations].concat();
    let mut wasm = cargo(&arguments);
    wasm.env("CARGO_ENCODED_RUSTFLAGS", flags_without_paths());
    Step::new("the browser's WASM").run(wasm)?;
    let compiled = root().join("target/wasm32-unknown-unknown/wasm/watchboard_frontend.wasm");
    let mut bundler = cargo(&["run", "--quiet", "-p", "watchboard-bundler", "--"]);
    bundler.arg(compiled);
    Step::new("the browser bundle").run(bundler)
}

/// Panics in the WASM name their source file: without the folder that this machine keeps its packages in.
fn flags_without_paths() -> String {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo"))).unwrap_or_default();
    let registries = home.join("registry/src").read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let remap = |folder: &Path| format!("--remap-path-prefix={}=", folder.display());
    registries.map(|folder| remap(&folder)).collect::<Vec<_>>().join("\x1f")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_bundle_is_that_of_the_sources() {
        super::check().unwrap();
    }
}
