//! One village that dials out through a router which forgets idle
//! connections, for a day of simulated time.
//!
//! The node's way to the district, its feed and its account, the hub's
//! arrivals and its session are the real ones. Simulated are the sockets and
//! the router: what crosses it after it forgot is lost without a word, and
//! the sender's machine gives up when nothing was acknowledged for
//! [`limits::UNACKNOWLEDGED_MAX`]. There is no TLS: its bytes are added for
//! each write, as one record.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use anyhow::Context as _;
use lumbung_domain::region::VillageCode;
use lumbung_hub::dataset::Dataset;
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::live::{Live, LiveVillage};
use lumbung_hub::merge::MergeWriter;
use lumbung_hub::puller::{self, Shared};
use lumbung_hub::uplink::{Arrival, Arrivals, Arriving};
use lumbung_identity::{Peer, PublicKey};
use lumbung_link::limits;
use lumbung_link::meter::{Metered, Traffic};
use lumbung_node::serving::{Confirmed, SyncService};
use lumbung_node::uplink::{self, Account, Lines, Services};
use lumbung_node::village::Village;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::transport::server::Connected;

/// Bytes that may wait between the two.
const PIPE_BYTES: usize = 64 * 1024;

/// What TLS adds to a record.
const RECORD_BYTES: u64 = 22;

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
    crossed: Arc<Mutex<Crossed>>,
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
    /// Bytes both ways, with what TLS would add.
    pub bytes: u64,
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connection(forgets: Duration, crossed: &Arc<Mutex<Crossed>>) -> (End, End) {
    locked(crossed).connections += 1;
    let (one, other) = tokio::io::duplex(PIPE_BYTES);
    let entry = Entry { forgets, used: Instant::now(), forgotten: false };
    let entry = Arc::new(Mutex::new(entry));
    let end = |inner| End {
        inner,
        entry: Arc::clone(&entry),
        crossed: Arc::clone(crossed),
        gives_up: None,
        reader: None,
    };
    (end(one), end(other))
}

impl End {
    /// Whether what is sent now still gets through.
    fn passes(&self) -> bool {
        let mut entry = locked(&self.entry);
        if !entry.forgotten && entry.used.elapsed() >= entry.forgets {
            entry.forgotten = true;
            locked(&self.crossed).forgotten += 1;
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
        locked(&self.crossed).bytes += bytes.len() as u64 + RECORD_BYTES;
        if self.passes() {
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

impl Connected for End {
    type ConnectInfo = ();

    fn connect_info(&self) -> Self::ConnectInfo {}
}

/// A hub, a router, and a village behind it that holds its line.
pub struct Behind {
    /// The hub's dataset.
    pub dataset: Arc<dyn Dataset>,
    /// What the link has taught the node, and what it costs by its own count.
    pub account: Arc<Account>,
    live: Arc<Live>,
    code: VillageCode,
    crossed: Arc<Mutex<Crossed>>,
    _running: JoinSet<()>,
}

/// The way out, through the router.
struct Router {
    forgets: Duration,
    crossed: Arc<Mutex<Crossed>>,
    arrivals: Arrivals,
    peer: Peer,
    /// What the hub counts of this village.
    received: Traffic,
}

impl Lines for Router {
    type Line = End;

    async fn next(&self) -> Option<End> {
        let (here, there) = connection(self.forgets, &self.crossed);
        let there = Metered::new(there, self.received.clone());
        let (arrivals, peer) = (self.arrivals.clone(), self.peer);
        tokio::spawn(async move {
            if let Ok(arrival) = Arrival::over(peer, there).await {
                // One machine: it is taken, or gone before it was.
                arrivals.take(arrival).await;
            }
        });
        Some(here)
    }
}

impl Behind {
    /// Starts them; the village may spend `budget_bytes` on its link, all the
    /// time that is simulated: its day never ends.
    ///
    /// # Errors
    /// When a file can't be made.
    pub fn start(
        village: &Village,
        folder: &std::path::Path,
        forgets: Duration,
        budget_bytes: u64,
    ) -> anyhow::Result<Self> {
        let code = village.code();
        let dataset: Arc<dyn Dataset> = Arc::new(SqliteDataset::open(folder.join("hub.db"))?);
        dataset.register(code, "")?;
        let live = Arc::new(Live::default());
        live.update(code, |_| ());
        let received = live.get(code).context("just made")?.traffic;
        let writer = MergeWriter::start_in_task(Arc::clone(&dataset));
        let shared = Shared::new(Arc::clone(&dataset), writer, Arc::clone(&live));
        let arrivals = Arrivals::default();
        let mut running = JoinSet::new();
        let arriving = Arriving { village: code, arrivals: arrivals.clone() };
        running.spawn(puller::follow_over(code, arriving, shared));

        let traffic = Traffic::default();
        let account = Arc::new(Account::open(&folder.join("link.toml"), traffic.clone()));
        account.arranged(budget_bytes, 0);
        let confirmed = Arc::new(Confirmed::default());
        let services = Services {
            sync: SyncService::new(village.clone(), [7; 16], Arc::clone(&confirmed)),
            barn: village.barn().clone(),
            confirmed,
            witness: None,
            unclean_stops: 0,
        };
        let crossed = Arc::default();
        let peer = Peer { village: code, key: PublicKey([3; 32]) };
        let router = Router { forgets, crossed: Arc::clone(&crossed), arrivals, peer, received };
        running.spawn(uplink::keep_over(router, services, traffic, Arc::clone(&account)));
        Ok(Self { dataset, account, live, code, crossed, _running: running })
    }

    /// What has crossed the router so far.
    #[must_use]
    pub fn crossed(&self) -> Crossed {
        *locked(&self.crossed)
    }

    /// The village as the hub sees it.
    #[must_use]
    pub fn seen(&self) -> Option<LiveVillage> {
        self.live.get(self.code)
    }
}
