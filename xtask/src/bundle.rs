//! The browser bundle: WASM with its JavaScript, the style and the icon, under names that hold their content's hash, with
//! compressed forms beside them, in `server/site`, where the server's build finds them.

use std::{collections::BTreeMap, fs, io::Write, path::Path};

use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::{
    install,
    step::{Step, cargo, root},
};

pub(crate) const TARGET_ARGUMENTS: [&str; 4] = ["--target", "wasm32-unknown-unknown", "--profile", "wasm"];

/// The files of the bundle by name.
type Files = BTreeMap<String, Vec<u8>>;

pub(crate) fn build() -> Result<()> {
    install::wasm_target()?;
    let arguments = [&["build", "-p", "watchboard-frontend"], &TARGET_ARGUMENTS[..]].concat();
    Step::new("the browser's WASM").run(cargo(&arguments))?;
    let step = Step::new("the browser bundle");
    let mut files = script_and_wasm()?;
    files.extend(style_and_icon()?);
    write(&files, &root().join("server/site"))?;
    step.done();
    Ok(())
}

fn script_and_wasm() -> Result<Files> {
    let compiled = root().join("target/wasm32-unknown-unknown/wasm/watchboard_frontend.wasm");
    let mut bindgen = Bindgen::new();
    bindgen.input_path(&compiled).out_name("app").typescript(false).web(true)?;
    // Names are for debuggers, and are most of the file.
    bindgen.remove_name_section(true).remove_producers_section(true);
    let out = root().join("target/bindgen");
    bindgen.generate(&out).with_context(|| format!("wasm-bindgen cannot read {}", compiled.display()))?;
    let wasm = fs::read(out.join("app_bg.wasm"))?;
    let wasm_name = hashed("app", "wasm", &wasm);
    let mut script = fs::read_to_string(out.join("app.js"))?;
    // The page needs no script of its own to load this one.
    script +=
        &["\n__wbg_init({ module_or_path: new URL(\"", &wasm_name, "\", import.meta.url) }).then(() => hydrate());\n"]
            .concat();
    let script = script.into_bytes();
    Ok(Files::from([(hashed("app", "js", &script), script), (wasm_name, wasm)]))
}

fn style_and_icon() -> Result<Files> {
    let folder = root().join("style");
    let mut sheets: Vec<_> =
        fs::read_dir(&folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    sheets.sort();
    let mut style = Vec::new();
    for sheet in sheets.iter().filter(|path| path.extension().is_some_and(|extension| extension == "css")) {
        style.extend(fs::read(sheet)?);
    }
    let icon = fs::read(folder.join("icon.svg"))?;
    Ok(Files::from([(hashed("style", "css", &style), style), (hashed("icon", "svg", &icon), icon)]))
}

/// `app-0123456789abcdef.js`.
fn hashed(stem: &str, extension: &str, content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    let hash = digest.iter().take(8).fold(0u64, |hash, byte| hash << 8 | u64::from(*byte));
    format!("{stem}-{hash:016x}.{extension}")
}

/// Writes what is not there and removes what is no longer: what is unchanged keeps its time, and the server is not built anew.
fn write(files: &Files, site: &Path) -> Result<()> {
    fs::create_dir_all(site)?;
    for (name, content) in files {
        if site.join(format!("{name}.gz")).exists() {
            continue;
        }
        let (brotli, gzip) = (brotli(content)?, gzip(content)?);
        println!("    {name}: {} kB, brotli {} kB", content.len() / 1000, brotli.len() / 1000);
        fs::write(site.join(name), content)?;
        fs::write(site.join(format!("{name}.br")), brotli)?;
        // Last: it marks the file as complete.
        fs::write(site.join(format!("{name}.gz")), gzip)?;
    }
    for entry in fs::read_dir(site)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let base = name.trim_end_matches(".br").trim_end_matches(".gz");
        if !files.contains_key(base) {
            fs::remove_file(site.join(name))?;
        }
    }
    Ok(())
}

fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut &content[..], &mut out, &parameters)?;
    Ok(out)
}

fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}
