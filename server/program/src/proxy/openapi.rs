//! The application's OpenAPI document: read from a file, or asked for until the application answers, and again now and then, since a
//! new version of it may have new routes.

use std::{path::Path, time::Duration};

use bytes::Bytes;
use http::{Request, Uri, header, uri::Authority};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use watchboard::Routes;

/// A larger document is no application's.
const MOST_BYTES: usize = 16 << 20;
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// Between two attempts while there is no document, and between two looks at one that is there.
const AGAIN: Duration = Duration::from_secs(2);
const ANEW: Duration = Duration::from_mins(1);

/// Until the end. What goes wrong is logged once, until it is something else.
pub(crate) async fn follow(source: String, upstream: Authority, routes: Routes, mut stop: watch::Receiver<bool>) {
    let mut last: Option<Result<usize, String>> = None;
    loop {
        let read = read(&source, &upstream).await;
        let read = read.and_then(|document| routes.openapi(&document).map_err(|error| error.to_string()));
        if last.as_ref() != Some(&read) {
            match &read {
                Ok(count) => tracing::info!("{count} routes from the OpenAPI document {source}"),
                Err(reason) => tracing::warn!("no routes from the OpenAPI document {source}: {reason}"),
            }
        }
        let rest = if read.is_ok() { ANEW } else { AGAIN };
        last = Some(read);
        tokio::select! {
            () = sleep(rest) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// The file that a source names; none where it is to be asked for.
pub(crate) fn file(source: &str) -> Option<&Path> {
    let path = Path::new(source);
    (!source.starts_with("http://") && (!source.starts_with('/') || path.exists())).then_some(path)
}

async fn read(source: &str, upstream: &Authority) -> Result<String, String> {
    if let Some(file) = file(source) {
        return tokio::fs::read_to_string(file).await.map_err(|error| error.to_string());
    }
    let asked = if source.starts_with("http://") {
        source.parse::<Uri>().map_err(|error| error.to_string())?
    } else {
        let target = Uri::builder().scheme("http").authority(upstream.clone()).path_and_query(source).build();
        target.map_err(|error| error.to_string())?
    };
    timeout(ANSWERED_WITHIN, ask(asked)).await.map_err(|_| format!("no answer within {ANSWERED_WITHIN:?}"))?
}

async fn ask(target: Uri) -> Result<String, String> {
    let request = Request::get(target).header(header::ACCEPT, "application/json").body(Empty::<Bytes>::new());
    let request = request.map_err(|error| error.to_string())?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.map_err(|_| "the application does not answer".to_owned())?;
    if !response.status().is_success() {
        return Err(format!("the answer is {}", response.status()));
    }
    let body = Limited::new(response.into_body(), MOST_BYTES).collect().await.map_err(|error| error.to_string())?;
    String::from_utf8(body.to_bytes().into()).map_err(|_| "it is not text".to_owned())
}
