//! Saves kernel time for each short answer: the head and a short body are copied into one write. For separate pieces the kernel does more work than
//! the copy.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes. Longer writes are passed on in their pieces.
const SMALL: usize = 1024;

pub(super) struct CoalescedWrite<S>(pub(super) S);

impl<S: AsyncRead + Unpin> AsyncRead for CoalescedWrite<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CoalescedWrite<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [piece] = pieces {
            return self.poll_write(cx, piece);
        }
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
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
    use super::*;
    use bytes::{Buf, Bytes};
    use tokio::io::AsyncWriteExt;

    /// A writer that takes so many bytes at once.
    struct Taking {
        at_once: usize,
        taken: Vec<u8>,
        /// The number of pieces of each write.
        writes: Vec<usize>,
    }

    impl AsyncWrite for Taking {
        fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            pieces: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let all: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied()).take(self.at_once).collect();
            self.taken.extend_from_slice(&all);
            self.writes.push(pieces.len());
            Poll::Ready(Ok(all.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn what_is_small_goes_out_in_one_piece_and_all_of_it_in_its_order() {
        for (size, at_once, writes) in [
            (60, usize::MAX, &[1][..]),
            (SMALL - 4, usize::MAX, &[1]),
            (SMALL - 3, usize::MAX, &[2]),
            // The head goes out alone, and half of the body.
            (60, 34, &[1, 1]),
            (4 * SMALL, 3 * SMALL, &[2, 1]),
        ] {
            let body: Bytes = (0..size).map(|number| number as u8).collect();
            let mut stream = CoalescedWrite(Taking { at_once, taken: vec![], writes: vec![] });
            stream.write_all_buf(&mut Bytes::from("head").chain(body.clone())).await.unwrap();
            let Taking { taken, writes: done, .. } = stream.0;
            assert_eq!(done, writes, "{size} bytes, {at_once} at once");
            assert!(taken.starts_with(b"head") && taken[4..] == body);
        }
    }
}
