//! Images that each thing of an API may have: `/users/{id}/avatar.png`.

use super::file_endings::{FileEnding, ending};

/// Their names.
const OF_THINGS: &[&str] = &[
    "avatar",
    "badge",
    "banner",
    "barcode",
    "chart",
    "clip",
    "composite",
    "cover",
    "current",
    "flag",
    "floorplan",
    "graph",
    "header",
    "heatmap",
    "hero",
    "icon",
    "image",
    "label",
    "latest",
    "logo",
    "manifest",
    "map",
    "master",
    "photo",
    "picture",
    "playlist",
    "portrait",
    "poster",
    "preview",
    "qr",
    "qrcode",
    "screenshot",
    "seatmap",
    "snapshot",
    "sprite",
    "thumb",
    "thumbnail",
    "waveform",
];

/// Whether a name is one of an image that each thing of an API may have.
pub(super) fn is_image_of_thing(name: &str) -> bool {
    // `cover-L.jpg`, `thumbnail_200.png`
    let is_size = |size: &str| size.len() == 1 || !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit());
    matches!(ending(name), Some((stem, _, FileEnding::Media)) if {
        let (image, size) = stem.split_once(['-', '_']).unwrap_or((stem, "1"));
        OF_THINGS.contains(&image) && is_size(size)
    })
}
