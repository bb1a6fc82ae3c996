//! A village's node in the simulated world: the real village and the real
//! service on a disk that can fail, and a clerk who saves.

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures_util::StreamExt;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::{Dusun, Record};
use lumbung_domain::region::VillageCode;
use lumbung_ledger::{LogId, Source};
use lumbung_link::limits;
use lumbung_link::meter::Traffic;
use lumbung_node::barn::{Ground, Witness};
use lumbung_node::serving::{Confirmed, SyncService, Visits, serve_connections};
use lumbung_node::uplink::{self, Account, Lines, Services};
use lumbung_node::village::{Village, Wish};
use lumbung_telemetry::clock::Clock;
use lumbung_wire::record::encode;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use tokio::io::AsyncWriteExt as _;

use super::book::{Book, Content};
use super::line::{Accepted, Line, Sky};
use super::world::Chronicle;
use crate::faulty_store::FaultyStore;

/// Where every node listens in the simulated network.
pub(super) const PORT: u16 = 7400;

/// Where the hub listens in it.
pub(super) const UPLINK_PORT: u16 = 8710;

/// Most changes of one save.
const CHANGES_MAX: usize = 3;

/// What a village is made of outside the running program: all of it outlives
/// a crash.
pub(super) struct Desa {
    pub(super) name: String,
    pub(super) code: VillageCode,
    pub(super) store: FaultyStore,
    /// What it keeps beside its store.
    pub(super) dir: PathBuf,
    pub(super) clock: Clock,
    pub(super) sky: Sky,
    pub(super) book: RefCell<Book>,
    /// Pause between saves, about; `None` = nobody saves.
    pub(super) pace: Cell<Option<Duration>>,
    /// The program's view, while it runs.
    pub(super) running: RefCell<Option<Village>>,
    /// What the running program heard that the hub has.
    pub(super) confirmed: RefCell<Arc<Confirmed>>,
    /// Each of its open connections holds a clone.
    pub(super) connections: Arc<()>,
    pub(super) chronicle: Chronicle,
    pub(super) seed: u64,
    pub(super) starts: Cell<u64>,
    /// It dials the hub, instead of being dialled.
    pub(super) dials: bool,
}

/// The way out of a node that dials. Where real nodes show a certificate, a
/// simulated one says which it is.
struct Out {
    code: VillageCode,
    sky: Sky,
    connections: Arc<()>,
}

impl Lines for Out {
    type Line = Line<Accepted>;

    async fn next(&self) -> Option<Self::Line> {
        let dialling = turmoil::net::TcpStream::connect(("hub", UPLINK_PORT));
        let dialled = tokio::time::timeout(limits::CONNECT_TIMEOUT, dialling).await;
        let stream = Accepted::new(dialled.ok()?.ok()?, &self.connections);
        let mut line = Line::new(stream, self.sky.far(), 0).giving_up();
        line.write_u64(self.code.as_u64()).await.ok()?;
        Some(line)
    }
}

impl Desa {
    /// What lies beside its store, by name.
    pub(super) fn files(&self) -> io::Result<Vec<(OsString, Vec<u8>)>> {
        let mut files = Vec::new();
        for item in fs::read_dir(&self.dir)? {
            let item = item?;
            files.push((item.file_name(), fs::read(item.path())?));
        }
        Ok(files)
    }

    /// Puts other files in the place of those beside its store.
    pub(super) fn put_files(&self, files: &[(OsString, Vec<u8>)]) -> io::Result<()> {
        fs::remove_dir_all(&self.dir)?;
        fs::create_dir_all(&self.dir)?;
        files.iter().try_for_each(|(name, bytes)| fs::write(self.dir.join(name), bytes))
    }

    /// A machine of the same village with a copy of this one's disk.
    pub(super) fn copied(&self, name: String, dir: PathBuf) -> anyhow::Result<Self> {
        Ok(Self {
            name,
            code: self.code,
            store: self.store.copy()?,
            dir,
            clock: self.clock.clone(),
            sky: Sky::default(),
            book: RefCell::new(self.book.borrow().clone()),
            pace: Cell::new(self.pace.get()),
            running: RefCell::new(None),
            confirmed: RefCell::default(),
            connections: Arc::default(),
            chronicle: self.chronicle.clone(),
            seed: self.seed ^ (1 << 47),
            starts: Cell::new(self.starts.get()),
            dials: self.dials,
        })
    }

    fn log_id(&self) -> LogId {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.code.as_u64().to_le_bytes());
        id[8..].copy_from_slice(&self.seed.to_le_bytes());
        LogId(id)
    }

    fn open(&self, start: u64) -> anyhow::Result<Village> {
        let ground = Ground {
            store: Arc::new(self.store.clone()),
            witness: Some(Witness::open(&self.dir.join("witness"))?),
            salts: self.seed ^ (start << 40),
        };
        let fresh = self.store.pairs()?.is_empty();
        let create = fresh.then(|| self.log_id());
        Ok(Village::open_in_task(ground, create, self.code, self.clock.clone())?)
    }
}

/// The node's program; ends only with a failure.
pub(super) async fn run(desa: Rc<Desa>) -> turmoil::Result {
    let start = desa.starts.get() + 1;
    desa.starts.set(start);
    let village = match desa.open(start) {
        Ok(village) => village,
        // Power went while it opened; the world sees it and starts it again.
        Err(_) if desa.store.has_failed() => std::future::pending().await,
        Err(error) => return Err(error.context(desa.name.clone()).into()),
    };
    for step in village.barn().steps() {
        desa.chronicle.note(&desa.name, format_args!("opened with {step:?}"));
    }
    let head = village.barn().head().position;
    desa.chronicle.note(&desa.name, format_args!("starts at {}.{}", head.epoch.0, head.seq));
    desa.running.replace(Some(village.clone()));
    let mut incarnation = [0; 16];
    incarnation[..8].copy_from_slice(&(desa.seed ^ start).to_le_bytes());
    let confirmed = Arc::new(Confirmed::open(&desa.dir, village.barn())?);
    desa.confirmed.replace(Arc::clone(&confirmed));
    let keeping = tokio::spawn(Arc::clone(&confirmed).keep_writing());
    let sync = SyncService::new(village.clone(), incarnation, Arc::clone(&confirmed));
    let sync = sync.keeping(Visits::open(&desa.dir)?);
    let barn = village.barn().clone();
    let services = Services { sync, barn, confirmed, witness: None, unclean_stops: 0 };
    tokio::select! {
        biased;
        served = serve(&desa, services) => served?,
        failed = save(&desa, &village, start) => failed.map_err(|error| error.to_string())?,
    }
    keeping.abort();
    Ok(())
}

/// Serves the hub over lines that either end dials; ends only with a failure.
async fn serve(desa: &Desa, services: Services) -> turmoil::Result {
    if desa.dials {
        let traffic = Traffic::default();
        let account = Account::open(&desa.dir.join("link"), traffic.clone());
        let connections = Arc::clone(&desa.connections);
        let out = Out { code: desa.code, sky: desa.sky.clone(), connections };
        uplink::keep_over(out, services, traffic, Arc::new(account)).await;
        return Ok(());
    }
    let listener = turmoil::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
    let alive = Arc::clone(&desa.connections);
    let incoming = futures_util::stream::unfold(listener, |listener| async {
        let accepted = listener.accept().await;
        Some((accepted.map(|(stream, _)| Accepted::new(stream, &alive)), listener))
    });
    let serving = serve_connections(services.sync, incoming.boxed(), std::future::pending());
    Ok(serving.await.context("serving ended")?)
}

/// The clerk. Saves for ever; ends with a promise that was broken.
async fn save(desa: &Desa, village: &Village, start: u64) -> anyhow::Result<()> {
    let mut dice = ChaCha8Rng::seed_from_u64(desa.seed ^ (start << 32) ^ 1);
    let mut save = 0;
    loop {
        let pause = desa.pace.get().unwrap_or(Duration::from_secs(1));
        tokio::time::sleep(pause.mul_f64(dice.random_range(0.2..2.0))).await;
        if desa.pace.get().is_none() {
            continue;
        }
        save += 1;
        let changes = draw(desa, village, &mut dice, start, save);
        let wishes = changes.iter().map(|(id, record)| Wish {
            id: Some(*id),
            kind: Kind::Dusun,
            record: record.clone(),
            seen: None,
        });
        let contents: Vec<(RecordId, Content)> =
            changes.iter().map(|(id, record)| (*id, record.as_ref().map(encode))).collect();
        desa.book.borrow_mut().sent(&contents);
        match village.save("kader", Source::MANUAL, wishes.collect()).await {
            Ok(saved) => {
                desa.book.borrow_mut().acknowledged(&contents, saved.receipt)?;
                desa.chronicle.note(&desa.name, format_args!("saved {}", saved.receipt.last));
            }
            Err(error) => {
                anyhow::ensure!(desa.store.has_failed(), "a save was refused: {error}");
                desa.chronicle.note(&desa.name, format_args!("save failed"));
                return std::future::pending().await;
            }
        }
    }
}

/// What the clerk wants to save next, all of it in words never used before.
fn draw(
    desa: &Desa,
    village: &Village,
    dice: &mut ChaCha8Rng,
    start: u64,
    save: u64,
) -> Vec<(RecordId, Option<Record>)> {
    let mut known = desa.book.borrow().living();
    // Nobody changes what an older disk does not show.
    let shown =
        |id: RecordId| village.barn().latest(id).is_ok_and(|it| it.is_some_and(|it| it.alive()));
    known.retain(|id| shown(*id));
    let mut changes = Vec::new();
    for at in 0..dice.random_range(1..=CHANGES_MAX) {
        let nama = format!("BARU {start}-{save}-{at}");
        let sk_pembentukan = "7".repeat(dice.random_range(0..40));
        let record = Record::Dusun(Dusun { nama, sk_pembentukan, ..Dusun::default() });
        if known.is_empty() || dice.random_ratio(1, 2) {
            let random = dice.random();
            changes.push((RecordId::from_parts(1_790_000_000_000, 0, random), Some(record)));
        } else {
            let id = known.swap_remove(dice.random_range(0..known.len()));
            changes.push((id, (!dice.random_ratio(1, 4)).then_some(record)));
        }
    }
    changes
}
