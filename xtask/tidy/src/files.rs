//! The files of the repository, by their path from its root.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Texts by path.
pub(crate) type Sources = BTreeMap<String, String>;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file that git tracks or would track, and that exists.
pub(crate) fn all_paths() -> Vec<String> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root());
    let listing = git.output().expect("git lists the files");
    assert!(listing.status.success(), "git ls-files failed: {}", String::from_utf8_lossy(&listing.stderr));
    let listing = String::from_utf8(listing.stdout).expect("paths are UTF-8");
    listing.lines().filter(|path| root().join(path).is_file()).map(ToOwned::to_owned).collect()
}

/// The texts of the files with one of these extensions.
pub(crate) fn sources(extensions: &[&str]) -> Sources {
    let matches = |path: &String| {
        Path::new(path).extension().is_some_and(|extension| extensions.iter().any(|allowed| *allowed == extension))
    };
    let paths = all_paths().into_iter().filter(matches);
    paths
        .map(|path| {
            let text = fs::read_to_string(root().join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
            (path, text)
        })
        .collect()
}
