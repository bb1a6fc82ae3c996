//! Opening a barn never trusts the store alone.
//!
//! The store is opened (with its own repairs), then head and last block are
//! checked against each other, then against the witness. A barn that is
//! behind its witness lost a tail that others may have seen: it opens a new
//! epoch, so that no number is ever used twice for different entries.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use lumbung_ledger::{LogId, Seq};
use tokio::sync::{mpsc, watch};

use super::head::Head;
use super::sled_store::{OpenRepair, SledStore};
use super::store::{Store, StoreError, WriteBatch};
use super::witness::{Testimony, Witness};
use super::writer::Writer;
use super::{Barn, Indexer, Job, QUEUE_MAX, keys, log};

/// The key space's version; a barn of a newer one is refused.
const FORMAT: u32 = 1;

/// Why a barn could not be opened. Nothing was changed in it.
#[derive(Debug, thiserror::Error)]
pub enum OpenBarnError {
    /// Another process has it open.
    #[error("the barn is in use by another process")]
    Busy,
    /// There is no barn here.
    #[error("there is no barn at {0}")]
    Missing(PathBuf),
    /// There is one already.
    #[error("there is a barn at {0} already")]
    Exists(PathBuf),
    /// It was written by a newer version.
    #[error("the barn has format {found}, this version reads {FORMAT}")]
    NewerFormat {
        /// What the barn says.
        found: u32,
    },
    /// Its head and its log contradict each other.
    #[error("the barn's log does not end where its head says ({0})")]
    Inconsistent(&'static str),
    /// The store can't be read or written.
    #[error("the barn can't be read")]
    Store(#[from] StoreError),
    /// The witness file can't be read or written.
    #[error("the witness file can't be used")]
    Witness(#[source] std::io::Error),
}

/// What opening had to do. Each is worth a sentence to the clerk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenStep {
    /// A snapshot was being written when the power failed; it was removed.
    HalfSnapshotRemoved,
    /// A snapshot was unreadable; it was set aside and rebuilt.
    SnapshotSetAside,
    /// The database is behind the witness: entries after `kept` up to
    /// `witnessed` are lost here; a new epoch was opened.
    LostTail {
        /// Last entry still here.
        kept: Seq,
        /// Last entry the witness saw.
        witnessed: Seq,
    },
}

/// How to open a barn.
#[derive(Clone, Copy, Debug)]
pub struct OpenOptions {
    /// Says which index entries a payload has.
    pub indexer: Indexer,
    /// The id of the log to begin when there is none yet; `None` refuses an
    /// empty store.
    pub create: Option<LogId>,
}

/// What a barn in a simulated world stands on; see [`Barn::open_in_task`].
pub struct Ground {
    /// Its store.
    pub store: Arc<dyn Store>,
    /// Its witness, which outlives crashes of the store.
    pub witness: Option<Witness>,
    /// Seed of the entries' salts; another one at every opening.
    pub salts: u64,
}

impl Barn {
    /// Whether there is a barn in `dir`.
    #[must_use]
    pub fn exists(dir: &Path) -> bool {
        dir.join("store").join("db").exists()
    }

    /// Opens or creates the barn in `dir` on disk.
    ///
    /// # Errors
    /// [`OpenBarnError`].
    pub fn open(dir: &Path, options: OpenOptions) -> Result<Self, OpenBarnError> {
        match (Self::exists(dir), options.create) {
            (false, None) => return Err(OpenBarnError::Missing(dir.to_path_buf())),
            (true, Some(_)) => return Err(OpenBarnError::Exists(dir.to_path_buf())),
            _ => {}
        }
        std::fs::create_dir_all(dir).map_err(StoreError::Io)?;
        let (store, repairs) =
            SledStore::open(&dir.join("store")).map_err(|error| match error {
                StoreError::Busy(_) => OpenBarnError::Busy,
                error => OpenBarnError::Store(error),
            })?;
        let witness = Witness::open(&dir.join("witness")).map_err(OpenBarnError::Witness)?;
        let steps = repairs.into_iter().map(|repair| match repair {
            OpenRepair::HalfSnapshotRemoved => OpenStep::HalfSnapshotRemoved,
            OpenRepair::SnapshotSetAside => OpenStep::SnapshotSetAside,
        });
        Self::start(Arc::new(store), Some(witness), options, steps.collect())
    }

    /// Opens a barn on any store, without a witness: for simulation.
    ///
    /// # Errors
    /// [`OpenBarnError`].
    pub fn open_on(store: Arc<dyn Store>, options: OpenOptions) -> Result<Self, OpenBarnError> {
        Self::start(store, None, options, Vec::new())
    }

    /// Opens a barn in a simulated world: its writer is a task of the tokio
    /// runtime this is called on and dies with it, as in a power cut, and its
    /// salts repeat. Never for people's records: the salts can be guessed.
    ///
    /// # Errors
    /// [`OpenBarnError`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn open_in_task(ground: Ground, options: OpenOptions) -> Result<Self, OpenBarnError> {
        let Ground { store, witness, salts } = ground;
        let (barn, writer, jobs) = Self::prepare(store, witness, options, Vec::new())?;
        tokio::spawn(writer.with_salts_of(salts).run_in_task(jobs));
        Ok(barn)
    }

    fn start(
        store: Arc<dyn Store>,
        witness: Option<Witness>,
        options: OpenOptions,
        steps: Vec<OpenStep>,
    ) -> Result<Self, OpenBarnError> {
        let (barn, writer, jobs) = Self::prepare(store, witness, options, steps)?;
        let thread = std::thread::Builder::new()
            .name("barn-writer".to_owned())
            .spawn(move || writer.run(jobs))
            .map_err(StoreError::Io)?;
        Ok(Self { writer: Arc::new(Mutex::new(Some(thread))), ..barn })
    }

    /// Checks the store, and gives the barn and the writer it needs.
    fn prepare(
        store: Arc<dyn Store>,
        mut witness: Option<Witness>,
        options: OpenOptions,
        mut steps: Vec<OpenStep>,
    ) -> Result<(Self, Writer, mpsc::Receiver<Job>), OpenBarnError> {
        check_format(&*store)?;
        let mut head = match (read_head(&*store)?, options.create) {
            (Some(head), _) => head,
            (None, Some(log_id)) => create(&*store, log_id)?,
            (None, None) => return Err(OpenBarnError::Inconsistent("it has no head")),
        };
        check_end(&*store, &head)?;
        let mut boots = 1;
        if let Some(witness) = &mut witness {
            let last = witness.last().filter(|last| last.log_id == head.position.log_id);
            if let Some(last) = last {
                boots = last.boots.saturating_add(1);
                let lost = last.seq > head.position.seq || last.epoch > head.position.epoch;
                if lost {
                    steps.push(OpenStep::LostTail { kept: head.position.seq, witnessed: last.seq });
                    head = open_epoch(&*store, head, last)?;
                }
            }
            let position = head.position;
            let testimony = Testimony {
                log_id: position.log_id,
                epoch: position.epoch,
                seq: position.seq,
                boots,
            };
            witness
                .testify(testimony)
                .and_then(|()| witness.sync())
                .map_err(OpenBarnError::Witness)?;
        }
        let (watermark, watching) = watch::channel(head);
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let writer = Writer::new(Arc::clone(&store), witness, boots, options.indexer, watermark);
        let barn = Self {
            store,
            indexer: options.indexer,
            head: watching,
            queue,
            steps: steps.into(),
            boots,
            writer: Arc::default(),
        };
        Ok((barn, writer, jobs))
    }
}

fn check_format(store: &dyn Store) -> Result<(), OpenBarnError> {
    let Some(bytes) = store.get(keys::FORMAT)? else { return Ok(()) };
    match bytes.as_ref().try_into().map(u32::from_be_bytes) {
        Ok(found) if found > FORMAT => Err(OpenBarnError::NewerFormat { found }),
        Ok(_) => Ok(()),
        Err(_) => Err(OpenBarnError::Inconsistent("its format can't be read")),
    }
}

fn read_head(store: &dyn Store) -> Result<Option<Head>, OpenBarnError> {
    let Some(bytes) = store.get(keys::HEAD)? else { return Ok(None) };
    Head::from_slice(&bytes).map(Some).ok_or(OpenBarnError::Inconsistent("its head can't be read"))
}

fn create(store: &dyn Store, log_id: LogId) -> Result<Head, OpenBarnError> {
    let head = Head::empty(log_id);
    let mut batch = WriteBatch::default();
    batch.put(keys::FORMAT.to_vec(), FORMAT.to_be_bytes().to_vec());
    batch.put(keys::HEAD.to_vec(), head.to_bytes());
    store.apply(batch)?;
    store.sync()?;
    Ok(head)
}

/// The last block must end at the head, chain and all.
fn check_end(store: &dyn Store, head: &Head) -> Result<(), OpenBarnError> {
    let Some((_, value)) = store.last(&keys::log(Seq::ZERO), &keys::log(Seq(u64::MAX)))? else {
        return if head.position.seq == Seq::ZERO {
            Ok(())
        } else {
            Err(OpenBarnError::Inconsistent("the log is empty"))
        };
    };
    let (before, entries) = log::read_block(&value)?;
    let chain = entries.iter().fold(before, |chain, entry| chain.step(entry).0);
    let last = entries.last().map(|entry| entry.header.seq);
    if last != Some(head.position.seq) {
        return Err(OpenBarnError::Inconsistent("its last entry has another number"));
    }
    if chain != head.position.chain {
        return Err(OpenBarnError::Inconsistent("its last block does not match the chain"));
    }
    Ok(())
}

fn open_epoch(store: &dyn Store, mut head: Head, last: Testimony) -> Result<Head, OpenBarnError> {
    head.position.epoch = head.position.epoch.max(last.epoch).next();
    let mut batch = WriteBatch::default();
    batch.put(keys::epoch(head.position.epoch), head.position.seq.0.to_be_bytes().to_vec());
    batch.put(keys::HEAD.to_vec(), head.to_bytes());
    store.apply(batch)?;
    store.sync()?;
    Ok(head)
}
