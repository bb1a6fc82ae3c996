//! Any interleaving of edits, power cuts on both sides, pulls of any size and
//! repeated batches ends with the hub equal to the fold of the village's log.
//!
//! In one process, so that many runs fit into a second: the barn is the real
//! one on a store that can lose its tail, the hub's store is the real one.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use lumbung_domain::id::{Kind, KindCode, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::dataset::{Dataset, DatasetError, MergeBatch};
use lumbung_hub::merge::decode;
use lumbung_ledger::{LogId, Position, Source, block};
use lumbung_node::barn::{Barn, Change, Expected, MemoryStore, OpenOptions, Submission};
use lumbung_tests::fictitious::dusun;
use lumbung_tests::fold;
use lumbung_wire::batch;
use proptest::prelude::*;

/// A kind no version has: the hub keeps it without reading it.
const NEW_KIND: KindCode = KindCode(4_000);

/// New content of a record by its number; `None` ends it.
type Edit = (u8, Option<u8>);

#[derive(Clone, Debug)]
enum Act {
    /// One save.
    Save(Vec<Edit>),
    /// Power fails at the village while this is being saved.
    CutWhileSaving(Vec<Edit>),
    /// Power fails at the hub.
    HubCut,
    /// The hub pulls batches of about so many bytes and merges them together.
    Pull(u16, u8),
    /// A batch of earlier arrives once more, ahead of the next one.
    Repeat(prop::sample::Index),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = (0_u8..10, proptest::option::weighted(0.8, any::<u8>()));
    proptest::collection::vec(edit, 1..4)
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => edits().prop_map(Act::Save),
        1 => edits().prop_map(Act::CutWhileSaving),
        1 => Just(Act::HubCut),
        4 => (1_u16..1_000, 1_u8..4).prop_map(|(bytes, batches)| Act::Pull(bytes, batches)),
        1 => any::<prop::sample::Index>().prop_map(Act::Repeat),
    ];
    proptest::collection::vec(act, 1..60)
}

fn submission(edits: &[Edit]) -> Submission {
    let changes = edits.iter().map(|(number, to)| {
        let kind = if number % 3 == 0 { NEW_KIND } else { Kind::Dusun.code() };
        Change {
            id: RecordId::from_parts(1_790_000_000_000, u16::from(*number), 5),
            kind,
            schema: 1,
            content: to.map(|name| dusun(&format!("DUSUN {name}"))),
            expected: Expected::Any,
        }
    });
    let changes = changes.collect();
    Submission { actor: "uji".into(), source: Source::MANUAL, time_ms: 1, changes }
}

/// The village and its hub.
struct World<'f> {
    folder: &'f Path,
    village: VillageCode,
    store: MemoryStore,
    barn: Option<Barn>,
    hub: SqliteDataset,
    /// Where the hub believes to stand.
    at: Position,
    merged: Vec<MergeBatch>,
}

fn open_barn(store: &MemoryStore, create: bool) -> anyhow::Result<Barn> {
    let indexer = |_, _: &Bytes| Vec::new();
    let options = OpenOptions { indexer, create: create.then_some(LogId([3; 16])) };
    Ok(Barn::open_on(Arc::new(store.clone()), options)?)
}

fn open_hub(folder: &Path) -> anyhow::Result<SqliteDataset> {
    Ok(SqliteDataset::open(folder.join("hub.db"))?)
}

impl<'f> World<'f> {
    fn new(folder: &'f Path) -> anyhow::Result<Self> {
        let village = VillageCode::parse("35.05.01.2001")?;
        let store = MemoryStore::default();
        let barn = open_barn(&store, true)?;
        let hub = open_hub(folder)?;
        hub.register(village, "")?;
        let at = Position::origin(barn.head().position.log_id);
        Ok(Self { folder, village, store, barn: Some(barn), hub, at, merged: Vec::new() })
    }

    fn barn(&self) -> &Barn {
        self.barn.as_ref().expect("only absent within a power cut")
    }

    /// One batch after `prev`, over the wire as node and hub do it.
    fn batch(&self, prev: Position, bytes: u16) -> anyhow::Result<Option<MergeBatch>> {
        let head = self.barn().head().position;
        let Some(run) = self.barn().read_after(prev.seq, usize::from(bytes))? else {
            return Ok(None);
        };
        let count = run.entries.len();
        let last = Position { seq: run.entries[count - 1].header.seq, chain: run.after, ..head };
        let count = u32::try_from(count)?;
        let sent = batch::pack(prev, last, count, block::encode(&run.entries).context("a block")?);
        let verified = batch::verify(sent, prev)?;
        let changes = verified.entries.into_iter().map(|(entry, hash)| decode::change(entry, hash));
        let changes = changes.collect();
        let (village, last, chains) = (self.village, verified.last, verified.chains);
        Ok(Some(MergeBatch { village, prev, last, changes, chains }))
    }

    fn pull(&mut self, bytes: u16, batches: u8) -> anyhow::Result<()> {
        let mut together = Vec::new();
        let mut prev = self.at;
        for _ in 0..batches {
            let Some(batch) = self.batch(prev, bytes)? else { break };
            prev = batch.last;
            together.push(batch);
        }
        for done in self.hub.merge(&together, 1)? {
            self.at = done?.position;
        }
        anyhow::ensure!(self.at == prev, "not every batch was merged");
        self.merged.extend(together);
        Ok(())
    }

    /// The old batch is refused and the new one beside it is taken.
    fn repeat(&mut self, which: prop::sample::Index) -> anyhow::Result<()> {
        if self.merged.is_empty() {
            return Ok(());
        }
        let old = which.get(&self.merged).clone();
        let Some(next) = self.batch(self.at, 1)? else {
            let done = self.hub.merge(&[old], 1)?;
            anyhow::ensure!(matches!(done[..], [Err(DatasetError::NotNext { .. })]));
            return Ok(());
        };
        let done = self.hub.merge(&[old, next.clone()], 1)?;
        let [Err(DatasetError::NotNext { .. }), Ok(merged)] = &done[..] else {
            anyhow::bail!("a batch came twice and was not refused");
        };
        self.at = merged.position;
        self.merged.push(next);
        Ok(())
    }

    /// What is saved while the power goes is not acknowledged, not handed
    /// out and not there afterwards.
    fn cut_while_saving(&mut self, edits: &[Edit]) -> anyhow::Result<()> {
        let before = self.barn().head();
        self.store.fail_syncs();
        // An edit that changes nothing needs no disk and may be acknowledged.
        let written = self.barn().submit_blocking(submission(edits)).map(|it| it.written);
        anyhow::ensure!(matches!(written, Err(_) | Ok(0)), "acknowledged without a disk");
        self.pull(u16::MAX, 2)?;
        anyhow::ensure!(self.at.seq <= before.position.seq, "handed out before it was durable");
        if let Some(barn) = self.barn.take() {
            barn.close();
        }
        self.store.crash();
        let barn = open_barn(&self.store, false)?;
        anyhow::ensure!(barn.head() == before, "the barn opens elsewhere than it was");
        self.barn = Some(barn);
        Ok(())
    }

    fn act(&mut self, act: Act) -> anyhow::Result<()> {
        match act {
            Act::Save(edits) => drop(self.barn().submit_blocking(submission(&edits))?),
            Act::CutWhileSaving(edits) => self.cut_while_saving(&edits)?,
            Act::HubCut => {
                self.hub = open_hub(self.folder)?;
                let stored = self.hub.village(self.village)?.position;
                let origin = Position::origin(self.at.log_id);
                anyhow::ensure!(stored.unwrap_or(origin) == self.at, "the hub forgot {stored:?}");
            }
            Act::Pull(bytes, batches) => self.pull(bytes, batches)?,
            Act::Repeat(which) => self.repeat(which)?,
        }
        Ok(())
    }

    /// The hub has all, and it is what the log amounts to.
    fn ends_equal(mut self) -> anyhow::Result<()> {
        while self.at.seq < self.barn().head().position.seq {
            self.pull(u16::MAX, 1)?;
        }
        let folded = fold::fold_barn(self.barn())?;
        if self.at.seq.0 > 0 {
            fold::compare(&folded, &self.hub, self.village)?;
        }
        let records = self.hub.totals(&self.hub.whole())?.records;
        anyhow::ensure!(records == folded.records.len() as u64, "{records} records in all");
        Ok(())
    }
}

fn run(acts: Vec<Act>) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut world = World::new(folder.path())?;
    for act in acts {
        world.act(act)?;
    }
    world.ends_equal()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn the_hub_ends_as_the_fold_of_the_log(acts in acts()) {
        run(acts).map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
    }
}
