//! One village that dials out through a router which forgets idle
//! connections, for a day of simulated time.
//!
//! The node's way to the district, its feed and its account, the hub's
//! arrivals and its session are the real ones. Simulated are the sockets and
//! the router: what crosses it after it forgot is lost without a word, and
//! the sender's machine gives up when nothing was acknowledged for
//! [`limits::UNACKNOWLEDGED_MAX`]. There is no TLS: its bytes are added for
//! each write, as one record, and for each connection as measured
//! ([`HANDSHAKE_BYTES`], `uplink::what_a_handshake_costs`).

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use anyhow::Context as _;
use lumbung_domain::region::VillageCode;
use lumbung_hub::dataset::HubsOwn;
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::live::{Live, LiveVillage};
use lumbung_hub::merge::MergeWriter;
use lumbung_hub::puller::{self, Shared};
use lumbung_hub::uplink::{Arrival, Arrivals, Arriving, ordinary};
use lumbung_identity::{Peer, PublicKey};
use lumbung_link::limits;
use lumbung_link::meter::{Metered, Traffic};
use lumbung_node::serving::{Confirmed, SyncService};
use lumbung_node::uplink::{self, Account, Lines, Services};
use lumbung_node::village::Village;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::transport::server::Connected;

/// A midnight at the district, seven hours ahead of UTC.
const MIDNIGHT_MS: i64 = (20_700 * 24 - 7) * 60 * 60 * 1000;

/// Bytes that may wait between the two.
const PIPE_BYTES: usize = 64 * 1024;

/// What TLS adds to a record.
const RECORD_BYTES: u64 = 22;

/// What a handshake, in which both ends prove who they are, and the
/// arrangements after it cost: from the hub and to it.
pub const HANDSHAKE_BYTES: (u64, u64) = (1_250, 1_050);

/// What the router knows of one connection, and what crossed it.
#[derive(Debug)]
struct Entry {
    forgets: Duration,
    used: Instant,
    forgotten: bool,
}

/// One end of a connection through the router.
#[derive(Debug)]
pub struct End {
    inner: DuplexStream,
    entry: Arc<Mutex<Entry>>,
    books: Books,
    at_node: bool,
    /// When this end's machine gives up.
    gives_up: Option<Pin<Box<Sleep>>>,
    reader: Option<Waker>,
}

/// What has crossed a router.
#[derive(Clone, Copy, Debug, Default)]
pub struct Crossed {
    /// Connections made.
    pub connections: u64,
    /// Connections it forgot.
    pub forgotten: u64,
    /// Bytes both ways, with what TLS adds.
    pub bytes: u64,
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is counted on the way: by the router, and by the node itself.
#[derive(Clone, Debug, Default)]
struct Books {
    crossed: Arc<Mutex<Crossed>>,
    node: Traffic,
}

impl Books {
    /// TLS has added a record to what the node wrote, or the hub, whose last
    /// words may be lost.
    fn record(&self, by_node: bool, arrives: bool) {
        locked(&self.crossed).bytes += RECORD_BYTES;
        match (by_node, arrives) {
            (true, _) => self.node.add(0, RECORD_BYTES),
            (false, true) => self.node.add(RECORD_BYTES, 0),
            (false, false) => {}
        }
    }

    /// TLS has greeted.
    fn greeting(&self) {
        let (received, sent) = HANDSHAKE_BYTES;
        locked(&self.crossed).bytes += received + sent;
        self.node.add(received, sent);
    }
}

fn connection(forgets: Duration, books: &Books) -> (End, End) {
    locked(&books.crossed).connections += 1;
    books.greeting();
    let (one, other) = tokio::io::duplex(PIPE_BYTES);
    let entry = Entry { forgets, used: Instant::now(), forgotten: false };
    let entry = Arc::new(Mutex::new(entry));
    let end = |inner, at_node| End {
        inner,
        entry: Arc::clone(&entry),
        books: books.clone(),
        at_node,
        gives_up: None,
        reader: None,
    };
    (end(one, true), end(other, false))
}

impl End {
    /// Whether what is sent now still gets through.
    fn passes(&self) -> bool {
        let mut entry = locked(&self.entry);
        if !entry.forgotten && entry.used.elapsed() >= entry.forgets {
            entry.forgotten = true;
            locked(&self.books.crossed).forgotten += 1;
        }
        if !entry.forgotten {
            entry.used = Instant::now();
        }
        !entry.forgotten
    }
}

impl AsyncRead for End {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.reader = Some(cx.waker().clone());
        if let Some(gives_up) = &mut self.gives_up
            && gives_up.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for End {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        locked(&self.books.crossed).bytes += bytes.len() as u64;
        let passes = self.passes();
        self.books.record(self.at_node, passes);
        if passes {
            return Pin::new(&mut self.inner).poll_write(cx, bytes);
        }
        if self.gives_up.is_none() {
            let at = Instant::now() + limits::UNACKNOWLEDGED_MAX;
            self.gives_up = Some(Box::pin(sleep_until(at)));
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Its last word is lost like any other.
        if self.passes() {
            return Pin::new(&mut self.inner).poll_shutdown(cx);
        }
        Poll::Ready(Ok(()))
    }
}

trait Io: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Io for S {}

/// The line as the node or the hub has it: the connection itself, or what a
/// tunnel over it carries, in TLS of its own.
pub struct Way {
    inner: Box<dyn Io>,
    /// Counts the inner TLS of a tunnel, and whether for the node.
    books: Option<(Books, bool)>,
}

impl AsyncRead for Way {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for Way {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = std::task::ready!(Pin::new(&mut *self.inner).poll_write(cx, bytes))?;
        if let Some((books, at_node)) = &self.books {
            // Below the tunnel it is a part of what was written.
            locked(&books.crossed).bytes += RECORD_BYTES;
            if *at_node {
                books.node.add(0, RECORD_BYTES);
            }
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.inner).poll_shutdown(cx)
    }
}

impl Connected for Way {
    type ConnectInfo = ();

    fn connect_info(&self) -> Self::ConnectInfo {}
}

/// A hub, a router, and a village behind it that holds its line.
pub struct Behind {
    /// The hub's dataset.
    pub dataset: Arc<dyn HubsOwn>,
    /// What the link has taught the node, and what it costs by its own count.
    pub account: Arc<Account>,
    live: Arc<Live>,
    code: VillageCode,
    books: Books,
    _running: JoinSet<()>,
}

/// The way out, through the router.
struct Router {
    forgets: Duration,
    books: Books,
    hub: Hub,
    /// Where tunnels end; `None` = lines go without.
    tunnels: Option<mpsc::Sender<Metered<End>>>,
}

/// Where lines arrive.
#[derive(Clone)]
struct Hub {
    arrivals: Arrivals,
    peer: Peer,
    /// What the hub counts of this village.
    received: Traffic,
}

impl Hub {
    fn receive(self, line: impl AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static) {
        tokio::spawn(async move {
            let line = Metered::new(line, self.received);
            if let Ok(arrival) = Arrival::over(self.peer, line).await {
                // One machine: it is taken, or gone before it was.
                self.arrivals.take(arrival).await;
            }
        });
    }
}

impl Lines for Router {
    type Line = Way;

    async fn next(&self) -> Option<Way> {
        let (here, there) = connection(self.forgets, &self.books);
        let Some(tunnels) = &self.tunnels else {
            self.hub.clone().receive(there);
            return Some(Way { inner: Box::new(here), books: None });
        };
        // The node counts the connection below the tunnel, as it does with
        // TLS; what comes out is not counted again.
        let here = Metered::new(here, self.books.node.clone());
        tunnels.send(Metered::new(there, Traffic::default())).await.ok()?;
        let inner = uplink::carried(here, "the hub").await.ok()?;
        self.books.greeting();
        Some(Way { inner: Box::new(inner), books: Some((self.books.clone(), true)) })
    }
}

impl Behind {
    /// Starts them at the district's midnight, with or without a tunnel; the
    /// village may spend `budget_bytes` a day on its link.
    ///
    /// # Errors
    /// When a file can't be made.
    pub fn start(
        village: &Village,
        folder: &std::path::Path,
        forgets: Duration,
        budget_bytes: u64,
        tunnelled: bool,
    ) -> anyhow::Result<Self> {
        let code = village.code();
        let dataset: Arc<dyn HubsOwn> = Arc::new(SqliteDataset::open(folder.join("hub.db"))?);
        dataset.register(code, "")?;
        let live = Arc::new(Live::default());
        live.update(code, |_| ());
        let received = live.get(code).context("just made")?.traffic;
        let writer = MergeWriter::start_in_task(dataset.clone());
        let shared = Shared::new(Arc::clone(&dataset), writer, Arc::clone(&live));
        let arrivals = Arrivals::default();
        let mut running = JoinSet::new();
        let arriving = Arriving { village: code, arrivals: arrivals.clone() };
        running.spawn(puller::follow_over(code, arriving, shared));

        let books = Books::default();
        let account = Arc::new(Account::open(&folder.join("link.toml"), books.node.clone()));
        account.arranged(budget_bytes, MIDNIGHT_MS);
        account.ended();
        let confirmed = Arc::new(Confirmed::default());
        let services = Services {
            sync: SyncService::new(village.clone(), [7; 16], Arc::clone(&confirmed)),
            barn: village.barn().clone(),
            confirmed,
            witness: None,
            unclean_stops: 0,
        };
        let peer = Peer { village: code, key: PublicKey([3; 32]) };
        let hub = Hub { arrivals, peer, received };
        let tunnels = tunnelled.then(|| {
            let (tunnels, connections) = mpsc::channel(1);
            let (hub, books) = (hub.clone(), books.clone());
            let out = move |inner| {
                let way = Way { inner: Box::new(inner), books: Some((books.clone(), false)) };
                hub.clone().receive(way);
            };
            running.spawn(async move {
                drop(ordinary::serve_tunnels(connections, out).await);
            });
            tunnels
        });
        // What a tunnel carries is counted below it.
        let traffic = if tunnelled { Traffic::default() } else { books.node.clone() };
        let router = Router { forgets, books: books.clone(), hub, tunnels };
        running.spawn(uplink::keep_over(router, services, traffic, Arc::clone(&account)));
        Ok(Self { dataset, account, live, code, books, _running: running })
    }

    /// What has crossed the router so far.
    #[must_use]
    pub fn crossed(&self) -> Crossed {
        *locked(&self.books.crossed)
    }

    /// The village as the hub sees it.
    #[must_use]
    pub fn seen(&self) -> Option<LiveVillage> {
        self.live.get(self.code)
    }
}
