//! The stamp of the browser bundle: hashes of the sources that it was built from and of its files, and the packages in its WASM.
//! `cargo xtask bundle` writes the stamp. This package's build script and `cargo xtask` compare it.
#![allow(dead_code, reason = "the build script compares, the bundler writes")]

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

/// Files and folders whose contents make the bundle, with the endings of the names that count.
const SOURCES: [(&str, &[&str]); 5] = [
    ("Cargo.toml", &["Cargo.toml"]),
    ("app", &[".rs", "Cargo.toml"]),
    ("frontend", &[".rs", ".js", "Cargo.toml"]),
    ("style", &[".css", ".svg"]),
    ("xtask/bundler", &[".rs", "Cargo.toml"]),
];

/// Why a bundle is stale.
#[derive(Debug)]
pub enum Stale {
    /// A file of the bundle, or what it is compared with, cannot be read.
    Unreadable { file: PathBuf, error: io::Error },
    /// A file differs from the one that the stamp names.
    OtherFile { name: String },
    /// The stamp names no file.
    NoFiles,
    /// The sources cannot be read.
    UnreadableSources { error: io::Error },
    /// The sources differ from those of the stamp.
    OtherSources,
    /// `Cargo.lock` has no package `NAME VERSION` that the WASM contains.
    NotLocked { package: String },
}

impl fmt::Display for Stale {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { file, error } => write!(formatter, "{} cannot be read: {error}", file.display()),
            Self::OtherFile { name } => write!(formatter, "{name} is not the file that was built"),
            Self::NoFiles => formatter.write_str("its stamp names no file"),
            Self::UnreadableSources { error } => write!(formatter, "its sources cannot be read: {error}"),
            Self::OtherSources => formatter.write_str("its sources have changed since it was built"),
            Self::NotLocked { package } => {
                write!(formatter, "it was built with {package}, which Cargo.lock does not have")
            }
        }
    }
}

/// The stamp of a bundle of these files, built now from the sources of this workspace. `packages` are lines of `NAME VERSION`.
pub fn stamp(workspace: &Path, site: &Path, files: &[String], packages: &[String]) -> io::Result<String> {
    let mut lines = vec![format!("sources {:016x}", hash_of_sources(workspace)?)];
    for name in files {
        lines.push(format!("file {name} {:016x}", hash(&[&fs::read(site.join(name))?])));
    }
    lines.extend(packages.iter().map(|package| format!("package {package}")));
    Ok(lines.join("\n") + "\n")
}

/// The names of the bundle's files, if all of them are as the stamp says.
pub fn files(site: &Path) -> Result<Vec<String>, Stale> {
    let stamp = read(&site.join("stamp"))?;
    let mut names = Vec::new();
    for line in stamp.lines().filter_map(|line| line.strip_prefix("file ")) {
        let (name, expected) = line.split_once(' ').unwrap_or_default();
        let content = fs::read(site.join(name)).map_err(|error| Stale::Unreadable { file: name.into(), error })?;
        if format!("{:016x}", hash(&[&content])) != expected {
            return Err(Stale::OtherFile { name: name.to_owned() });
        }
        names.push(name.to_owned());
    }
    if names.is_empty() { Err(Stale::NoFiles) } else { Ok(names) }
}

/// Compares the stamp of the bundle in `server/site` with its files and with the sources.
pub fn check(workspace: &Path) -> Result<(), Stale> {
    files(&workspace.join("server/site"))?;
    check_sources(workspace)
}

/// Compares the stamp with the sources alone.
pub fn check_sources(workspace: &Path) -> Result<(), Stale> {
    let (stamp, lock) = (read(&workspace.join("server/site/stamp"))?, read(&workspace.join("Cargo.lock"))?);
    let sources = hash_of_sources(workspace).map_err(|error| Stale::UnreadableSources { error })?;
    if stamp.lines().next() != Some(&format!("sources {sources:016x}")) {
        return Err(Stale::OtherSources);
    }
    let is_locked = |package: &&str| {
        let (name, version) = package.split_once(' ').unwrap_or_default();
        lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n"))
    };
    match stamp.lines().filter_map(|line| line.strip_prefix("package ")).find(|package| !is_locked(package)) {
        Some(package) => Err(Stale::NotLocked { package: package.to_owned() }),
        None => Ok(()),
    }
}

/// A text, whichever way its checkout ends lines.
fn read(file: &Path) -> Result<String, Stale> {
    let text = fs::read_to_string(file).map_err(|error| Stale::Unreadable { file: file.to_owned(), error })?;
    Ok(text.replace('\r', ""))
}

/// A hash over the names and contents of the sources, in the order of their names.
fn hash_of_sources(workspace: &Path) -> io::Result<u64> {
    let mut files = Vec::new();
    for (source, endings) in SOURCES {
        collect(&workspace.join(source), endings, &mut files)?;
    }
    files.sort();
    let mut parts = Vec::new();
    for file in files {
        let name = file.strip_prefix(workspace).expect("the file is in the workspace").to_string_lossy().into_owned();
        let mut content = fs::read(&file)?;
        // A checkout may end lines in another way.
        content.retain(|byte| *byte != b'\r');
        parts.extend([name.into_bytes(), content]);
    }
    Ok(hash(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>()))
}

/// FNV-1a, which is the same on every machine. A length keeps the end of one part apart from the start of the next.
fn hash(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.len().to_le_bytes().into_iter().chain(part.iter().copied()));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The source itself, or the files below it whose names have one of these endings. Hidden files are an editor's.
fn collect(source: &Path, endings: &[&str], files: &mut Vec<PathBuf>) -> io::Result<()> {
    if source.is_file() {
        files.push(source.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(source)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with('.') && (path.is_dir() || endings.iter().any(|ending| name.ends_with(ending))) {
            collect(&path, endings, files)?;
        }
    }
    Ok(())
}
