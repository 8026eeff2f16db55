//! A stream whose small writes go out in one piece: the system takes less for one than for several.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// The most that is copied: a head and a short body.
const SMALL: usize = 1024;

pub(super) struct Gathered(pub(super) TcpStream);

impl AsyncRead for Gathered {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Gathered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = pieces.iter().map(|piece| piece.len()).sum();
        if length > SMALL {
            return Pin::new(&mut self.0).poll_write_vectored(cx, pieces);
        }
        let (mut small, mut end) = ([0; SMALL], 0);
        for piece in pieces {
            small[end..end + piece.len()].copy_from_slice(piece);
            end += piece.len();
        }
        self.poll_write(cx, &small[..length])
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use bytes::{Buf, Bytes};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn pieces_of_any_size_arrive_in_their_order() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut stream, mut other) = (Gathered(stream), listener.accept().await.unwrap().0);
        for size in [0, 1, SMALL - 4, SMALL - 3, SMALL, 100 * SMALL] {
            let body = Bytes::from(b"body".repeat(size.div_ceil(4))).slice(..size);
            let mut both = Bytes::from("head").chain(body.clone());
            let mut came = vec![0; both.remaining()];
            // Both at once: more than the system keeps is sent in parts.
            let (sent, _) = tokio::join!(stream.write_all_buf(&mut both), other.read_exact(&mut came));
            sent.unwrap();
            assert!(came.starts_with(b"head") && came[4..] == body, "{size}");
        }
    }
}
