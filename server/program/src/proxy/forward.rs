//! Sends a request to the application and returns the head of its answer.

use std::{convert::Infallible, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response, StatusCode, Version, header};
use http_body_util::Full;
use hyper::{
    body::{Body, Incoming},
    ext::ReasonPhrase,
};
use tokio::time::Instant;
use watchboard::{Capacity, Tunnel, UpstreamTiming};

use super::{
    admission::{AdmittedRequest, Upgrade},
    attempts::{UpstreamAttempts, release},
    error_page::failure_response,
    failure::Failure,
    failure_log::FailureLog,
    headers::{self, HeaderFlags},
    idle_connections::Reuse,
    response_body::ResponseBody,
    retry::RequestCopy,
    tunnel,
    upload::{Progress, Upload, UploadError},
    upstream_link::SentBody,
    upstream_pool::{PooledConnection, UpstreamPool},
    upstream_socket::Dialer,
};
use crate::serve::ClientLink;

/// An idle connection that the application was closing fails within this time. A later end is the fault of the request.
const CLOSED_WITHIN: Duration = Duration::from_secs(1);

/// The forwarder of one thread.
pub(super) struct Forwarder {
    dialer: Dialer,
    attempts: UpstreamAttempts,
    /// Places of answers that are streams.
    streams: Capacity,
    log: Arc<FailureLog>,
}

impl Forwarder {
    pub(super) fn new(dialer: Dialer, answers_within: Duration, most_idle: usize, streams: Capacity) -> Self {
        let log = Arc::<FailureLog>::default();
        let pool = UpstreamPool::new(dialer.clone(), most_idle, Arc::clone(&log));
        Self { dialer, attempts: UpstreamAttempts { answers_within, pool }, streams, log }
    }

    pub(super) fn with_new_pool(&self, most_idle: usize) -> Self {
        let pool = UpstreamPool::new(self.dialer.clone(), most_idle, Arc::clone(&self.log));
        let (dialer, streams, log) = (self.dialer.clone(), self.streams.clone(), Arc::clone(&self.log));
        Self { dialer, attempts: UpstreamAttempts { answers_within: self.attempts.answers_within, pool }, streams, log }
    }

    pub(super) fn log(&self) -> &FailureLog {
        &self.log
    }

    /// Sends a request to the application, at once if a connection is idle. A request is large: the future that waits for the answer does not
    /// hold it.
    pub(super) fn forward(
        self: &Arc<Self>,
        request: Request<Incoming>,
        mut admitted: AdmittedRequest,
        accept: Option<HeaderValue>,
    ) -> BoxFuture<'static, Result<Response<ResponseBody>, Infallible>> {
        let began = Instant::now();
        let expects = admitted.expects.take();
        let left = admitted.exchange.client.as_ref().map(|client| client.left().clone());
        let progress = (!request.body().is_end_stream())
            .then(|| Progress::new(expects.is_none(), left.clone().unwrap_or_default()));
        let reuse = if progress.is_none() && request.method().is_idempotent() { Reuse::Any } else { Reuse::Fresh };
        let mut request = request.map(|body| match &progress {
            Some(progress) => Upload::new(body, Arc::clone(progress)),
            None => Upload::NONE,
        });
        if let Some(expects) = expects {
            request.headers_mut().insert(header::EXPECT, expects);
        }
        admitted.exchange.body = progress.clone().map(|progress| progress as Arc<dyn SentBody>);
        let sent = match self.attempts.pool.idle(began, reuse) {
            Some(mut connection) => {
                let copy = RequestCopy::new(&request, connection.is_http_2());
                Ok((connection.open.send(request, &admitted.exchange), connection, copy))
            }
            None => Err(request),
        };
        let forwarder = Arc::clone(self);
        Box::pin(async move {
            let progress = progress.as_deref();
            let timing = |timing: UpstreamTiming, sent_at: Instant| match progress {
                Some(progress) => timing.with_client(progress.client()).with_upload(sent_at.duration_since(began)),
                None => match &left {
                    Some(left) => timing.with_client(left.clone()),
                    None => timing,
                },
            };
            // The client's time to send the request is not the application's.
            let sent_at = || progress.map_or(began, |progress| progress.last().max(began));
            let answered = match sent {
                Ok((answer, connection, copy)) => match forwarder.attempts.answer(answer, began, progress).await {
                    Ok(Ok(response)) => {
                        release(copy).await;
                        Ok((response, connection))
                    }
                    Ok(Err(mut error)) => {
                        let unsent = error.take_message();
                        let refusal = connection.refusal(error.error());
                        let failure = connection.explain(Failure::from(error.into_error()));
                        // Applications close idle connections when they like.
                        let was_closing = failure == Failure::Closed && began.elapsed() < CLOSED_WITHIN;
                        let again = || match refusal {
                            Some(_) => copy.and_then(RequestCopy::after_refusal),
                            None => copy.filter(|_| was_closing).and_then(RequestCopy::after_close),
                        };
                        match unsent.or_else(again) {
                            Some(request) => {
                                Box::pin(forwarder.attempts.send(request, &admitted.exchange, progress)).await
                            }
                            None => Err(failure),
                        }
                    }
                    Err(failure) => Err(failure),
                },
                Err(request) => Box::pin(forwarder.attempts.send(request, &admitted.exchange, progress)).await,
            };
            let client = admitted.exchange.client.clone();
            let answered = match answered.map_err(|failure| blame(failure, progress, client.as_deref())) {
                Err(failure) => Err(Box::pin(forwarder.dialer.explain(failure)).await),
                answered => answered,
            };
            let response = answered.and_then(|(response, connection)| {
                let sent_at = sent_at();
                progress.inspect(|progress| progress.note_answer());
                let timing = timing(UpstreamTiming::from_response(sent_at.elapsed(), connection.connect), sent_at);
                finish(admitted, response, connection, timing, &forwarder.streams)
            });
            Ok(response.unwrap_or_else(|failure| {
                forwarder.log.note(failure);
                let sent_at = if failure.is_clients() { Instant::now() } else { sent_at() };
                failure_response(failure, timing(failure.timing(), sent_at), accept.as_ref())
            }))
        })
    }
}

/// The failure, or that of a client that has made the application close.
fn blame(failure: Failure, progress: Option<&Progress>, client: Option<&ClientLink>) -> Failure {
    let failure = if progress.is_some_and(Progress::is_stalled) { failure.while_stalled() } else { failure };
    match client {
        Some(client) if failure == Failure::Closed && client.has_ended() => {
            client.left().note();
            Failure::Client(UploadError::Aborted)
        }
        _ => failure,
    }
}

/// Turns the application's answer into the one for the client.
fn finish(
    admitted: AdmittedRequest,
    mut response: Response<Incoming>,
    mut connection: PooledConnection,
    timing: UpstreamTiming,
    streams: &Capacity,
) -> Result<Response<ResponseBody>, Failure> {
    response.extensions_mut().insert(timing);
    let flags = HeaderFlags::from(response.headers());
    if flags.is_coded(response.headers()) {
        return Err(Failure::NotHttp);
    }
    let switches = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let idle_for = flags.idle_for(response.headers());
    match admitted.upgrade {
        Some(Upgrade { client, place, drain, .. }) if switches => {
            // `Connection` and `Upgrade` name the new protocol, and stay. The place of the request is free.
            let is_websocket = watchboard::is_websocket(response.headers());
            let sides = tunnel::UpgradedSides { client, application: hyper::upgrade::on(&mut response), is_websocket };
            let tunnel = Tunnel::default();
            response.extensions_mut().insert(tunnel.clone());
            tunnel::open(sides, tunnel, drain, (place, connection));
            return Ok(response.map(|_| ResponseBody::from_page(Full::default())));
        }
        _ if switches => return Err(Failure::NotHttp),
        _ => flags.make_response_end_to_end(&mut response),
    }
    if let Some(reason) = connection.open.link.take_reason().and_then(|reason| ReasonPhrase::try_from(reason).ok()) {
        response.extensions_mut().insert(reason);
    }
    *response.version_mut() = Version::HTTP_11;
    // Some applications close the connection after an error without saying so, as uvicorn does when a handler raises one.
    connection.is_spent = response.status() == StatusCode::INTERNAL_SERVER_ERROR || idle_for == Some(Duration::ZERO);
    connection.idle_for = idle_for;
    connection.note_answer(response.status());
    let client = admitted.exchange.client;
    let is_stream = response.body().size_hint().exact().is_none() && watchboard::is_stream(response.headers());
    // An open stream takes no place of a request while there are places for streams.
    let place_of_stream = if is_stream { streams.try_enter_uncounted() } else { None };
    let place = place_of_stream.unwrap_or(admitted.place);
    let declared = headers::length_without_body(&response).filter(|_| client.is_some());
    Ok(response.map(|body| ResponseBody::from_upstream(body, declared, client, connection, place)))
}
