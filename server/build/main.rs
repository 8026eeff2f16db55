//! Embeds the browser bundle of `site`, which `cargo xtask bundle` makes. A bundle that is incomplete, or of other sources than
//! those beside this package, is stale: its script and WASM are left out, and the board says so.

mod stamp;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let (site, workspace) = (package.join("site"), package.join(".."));
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=site");
    let mut files = stamp::files(&site);
    if is_in_workspace(&workspace) {
        for source in ["app", "frontend", "style", "xtask/bundler", "Cargo.toml", "Cargo.lock"] {
            println!("cargo::rerun-if-changed=../{source}");
        }
        files = files.and_then(|files| stamp::check_sources(&workspace).map(|()| files));
    }
    let files = files.unwrap_or_else(|reason| {
        println!("cargo::warning=The browser bundle is stale and is left out: {reason}. Run `cargo xtask bundle`.");
        style_and_icon(&site)
    });
    let assets: Vec<String> = files
        .iter()
        .filter_map(|file| Some((file.strip_suffix(".br")?, site.join(file))))
        .map(|(name, file)| format!("    Asset::new({name:?}, include_bytes!({file:?})),\n"))
        .collect();
    let table = format!("static ASSETS: [Asset; {}] = [\n{}];\n", assets.len(), assets.concat());
    fs::write(out.join("assets.rs"), table).expect("OUT_DIR can be written");
}

/// Whether the sources of the bundle are here. A packed crate has none: its dependencies are pinned to the bundle's instead.
fn is_in_workspace(workspace: &Path) -> bool {
    ["server/build/stamp.rs", "frontend/Cargo.toml", "app/Cargo.toml", "Cargo.lock"]
        .into_iter()
        .all(|file| workspace.join(file).is_file())
}

/// Those of a stale bundle, so that a page without script has its looks. None where the folder is missing.
fn style_and_icon(site: &Path) -> Vec<String> {
    let entries = fs::read_dir(site).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> =
        names.filter(|name| [".css.br", ".svg.br"].into_iter().any(|ending| name.ends_with(ending))).collect();
    names.sort();
    names
}
