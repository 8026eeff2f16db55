//! The protocol of container registries (OCI Distribution): `/v2/{name}/manifests/latest`, where the name of an image has one part or more.

/// What stands behind the name of an image.
const BEHIND_NAMES: &[&str] = &["/blobs/", "/manifests/", "/referrers/", "/tags/list"];

/// How many parts behind `/v2` are the name of an image.
pub(super) fn parts_of_image(path: &str) -> usize {
    let Some(rest) = path.strip_prefix("/v2/") else { return 0 };
    let end = BEHIND_NAMES.iter().filter_map(|behind| rest.find(behind)).min();
    end.map_or(0, |end| rest[..end].split('/').count())
}
