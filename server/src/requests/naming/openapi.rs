//! The route templates of an OpenAPI document (2.0 and 3): its paths, below the base paths of their servers and without them.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::declared::RouteError;
use crate::masking::mask_text;

/// Templates of one document. No application has more.
const MOST: usize = 10_000;
/// Servers of a document whose paths are tried as bases.
const MOST_BASES: usize = 4;

#[derive(Deserialize)]
struct Document {
    paths: Option<Map<String, Value>>,
    /// OpenAPI 3.
    #[serde(default)]
    servers: Vec<OpenApiServer>,
    /// Swagger 2.0.
    #[serde(rename = "basePath")]
    base_path: Option<String>,
}

#[derive(Deserialize)]
struct OpenApiServer {
    url: String,
}

impl OpenApiServer {
    /// The path of its URL. The URL may be a path alone.
    fn path(&self) -> &str {
        match self.url.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
            None => &self.url,
        }
    }
}

/// The templates, those below the base first, and the number of the document's paths.
pub(super) fn templates(document: &str) -> Result<(Vec<String>, usize), RouteError> {
    let document: Document =
        serde_json::from_str(document).map_err(|error| RouteError::Unreadable { reason: reason(&error) })?;
    let paths = document.paths.ok_or(RouteError::NoPaths)?;
    if paths.len() > MOST {
        return Err(RouteError::TooManyPaths { count: paths.len(), most: MOST });
    }
    let of_document: Vec<&str> =
        document.base_path.as_deref().into_iter().chain(document.servers.iter().map(OpenApiServer::path)).collect();
    let named: Vec<_> = paths.iter().filter(|(path, _)| path.starts_with('/')).collect();
    let mut below = vec![];
    for (path, item) in &named {
        // A path's own servers stand for the document's.
        let own = item.get("servers").and_then(|servers| Vec::<OpenApiServer>::deserialize(servers).ok());
        let own: Option<Vec<&str>> = own.as_ref().map(|own| own.iter().map(OpenApiServer::path).collect());
        below.extend(bases(own.as_ref().unwrap_or(&of_document)).map(|base| format!("{base}{path}")));
    }
    let plain = named.iter().map(|(path, _)| (*path).clone());
    Ok((below.into_iter().chain(plain).collect(), named.len()))
}

/// The first bases of a path.
fn bases(of_servers: &[&str]) -> impl Iterator<Item = String> {
    let mut bases: Vec<String> = vec![];
    for base in of_servers.iter().take(MOST_BASES).map(|base| base.trim_end_matches('/')) {
        if !base.is_empty() && !bases.iter().any(|known| known == base) {
            bases.push(base.to_owned());
        }
    }
    bases.into_iter()
}

/// The parser's reason, without what it quotes of the document.
fn reason(error: &serde_json::Error) -> String {
    let (text, place) = (error.to_string(), format!(" at line {} column {}", error.line(), error.column()));
    text.strip_suffix(&place).map_or_else(|| mask_text(&text), |text| mask_text(text) + &place)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn paths_stand_below_the_base_and_without_it() {
        for (more, bases) in [
            (r#""info": {}"#, &[""][..]),
            (r#""servers": [{"url": "https://shop.example/api/v1/"}, {"url": "/stage"}]"#, &["/api/v1", "/stage", ""]),
            (r#""servers": [{"url": "https://shop.example"}, {"url": "http://localhost:8000/"}]"#, &[""]),
            (r#""servers": [{"url": "/api"}, {"url": "https://shop.example/api"}]"#, &["/api", ""]),
            (r#""basePath": "/v2""#, &["/v2", ""]),
        ] {
            let document = format!(r#"{{"paths": {{"/users/{{id}}": {{"get": {{}}}}, "/": {{}}}}, {more}}}"#);
            let (found, count) = templates(&document).unwrap();
            let expected: BTreeSet<_> =
                bases.iter().flat_map(|base| [format!("{base}/"), format!("{base}/users/{{id}}")]).collect();
            assert_eq!((found.into_iter().collect(), count), (expected, 2), "{more}");
        }
    }

    #[test]
    fn a_path_may_have_servers_of_its_own() {
        let document = r#"{"servers": [{"url": "/api"}], "paths": {
            "/files/{name}": {"servers": [{"url": "https://files.example/v2"}]}, "/users": {}}}"#;
        assert_eq!(templates(document).unwrap().0, ["/v2/files/{name}", "/api/users", "/files/{name}", "/users"]);
    }

    #[test]
    fn what_is_none_says_so() {
        for (wrong, said) in [
            ("openapi: 3.1.0\npaths: {}", "has to be JSON"),
            ("{}", "no \"paths\""),
            (r#"{"paths": "hunter2"}"#, "invalid type: string #, expected a map at line 1 column 19"),
        ] {
            let error = templates(wrong).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
