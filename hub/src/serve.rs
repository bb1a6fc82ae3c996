//! The hub at work: one puller per village, one writer, the console.

mod folder;
mod handles;
mod public_port;
mod watching;

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use lumbung_domain::region::VillageCode;
use lumbung_telemetry::clock;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

use crate::access::audit::AuditLog;
use crate::access::{Accounts, Gate};
use crate::admin::{AdminService, Port, Socket};
use crate::alerting;
use crate::backup;
use crate::cli::CommandService;
use crate::console::map::Map;
use crate::console::{self, ConsoleState, Front};
use crate::dataset::sqlite::SqliteDataset;
use crate::dataset::{HubsOwn, VillageState};
use crate::desk::ready::keep_ready;
use crate::desk::{Desk, DeskParts};
use crate::live::{Live, LiveVillage, Phase};
use crate::merge::MergeWriter;
use crate::notices;
use crate::puller::{self, Shared};
use crate::registry::Registry;
use crate::uplink::{Arriving, Way, keep_dialling};
pub use folder::FolderLock;
use public_port::PublicPort;
pub use public_port::identity_folder;

/// How often the list of villages is read again, so that one added by a
/// command is followed without a restart.
const ROLL_EVERY: Duration = Duration::from_secs(2);

/// How long a starting hub waits for a command that has the folder open.
const ALONE_WITHIN: Duration = Duration::from_secs(20);

/// How long stopping may wait for the transaction under way.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// How to serve.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The hub's folder.
    pub data: PathBuf,
    /// Where the console listens.
    pub console: SocketAddr,
    /// How browsers come to the console.
    pub front: Front,
    /// The public port, where nodes join and dial in.
    pub uplink: SocketAddr,
    /// Where metrics are served, on this machine only; `None` = nowhere.
    pub metrics: Option<SocketAddr>,
    /// Where operators who are far away are answered; `None` = nowhere.
    pub admin: Option<SocketAddr>,
    /// Sessions of nodes that dial in, held at once; more are asked to come
    /// back later.
    pub sessions_max: usize,
    /// Outlines of villages for the console, GeoJSON.
    pub map: Option<PathBuf>,
    /// Operators must have one-time codes for what asks for one.
    pub require_second_factor: bool,
}

/// The dataset's file in the hub's folder.
#[must_use]
pub fn dataset_file(data: &Path) -> PathBuf {
    data.join("hub.db")
}

/// Serves until `stop` completes, then lets the writer finish what it has.
///
/// # Errors
/// When the dataset can't be opened, the console's address is taken, or the
/// hub can't go on.
pub async fn run(options: ServeOptions, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    std::fs::create_dir_all(&options.data)
        .with_context(|| format!("Folder {} tidak bisa dipakai", options.data.display()))?;
    let lock = alone(&options.data).await?;
    anyhow::ensure!(
        !backup::unfinished(&options.data),
        "Cadangan hub belum selesai dipasang. Beri lagi perintah lumbung-hub restore yang sama; data \
         lama disisihkan, tidak dihapus."
    );
    let dataset = SqliteDataset::open(dataset_file(&options.data)).context(
        "Data kabupaten tidak bisa dibuka. Tidak ada yang diubah. Jangan hapus foldernya",
    )?;
    match dataset.scrub(clock::now_ms()) {
        Ok(false) => {}
        Ok(true) => lumbung_telemetry::say!(
            "Berkas data disusun ulang: yang dihapus permanen sudah hilang dari berkas."
        ),
        Err(error) => {
            tracing::warn!(%error, "the dataset's file can't be rewritten now");
            lumbung_telemetry::say!(
                "Berkas data belum bisa disusun ulang, mungkin karena ruang disk kurang: sisa \
                 catatan yang dihapus permanen masih ada di berkas. Data lain utuh. Sediakan ruang \
                 disk, lalu jalankan ulang hub."
            );
        }
    }
    let sqlite = Arc::new(dataset);
    let dataset: Arc<dyn HubsOwn> = sqlite.clone();
    let accounts: Arc<dyn Accounts> = sqlite.clone();
    let audit: Arc<dyn AuditLog> = sqlite.clone();
    let map = options.map.as_deref().map(read_map).transpose()?;
    let metrics = watching::listen(options.metrics).await?;
    let live = Arc::new(Live::default());
    let (writer, writing) = MergeWriter::start(dataset.clone())?;
    let shared = Shared::new(Arc::clone(&dataset), writer, Arc::clone(&live));
    let contacts = shared.contacts.clone();
    let (uplink, sessions_max) = (options.uplink, handles::sessions(options.sessions_max));
    let kept = (sqlite.clone() as Arc<dyn Registry>, Arc::clone(&audit));
    let port = PublicPort::open(&options.data, uplink, sessions_max, kept, &shared).await?;
    lumbung_telemetry::say!("Node desa bergabung di {}.", port.address());
    let ready = tokio::spawn(keep_ready(Arc::clone(&dataset), Arc::clone(&live)));
    let gate = Gate::demanding(accounts, Arc::clone(&audit), options.require_second_factor);
    let desk = Arc::new(Desk::new(DeskParts {
        dataset: Arc::clone(&dataset),
        audit: Arc::clone(&audit),
        live,
        registry: sqlite.clone(),
        wishes: shared.wishes.clone(),
        identity: identity_folder(&options.data),
        counts: gate.counts().clone(),
        arrivals: port.arrivals().clone(),
        letters: alerting::config_file(&options.data),
    }));
    let socket = Socket::open(&options.data).with_context(|| {
        format!(
            "Soket perintah di folder {} tidak bisa dibuka. Pakai folder dengan jalur yang lebih \
             pendek, di disk komputer ini",
            options.data.display()
        )
    })?;
    let admin = AdminService::new(Arc::clone(&desk), gate.clone());
    let far = far_operators(&options, admin.clone()).await?;
    // Last: whoever reaches the console finds all other doors open.
    let listener = TcpListener::bind(options.console).await.with_context(|| {
        format!("Alamat {} sudah dipakai. Pilih yang lain dengan --console", options.console)
    })?;
    lumbung_telemetry::say!("Konsol kabupaten: http://{}/", listener.local_addr()?);
    if !options.console.ip().is_loopback() && !options.front.is_known() {
        tracing::warn!("the console can be reached from other machines without HTTPS");
        lumbung_telemetry::say!(
            "Peringatan: konsol bisa dibuka dari komputer lain tanpa HTTPS, jadi kata sandi dan \
             data warga lewat jaringan tanpa pengaman. Taruh proxy HTTPS di depannya, lalu \
             jalankan dengan --console-https (lihat docs/operators.md)."
        );
    }
    if let Some(code) = gate.first_code().await.context("Daftar operator tidak bisa dibaca")? {
        lumbung_telemetry::say!(
            "Belum ada operator. Buka konsol dan buat operator pertama dengan kode {code}."
        );
    }
    let command = CommandService::new(options.data.clone(), sqlite);
    let answering = tokio::spawn(async move {
        let served = socket.serve(admin, command, std::future::pending()).await;
        if let Err(error) = served {
            tracing::error!(%error, "commands are not answered any more");
        }
    });
    let metrics = metrics.map(|listener| (listener, gate.clone(), audit));
    let router = console::router(ConsoleState { desk, gate, front: options.front, map })
        .into_make_service_with_connect_info::<SocketAddr>();
    let ringing = tokio::spawn(notices::keep_ringing(shared.bell.clone(), dataset.clone()));
    let file = dataset_file(&options.data);
    let mut watching = watching::start(&options.data, file, &shared, metrics);
    let flushing = tokio::spawn(contacts.clone().keep_flushing(dataset.clone()));
    let mut roll = Roll::default();
    tokio::pin!(stop);
    let served = tokio::select! {
        () = &mut stop => Ok(()),
        served = axum::serve(listener, router) => served.context("Konsol berhenti"),
        failed = roll.keep(&shared, &port) => failed,
    };
    answering.abort();
    if let Some(far) = far {
        far.abort();
    }
    port.close().await;
    roll.tasks.shutdown().await;
    ready.abort();
    watching.shutdown().await;
    flushing.abort();
    ringing.abort();
    drop(shared);
    let finish = tokio::task::spawn_blocking(move || {
        contacts.flush(&*dataset);
        writing.join()
    });
    match tokio::time::timeout(STOP_WITHIN, finish).await {
        Ok(Ok(Ok(()))) => tracing::info!("stopped"),
        // An unfinished transaction is rolled back; its batches come again.
        _ => tracing::warn!("stopped without waiting for the writer any longer"),
    }
    drop(lock);
    served
}

/// The outlines of villages that the operator named.
fn read_map(file: &Path) -> anyhow::Result<Arc<Map>> {
    let map = Map::read(file).with_context(|| {
        format!("Peta {} tidak bisa dipakai. Hub tidak dijalankan", file.display())
    })?;
    lumbung_telemetry::say!("Peta: {} desa digambar.", map.len());
    Ok(Arc::new(map))
}

/// Answers operators who are far away, if an address was named for them.
async fn far_operators(
    options: &ServeOptions,
    admin: AdminService,
) -> anyhow::Result<Option<JoinHandle<()>>> {
    let Some(listen) = options.admin else { return Ok(None) };
    let port = Port::open(listen, identity_folder(&options.data)).await.with_context(|| {
        format!("Alamat {listen} sudah dipakai. Pilih yang lain dengan --admin")
    })?;
    lumbung_telemetry::say!("Operator dari jauh: https://{}", port.address()?);
    Ok(Some(tokio::spawn(async move {
        if let Err(error) = port.serve(admin).await {
            tracing::error!(%error, "operators who are far away are not answered any more");
        }
    })))
}

/// Waits until nobody else has the folder open: a command may be at work.
async fn alone(data: &Path) -> anyhow::Result<FolderLock> {
    let since = Instant::now();
    loop {
        let lock = FolderLock::try_take(data)
            .with_context(|| format!("Folder {} tidak bisa dipakai", data.display()))?;
        if let Some(lock) = lock {
            return Ok(lock);
        }
        anyhow::ensure!(
            since.elapsed() < ALONE_WITHIN,
            "Folder {} sedang dipakai hub lain atau perintah yang belum selesai. Tidak ada yang \
             diubah. Hentikan yang itu, lalu ulangi.",
            data.display()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A village that is followed: where, how, and since which decision of an
/// operator.
struct Followed {
    address: String,
    way: Way,
    decisions: i64,
    task: AbortHandle,
}

/// The villages that are followed, and where.
#[derive(Default)]
struct Roll {
    tasks: JoinSet<()>,
    followed: BTreeMap<u64, Followed>,
}

impl Roll {
    /// Keeps one puller per village with an address. Only returns on failure.
    async fn keep(&mut self, shared: &Shared, port: &PublicPort) -> anyhow::Result<()> {
        loop {
            let dataset = Arc::clone(&shared.dataset);
            // First who is there, then who has joined: one that joins in
            // between has lost its address by the next look.
            let states = tokio::task::spawn_blocking(move || dataset.villages()).await?;
            match (states, port.joined().await) {
                (Ok(states), Ok(joined)) => states.into_iter().for_each(|state| {
                    let way = Way::of(&state.address, joined.contains(&state.village.as_u64()));
                    self.take(state, way, shared, port);
                }),
                // The pullers go on, and tell of it if it concerns them.
                (Err(error), _) => {
                    tracing::error!(%error, "the list of villages can't be read");
                }
                (_, Err(error)) => tracing::error!(%error, "who has joined can't be read"),
            }
            if let Err(error) = port.look().await {
                tracing::error!(%error, "keys and root can't be looked at");
            }
            while let Some(ended) = self.tasks.try_join_next() {
                if let Err(error) = ended.as_ref()
                    && error.is_panic()
                {
                    tracing::error!("a puller failed; its village is followed anew");
                }
            }
            anyhow::ensure!(
                !shared.writer.has_ended(),
                "Penulis data berhenti. Yang sudah tergabung aman. Jalankan hub lagi."
            );
            tokio::time::sleep(ROLL_EVERY).await;
        }
    }

    /// Follows a village as the dataset lists it now.
    fn take(&mut self, state: VillageState, way: Way, shared: &Shared, port: &PublicPort) {
        let known = shared.live.get(state.village);
        match known {
            None => shared.live.update(state.village, |live| first_seen(live, &state)),
            // A bundle that a command imports moves on what is merged.
            Some(known) if known.last_stick_ms != state.last_stick_ms => {
                shared.live.update(state.village, |live| by_stick(live, &state));
            }
            // A replay by a command empties the quarantine behind our back.
            Some(known) if known.quarantined != state.quarantined => {
                shared.live.update(state.village, |live| live.quarantined = state.quarantined);
            }
            Some(_) => {}
        }
        shared.agenda.ask(state.village, state.proof_asked_ms);
        let code = state.village.as_u64();
        if state.hold.as_ref().is_some_and(|hold| hold.is_on(clock::now_ms())) {
            self.let_be(state.village, shared);
            return;
        }
        if let Some(Followed { address, way: before, decisions, task }) = self.followed.get(&code) {
            let same = (address, *before, *decisions) == (&state.address, way, state.decisions);
            if same && !task.is_finished() {
                return;
            }
            task.abort();
            self.followed.remove(&code);
            shared.live.update(state.village, |live| live.phase = Phase::Waiting);
        }
        let (village, shared) = (state.village, shared.clone());
        let VillageState { address, decisions, .. } = state;
        let arriving = Arriving { village, arrivals: port.arrivals().clone() };
        let task = match way {
            Way::Arrives => self.tasks.spawn(puller::follow_over(village, arriving, shared)),
            Way::Both => {
                let dialling = keep_dialling(Arc::clone(port.door()), village, address.clone());
                self.tasks.spawn(async move {
                    tokio::join!(puller::follow_over(village, arriving, shared), dialling);
                })
            }
            Way::Plain => self.tasks.spawn(puller::follow(village, address.clone(), shared)),
        };
        self.followed.insert(code, Followed { address, way, decisions, task });
    }

    /// Follows a village no longer: an operator holds it.
    fn let_be(&mut self, village: VillageCode, shared: &Shared) {
        if let Some(Followed { task, .. }) = self.followed.remove(&village.as_u64()) {
            task.abort();
        }
        if shared.live.get(village).is_some_and(|live| live.phase != Phase::Held) {
            shared.live.update(village, |live| live.phase = Phase::Held);
        }
    }
}

fn by_stick(live: &mut LiveVillage, state: &VillageState) {
    let seq = state.position.map_or(0, |position| position.seq.0);
    if seq >= live.merged_seq {
        live.merged_seq = seq;
        live.head_seq = live.head_seq.max(seq);
        live.records = state.records;
        live.last_proof_ms = state.last_proof_ms;
        live.proven_seq = state.proven_seq.0;
    }
    live.quarantined = state.quarantined;
    live.last_stick_ms = state.last_stick_ms;
}

fn first_seen(live: &mut LiveVillage, state: &VillageState) {
    let seq = state.position.map_or(0, |position| position.seq.0);
    live.head_seq = seq;
    live.merged_seq = seq;
    live.records = state.records;
    live.quarantined = state.quarantined;
    live.last_contact_ms = state.last_contact_ms;
    live.last_proof_ms = state.last_proof_ms;
    live.proven_seq = state.proven_seq.0;
    live.last_stick_ms = state.last_stick_ms;
    live.trouble.clone_from(&state.trouble);
}
