//! A connection that ends when its other end has said nothing for too long.
//!
//! Whoever calls sends signs of life; whoever is called only hears them. When
//! a router in between forgets the connection, the called side would keep it,
//! with all that serves it, for ever.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};
use tonic::transport::server::Connected;

/// How long a connection may say nothing. Clones speak of the same one.
#[derive(Clone, Debug)]
pub struct Within(Arc<AtomicU64>);

fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}

impl Within {
    /// So long.
    #[must_use]
    pub fn new(within: Duration) -> Self {
        Self(Arc::new(AtomicU64::new(millis(within))))
    }

    /// So long, counted from its last word.
    pub fn set(&self, within: Duration) {
        self.0.store(millis(within), Ordering::Relaxed);
    }

    fn get(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// A connection on which a sign of life is awaited.
#[derive(Debug)]
pub struct Awaited<S> {
    inner: S,
    within: Within,
    spoke: Instant,
    over: Pin<Box<Sleep>>,
}

impl<S> Awaited<S> {
    /// Ends `inner` when nothing arrives for `within`.
    pub fn new(inner: S, within: Duration) -> Self {
        Self::changeable(inner, Within::new(within))
    }

    /// Ends `inner` when nothing arrives for as long as `within` says by then.
    pub fn changeable(inner: S, within: Within) -> Self {
        let over = Box::pin(sleep(within.get()));
        Self { inner, within, spoke: Instant::now(), over }
    }
}

impl<S: Connected> Connected for Awaited<S> {
    type ConnectInfo = S::ConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.inner.connect_info()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Awaited<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        if polled.is_ready() {
            self.spoke = Instant::now();
            let later = self.spoke + self.within.get();
            self.over.as_mut().reset(later);
            return polled;
        }
        std::task::ready!(self.over.as_mut().poll(cx));
        // It may be silent for longer than when it spoke last.
        let later = self.spoke + self.within.get();
        if later <= Instant::now() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.over.as_mut().reset(later);
        self.over.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Awaited<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_falls_silent_is_given_up_after_as_long_as_it_may_be_silent() {
        let (here, mut there) = tokio::io::duplex(64);
        let within = Within::new(Duration::from_secs(60));
        let mut awaited = Awaited::changeable(here, within.clone());
        sleep(Duration::from_secs(50)).await;
        there.write_u8(1).await.unwrap();
        assert_eq!(awaited.read_u8().await.unwrap(), 1);
        let spoke = Instant::now();
        within.set(Duration::from_secs(600));
        let error = awaited.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(spoke.elapsed().as_secs(), 600);
    }
}
