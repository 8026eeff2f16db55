//! One request that goes on to the application, until the head of its answer.

use std::{convert::Infallible, pin::Pin, pin::pin, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response, StatusCode, Version, header};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, Sleep};
use watchboard::UpstreamTiming;

use super::{
    Admitted, Answer, Inner, Upgrade,
    connections::Taken,
    fail,
    failure::Failure,
    headers::Seen,
    tunnel,
    upload::{Progress, Upload},
};

/// A connection that was about to be closed is by then; later it is the request that has ended whoever worked on it.
const AT_ONCE: Duration = Duration::from_secs(1);
/// Before another look at a time that is over while the client is waited for.
const AGAIN: Duration = Duration::from_millis(250);

impl Inner {
    /// Sends a request to the application, at once where a connection is idle. A request is large: what waits for its answer has it no more.
    pub(super) fn pass_on(
        self: &Arc<Self>,
        request: Request<Incoming>,
        mut admitted: Admitted,
        accept: Option<HeaderValue>,
    ) -> BoxFuture<'static, Result<Response<Answer>, Infallible>> {
        let began = Instant::now();
        let expects = admitted.expects.take();
        let progress = (!request.body().is_end_stream()).then(|| Progress::new(expects.is_none()));
        let mut request = request.map(|body| match &progress {
            Some(progress) => Upload::new(body, Arc::clone(progress)),
            None => Upload::NONE,
        });
        if let (Some(expects), Some(progress)) = (expects, &progress) {
            request.headers_mut().insert(header::EXPECT, expects);
            let progress = Arc::clone(progress);
            hyper::ext::on_informational(&mut request, move |told| {
                if told.status() == StatusCode::CONTINUE {
                    progress.go_ahead();
                }
            });
        }
        let sent = match self.connections.idle() {
            Some(mut connection) => {
                connection.open.retry_note.note(&request);
                Ok((connection.open.sender.try_send_request(request), connection))
            }
            None => Err(request),
        };
        let proxy = Arc::clone(self);
        Box::pin(async move {
            let progress = progress.as_deref();
            let answered = match sent {
                Ok((answer, mut connection)) => {
                    match proxy.answer(pin!(answer), connection.open.patience.as_mut(), began, progress).await {
                        Ok(Ok(response)) => Ok((response, connection)),
                        // Applications close idle connections when they like.
                        Ok(Err(mut error)) => {
                            let unsent = error.take_message();
                            let failure = Failure::from(error.into_error());
                            let is_at_once = failure == Failure::Closed && began.elapsed() < AT_ONCE;
                            let retried = || connection.open.retry_note.request().filter(|_| is_at_once);
                            match unsent.or_else(retried) {
                                Some(request) => Box::pin(proxy.send(request, progress)).await,
                                None => Err(failure),
                            }
                        }
                        Err(failure) => Err(failure),
                    }
                }
                Err(request) => Box::pin(proxy.send(request, progress)).await,
            };
            let response = answered.and_then(|(response, connection)| {
                // What its client takes to send a request is not the application's time.
                let asked = progress.map_or(began, |progress| progress.last().max(began));
                admitted.finish(response, connection, asked)
            });
            Ok(response.unwrap_or_else(|failure| fail(failure, accept.as_ref())))
        })
    }

    /// The head of the answer, and the connection that it came on, which is a new one.
    async fn send(
        &self,
        request: Request<Upload>,
        progress: Option<&Progress>,
    ) -> Result<(Response<Incoming>, Taken), Failure> {
        let mut connection = self.connections.connect().await?;
        let answer = connection.open.sender.send_request(request);
        let response = self.answer(answer, connection.open.patience.as_mut(), Instant::now(), progress).await??;
        Ok((response, connection))
    }

    /// What comes of a request in the time that there is from the last of it on.
    async fn answer<T>(
        &self,
        answer: impl Future<Output = T>,
        mut patience: Pin<&mut Sleep>,
        began: Instant,
        progress: Option<&Progress>,
    ) -> Result<T, Failure> {
        let deadline = || progress.map_or(began, Progress::last) + self.answers_within;
        let mut answer = pin!(answer);
        let mut until = deadline();
        loop {
            patience.as_mut().reset(until);
            tokio::select! {
                biased;
                answered = &mut answer => return Ok(answered),
                // A client that sends no more has a time of its own.
                () = &mut patience => if deadline() <= until && !progress.is_some_and(Progress::waits_for_client) {
                    return Err(Failure::Late);
                },
            }
            until = deadline().max(Instant::now() + AGAIN);
        }
    }
}

impl Admitted {
    /// Makes of the application's answer what the client is to see.
    fn finish(
        self,
        mut response: Response<Incoming>,
        mut connection: Taken,
        asked: Instant,
    ) -> Result<Response<Answer>, Failure> {
        response.extensions_mut().insert(UpstreamTiming::from_response(asked.elapsed(), connection.connect));
        let seen = Seen::among(response.headers());
        if seen.is_coded(response.headers()) {
            return Err(Failure::NotHttp);
        }
        let switches = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        match self.upgrade {
            Some(Upgrade { client, peer, .. }) if switches => {
                // `Connection` and `Upgrade` say what is spoken from here on. It holds what it was given until it ends.
                tunnel::open(client, hyper::upgrade::on(&mut response), (peer, self.place, connection));
                return Ok(response.map(|_| Answer::of_ours(Full::default())));
            }
            _ if switches => return Err(Failure::NotHttp),
            _ => seen.end_hop(response.headers_mut()),
        }
        *response.version_mut() = Version::HTTP_11;
        // Some applications close it after an error, and do not say so (uvicorn, where a handler raised one).
        connection.is_spent = response.status() == StatusCode::INTERNAL_SERVER_ERROR;
        Ok(response.map(|body| Answer::of_upstream(body, connection, self.place)))
    }
}
