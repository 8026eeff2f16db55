//! Makes the browser bundle: script, WASM, style and icon, compressed, under names that hold a hash of their content, with a stamp
//! of what they were built from. `cargo xtask bundle` compiles the WASM, then runs this program.

mod split;
#[path = "../../../server/build/stamp.rs"]
mod stamp;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, anyhow, ensure};
use brotli::enc::{BrotliEncoderParams, backward_references::BrotliEncoderMode};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

/// The files of the bundle by name.
type Files = BTreeMap<String, Vec<u8>>;

fn main() -> Result<()> {
    // Of the cargo that runs us, since checkouts may share a target folder.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").context("run it by `cargo xtask bundle`")?;
    let workspace = Path::new(&package).join("../..").canonicalize()?;
    let compiled = std::env::args_os().nth(1).map(PathBuf::from).context("the path of the compiled WASM is missing")?;
    let mut files = script_and_wasm(&compiled)?;
    files.extend(style_and_icon(&workspace.join("style"))?);
    let site = workspace.join("server/site");
    write(&files, &site)?;
    let names: Vec<String> = files.keys().map(|name| [name, ".br"].concat()).collect();
    let stamp = stamp::stamp(&workspace, &site, &names, &packages(&workspace)?)?;
    // Last: it says that the bundle is complete.
    if fs::read_to_string(site.join("stamp")).ok().as_ref() != Some(&stamp) {
        fs::write(site.join("stamp"), stamp)?;
    }
    Ok(())
}

fn script_and_wasm(compiled: &Path) -> Result<Files> {
    let out = compiled.with_file_name("bindgen");
    let pieces = split::split(compiled, &out)?;
    let mut bindgen = Bindgen::new();
    bindgen.input_path(&pieces.main).out_name("app").typescript(false).web(true)?;
    // Names are for debuggers, and are most of the file.
    bindgen.remove_name_section(true).remove_producers_section(true);
    // The other pieces share the table of functions.
    bindgen.keep_lld_exports(true);
    let generated = bindgen.generate_output();
    let mut generated = generated.with_context(|| format!("wasm-bindgen cannot read {}", compiled.display()))?;
    // Only linkers and optimisers read these sections.
    for section in ["target_features", "__wasm_split_unstable"] {
        generated.wasm_mut().customs.remove_raw(section);
    }
    let names = shorten_imports(generated.wasm_mut());
    generated.emit(&out)?;
    let wasm = fs::read(out.join("app_bg.wasm"))?;
    let wasm_name = hashed("app", "wasm", &wasm);
    let mut script = pieces.with_loader(&fs::read_to_string(out.join("app.js"))?)?;
    for (name, short) in names {
        script = script.replace(&name, &short);
    }
    // The page needs no script of its own to load this one. A server that is away for a moment is asked again.
    script += &[
        "\nconst begin = () => __wbg_init({ module_or_path: new URL(\"",
        &wasm_name,
        "\", import.meta.url) }).then(() => setTimeout(hydrate), () => setTimeout(begin, 3000));\nbegin();\n",
        include_str!("../../../frontend/src/translated_text.js"),
    ]
    .concat();
    let minified = minifier::js::minify(&script).map_err(|error| anyhow!("the script cannot be minified: {error}"))?;
    let script = minified.to_string().into_bytes();
    let mut files = pieces.others;
    files.extend([(hashed("app", "js", &script), script), (wasm_name, wasm)]);
    Ok(files)
}

/// Gives short names to what the WASM imports from the script, and returns them by the names of before. Those end with a hash, in both files:
/// 5 kB that no compression makes smaller.
fn shorten_imports(module: &mut walrus::Module) -> Vec<(String, String)> {
    let is_hashed = |name: &str| name.rsplit('_').next().is_some_and(|hash| hash.len() == 16);
    let hashed = module.imports.iter_mut().filter(|import| is_hashed(&import.name));
    let shorten = |(number, import): (usize, &mut walrus::Import)| {
        let short = format!("i{number:x}");
        (std::mem::replace(&mut import.name, short.clone()), short)
    };
    hashed.enumerate().map(shorten).collect()
}

fn style_and_icon(folder: &Path) -> Result<Files> {
    let mut sheets: Vec<_> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    sheets.sort();
    let mut style = String::new();
    for sheet in sheets.iter().filter(|path| path.extension().is_some_and(|extension| extension == "css")) {
        style += &fs::read_to_string(sheet)?;
    }
    let minified = minifier::css::minify(&style).map_err(|error| anyhow!("the style cannot be minified: {error}"))?;
    let style = minified.to_string().into_bytes();
    let icon = fs::read(folder.join("icon.svg"))?;
    Ok(Files::from([(hashed("style", "css", &style), style), (hashed("icon", "svg", &icon), icon)]))
}

/// `app-0123456789abcdef.js`.
fn hashed(stem: &str, extension: &str, content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    let hash = digest.iter().take(8).fold(0u64, |hash, byte| hash << 8 | u64::from(*byte));
    format!("{stem}-{hash:016x}.{extension}")
}

/// The packages in the WASM, and the macros that wrote a part of it, as lines of `NAME VERSION`.
fn packages(workspace: &Path) -> Result<Vec<String>> {
    let mut tree = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    tree.args(["tree", "-p", "watchboard-frontend", "--target", "wasm32-unknown-unknown", "-e", "normal"]);
    tree.args(["--prefix", "none", "--no-dedupe", "--format", "{p}"]).current_dir(workspace);
    let listed = tree.output().context("cannot start cargo")?;
    ensure!(listed.status.success(), "cargo tree failed: {}", String::from_utf8_lossy(&listed.stderr));
    let mut packages: Vec<String> = String::from_utf8(listed.stdout)?
        .lines()
        .filter_map(|line| line.split_once(" v"))
        .map(|(name, rest)| format!("{name} {}", rest.split(' ').next().unwrap_or_default()))
        .collect();
    packages.sort();
    packages.dedup();
    Ok(packages)
}

/// Writes what is not there and removes what is no longer: what is unchanged keeps its time, and the server is not built anew.
fn write(files: &Files, site: &Path) -> Result<()> {
    fs::create_dir_all(site)?;
    for (name, content) in files {
        let file = site.join(format!("{name}.br"));
        if !file.exists() {
            let brotli = brotli(content)?;
            println!("    {name}: {} kB, brotli {} kB", content.len() / 1000, brotli.len() / 1000);
            // A half-written file never has the name.
            fs::write(file.with_extension("new"), brotli)?;
            fs::rename(file.with_extension("new"), file)?;
        }
    }
    for entry in fs::read_dir(site)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name != "stamp" && !name.strip_suffix(".br").is_some_and(|name| files.contains_key(name)) {
            fs::remove_file(site.join(name))?;
        }
    }
    Ok(())
}

fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let mut parameters = BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    if content.starts_with(b"\0asm") {
        // This mode and this length of a block make WASM 0.6 % smaller than the defaults.
        parameters.mode = BrotliEncoderMode::BROTLI_MODE_FONT;
        parameters.lgblock = 20;
    }
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut &content[..], &mut out, &parameters)?;
    Ok(out)
}
