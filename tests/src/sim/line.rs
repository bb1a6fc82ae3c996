//! A simulated connection, and the weather on it.
//!
//! turmoil's network delivers or drops; it neither limits bandwidth nor sends
//! again what was lost, as TCP does. So a [`Line`] adds what TCP makes of a
//! bad link: packets take time, and a lost one takes a retransmission. It can
//! also break at an exact byte. What is written while the network is cut is
//! never sent again, so the line gives up after as long as TCP would.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use lumbung_link::limits;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tonic::transport::server::Connected;

/// Bytes of a packet. Time is counted in whole packets, so that a few bytes
/// more in a header don't change it.
const PACKET_BYTES: usize = 1_400;

/// How long TCP waits at least before it sends again.
const SEND_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// How often in a row one packet may be lost.
const LOST_IN_A_ROW_MAX: u32 = 5;

/// What a link is like.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Weather {
    /// Time one packet takes (bandwidth).
    pub packet: Duration,
    /// How many of 100 packets are lost.
    pub lost_percent: u32,
    /// The connection breaks after this many bytes, both directions together.
    pub breaks_after: Option<u64>,
    /// The connection breaks after this time, whatever passes.
    pub breaks_within: Option<Duration>,
}

/// The weather on a village's link, which may change while it is used.
#[derive(Clone, Debug, Default)]
pub struct Sky {
    weather: Arc<Mutex<Weather>>,
    network: Arc<Mutex<Network>>,
}

/// What passes between the two ends at all.
#[derive(Clone, Copy, Debug, Default)]
struct Network {
    /// Packets are lost, in one direction or both.
    cut: bool,
    /// Since when, or when they were last; time of the world.
    since: Duration,
}

/// What is written so shortly before a cut may be lost in it.
const UNDER_WAY: Duration = Duration::from_secs(1);

/// The world's time.
fn world_time() -> Duration {
    turmoil::sim_elapsed().unwrap_or_default()
}

impl Sky {
    /// The weather now.
    #[must_use]
    pub fn now(&self) -> Weather {
        *self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes it.
    pub fn turn(&self, weather: Weather) {
        *self.weather.lock().unwrap_or_else(PoisonError::into_inner) = weather;
    }

    /// Cuts the network, at this time of the world.
    pub fn cut(&self, since: Duration) {
        *self.network.lock().unwrap_or_else(PoisonError::into_inner) = Network { cut: true, since };
    }

    /// Mends it.
    pub fn mend(&self) {
        self.network.lock().unwrap_or_else(PoisonError::into_inner).cut = false;
    }

    /// Whether what was written at this time, or is now, may be lost.
    fn loses(&self, written: Duration) -> bool {
        let network = *self.network.lock().unwrap_or_else(PoisonError::into_inner);
        network.cut || (written..=written + UNDER_WAY).contains(&network.since)
    }

    /// The far end of the same link: it is cut with this one, and its weather
    /// was this one's already.
    #[must_use]
    pub fn far(&self) -> Self {
        Self { weather: Arc::default(), network: Arc::clone(&self.network) }
    }
}

/// One direction of a line: when the next packet may pass.
#[derive(Debug, Default)]
struct Lane {
    free: Option<Instant>,
    wait: Option<Pin<Box<Sleep>>>,
}

impl Lane {
    fn poll_free(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(free) = self.free else { return Poll::Ready(()) };
        if free > Instant::now() {
            let wait = self.wait.get_or_insert_with(|| Box::pin(sleep_until(free)));
            ready!(wait.as_mut().poll(cx));
        }
        (self.free, self.wait) = (None, None);
        Poll::Ready(())
    }

    /// `bytes` pass and keep the lane busy for a while.
    fn occupy(&mut self, bytes: usize, weather: Weather, dice: &mut ChaCha8Rng) {
        let mut busy = Duration::ZERO;
        for _ in 0..bytes.div_ceil(PACKET_BYTES) {
            busy += weather.packet;
            let mut lost = 0;
            while lost < LOST_IN_A_ROW_MAX && dice.random_ratio(weather.lost_percent.min(99), 100) {
                busy += SEND_AGAIN_AFTER * 2_u32.pow(lost);
                lost += 1;
            }
        }
        if !busy.is_zero() {
            self.free = Some(Instant::now() + busy);
        }
    }
}

/// A connection under a sky.
#[derive(Debug)]
pub struct Line<S> {
    inner: S,
    sky: Sky,
    dice: ChaCha8Rng,
    reading: Lane,
    writing: Lane,
    passed: u64,
    /// When it breaks by itself.
    breaks: Option<Pin<Box<Sleep>>>,
    /// Whether it gives up when what it wrote is lost, and when.
    patient: bool,
    gives_up: Option<Pin<Box<Sleep>>>,
    /// When it wrote last; time of the world.
    wrote: Duration,
    reader: Option<Waker>,
}

impl<S> Line<S> {
    /// Puts `inner` under `sky`; losses are drawn from `seed`.
    pub fn new(inner: S, sky: Sky, seed: u64) -> Self {
        let dice = ChaCha8Rng::seed_from_u64(seed);
        let (reading, writing) = (Lane::default(), Lane::default());
        let breaks = sky.now().breaks_within.map(|within| Box::pin(sleep(within)));
        let (gives_up, reader, wrote, patient) = (None, None, Duration::ZERO, true);
        Self {
            inner,
            sky,
            dice,
            reading,
            writing,
            passed: 0,
            breaks,
            patient,
            gives_up,
            wrote,
            reader,
        }
    }

    /// Gives up on what is never acknowledged, as a machine's TCP does.
    #[must_use]
    pub fn giving_up(self) -> Self {
        Self { patient: false, ..self }
    }

    /// How many bytes may still pass.
    fn room(&self) -> io::Result<usize> {
        let Some(last) = self.sky.now().breaks_after else { return Ok(usize::MAX) };
        match last.saturating_sub(self.passed) {
            0 => Err(io::ErrorKind::ConnectionReset.into()),
            room => Ok(usize::try_from(room).unwrap_or(usize::MAX)),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Line<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.breaks.as_mut().is_some_and(|breaks| breaks.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        this.reader = Some(cx.waker().clone());
        if this.gives_up.as_mut().is_some_and(|gives_up| gives_up.as_mut().poll(cx).is_ready()) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        ready!(this.reading.poll_free(cx));
        let mut part = buf.take(this.room()?);
        ready!(Pin::new(&mut this.inner).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        // The part was filled by `inner` just now.
        let filled = part.filled().to_vec();
        buf.put_slice(&filled);
        this.passed += read as u64;
        this.reading.occupy(read, this.sky.now(), &mut this.dice);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Line<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(this.writing.poll_free(cx));
        let room = this.room()?.min(bytes.len());
        let written = ready!(Pin::new(&mut this.inner).poll_write(cx, &bytes[..room]))?;
        this.passed += written as u64;
        let before = std::mem::replace(&mut this.wrote, world_time());
        if !this.patient && this.gives_up.is_none() && this.sky.loses(before) {
            this.gives_up = Some(Box::pin(sleep(limits::UNACKNOWLEDGED_MAX)));
            if let Some(reader) = this.reader.take() {
                reader.wake();
            }
        }
        this.writing.occupy(written, this.sky.now(), &mut this.dice);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl<S: Connected> Connected for Line<S> {
    type ConnectInfo = S::ConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.inner.connect_info()
    }
}

/// A simulated socket as the node's server wants it. It is counted while it
/// lives.
#[derive(Debug)]
pub(super) struct Accepted {
    stream: turmoil::net::TcpStream,
    _alive: Arc<()>,
}

impl Accepted {
    /// Counts `stream` by a clone of `alive`.
    pub(super) fn new(stream: turmoil::net::TcpStream, alive: &Arc<()>) -> Self {
        Self { stream, _alive: Arc::clone(alive) }
    }
}

impl Connected for Accepted {
    type ConnectInfo = ();

    fn connect_info(&self) -> Self::ConnectInfo {}
}

impl AsyncRead for Accepted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Accepted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
