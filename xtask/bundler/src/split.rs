//! Splits the compiled WASM: the browser loads what the first view needs, and each of the other pieces when it is wanted. Where it is
//! split, the sources say: `app/src/pages/chunks.rs`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, ensure};
use walrus::ModuleConfig;

use crate::{Files, hashed};

/// Name of the script that loads pieces, as the main piece imports it.
const LOADER: &str = "./__wasm_split.js";
/// Name of the script that wasm-bindgen makes, as the loader imports it.
const SCRIPT: &str = "./app.js";

/// The WASM in pieces.
pub(crate) struct Pieces {
    /// The file of the main piece, which wasm-bindgen reads.
    pub(crate) main: PathBuf,
    /// The script that loads the others by their names.
    loader: String,
    /// The others under their names, which hold a hash.
    pub(crate) others: Files,
}

/// Splits a compiled WASM, by way of files in `folder`.
pub(crate) fn split(compiled: &Path, folder: &Path) -> Result<Pieces> {
    let whole = fs::read(compiled).with_context(|| format!("{} cannot be read", compiled.display()))?;
    // What an earlier build left would be taken for a piece.
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let main = folder.join("main.wasm");
    let mut options = wasm_split_cli_support::Options::new(&whole);
    options.output_dir = folder;
    options.main_out_path = &main;
    options.link_name = LOADER;
    options.main_module = SCRIPT;
    let made =
        wasm_split_cli_support::transform(options).map_err(|error| anyhow!("the WASM cannot be split: {error:?}"))?;
    let mut loader = fs::read_to_string(folder.join(LOADER))?;
    let mut others = Files::new();
    for file in made.split_modules {
        let stem = file.file_stem().and_then(|stem| stem.to_str()).context("a piece has no name")?;
        let content = without_names(&file)?;
        let name = hashed(stem, "wasm", &content);
        let plain = format!("\"./{stem}.wasm\"");
        ensure!(loader.contains(&plain), "the loader does not know {stem}");
        loader = loader.replace(&plain, &format!("\"./{name}\""));
        others.insert(name, content);
    }
    Ok(Pieces { main, loader, others })
}

impl Pieces {
    /// The script of wasm-bindgen with the loader in it, so that the page waits for one script.
    pub(crate) fn with_loader(&self, script: &str) -> Result<String> {
        let import = format!("import {{ initSync }} from \"{SCRIPT}\";");
        ensure!(self.loader.contains(&import), "the loader does not import the script");
        let loader = self.loader.replace(&import, "").replace("export const ", "const ");
        let exported = self.loader.lines().filter_map(|line| line.strip_prefix("export const ")?.split(' ').next());
        let exported = exported.collect::<Vec<_>>().join(", ");
        let mut whole = loader;
        for line in script.lines() {
            let imported = line.strip_suffix(&format!(" from \"{LOADER}\""));
            match imported.and_then(|line| line.strip_prefix("import * as ")) {
                Some(name) => whole += &["const ", name, " = { ", &exported, " };\n"].concat(),
                None => whole += &[line, "\n"].concat(),
            }
        }
        Ok(whole)
    }
}

/// Names are for debuggers, and are most of the file.
fn without_names(file: &Path) -> Result<Vec<u8>> {
    let mut config = ModuleConfig::new();
    config.generate_name_section(false).generate_producers_section(false);
    let mut module = config.parse_file(file)?;
    module.customs.remove_raw("target_features");
    Ok(module.emit_wasm())
}
