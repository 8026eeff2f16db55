//! The route templates of an OpenAPI document (2.0 and 3): its paths, below the base path of its first server and without it.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::declared::RouteError;
use crate::masking::mask_text;

/// Templates of one document. No application has more.
const MOST: usize = 10_000;

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
    let first = document.servers.first().map(|server| path_of(&server.url));
    let base = document.base_path.as_deref().or(first).unwrap_or_default().trim_end_matches('/');
    let named = || paths.keys().filter(|path| path.starts_with('/'));
    let below_base = named().map(|path| format!("{base}{path}"));
    // A proxy in front of the application may have stripped the base, as FastAPI's `root_path` supposes.
    let alone = named().filter(|_| !base.is_empty()).cloned();
    Ok((below_base.chain(alone).collect(), named().count()))
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
        for (more, base) in [
            (r#""info": {}"#, ""),
            (r#""servers": [{"url": "https://shop.example/api/v1/"}, {"url": "/other"}]"#, "/api/v1"),
            (r#""servers": [{"url": "https://shop.example"}]"#, ""),
            (r#""servers": [{"url": "/api"}]"#, "/api"),
            (r#""basePath": "/v2""#, "/v2"),
        ] {
            let document = format!(r#"{{"paths": {{"/users/{{id}}": {{"get": {{}}}}, "/": {{}}}}, {more}}}"#);
            let mut expected = vec![format!("{base}/"), format!("{base}/users/{{id}}")];
            if !base.is_empty() {
                expected.extend(["/".to_owned(), "/users/{id}".to_owned()]);
            }
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
