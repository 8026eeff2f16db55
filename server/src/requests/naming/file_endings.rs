//! Endings of files' names, and what they say.

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
    "bam",
    "bin",
    "bz2",
    "cer",
    "cif",
    "conf",
    "crt",
    "csv",
    "dat",
    "db",
    "deb",
    "diff",
    "dmg",
    "doc",
    "docx",
    "eml",
    "epub",
    "exe",
    "fasta",
    "fastq",
    "ged",
    "geojson",
    "glb",
    "gltf",
    "gpx",
    "grib2",
    "gz",
    "h5",
    "htm",
    "html",
    "ics",
    "ipynb",
    "iso",
    "jar",
    "json",
    "jsonl",
    "kml",
    "kmz",
    "log",
    "lz4",
    "md",
    "mid",
    "midi",
    "mol",
    "msi",
    "mvt",
    "ndjson",
    "netcdf",
    "obj",
    "odp",
    "ods",
    "odt",
    "onnx",
    "parquet",
    "patch",
    "pb",
    "pbf",
    "pdb",
    "pdf",
    "pem",
    "pgn",
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
    "sdf",
    "sgf",
    "sh",
    "sig",
    "sql",
    "sqlite",
    "srt",
    "step",
    "stl",
    "tar",
    "tex",
    "tgz",
    "toml",
    "topojson",
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
    "xspf",
    "xz",
    "yaml",
    "yml",
    "zip",
    "zpl",
    "zst",
];

/// Endings that stand behind another.
const PACKERS: &[&str] = &["bz2", "gz", "lz4", "xz", "zst"];

/// The formats of an API's answers, which its routes end in: `/messages.json`.
const OF_API: &[&str] = &["atom", "csv", "json", "rss", "txt", "xml", "yaml"];

/// Whether files of media and data end so.
pub(super) fn is_ending(word: &str) -> bool {
    MEDIA.contains(&word) || DATA.contains(&word)
}

/// Whether routes of an API end so.
pub(super) fn is_format(end: &str) -> bool {
    OF_API.contains(&end)
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

/// The parameter for a format.
const ANY_FORMAT: &str = ".{format}";

/// A word with any format: `export.{format}`.
pub(super) fn with_format(stem: &str) -> String {
    format!("{stem}{ANY_FORMAT}")
}

/// The word that has any format.
pub(super) fn without_format(part: &str) -> Option<&str> {
    part.strip_suffix(ANY_FORMAT)
}

/// The name of an image without its pixel density: `9` of `9@2x`.
pub(super) fn without_density(stem: &str) -> &str {
    let is_density = |text: &str| matches!(text.as_bytes(), [b'1'..=b'9', b'x']);
    stem.rsplit_once('@').filter(|(_, density)| is_density(density)).map_or(stem, |(name, _)| name)
}
