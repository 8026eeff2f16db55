//! The command `mark`: notes something on a board that runs, such as a deployment.

use std::{env, time::Duration};

use http::{Method, Request, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use thiserror::Error;
use tokio::{runtime, time::timeout};

use crate::config::Config;

/// A board answers at once.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_BYTES: usize = 16 * 1024;

/// The mark was not made.
#[derive(Debug, Error)]
pub(crate) enum MarkError {
    #[error("there are no threads to run on: {0}")]
    Runtime(#[source] std::io::Error),
    #[error("{0} is not the address of a board: write it as http://HOST:PORT/")]
    Address(String),
    #[error(
        "{0} is a board with TLS, which this command does not speak: use `curl -H 'Authorization: Bearer TOKEN' -d TEXT {0}marks`"
    )]
    Tls(String),
    #[error("the board at {url} cannot be reached: {why}. Say by --board where it is.")]
    Unreachable { url: String, why: String },
    #[error("the board at {url} refuses the mark: {answer}")]
    Refused { url: String, answer: String },
}

/// Sends the mark, and returns what to print.
pub(crate) fn send(config: &Config, text: &str, board: Option<&str>) -> Result<String, MarkError> {
    let board = board.map_or_else(|| own_address(config), str::to_owned);
    let board = format!("{}/", board.trim_end_matches('/'));
    if board.starts_with("https:") {
        return Err(MarkError::Tls(board));
    }
    let uri: Uri = format!("{board}marks").parse().map_err(|_| MarkError::Address(board.clone()))?;
    if uri.scheme_str() != Some("http") || uri.authority().is_none() {
        return Err(MarkError::Address(board));
    }
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(MarkError::Runtime)?;
    runtime.block_on(post(&board, uri, text))
}

/// Where this configuration's board listens.
fn own_address(config: &Config) -> String {
    let address = match config.listen {
        any if any.ip().is_unspecified() => format!("127.0.0.1:{}", any.port()),
        one => one.to_string(),
    };
    let scheme = if config.tls_cert.is_some() { "https" } else { "http" };
    format!("{scheme}://{address}{}", config.base_path.as_ref().map_or("", |base| base.as_str()))
}

async fn post(board: &str, uri: Uri, text: &str) -> Result<String, MarkError> {
    let unreachable = |why: String| MarkError::Unreachable { url: board.to_owned(), why };
    let mut request = Request::builder().method(Method::POST).uri(uri);
    if let Ok(token) = env::var("WATCHBOARD_TOKEN") {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request =
        request.body(Full::new(text.to_owned().into_bytes().into())).map_err(|error| unreachable(error.to_string()))?;
    let client: Client<_, Full<bytes::Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let answer = timeout(ANSWERED_WITHIN, async {
        let (head, body) = client.request(request).await.map_err(|error| cause(&error))?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES).collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok::<_, String>((head.status, String::from_utf8_lossy(&body).trim().to_owned()))
    });
    let late = |_| unreachable(format!("no answer within {ANSWERED_WITHIN:?}"));
    let (status, answer) = answer.await.map_err(late)?.map_err(unreachable)?;
    if status.is_success() {
        return Ok(format!("marked at {board}: {text}\n"));
    }
    Err(MarkError::Refused { url: board.to_owned(), answer: format!("{status}: {answer}") })
}

/// The innermost reason: the client's own says little.
fn cause(error: &dyn std::error::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
