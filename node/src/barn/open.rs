//! Opening a barn never trusts the store alone.
//!
//! The store is opened (with its own repairs), then head and last block are
//! checked against each other, then against the witness. A barn that is
//! behind its witness lost a tail that others may have seen: it opens a new
//! epoch, so that no number is ever used twice for different entries.

mod copied;

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use lumbung_ledger::{Epoch, LogId, Seq};
use lumbung_telemetry::clock;
use tokio::sync::{mpsc, watch};

use super::erasures::Erasures;
use super::head::Head;
use super::losses::{Loss, Losses};
use super::reopening::Reopenable;
use super::sled_store::{OpenRepair, SledStore, StandIn, beside_copy};
use super::store::{Hindrance, Store, StoreError, WriteBatch};
use super::witness::{Testimony, Witness};
use super::writer::Writer;
use super::{Barn, Indexer, Job, QUEUE_MAX, SubmitError, keys, log, rewrite};

/// The version of key space and files; a barn of a newer one is refused. One of
/// version 1 has no journal beside sled's file.
pub(super) const FORMAT: u32 = 2;

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
    /// The erasure ledger can't be read or written.
    #[error("the erasure ledger can't be used")]
    Erasures(#[source] std::io::Error),
    /// The disk takes no writes, and memory has no room for a copy that could
    /// be read instead.
    #[error("the disk takes no writes and memory has no room for a copy")]
    NoCopy(Hindrance),
    /// What is known to be lost can't be read or noted.
    #[error("the file of lost entries can't be used")]
    Losses(#[source] std::io::Error),
}

impl OpenBarnError {
    /// Whether the store itself is damaged: trying again or making room will
    /// not help. A store that is in use, a disk that is full, read-only or not
    /// there, and one of a newer version are not.
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Inconsistent(_) | Self::Store(StoreError::Damaged(_)))
    }
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
    /// The store had records that the erasure ledger says are erased; they
    /// were erased again.
    ErasedAgain {
        /// How many.
        records: usize,
    },
    /// The store was rewritten: it shrank, and what was erased left the disk.
    Rewritten {
        /// Bytes it took.
        before: u64,
        /// Bytes it takes.
        after: u64,
    },
    /// The store should have been rewritten and could not be; the next
    /// opening tries again.
    RewritePostponed {
        /// Whether erased bytes are still in its files.
        erased: bool,
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
        rewrite::has_store(dir)
    }

    /// Removes the copies in memory that this process made: it ends, maybe
    /// before the threads that would.
    pub fn leave() {
        StandIn::leave();
    }

    /// A name in memory for what belongs to the barn in `dir`, whose folder may
    /// take no writes; it ends in `ending`.
    ///
    /// # Errors
    /// When there is no barn.
    pub fn beside_copy(dir: &Path, ending: &str) -> std::io::Result<PathBuf> {
        beside_copy(&dir.join("store"), ending)
    }

    /// Opens or creates the barn in `dir` on disk.
    ///
    /// # Errors
    /// [`OpenBarnError`].
    pub fn open(dir: &Path, options: OpenOptions) -> Result<Self, OpenBarnError> {
        match Self::open_for_work(dir, options) {
            Err(error) => match error.hindrance().filter(|_| options.create.is_none()) {
                Some(by) => {
                    tracing::warn!(%error, ?by, "the disk takes no writes; a copy is read");
                    Self::open_copy(dir, by, options).map_err(|why| match why {
                        OpenBarnError::Busy | OpenBarnError::NoCopy(_) => why,
                        why => {
                            tracing::warn!(error = %why, "no copy can be read either");
                            error
                        }
                    })
                }
                None => Err(error),
            },
            opened => opened,
        }
    }

    fn open_for_work(dir: &Path, options: OpenOptions) -> Result<Self, OpenBarnError> {
        match (Self::exists(dir), options.create) {
            (false, None) => return Err(OpenBarnError::Missing(dir.to_path_buf())),
            (true, Some(_)) => return Err(OpenBarnError::Exists(dir.to_path_buf())),
            _ => {}
        }
        std::fs::create_dir_all(dir).map_err(StoreError::Io)?;
        // Until this opening is done, no other process may see its steps.
        let _opening = rewrite::lock(dir).map_err(StoreError::Io)?.ok_or(OpenBarnError::Busy)?;
        rewrite::finish(dir, &mut |_| Ok(())).map_err(busy_or_failed)?;
        let beside = beside(dir)?;
        let (barn, writer, jobs) = Self::on_disk(dir, options, &beside, Turn::First)?;
        let erased = barn.scrub_pending();
        if !erased && !rewrite::is_bloated(&*barn.store)? {
            return Self::serve(barn, writer, jobs);
        }
        let before = barn.disk_bytes();
        if let Err(error) = rewrite::copy(&*barn.store, dir, &mut |_| Ok(())) {
            if let rewrite::RewriteError::Announced(error) = error {
                return Err(StoreError::Io(error).into());
            }
            tracing::warn!(%error, "the store can't be rewritten now");
            let steps = with(&barn.steps, OpenStep::RewritePostponed { erased });
            return Self::serve(Self { steps, ..barn }, writer, jobs);
        }
        let (steps, boots) = (Arc::clone(&barn.steps), barn.boots);
        // Nobody may have the store open while it is swapped.
        drop((barn, writer, jobs));
        rewrite::finish(dir, &mut |_| Ok(())).map_err(busy_or_failed)?;
        let options = OpenOptions { create: None, ..options };
        let (barn, writer, jobs) = Self::on_disk(dir, options, &beside, Turn::Again { boots })?;
        writer.erasures().scrubbed(clock::now_ms()).map_err(OpenBarnError::Erasures)?;
        let after = barn.disk_bytes();
        let steps = with(&steps, OpenStep::Rewritten { before, after });
        Self::serve(Self { steps, ..barn }, writer, jobs)
    }

    fn on_disk(
        dir: &Path,
        options: OpenOptions,
        (ledger, losses): &Beside,
        turn: Turn,
    ) -> Result<Prepared, OpenBarnError> {
        let place = dir.join("store");
        let (store, repairs) = match turn {
            Turn::First | Turn::Copy { .. } => SledStore::open(&place),
            Turn::Again { .. } => SledStore::open_own(&place).map(|store| (store, Vec::new())),
        }
        .map_err(busy_or_failed)?;
        StandIn::forget(&place);
        let gap = store.has_gap();
        let witness = Witness::open(&dir.join("witness")).map_err(OpenBarnError::Witness)?;
        let steps = repairs.into_iter().map(|repair| match repair {
            OpenRepair::HalfSnapshotRemoved => OpenStep::HalfSnapshotRemoved,
            OpenRepair::SnapshotSetAside => OpenStep::SnapshotSetAside,
        });
        let footing = Footing {
            store: Arc::new(Reopenable::of(store, &place)),
            witness: Some(witness),
            ledger: Arc::clone(ledger),
            losses: Arc::clone(losses),
            turn,
        };
        let steps = steps.collect();
        let prepared = Self::prepare_safely(footing, options, steps)?;
        let mut steps = prepared.0.steps.iter();
        if gap || steps.any(|step| matches!(step, OpenStep::LostTail { .. })) {
            SledStore::keep_for_good(&place);
        } else {
            SledStore::forget_kept(&place);
        }
        Ok(prepared)
    }

    /// sled reads most pages only now, and panics over some damages.
    fn prepare_safely(
        footing: Footing,
        options: OpenOptions,
        steps: Vec<OpenStep>,
    ) -> Result<Prepared, OpenBarnError> {
        // Nothing outside the closure can see what a panic leaves half-done.
        let prepared = AssertUnwindSafe(|| Self::prepare(footing, options, steps));
        std::panic::catch_unwind(prepared).unwrap_or_else(|_| {
            let why = "reading it failed half-way".to_owned();
            Err(OpenBarnError::Store(StoreError::Damaged(why)))
        })
    }

    /// Opens a barn on any store, without a witness: for simulation.
    ///
    /// # Errors
    /// [`OpenBarnError`].
    pub fn open_on(store: Arc<dyn Store>, options: OpenOptions) -> Result<Self, OpenBarnError> {
        let (barn, writer, jobs) = Self::prepare(Footing::bare(store, None), options, Vec::new())?;
        Self::serve(barn, writer, jobs)
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
        let (barn, writer, jobs) =
            Self::prepare(Footing::bare(store, witness), options, Vec::new())?;
        tokio::spawn(writer.with_salts_of(salts).run(jobs));
        Ok(barn)
    }

    fn serve(barn: Self, writer: Writer, jobs: mpsc::Receiver<Job>) -> Result<Self, OpenBarnError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(StoreError::Io)?;
        let thread = std::thread::Builder::new()
            .name("barn-writer".to_owned())
            .spawn(move || runtime.block_on(writer.run(jobs)))
            .map_err(StoreError::Io)?;
        Ok(Self { writer: Arc::new(Mutex::new(Some(thread))), ..barn })
    }

    /// Checks the store, and gives the barn and the writer it needs.
    fn prepare(
        footing: Footing,
        options: OpenOptions,
        mut steps: Vec<OpenStep>,
    ) -> Result<Prepared, OpenBarnError> {
        let Footing { store, mut witness, ledger: erasures, losses, turn } = footing;
        check_format(&*store)?;
        let mut head = match (read_head(&*store)?, options.create) {
            (Some(head), _) => head,
            (None, Some(log_id)) => create(&*store, log_id)?,
            (None, None) => return Err(OpenBarnError::Inconsistent("it has no head")),
        };
        check_end(&*store, &head)?;
        // A process killed between writing and syncing leaves entries that a
        // power cut may still take back. They are served from here on.
        let copy = matches!(turn, Turn::Copy { .. });
        if !copy {
            store.sync()?;
        }
        let witnessed = witness.as_ref().and_then(Witness::last);
        if matches!(turn, Turn::Copy { durable: false }) && !copied::is_witnessed(witnessed, &head)
        {
            return Err(OpenBarnError::Inconsistent("the disk may not have all of it"));
        }
        let mut boots = 1;
        if let Some(witness) = &mut witness {
            let last = witness.last().filter(|last| last.log_id == head.position.log_id);
            if let Some(last) = last {
                boots = match turn {
                    Turn::First | Turn::Copy { .. } => last.boots.saturating_add(1),
                    Turn::Again { boots } => boots,
                };
                let lost = last.seq > head.position.seq || last.epoch > head.position.epoch;
                if lost && copy {
                    // What is lost is found by an opening that may say so.
                    return Err(OpenBarnError::Inconsistent("it is behind its witness"));
                }
                if lost {
                    let (kept, witnessed) = (head.position.seq, last.seq);
                    note_lost(&losses, kept, witnessed)?;
                    steps.push(OpenStep::LostTail { kept, witnessed });
                    head = open_epoch(&*store, head, last.epoch)?;
                }
            }
            let position = head.position;
            let testimony = Testimony {
                log_id: position.log_id,
                epoch: position.epoch,
                seq: position.seq,
                boots,
            };
            let testified = witness.testify(testimony).and_then(|()| witness.sync());
            match testified {
                // It says the same as before, but for the count of starts.
                Err(error) if copy => tracing::warn!(%error, "the witness can't be written"),
                testified => testified.map_err(OpenBarnError::Witness)?,
            }
        }
        let (watermark, watching) = watch::channel(head);
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let (indexer, ledger) = (options.indexer, Arc::clone(&erasures));
        let mut writer =
            Writer::new(Arc::clone(&store), witness, boots, indexer, watermark, ledger);
        let records = writer.erase_again(clock::now_ms()).map_err(|error| match error {
            SubmitError::Store(error) => OpenBarnError::Store(error),
            _ => OpenBarnError::Inconsistent("what was erased can't be erased again"),
        })?;
        if records > 0 {
            steps.push(OpenStep::ErasedAgain { records });
        }
        let barn = Self {
            store,
            indexer: options.indexer,
            head: watching,
            condition: writer.condition.subscribe(),
            queue,
            steps: steps.into(),
            boots,
            erasures,
            losses,
            writer: Arc::default(),
        };
        Ok((barn, writer, jobs))
    }
}

pub(super) fn busy_or_failed(error: StoreError) -> OpenBarnError {
    match error {
        StoreError::Busy(_) => OpenBarnError::Busy,
        error => OpenBarnError::Store(error),
    }
}

/// A barn without its thread, the writer it needs, and the writer's jobs.
type Prepared = (Barn, Writer, mpsc::Receiver<Job>);

/// What a barn stands on.
struct Footing {
    store: Arc<dyn Store>,
    witness: Option<Witness>,
    ledger: Arc<Mutex<Erasures>>,
    losses: Arc<Mutex<Losses>>,
    turn: Turn,
}

/// What lies beside the store and outlives it.
type Beside = (Arc<Mutex<Erasures>>, Arc<Mutex<Losses>>);

impl Footing {
    /// Without a folder: nothing lies beside it.
    fn bare(store: Arc<dyn Store>, witness: Option<Witness>) -> Self {
        let (ledger, losses) = Beside::default();
        Self { store, witness, ledger, losses, turn: Turn::First }
    }
}

/// Whether this opening was counted already.
#[derive(Clone, Copy)]
enum Turn {
    /// The store is opened for the first time.
    First,
    /// It is opened once more after it was rewritten.
    Again { boots: u32 },
    /// A copy of it is opened, and nothing can be written.
    Copy {
        /// Whether the disk is known to have all that is in it.
        durable: bool,
    },
}

/// Opens what lies beside the store.
fn beside(dir: &Path) -> Result<Beside, OpenBarnError> {
    let ledger = Erasures::open(&dir.join("erasures")).map_err(OpenBarnError::Erasures)?;
    let losses = Losses::open(dir).map_err(OpenBarnError::Losses)?;
    Ok((Arc::new(Mutex::new(ledger)), Arc::new(Mutex::new(losses))))
}

fn with(steps: &[OpenStep], last: OpenStep) -> Arc<[OpenStep]> {
    steps.iter().copied().chain([last]).collect()
}

/// Refuses a newer format, and marks a barn of an older one as this one's:
/// a program that knows nothing of the journal must not open it any more.
fn check_format(store: &dyn Store) -> Result<(), OpenBarnError> {
    let Some(bytes) = store.get(keys::FORMAT)? else { return Ok(()) };
    match bytes.as_ref().try_into().map(u32::from_be_bytes) {
        Ok(found) if found > FORMAT => Err(OpenBarnError::NewerFormat { found }),
        Ok(found) if found < FORMAT => {
            let mut batch = WriteBatch::default();
            batch.put(keys::FORMAT.to_vec(), FORMAT.to_be_bytes().to_vec());
            store.apply(batch)?;
            Ok(store.sync()?)
        }
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

/// Before the epoch opens that lacks them: afterwards nobody would know.
fn note_lost(losses: &Mutex<Losses>, kept: Seq, witnessed: Seq) -> Result<(), OpenBarnError> {
    let at_ms = clock::now_ms();
    let loss = Loss { kept, witnessed, confirmed: Seq::ZERO, at_ms };
    let mut losses = losses.lock().unwrap_or_else(PoisonError::into_inner);
    losses.note(loss).map_err(OpenBarnError::Losses)
}

fn open_epoch(store: &dyn Store, head: Head, seen: Epoch) -> Result<Head, StoreError> {
    let (head, mut batch) = next_epoch(head, seen);
    batch.put(keys::HEAD.to_vec(), head.to_bytes());
    store.apply(batch)?;
    store.sync()?;
    Ok(head)
}

/// The head in an epoch later than its own and `seen`, so that no number is
/// ever used twice for different entries, and what must be written with it.
pub(super) fn next_epoch(mut head: Head, seen: Epoch) -> (Head, WriteBatch) {
    head.position.epoch = head.position.epoch.max(seen).next();
    let mut batch = WriteBatch::default();
    batch.put(keys::epoch(head.position.epoch), head.position.seq.0.to_be_bytes().to_vec());
    (head, batch)
}
