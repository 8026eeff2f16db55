//! The stamp of the browser bundle: a hash of the sources that it was built from, and the packages that are in its WASM.
//! `cargo xtask bundle` writes the stamp, and this package's build script compares it with the sources.
#![allow(dead_code, reason = "the build script compares, the bundler writes")]

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Folders whose Rust sources and manifests make the WASM; `style` makes the style sheet and the icon.
const SOURCES: [(&str, &[&str]); 3] =
    [("app", &[".rs", "Cargo.toml"]), ("frontend", &[".rs", "Cargo.toml"]), ("style", &[".css", ".svg"])];

/// The stamp of a bundle built now, from the sources of this workspace. `packages` are lines of `NAME VERSION`.
pub fn stamp(workspace: &Path, packages: &[String]) -> io::Result<String> {
    let sources = format!("sources {:016x}", hash_of_sources(workspace)?);
    let packages = packages.iter().map(|package| format!("package {package}"));
    Ok([sources].into_iter().chain(packages).map(|line| line + "\n").collect())
}

/// Compares the stamp of the bundle in `server/site` with the sources. The error is why the bundle is stale.
pub fn check(workspace: &Path) -> Result<(), String> {
    let read = |name: &str| {
        let file = workspace.join(name);
        fs::read_to_string(&file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
    };
    let (stamp, lock) = (read("server/site/stamp")?, read("Cargo.lock")?);
    let hash = hash_of_sources(workspace).map_err(|error| format!("its sources cannot be read: {error}"))?;
    let (sources, packages) = stamp.split_once('\n').unwrap_or_default();
    if sources != format!("sources {hash:016x}") {
        return Err("app, frontend or style have changed since it was built".to_owned());
    }
    let locked = |package: &&str| {
        let mut words = package.split(' ').skip(1);
        let (name, version) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n"))
    };
    match packages.lines().find(|package| !locked(package)) {
        Some(package) => Err(format!("it was built with {package}, which Cargo.lock no longer has")),
        None => Ok(()),
    }
}

/// FNV-1a over the names and contents of the sources, in the order of their names. It is the same on every machine.
fn hash_of_sources(workspace: &Path) -> io::Result<u64> {
    let mut files = Vec::new();
    for (folder, endings) in SOURCES {
        collect(&workspace.join(folder), endings, &mut files)?;
    }
    files.sort();
    let mut hash = 0xcbf2_9ce4_8422_2325;
    for file in files {
        let name = file.strip_prefix(workspace).expect("the file is in the workspace").to_string_lossy().into_owned();
        // A length keeps the end of one part apart from the start of the next.
        for part in [name.into_bytes(), fs::read(&file)?] {
            for byte in part.len().to_le_bytes().iter().chain(&part) {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
    Ok(hash)
}

/// The files below `folder` whose names have one of these endings.
fn collect(folder: &Path, endings: &[&str], files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, endings, files)?;
        } else if endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
            files.push(path);
        }
    }
    Ok(())
}
