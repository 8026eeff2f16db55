//! Files in paths: static files count by their folder, `/assets/*`; other files by their ending, `{id}.pdf`.

use super::{
    api_version::is_numbered,
    file_endings::{FileEnding, ending, without_density},
    words::is_version,
};

/// Whether a folder is below `api` or a version.
pub(super) fn is_of_api(folder: &str) -> bool {
    folder.split('/').any(|part| part == "api" || is_version(part))
}

/// Folders in which any file is a static one.
const STATIC_FOLDERS: &[&str] = &[
    "__assets",
    "_app",
    "_assets",
    "_astro",
    "_next",
    "_nuxt",
    "_static",
    "assets",
    "bundles",
    "chunks",
    "css",
    "dist",
    "fonts",
    "js",
    "locales",
    "node_modules",
    "static",
    "static-files",
    "wwwroot",
];
/// Words of a static file's folder that are shown.
const MAX_FOLDERS: usize = 5;

/// Folders of static files beside each other that have rows of their own. If there are more, all are one row of the folder above.
pub(super) const MAX_STATIC_ROWS: usize = 3;

/// The folder above that of a row of static files, and how the row of all below it is called: `/static` and `/static/*` for `/static/js/*`.
/// The root has no such row.
pub(super) fn static_row_above(template: &str) -> Option<(&str, String)> {
    let (above, _) = template.strip_suffix("/*")?.rsplit_once('/')?;
    (!above.is_empty()).then(|| (above, format!("{above}/*")))
}

/// Words behind which a thing's files stand.
const OF_FILES: &[&str] = &[
    "artifacts",
    "attachments",
    "audio",
    "blob",
    "clips",
    "contents",
    "documents",
    "files",
    "firmware",
    "images",
    "media",
    "photos",
    "pictures",
    "raw",
    "recordings",
    "scans",
    "thumbnails",
    "tracks",
    "videos",
];
/// In fewer folders files are those of a page: `/images/logo.png`.
const FOLDERS_OF_THING: usize = 3;

/// Whether a folder holds the files of a thing, of any kind: `/listings/7/photos`.
pub(super) fn holds_files_of_thing(folder: &str) -> bool {
    let is_of_thing = || is_of_api(folder) || folder.matches('/').count() >= FOLDERS_OF_THING;
    folder.rsplit('/').next().is_some_and(|last| OF_FILES.contains(&last)) && is_of_thing()
}

/// `9`, also with a pixel density: `9@2x`.
fn is_tile(stem: &str) -> bool {
    without_density(stem).bytes().all(|byte| byte.is_ascii_digit())
}

/// How the path of a static file is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StaticFile {
    /// By the words with which it begins: `/node_modules/*`.
    LeadingWords { most: usize },
    /// By its whole folder: `/users/{id}/*`.
    Folder,
}

/// Whether a path is one of a static file below the root.
pub(super) fn static_file(path: &str) -> Option<StaticFile> {
    let (folder, name) = path.rsplit_once('/')?;
    // Most paths end here: their last segment has no ending.
    let (stem, _, ending) = ending(name)?;
    let is_static = || folder.split('/').any(|part| STATIC_FOLDERS.contains(&part));
    match ending {
        _ if folder.is_empty() => None,
        FileEnding::Media if !is_static() && holds_files_of_thing(folder) => None,
        // A repository such as `next.js`.
        FileEnding::Code if !is_static() && folder.split('/').any(|part| part == "repos") => None,
        FileEnding::Code if is_of_api(folder) => Some(StaticFile::Folder),
        FileEnding::Code => Some(StaticFile::LeadingWords { most: MAX_FOLDERS }),
        FileEnding::Media | FileEnding::Data if is_static() => Some(StaticFile::LeadingWords { most: MAX_FOLDERS }),
        // A tile of a map, as `/v2/tiles/7/12/9.png`.
        FileEnding::Media if is_tile(stem) && is_of_api(folder) => None,
        FileEnding::Media => Some(StaticFile::Folder),
        FileEnding::Data | FileEnding::Repository => None,
    }
}

/// What is a file among files: `main.go`, `Dockerfile`.
pub(super) fn may_be_file(part: &str) -> bool {
    let is_name = part.contains('.') && !part.starts_with('.') && !is_numbered(part);
    part == "*" || is_name || part.starts_with(|char: char| char.is_ascii_uppercase())
}
