//! A connection of which only so much is read: whatever a server answers, it takes no more memory than that.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that fails once more has been read from it than it may give.
pub(super) struct Bounded<S> {
    stream: S,
    left: usize,
}

impl<S> Bounded<S> {
    /// `stream`, of which `limit` bytes may be read.
    pub(super) fn new(stream: S, limit: usize) -> Self {
        Self { stream, left: limit }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        let Some(left) = self.left.checked_sub(buf.filled().len() - before) else {
            buf.set_filled(before);
            return Poll::Ready(Err(io::Error::other("the answer is longer than any that is expected")));
        };
        self.left = left;
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn i13_no_more_is_read_than_is_allowed() {
        let answer = [7; 100];
        let mut read = Vec::new();
        assert_eq!(Bounded::new(&answer[..], 100).read_to_end(&mut read).await.ok(), Some(100));
        let error = Bounded::new(&answer[..], 99).read_to_end(&mut Vec::new()).await.expect_err("one byte too many");
        assert!(error.to_string().contains("longer"), "{error}");
    }
}
