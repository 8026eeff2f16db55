//! The addresses in a page, as a browser resolves them.

/// The path of a reference in the page at the path `page`.
pub fn resolve(page: &str, reference: &str) -> String {
    if reference.starts_with('/') {
        return reference.to_owned();
    }
    let (folder, _) =
        page.split('?').next().and_then(|path| path.rsplit_once('/')).expect("a path begins with a slash");
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in reference.split('/') {
        match part {
            ".." if parts.len() > 1 => drop(parts.pop()),
            "." | ".." => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The values of an attribute, in the order of the page.
pub fn attributes<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    html.split(&*start).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// The paths of the assets in the page at the path `page`: icon, style, WASM and script.
pub fn assets(page: &str, html: &str) -> Vec<String> {
    let all = [attributes(html, "href"), attributes(html, "src")].concat();
    all.into_iter().filter(|address| address.contains("/assets/")).map(|address| resolve(page, address)).collect()
}
