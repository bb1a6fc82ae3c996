//! One village and the hub on one thread, without a network between them: for
//! thousands of short sessions, each broken or damaged somewhere else.
//!
//! Runs on a paused tokio runtime of one thread, inside
//! [`lumbung_link::world::simulate`].

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::{StreamExt, stream};
use lumbung_domain::region::VillageCode;
use lumbung_hub::dataset::HubsOwn;
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::live::{Live, LiveVillage};
use lumbung_hub::merge::MergeWriter;
use lumbung_hub::puller::{self, Shared};
use lumbung_hub::uplink::{Open, Session};
use lumbung_ledger::Seq;
use lumbung_link::channel::ConnectError;
use lumbung_link::meter::Traffic;
use lumbung_node::serving::{Confirmed, SyncService, serve_connections};
use lumbung_node::village::Village;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

use super::line::{Line, Sky, Weather};

/// Bytes that may wait between the two.
const PIPE_BYTES: usize = 64 * 1024;

/// A village is proven, or in trouble, within this time.
const SETTLES_WITHIN: Duration = Duration::from_secs(300);

/// What the next connections are like; fine ones follow.
type Weathers = Arc<Mutex<VecDeque<Weather>>>;

/// The hub, and a way to the village.
pub struct Pair {
    /// The hub's dataset.
    pub dataset: Arc<dyn HubsOwn>,
    live: Arc<Live>,
    shared: Shared,
    code: VillageCode,
}

/// The hub following the village; it stops with this.
pub struct Following {
    task: JoinHandle<()>,
    opened: Arc<Mutex<usize>>,
    confirmed: Arc<Confirmed>,
}

impl Following {
    /// Up to where the node knows that the hub holds everything: it knew
    /// nothing of it when this began.
    #[must_use]
    pub fn confirmed(&self) -> Seq {
        self.confirmed.seq()
    }

    /// Connections made so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Piped {
    service: SyncService,
    servers: Mutex<JoinSet<()>>,
    weathers: Weathers,
    opened: Arc<Mutex<usize>>,
}

impl Open for Piped {
    async fn open(&self, traffic: Traffic) -> Result<Session, ConnectError> {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        let weather = self.weathers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let sky = Sky::default();
        sky.turn(weather.unwrap_or_default());
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        // A server whose connections run out says goodbye to the last one.
        let incoming = stream::once(std::future::ready(Ok(theirs))).chain(stream::pending());
        let serving =
            serve_connections(self.service.clone(), incoming.boxed(), std::future::pending());
        self.servers.lock().unwrap_or_else(PoisonError::into_inner).spawn(async move {
            // The hub notices for itself.
            drop(serving.await);
        });
        Session::over(Line::new(ours, sky, 0), traffic).await
    }
}

impl Pair {
    /// A hub in `folder` that knows the village `code`.
    ///
    /// # Errors
    /// When the dataset can't be made.
    pub fn new(code: VillageCode, folder: &Path) -> anyhow::Result<Self> {
        let dataset: Arc<dyn HubsOwn> = Arc::new(SqliteDataset::open(folder.join("hub.db"))?);
        dataset.register(code, "")?;
        let live = Arc::new(Live::default());
        let writer = MergeWriter::start_in_task(dataset.clone());
        let shared = Shared::new(Arc::clone(&dataset), writer, Arc::clone(&live));
        Ok(Self { dataset, live, shared, code })
    }

    /// The turns of villages that catch up on much: whoever takes some stands
    /// for villages that do.
    #[must_use]
    pub fn turns(&self) -> Arc<Semaphore> {
        Arc::clone(&self.shared.catching_up)
    }

    /// Follows the village from now on, whose first connections come under
    /// `weathers`.
    #[must_use]
    pub fn follow(&self, village: &Village, weathers: &[Weather]) -> Following {
        let weathers: Weathers = Arc::new(Mutex::new(weathers.iter().copied().collect()));
        let (opened, confirmed) = (Arc::default(), Arc::<Confirmed>::default());
        let piped = Piped {
            service: SyncService::new(village.clone(), [7; 16], Arc::clone(&confirmed)),
            servers: Mutex::default(),
            weathers,
            opened: Arc::clone(&opened),
        };
        let task = tokio::spawn(puller::follow_over(self.code, piped, self.shared.clone()));
        Following { task, opened, confirmed }
    }

    /// Waits until the village is proven equal at `head`, or in trouble.
    ///
    /// # Errors
    /// When neither happens in time.
    pub async fn settled(&self, head: Seq) -> anyhow::Result<LiveVillage> {
        let begun = tokio::time::Instant::now();
        loop {
            let now = self.live.get(self.code);
            if let Some(now) = now.clone()
                && (!now.trouble.is_empty() || now.proven() && now.proven_seq == head.0)
            {
                return Ok(now);
            }
            if begun.elapsed() > SETTLES_WITHIN {
                let now = now.context("the hub does not know the village")?;
                bail!("{:?}, proven at {} of {head}", now.phase, now.proven_seq);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
