//! The public port at work: receives nodes, renews certificates, and sees to
//! it that a revoked key, a new root or a changed list takes effect on
//! sessions that are open.

use std::collections::{BTreeSet, HashSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use lumbung_identity::{Authority, Lifetime, Peer};
use lumbung_media::SecretKey;
use lumbung_telemetry::clock;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::access::audit::AuditLog;
use crate::puller::Shared;
use crate::registry::Registry;
use crate::uplink::{Arrivals, Door, DoorOptions, keep_certified, ordinary};

/// The folder of the district's authority in the hub's folder.
#[must_use]
pub fn identity_folder(data: &Path) -> PathBuf {
    data.join("identity")
}

/// The public port.
pub(super) struct PublicPort {
    door: Arc<Door>,
    arrivals: Arrivals,
    registry: Arc<dyn Registry>,
    identity: PathBuf,
    address: SocketAddr,
    tasks: JoinSet<()>,
    /// One round of certificates at a time.
    certifying: Arc<Semaphore>,
}

impl PublicPort {
    /// Opens the port and receives from then on.
    pub(super) async fn open(
        data: &Path,
        listen: SocketAddr,
        sessions_max: usize,
        (registry, audit): (Arc<dyn Registry>, Arc<dyn AuditLog>),
        shared: &Shared,
    ) -> anyhow::Result<Self> {
        let identity = identity_folder(data);
        let authority = Authority::open(&identity, clock::now_ms())
            .context("Kunci kabupaten tidak bisa dibuka. Tidak ada yang diubah")?;
        let listener = TcpListener::bind(listen).await.with_context(|| {
            format!("Alamat {listen} sudah dipakai. Pilih yang lain dengan --uplink")
        })?;
        let address = listener.local_addr()?;
        let arrivals = Arrivals::default();
        let options = DoorOptions {
            authority,
            registry: Arc::clone(&registry),
            audit,
            lifetime: Lifetime::default(),
            sessions_max,
            backup_recipient: SecretKey::load_or_create(&identity.join("backup.age"))
                .context("Kunci cadangan tidak bisa dibuka. Tidak ada yang diubah")?
                .public()
                .to_string(),
        };
        let (door, visitors) = Door::new(options, shared, arrivals.clone())?;
        let certifying = Arc::new(Semaphore::new(1));
        let mut tasks = JoinSet::new();
        let ordinary = ordinary::serve(Arc::clone(&door), visitors, shared.writer.watch());
        tasks.spawn(async move {
            if let Err(error) = ordinary.await {
                tracing::error!(%error, "nobody can join any more until the hub is restarted");
            }
        });
        tasks.spawn(Arc::clone(&door).keep(listener));
        tasks.spawn(keep_certified(Arc::clone(&door)));
        Ok(Self { door, arrivals, registry, identity, address, tasks, certifying })
    }

    /// Where it listens.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where nodes arrive.
    pub(super) const fn arrivals(&self) -> &Arrivals {
        &self.arrivals
    }

    /// The villages that have ever joined.
    pub(super) async fn joined(&self) -> anyhow::Result<BTreeSet<u64>> {
        let registry = Arc::clone(&self.registry);
        Ok(tokio::task::spawn_blocking(move || registry.joined()).await??)
    }

    /// Receives whom the hub dials, too.
    pub(super) const fn door(&self) -> &Arc<Door> {
        &self.door
    }

    /// Looks at what commands may have changed in the meantime.
    pub(super) async fn look(&self) -> anyhow::Result<()> {
        let registry = Arc::clone(&self.registry);
        let keys = tokio::task::spawn_blocking(move || registry.allowed_keys()).await??;
        let allowed: HashSet<_> = keys.iter().map(|key| (key.village.as_u64(), key.key)).collect();
        self.arrivals.retain(|peer| allowed.contains(&(peer.village.as_u64(), peer.key)));
        let authority = Authority::open(&self.identity, clock::now_ms())?;
        let root = authority.root_hash();
        if root != self.door.authority().root_hash() {
            self.door.renew(Some(authority))?;
            tracing::info!("a new root is in use");
        }
        // Whoever is connected learns the root at once, the others when they
        // come.
        let behind = keys.iter().filter(|key| key.root != Some(root));
        let behind = behind.map(|key| (key.village.as_u64(), key.key)).collect::<HashSet<_>>();
        if !behind.is_empty()
            && let Ok(permit) = Arc::clone(&self.certifying).try_acquire_owned()
        {
            let door = Arc::clone(&self.door);
            tokio::spawn(async move {
                let wanted = |peer: &Peer| behind.contains(&(peer.village.as_u64(), peer.key));
                door.certify_all(wanted).await;
                drop(permit);
            });
        }
        Ok(())
    }

    /// Receives nobody any more.
    pub(super) async fn close(mut self) {
        self.tasks.shutdown().await;
        self.arrivals.retain(|_| false);
    }
}
