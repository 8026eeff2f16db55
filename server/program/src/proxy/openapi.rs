//! Reads the application's OpenAPI document, from a file or from the application, and reads it again now and then: a new version may have new
//! routes.

use std::{error::Error as StdError, io, path::Path, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use thiserror::Error;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use watchboard::{RouteError, Routes};

use super::upstream_socket::{DialError, Dialer};
use crate::file_reader::{FileReadError, FileReader, read_text};

/// A larger document is refused.
const MAX_BYTES: usize = 16 << 20;
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// Between two attempts while there is no document.
const RETRY_EACH: Duration = Duration::from_secs(2);
/// Between two looks at a document that is there.
const REFRESH_EACH: Duration = Duration::from_mins(1);

/// There are no routes from the document.
#[derive(Debug, Error)]
enum DocumentError {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    Read(#[from] FileReadError),
    #[error(transparent)]
    Target(#[from] http::Error),
    #[error("no answer within {ANSWERED_WITHIN:?}")]
    Late,
    #[error("the application does not answer")]
    NoAnswer(#[from] hyper_util::client::legacy::Error),
    #[error("the application does not answer: {0}")]
    NoConnection(#[from] DialError),
    #[error("the answer is {0}")]
    Status(StatusCode),
    #[error("{0}")]
    Body(#[source] Box<dyn StdError + Send + Sync>),
    #[error("it is not text")]
    NotText,
    #[error(transparent)]
    Routes(#[from] RouteError),
}

/// Reads the document until `stop` turns true. A result is logged once, until there is another.
pub(crate) async fn follow(source: String, dialer: Dialer, routes: Routes, mut stop: watch::Receiver<bool>) {
    let (mut last, mut reader) = (None, FileReader::default());
    loop {
        let document = tokio::select! {
            document = read(&source, &dialer, &mut reader) => document,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let count = document.and_then(|document| Ok(routes.openapi(&document)?));
        let rest = if count.is_ok() { REFRESH_EACH } else { RETRY_EACH };
        let result = count.map_err(|error| error.to_string());
        if last.as_ref() != Some(&result) {
            match &result {
                Ok(count) => tracing::info!("{count} routes from the OpenAPI document {source}"),
                Err(reason) => tracing::warn!("no routes from the OpenAPI document {source}: {reason}"),
            }
            last = Some(result);
        }
        tokio::select! {
            () = sleep(rest) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// The file that a source names, unless the source is a URL or a path of the application.
pub(crate) fn file(source: &str) -> Option<&Path> {
    let path = Path::new(source);
    (!source.starts_with("http://") && (!source.starts_with('/') || path.exists())).then_some(path)
}

async fn read(
    source: &str,
    dialer: &Dialer,
    reader: &mut FileReader<io::Result<Option<String>>>,
) -> Result<String, DocumentError> {
    let path = source.to_owned();
    // Whether a source is a file is a question to its file system.
    if !source.starts_with("http://")
        && let Some(document) = reader.read(move || file(&path).map(read_text).transpose()).await??
    {
        return Ok(document);
    }
    let document = async {
        if source.starts_with("http://") {
            let target = source.parse::<Uri>().map_err(http::Error::from)?;
            let client = Client::builder(TokioExecutor::new()).build_http();
            read_document(client.request(get(target, None)?).await?).await
        } else {
            let target = source.parse::<Uri>().map_err(http::Error::from)?;
            read_document(dialer.send(get(target, Some(dialer.upstream.host()))?).await?).await
        }
    };
    timeout(ANSWERED_WITHIN, document).await.map_err(|_| DocumentError::Late)?
}

fn get(target: Uri, host: Option<&str>) -> http::Result<Request<Empty<Bytes>>> {
    let request = Request::get(target).header(header::ACCEPT, "application/json");
    host.into_iter().fold(request, |request, host| request.header(header::HOST, host)).body(Empty::new())
}

async fn read_document(response: Response<Incoming>) -> Result<String, DocumentError> {
    if !response.status().is_success() {
        return Err(DocumentError::Status(response.status()));
    }
    let body = Limited::new(response.into_body(), MAX_BYTES).collect().await.map_err(DocumentError::Body)?;
    String::from_utf8(body.to_bytes().into()).map_err(|_| DocumentError::NotText)
}
