//! A connection that can be ended from outside, and that tells when it ended.
//!
//! Neither gRPC side offers that: a server's connection lives on in a task of
//! its own after the call that served it was dropped, and a client's channel
//! tells nobody that its connection is gone. So the stream itself carries a
//! switch, and a notice that fires when it is dropped.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tonic::transport::server::Connected;

/// Ends a connection at once, from anywhere. Clones end the same one.
#[derive(Clone, Debug, Default)]
pub struct Switch(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    off: AtomicBool,
    reader: Mutex<Option<Waker>>,
}

impl Switch {
    /// Ends the connection: whoever reads or writes it gets an error.
    pub fn off(&self) {
        self.0.off.store(true, Ordering::Release);
        if let Some(waker) = self.reader().take() {
            waker.wake();
        }
    }

    fn is_off(&self) -> bool {
        self.0.off.load(Ordering::Acquire)
    }

    fn reader(&self) -> std::sync::MutexGuard<'_, Option<Waker>> {
        self.0.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Completes when the connection it belongs to is gone.
#[derive(Clone, Debug)]
pub struct Gone(watch::Receiver<()>);

impl Gone {
    /// Waits for it.
    pub async fn wait(mut self) {
        // The sender lives in the stream and sends nothing: an error is the end.
        while self.0.changed().await.is_ok() {}
    }

    /// Whether it is gone already.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.0.has_changed().is_err()
    }
}

/// A stream with a switch and a notice of its end.
#[derive(Debug)]
pub struct Guarded<S> {
    inner: S,
    switch: Switch,
    _alive: watch::Sender<()>,
}

impl<S> Guarded<S> {
    /// Guards `inner`.
    pub fn new(inner: S) -> (Self, Switch, Gone) {
        let switch = Switch::default();
        let (alive, gone) = watch::channel(());
        (Self { inner, switch: switch.clone(), _alive: alive }, switch, Gone(gone))
    }
}

impl<S: Send + Sync + Unpin + 'static> Connected for Guarded<S> {
    type ConnectInfo = ();

    fn connect_info(&self) -> Self::ConnectInfo {}
}

fn ended() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionAborted)
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.switch.is_off() {
            return Poll::Ready(Err(ended()));
        }
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        if polled.is_pending() {
            let waker = cx.waker();
            let mut reader = self.switch.reader();
            if !reader.as_ref().is_some_and(|kept| kept.will_wake(waker)) {
                *reader = Some(waker.clone());
            }
            drop(reader);
            // Switched off between the look above and leaving the waker.
            if self.switch.is_off() {
                return Poll::Ready(Err(ended()));
            }
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.switch.is_off() {
            return Poll::Ready(Err(ended()));
        }
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
        if self.switch.is_off() {
            return Poll::Ready(Err(ended()));
        }
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn a_switch_ends_a_waiting_reader_and_the_end_is_told() {
        let (here, _there) = tokio::io::duplex(64);
        let (mut guarded, switch, gone) = Guarded::new(here);
        let reading = tokio::spawn(async move { guarded.read_u8().await.map_err(|e| e.kind()) });
        tokio::task::yield_now().await;
        assert!(!gone.is_gone());
        switch.off();
        assert_eq!(reading.await.unwrap(), Err(io::ErrorKind::ConnectionAborted));
        gone.wait().await;
    }
}
