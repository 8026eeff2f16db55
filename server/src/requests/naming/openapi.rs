//! The route templates of an OpenAPI document (2.0 and 3): its paths, below the base path of its first server and without it.

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

/// The templates, those below the base first, and the number of the document's paths.
pub(super) fn templates(document: &str) -> Result<(Vec<String>, usize), RouteError> {
    let document: Document =
        serde_json::from_str(document).map_err(|error| RouteError::Unreadable { reason: reason(&error) })?;
    let paths = document.paths.ok_or(RouteError::NoPaths)?;
    if paths.len() > MOST {
        return Err(RouteError::TooManyPaths { count: paths.len(), most: MOST });
    }
    let of_servers = document.servers.iter().map(|server| path_of(&server.url));
    let mut bases: Vec<&str> = vec![];
    // A proxy in front of the application may have stripped the base, as FastAPI's `root_path` supposes.
    for base in document.base_path.as_deref().into_iter().chain(of_servers).take(MOST_BASES).chain([""]) {
        let base = base.trim_end_matches('/');
        if !bases.contains(&base) {
            bases.push(base);
        }
    }
    let named = || paths.keys().filter(|path| path.starts_with('/'));
    let below = |base: &&str| named().map(|path| format!("{base}{path}")).collect::<Vec<_>>();
    Ok((bases.iter().flat_map(below).collect(), named().count()))
}

/// The parser's reason, without what it quotes of the document.
fn reason(error: &serde_json::Error) -> String {
    let (text, place) = (error.to_string(), format!(" at line {} column {}", error.line(), error.column()));
    text.strip_suffix(&place).map_or_else(|| mask_text(&text), |text| mask_text(text) + &place)
}

/// The path of a server's URL. The URL may be a path alone.
fn path_of(url: &str) -> &str {
    match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => url,
    }
}

#[cfg(test)]
mod tests {
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
            let expected = bases.iter().flat_map(|base| [format!("{base}/"), format!("{base}/users/{{id}}")]).collect();
            assert_eq!(templates(&document).unwrap(), (expected, 2), "{more}");
        }
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
