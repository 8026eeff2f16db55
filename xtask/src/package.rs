//! Packs the packages that are published.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::{
    bundle,
    step::{Step, cargo, root},
};

/// Packs them into `target/package`. `arguments` go to `cargo package`, which by default also builds what it has packed.
pub(crate) fn build(arguments: &[&str]) -> Result<()> {
    bundle::check()?;
    let packages = published()?;
    ensure!(!packages.is_empty(), "no package of the workspace is published");
    let mut package = cargo(&["package"]);
    for name in &packages {
        package.args(["--package", name]);
    }
    package.args(arguments);
    Step::new(format!("packing {}", packages.join(", "))).run(package)
}

/// The members of the workspace that do not say `publish = false`.
fn published() -> Result<Vec<String>> {
    let members = cargo(&["metadata", "--no-deps", "--format-version", "1"]).output().context("cannot start cargo")?;
    let members = String::from_utf8(members.stdout)?;
    let mut names = Vec::new();
    // Each member has its manifest's path once: this is all that is needed of the JSON.
    for manifest in members.split("\"manifest_path\":\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        let manifest =
            fs::read_to_string(manifest).with_context(|| format!("{manifest} below {}", root().display()))?;
        let name = manifest.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
        if !manifest.lines().any(|line| line == "publish = false") {
            names.extend(name.map(ToOwned::to_owned));
        }
    }
    Ok(names)
}
