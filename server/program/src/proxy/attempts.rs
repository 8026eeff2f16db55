//! Sends a request on a new connection, more than once where that is safe, and waits for the head of the answer.

use std::{pin::pin, sync::Arc, time::Duration};

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::time::{Instant, sleep_until};

use super::{
    failure::Failure,
    retry::{MOST_ATTEMPTS, RequestCopy},
    upload::{Progress, Upload},
    upstream_link::Exchange,
    upstream_pool::{PooledConnection, UpstreamPool},
};

/// Between two looks at an expired deadline while the client still sends.
const CHECK_EACH: Duration = Duration::from_millis(250);

pub(super) struct UpstreamAttempts {
    /// From the last byte of the request to the first of the answer.
    pub(super) answers_within: Duration,
    pub(super) pool: Arc<UpstreamPool>,
}

impl UpstreamAttempts {
    /// Sends a request on a new connection, or on one of HTTP/2 with room. Returns the head of the answer and the connection.
    pub(super) async fn send(
        &self,
        mut request: Request<Upload>,
        exchange: &Exchange,
        progress: Option<&Progress>,
    ) -> Result<(Response<Incoming>, PooledConnection), Failure> {
        let mut attempts = 0;
        loop {
            let mut connection = self.pool.connect().await?;
            let copy = if connection.is_http_2() { RequestCopy::new(&request, true) } else { None };
            let answer = connection.open.send(request, exchange);
            let mut error = match self.answer(answer, Instant::now(), progress).await? {
                Ok(response) => {
                    release(copy).await;
                    return Ok((response, connection));
                }
                Err(error) => error,
            };
            let refusal = connection.refusal(error.error());
            let unsent = error.take_message().filter(|_| connection.is_http_2());
            let again = unsent.or_else(|| refusal.and(copy).and_then(RequestCopy::after_refusal));
            attempts += 1;
            request = match again.filter(|_| attempts < MOST_ATTEMPTS) {
                Some(again) => again,
                None => return Err(connection.explain(Failure::from(error.into_error()))),
            };
        }
    }

    /// Waits for the answer, until the time from the last byte of the request is over.
    pub(super) async fn answer<T>(
        &self,
        answer: impl Future<Output = T>,
        began: Instant,
        progress: Option<&Progress>,
    ) -> Result<T, Failure> {
        let deadline = || progress.map_or(began, Progress::last) + self.answers_within;
        let mut answer = pin!(answer);
        let mut until = deadline();
        loop {
            tokio::select! {
                biased;
                answered = &mut answer => return Ok(answered),
                // A client that sends no more has a time of its own.
                () = sleep_until(until) => if deadline() <= until && !progress.is_some_and(Progress::waits_for_client) {
                    return Err(Failure::Late);
                },
            }
            until = deadline().max(Instant::now() + CHECK_EACH);
        }
    }
}

/// The request has its answer.
pub(super) async fn release(copy: Option<RequestCopy>) {
    if let Some(copy) = copy {
        copy.release().await;
    }
}
