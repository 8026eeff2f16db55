//! Files in paths: static files count by their folder, `/assets/*`; other files by their ending, `{id}.pdf`.

use super::{api_version::is_numbered, words::is_version};

/// What the ending of a file's name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileEnding {
    /// Code, styles and fonts of a page. Their folders may have names of any kind.
    Code,
    /// Images, sound and films.
    Media,
    /// Documents and data, which routes of an API can have as well.
    Data,
    /// A repository of git.
    Repository,
}

const CODE: &[&str] = &[
    "cjs",
    "css",
    "eot",
    "js",
    "jsx",
    "less",
    "map",
    "mjs",
    "mts",
    "otf",
    "sass",
    "scss",
    "svelte",
    "ts",
    "tsx",
    "ttf",
    "vue",
    "wasm",
    "webmanifest",
    "woff",
    "woff2",
];
const MEDIA: &[&str] = &[
    "apng", "avif", "bmp", "cur", "flac", "gif", "heic", "ico", "jpeg", "jpg", "m4a", "m4s", "m4v", "mov", "mp3",
    "mp4", "mpd", "m3u8", "ogg", "ogv", "opus", "png", "svg", "tif", "tiff", "wav", "webm", "webp",
];
const DATA: &[&str] = &[
    "7z",
    "apk",
    "arrow",
    "atom",
    "avro",
    "bin",
    "bz2",
    "conf",
    "csv",
    "dat",
    "db",
    "deb",
    "diff",
    "doc",
    "docx",
    "dmg",
    "eml",
    "epub",
    "exe",
    "geojson",
    "gpx",
    "gz",
    "h5",
    "htm",
    "html",
    "ics",
    "iso",
    "ipynb",
    "jar",
    "json",
    "jsonl",
    "kml",
    "log",
    "lz4",
    "md",
    "msi",
    "mvt",
    "ndjson",
    "odp",
    "ods",
    "odt",
    "onnx",
    "parquet",
    "pb",
    "patch",
    "pbf",
    "pdf",
    "pkl",
    "ppt",
    "pptx",
    "proto",
    "pt",
    "py",
    "rar",
    "rdf",
    "rpm",
    "rss",
    "rst",
    "rtf",
    "safetensors",
    "sh",
    "sig",
    "sql",
    "sqlite",
    "srt",
    "tar",
    "tex",
    "tgz",
    "toml",
    "torrent",
    "tsv",
    "ttl",
    "txt",
    "vcf",
    "vtt",
    "wat",
    "whl",
    "xls",
    "xlsx",
    "xml",
    "xsd",
    "xsl",
    "xz",
    "yaml",
    "yml",
    "zip",
    "zpl",
    "zst",
];

/// Endings that stand behind another.
const PACKERS: &[&str] = &["bz2", "gz", "lz4", "xz", "zst"];

/// Whether a folder is below `api` or a version.
pub(super) fn is_of_api(folder: &str) -> bool {
    folder.split('/').any(|part| part == "api" || is_version(part))
}

/// The formats of an API's answers, which its routes end in: `/messages.json`.
const OF_API: &[&str] = &["atom", "csv", "json", "rss", "txt", "xml", "yaml"];

/// Whether routes of an API end so.
pub(super) fn is_format(end: &str) -> bool {
    OF_API.contains(&end)
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

/// The name of a file without its ending, the ending, and what it says.
pub(super) fn ending(segment: &str) -> Option<(&str, &str, FileEnding)> {
    let (stem, end) = segment.rsplit_once('.')?;
    // `events.ndjson.gz`: what is packed counts.
    let packed = PACKERS.contains(&end).then(|| stem.rsplit_once('.')).flatten();
    if let Some((stem, inner)) = packed.filter(|(_, inner)| DATA.contains(inner)) {
        return Some((stem, &segment[segment.len() - inner.len() - 1 - end.len()..], FileEnding::Data));
    }
    let is_in = |list: &[&str]| list.iter().any(|known| known.eq_ignore_ascii_case(end));
    let ending = match () {
        () if is_in(CODE) => FileEnding::Code,
        () if is_in(MEDIA) => FileEnding::Media,
        () if is_in(DATA) => FileEnding::Data,
        () if end == "git" => FileEnding::Repository,
        () => return None,
    };
    Some((stem, end, ending))
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
        FileEnding::Code if is_of_api(folder) => Some(StaticFile::Folder),
        FileEnding::Code => Some(StaticFile::LeadingWords { most: MAX_FOLDERS }),
        FileEnding::Media | FileEnding::Data if is_static() => Some(StaticFile::LeadingWords { most: MAX_FOLDERS }),
        // A tile of a map, as `/v2/tiles/7/12/9.png`.
        FileEnding::Media if stem.bytes().all(|byte| byte.is_ascii_digit()) && is_of_api(folder) => None,
        FileEnding::Media => Some(StaticFile::Folder),
        FileEnding::Data | FileEnding::Repository => None,
    }
}

/// What is a file among files: `main.go`, `Dockerfile`.
pub(super) fn may_be_file(part: &str) -> bool {
    let is_name = part.contains('.') && !part.starts_with('.') && !is_numbered(part);
    part == "*" || is_name || part.starts_with(|char: char| char.is_ascii_uppercase())
}
