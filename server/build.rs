//! Embeds the assets of the page. `cargo xtask build` leaves them in `site`, with hashed names and compressed forms; without
//! it there is only the style, and the board says that its browser bundle is missing.

use std::{
    env,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let (site, style) = (package.join("site"), package.join("../style"));
    println!("cargo::rerun-if-changed={}", site.display());
    println!("cargo::rerun-if-changed={}", style.display());
    let mut table = String::from("static ASSETS: &[Asset] = &[\n");
    if site.is_dir() {
        for file in files(&site).filter(|file| !matches!(extension(file), "br" | "gz")) {
            add(&mut table, &file, true);
        }
    } else if style.is_dir() {
        let sheet = out.join("style.css");
        let sheets: String = files(&style).filter(|file| extension(file) == "css").map(read).collect();
        fs::write(&sheet, sheets).expect("OUT_DIR can be written");
        add(&mut table, &sheet, false);
        for file in files(&style).filter(|file| extension(file) == "svg") {
            add(&mut table, &file, false);
        }
    }
    table.push_str("];\n");
    fs::write(out.join("assets.rs"), table).expect("OUT_DIR can be written");
    // The sign-in page of the binary has them inside, since it is all that a stranger gets.
    let from = [site, style].into_iter().find(|folder| folder.is_dir());
    for (name, ending) in [("sign_in.css", "css"), ("sign_in.svg", "svg")] {
        let found = from.iter().flat_map(|folder| files(folder)).filter(|file| extension(file) == ending);
        fs::write(out.join(name), found.map(read).collect::<String>()).expect("OUT_DIR can be written");
    }
}

/// The files of a folder, in the order of their names.
fn files(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("cannot list {}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a listed entry").path()).collect();
    files.sort();
    files.into_iter()
}

fn read(file: PathBuf) -> String {
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()))
}

fn extension(file: &Path) -> &str {
    file.extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}

fn add(table: &mut String, file: &Path, hashed: bool) {
    let name = file.file_name().expect("a listed file has a name").to_string_lossy();
    let form = |ending: &str| {
        let form = PathBuf::from(format!("{}.{ending}", file.display()));
        if form.is_file() { format!("Some(include_bytes!({form:?}))") } else { "None".to_owned() }
    };
    writeln!(
        table,
        "    Asset {{ name: {name:?}, plain: include_bytes!({file:?}), brotli: {}, gzip: {}, hashed: {hashed} }},",
        form("br"),
        form("gz"),
    )
    .expect("a string can be written");
}
