//! Embeds the browser bundle of `site`, which `cargo xtask bundle` makes. Where the sources of the bundle are beside this
//! package, a bundle of other sources is stale: its script and WASM are left out, and the board says so.

mod stamp;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=site");
    let stale = is_in_workspace(&package).then(|| {
        for source in ["app", "frontend", "style", "Cargo.lock"] {
            println!("cargo::rerun-if-changed=../{source}");
        }
        stamp::check(&package.join("..")).err()
    });
    let stale = stale.flatten();
    if let Some(reason) = &stale {
        println!("cargo::warning=The browser bundle is stale and is left out: {reason}. Run `cargo xtask bundle`.");
    }
    let assets: Vec<String> = files(&package.join("site"))
        .into_iter()
        .filter_map(|file| {
            let name = file.file_name()?.to_str()?.strip_suffix(".br")?.to_owned();
            let is_script = [".js", ".wasm"].into_iter().any(|ending| name.ends_with(ending));
            (stale.is_none() || !is_script).then(|| format!("    Asset::new({name:?}, include_bytes!({file:?})),\n"))
        })
        .collect();
    let table = format!("static ASSETS: [Asset; {}] = [\n{}];\n", assets.len(), assets.concat());
    fs::write(out.join("assets.rs"), table).expect("OUT_DIR can be written");
}

/// Whether the sources of the bundle are here. A packed crate has none: its dependencies are pinned to the bundle's instead.
fn is_in_workspace(package: &Path) -> bool {
    let manifest = fs::read_to_string(package.join("../app/Cargo.toml"));
    manifest.is_ok_and(|manifest| manifest.contains("name = \"watchboard-app\""))
}

/// The files of a folder, in the order of their names; none where it is missing, of which the stamp's check tells.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a listed entry").path()).collect();
    files.sort();
    files
}
