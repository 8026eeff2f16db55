//! The stream of a client, below hyper. It keeps what hyper would lose: the exact target of a request, interim responses, trailers that nobody
//! announced, and the answer for a client that has closed its side.

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    body_framing::BodyFraming,
    client_link::{ClientLink, RequestNote},
    pending_output::PendingOutput,
    request_head::{self, HEAD_BYTES, HeadError},
};

/// hyper looks for HTTP/2 with a smaller buffer than this.
const LEAST_ROOM: usize = 1024;
const READ_BYTES: usize = 4096;
/// With this an HTTP/2 connection begins.
const PREFACE: &[u8] = b"PRI ";

/// What is read next.
enum ReadState {
    /// The first line and the headers of a request.
    Head,
    /// So many bytes of a head that was looked at.
    Looked(usize),
    Body,
    /// Everything passes: HTTP/2, a tunnel, or what hyper shall judge.
    Through,
    /// The head was refused. What follows has no meaning.
    Refused,
}

#[expect(clippy::struct_excessive_bools, reason = "one for each thing that has happened, in any order")]
pub(super) struct ClientStream<S> {
    inner: S,
    link: Arc<ClientLink>,
    reading: ReadState,
    body: BodyFraming,
    /// What was read from `inner`, and not from here.
    held: BytesMut,
    /// How much of `held` is known to be no whole head.
    partial: usize,
    is_first: bool,
    has_ended: bool,
    awaits_upgrade: bool,
    /// What goes out before the next write.
    out: PendingOutput,
    /// Whether hyper has flushed all that it has written.
    is_flushed: bool,
}

impl<S> ClientStream<S> {
    /// `looks`: whether heads are looked at.
    pub(super) fn new(inner: S, link: Arc<ClientLink>, looks: bool) -> Self {
        Self {
            inner,
            link,
            reading: if looks { ReadState::Head } else { ReadState::Through },
            body: BodyFraming::NONE,
            held: BytesMut::new(),
            partial: 0,
            is_first: true,
            has_ended: false,
            awaits_upgrade: false,
            out: PendingOutput::default(),
            is_flushed: true,
        }
    }

    /// Hands over at most so many held bytes.
    fn give(&mut self, most: usize, buffer: &mut ReadBuf<'_>) -> usize {
        let count = most.min(self.held.len()).min(buffer.remaining());
        buffer.put_slice(&self.held[..count]);
        self.held.advance(count);
        if self.held.is_empty() {
            self.held = BytesMut::new();
        }
        count
    }

    fn behind_head(&self) -> ReadState {
        if self.body.has_ended() { ReadState::Head } else { ReadState::Body }
    }

    /// Looks at the held bytes, for a whole head.
    fn look(&mut self) {
        if self.is_first && self.held.starts_with(PREFACE) {
            self.reading = ReadState::Through;
            return;
        }
        if self.is_first && PREFACE.starts_with(&self.held) {
            self.partial = self.held.len();
            return;
        }
        // As hyper does: a head that comes in many parts is parsed once.
        let from = self.partial.saturating_sub(3);
        if self.partial > 0 && !has_empty_line(&self.held[from..]) && self.held.len() < HEAD_BYTES as usize {
            self.partial = self.held.len();
            return;
        }
        let mut note = RequestNote::default();
        let mut head = request_head::parse(&self.held);
        if !matches!(head, Ok(None))
            && let Some(escaped) = request_head::escape_target(&self.held)
        {
            self.held = BytesMut::from(&escaped.bytes[..]);
            note.target = Some(escaped.original);
            head = request_head::parse(&self.held);
        }
        match head {
            Ok(None) if self.held.len() < HEAD_BYTES as usize => {
                self.partial = self.held.len();
                return;
            }
            Ok(None) => self.refuse(HeadError::TooLarge),
            Err(error) => self.refuse(error),
            Ok(Some(head)) => {
                (self.body, self.awaits_upgrade) = (head.body, head.wants_upgrade);
                self.reading = ReadState::Looked(head.length);
                if note.target.is_some() {
                    self.link.note_request(note);
                }
            }
        }
        (self.partial, self.is_first) = (0, false);
    }

    /// hyper gets a request in place of the refused one, so that it is counted and answered.
    fn refuse(&mut self, error: HeadError) {
        tracing::debug!(%error, "a request is refused");
        let is_head = self.held.starts_with(b"HEAD ");
        let method = if is_head { "HEAD" } else { "GET" };
        self.held = BytesMut::from(format!("{method} * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes());
        self.body = BodyFraming::Malformed;
        self.reading = ReadState::Looked(self.held.len());
        self.link.note_request(RequestNote { refusal: Some(error), target: None });
    }
}

fn has_empty_line(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|two| two == b"\n\n") || bytes.windows(3).any(|three| three == b"\n\r\n")
}

impl<S: AsyncRead + Unpin> ClientStream<S> {
    /// Reads more into the held bytes. Zero: the client has closed its side.
    fn poll_hold(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut room = [MaybeUninit::uninit(); READ_BYTES];
        let mut buffer = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buffer))?;
        self.held.extend_from_slice(buffer.filled());
        self.has_ended |= buffer.filled().is_empty();
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// The client has closed its side. As long as it gets an answer, hyper does not hear of it: it would break the answer off.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.link.is_busy() || !self.is_flushed {
            if !self.link.has_ended() {
                self.link.end();
            }
            self.link.connection.register(cx.waker());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    /// Reads a head. Most come whole, and stay where hyper wants them. `false`: hyper has nothing yet.
    fn poll_head(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<bool>> {
        if self.awaits_upgrade {
            if self.link.is_tunnel() {
                self.reading = ReadState::Through;
                return Poll::Ready(Ok(false));
            }
            if self.link.is_busy() {
                // Whether this is the other protocol or a request shows later.
                while !self.has_ended && self.held.len() < HEAD_BYTES as usize {
                    ready!(self.poll_hold(cx))?;
                }
                if self.has_ended && self.held.is_empty() {
                    return self.poll_end(cx).map_ok(|()| true);
                }
                self.link.connection.register(cx.waker());
                return Poll::Pending;
            }
            self.awaits_upgrade = false;
        }
        let has_new = self.held.len() > self.partial;
        if self.has_ended && !has_new {
            if self.held.is_empty() {
                return self.poll_end(cx).map_ok(|()| true);
            }
            self.reading = ReadState::Through;
            return Poll::Ready(Ok(false));
        }
        if !has_new {
            if self.held.is_empty() && !self.is_first && buffer.remaining() >= LEAST_ROOM {
                return self.poll_whole_head(cx, buffer);
            }
            if ready!(self.poll_hold(cx))? == 0 {
                return Poll::Ready(Ok(false));
            }
        }
        self.look();
        Poll::Ready(Ok(false))
    }

    fn poll_whole_head(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<bool>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        let new = &buffer.filled()[before..];
        if new.is_empty() {
            self.has_ended = true;
            return Poll::Ready(Ok(false));
        }
        let mut kept = 0;
        if let Ok(Some(head)) = request_head::parse(new)
            && !request_head::has_odd_target(new)
        {
            (self.body, self.awaits_upgrade) = (head.body, head.wants_upgrade);
            kept = head.length + self.body.take(&new[head.length..]);
            self.reading = self.behind_head();
        }
        self.held.extend_from_slice(&new[kept..]);
        buffer.set_filled(before + kept);
        Poll::Ready(Ok(kept > 0))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ClientStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            match this.reading {
                ReadState::Head => {
                    if ready!(this.poll_head(cx, buffer))? {
                        return Poll::Ready(Ok(()));
                    }
                }
                ReadState::Looked(left) => {
                    let left = left - this.give(left, buffer);
                    this.reading = match left {
                        0 if this.body == BodyFraming::Malformed => ReadState::Refused,
                        0 => this.behind_head(),
                        left => ReadState::Looked(left),
                    };
                    return Poll::Ready(Ok(()));
                }
                ReadState::Body if !this.held.is_empty() => {
                    let most = this.held.len().min(buffer.remaining());
                    let count = this.body.take(&this.held[..most]);
                    this.give(count, buffer);
                    this.reading = this.behind_head();
                    return Poll::Ready(Ok(()));
                }
                ReadState::Body => {
                    let before = buffer.filled().len();
                    ready!(Pin::new(&mut this.inner).poll_read(cx, buffer))?;
                    let count = this.body.take(&buffer.filled()[before..]);
                    this.held.extend_from_slice(&buffer.filled()[before + count..]);
                    buffer.set_filled(before + count);
                    this.reading = this.behind_head();
                    return Poll::Ready(Ok(()));
                }
                ReadState::Through if this.held.is_empty() && !this.has_ended => {
                    return Pin::new(&mut this.inner).poll_read(cx, buffer);
                }
                ReadState::Through => {
                    this.give(usize::MAX, buffer);
                    return Poll::Ready(Ok(()));
                }
                // It is read, so that the kernel does not reset the connection before the client has the answer.
                ReadState::Refused => {
                    this.held.clear();
                    if this.has_ended || ready!(this.poll_hold(cx))? == 0 {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> ClientStream<S> {
    /// Writes what goes out before the next write.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.out.poll_write_all(&mut self.inner, cx)
    }

    /// Interim responses go out between two responses alone.
    fn poll_interim(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_flushed
            && let Some(interim) = self.link.take_interim()
        {
            self.out.push(&interim);
        }
        self.poll_out(cx)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ClientStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(this.poll_interim(cx))?;
        this.is_flushed = false;
        if this.link.trailers.are_there() {
            return this.out.poll_write_end(&mut this.inner, cx, bytes, &this.link.trailers);
        }
        Pin::new(&mut this.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.link.is_busy() {
            this.link.connection.register(cx.waker());
        }
        ready!(this.poll_out(cx))?;
        ready!(Pin::new(&mut this.inner).poll_flush(cx))?;
        this.is_flushed = true;
        ready!(this.poll_interim(cx))?;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(cx))?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if matches!(self.reading, ReadState::Through) {
            return Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        }
        let bytes = slices.iter().find(|slice| !slice.is_empty()).map_or(&[][..], |slice| slice);
        self.poll_write(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
