//! Images that each thing of an API may have: `/users/{id}/avatar.png`.

use super::file::{FileEnding, ending};

/// Their names.
const OF_THINGS: &[&str] = &[
    "avatar",
    "badge",
    "banner",
    "barcode",
    "chart",
    "cover",
    "floorplan",
    "graph",
    "heatmap",
    "icon",
    "image",
    "logo",
    "map",
    "photo",
    "picture",
    "portrait",
    "poster",
    "preview",
    "qr",
    "qrcode",
    "screenshot",
    "snapshot",
    "sprite",
    "thumb",
    "thumbnail",
    "waveform",
];

/// Whether a name is one of an image that each thing of an API may have.
pub(super) fn is_image_of_thing(name: &str) -> bool {
    matches!(ending(name), Some((stem, _, FileEnding::Media)) if OF_THINGS.contains(&stem))
}
