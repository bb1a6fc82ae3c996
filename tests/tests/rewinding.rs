//! Any interleaving of edits, contacts that end at any step, and disks of the
//! village that go back to any earlier moment: the next whole contact ends
//! with the hub equal to the fold of the village's log, and everything that
//! the hub had when a disk went back is in that log or set aside at the hub.
//! What the village saved since its disk went back last is never replaced by
//! what comes back.
//!
//! In one process, so that many runs fit into a second: the real barn on a
//! store in memory, the real inbox, the real dataset, and between them the
//! steps of the puller.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::ensure;
use bytes::Bytes;
use lumbung_domain::id::{Kind, KindCode, RecordId};
use lumbung_domain::identity::Nik;
use lumbung_domain::record::{Record, Warga};
use lumbung_domain::region::VillageCode;
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::dataset::{
    Dataset, IncidentKind, MergeBatch, NewIncident, RecordFilter, Recovery as _,
};
use lumbung_hub::merge::decode;
use lumbung_hub::puller::hand_back::{Forks, parcel, read_receipt};
use lumbung_hub::puller::narrowing::Narrowing;
use lumbung_hub::words::Words;
use lumbung_ledger::{LogId, Payload, Position, Seq, Source};
use lumbung_node::barn::{
    Change, Expected, Ground, MemoryStore, Relation, Submission, SubmitError,
};
use lumbung_node::serving::inbox;
use lumbung_node::village::Village;
use lumbung_telemetry::clock::Clock;
use lumbung_tests::fictitious::dusun;
use lumbung_tests::fold;
use lumbung_wire::batch;
use lumbung_wire::record::encode;
use proptest::prelude::*;

/// A kind no version has.
const NEW_KIND: KindCode = KindCode(4_000);

const LOG: LogId = LogId([3; 16]);

/// New content of a record by its number; `None` ends it.
type Edit = (u8, Option<u8>);

/// Where a contact ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    /// The node has agreed on a fork, the hub has not heard of it.
    Agreed,
    /// The hub stands at the fork.
    Branched,
    /// The village has taken so many calls of parcels, of the last of which
    /// the hub has no receipt.
    Delivering(u8),
    /// The hub has pulled so many entries.
    Pulling(u8),
    /// Everything is done.
    Whole,
}

#[derive(Clone, Debug)]
enum Act {
    Save(Vec<Edit>),
    Contact(End),
    /// The village's disk is copied.
    Copy,
    /// An earlier copy comes back.
    PutBack(prop::sample::Index),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let edit = (0_u8..9, proptest::option::weighted(0.8, 0_u8..6));
    let edits = proptest::collection::vec(edit, 1..4);
    let end = prop_oneof![
        1 => Just(End::Agreed),
        1 => Just(End::Branched),
        1 => (0_u8..4).prop_map(End::Delivering),
        1 => (0_u8..6).prop_map(End::Pulling),
        3 => Just(End::Whole),
    ];
    let act = prop_oneof![
        6 => edits.prop_map(Act::Save),
        4 => end.prop_map(Act::Contact),
        1 => Just(Act::Copy),
        2 => any::<prop::sample::Index>().prop_map(Act::PutBack),
    ];
    proptest::collection::vec(act, 1..40)
}

fn id(number: u8) -> RecordId {
    RecordId::from_parts(1_790_000_000_000, u16::from(number), 5)
}

/// One content of one record. Residents share few numbers, so that they get
/// into each other's way.
fn change(number: u8, to: Option<u8>) -> Change {
    let (kind, content) = match number % 3 {
        0 => (NEW_KIND, to.map(|name| dusun(&format!("BARU {name}")))),
        1 => (Kind::Dusun.code(), to.map(|name| dusun(&format!("DUSUN {name}")))),
        _ => {
            let warga = |nik: u8| Warga {
                nik: Nik::from_u64(3_505_904_101_700_001 + u64::from(nik % 3)),
                nama: format!("CONTOH {number}"),
                ..Warga::default()
            };
            let record = |nik| encode(&Record::Warga(Box::new(warga(nik))));
            (Kind::Warga.code(), to.map(record))
        }
    };
    Change { id: id(number), kind, schema: 1, content, expected: Expected::Any }
}

struct World {
    code: VillageCode,
    village: Option<Village>,
    store: MemoryStore,
    copies: Vec<MemoryStore>,
    openings: u64,
    now_ms: i64,
    hub: SqliteDataset,
    /// What the hub had whenever a disk was put back: record and content.
    had: BTreeSet<(RecordId, Bytes)>,
    /// What the village saved since its disk went back last.
    own: BTreeMap<RecordId, Option<Bytes>>,
    /// The hub knows the chain behind its marks.
    knows_chain: bool,
}

impl World {
    fn new(folder: &Path) -> anyhow::Result<Self> {
        let code = VillageCode::parse("35.05.01.2001")?;
        let hub = SqliteDataset::open(folder.join("hub.db"))?;
        hub.register(code, "")?;
        let store = MemoryStore::default();
        let (copies, had) = (Vec::new(), BTreeSet::new());
        let (village, openings, now_ms, own) = (None, 0, 0, BTreeMap::new());
        let knows_chain = true;
        let mut world =
            Self { code, village, store, copies, openings, now_ms, hub, had, own, knows_chain };
        world.open(Some(LOG))?;
        world.copies = vec![world.store.copy()];
        Ok(world)
    }

    fn open(&mut self, create: Option<LogId>) -> anyhow::Result<()> {
        self.openings += 1;
        let ground = Ground {
            store: Arc::new(self.store.clone()),
            witness: None,
            salts: self.openings << 32,
        };
        let clock = Clock::standing_at(1_790_000_000_000);
        self.village = Some(Village::open_in_task(ground, create, self.code, clock)?);
        Ok(())
    }

    fn village(&self) -> &Village {
        self.village.as_ref().expect("only absent while a disk is changed")
    }

    async fn save(&mut self, edits: Vec<Edit>) -> anyhow::Result<()> {
        self.now_ms += 1;
        let changes: Vec<_> = edits.into_iter().map(|(number, to)| change(number, to)).collect();
        let contents: Vec<_> =
            changes.iter().map(|change| (change.id, change.content.clone())).collect();
        let (actor, source) = ("kader".into(), Source::MANUAL);
        let submission = Submission { actor, source, time_ms: self.now_ms, changes };
        let barn = self.village().barn().clone();
        let before = barn.head().position.seq;
        match barn.submit(submission).await {
            // Another resident has the number.
            Ok(_) | Err(SubmitError::Taken { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        for (id, content) in contents {
            // What changes nothing writes nothing.
            let latest = barn.latest(id)?;
            if latest.is_some_and(|latest| latest.entry.header.seq > before) {
                self.own.insert(id, content);
            }
        }
        Ok(())
    }

    fn put_back(&mut self, copy: &MemoryStore) -> anyhow::Result<()> {
        let rows = self.rows(None)?;
        self.had.extend(rows);
        self.own.clear();
        self.village = None;
        self.store = copy.copy();
        self.open(None)
    }

    fn stored(&self) -> anyhow::Result<Option<Position>> {
        Ok(self.hub.village(self.code)?.position)
    }

    /// One contact up to `end`, as the puller does it.
    async fn contact(&mut self, end: End) -> anyhow::Result<()> {
        let barn = self.village().barn().clone();
        if let Some(stored) = self.stored()?
            && barn.relate(stored)? != Relation::Resume
        {
            let marks = self.hub.marks(self.code)?;
            let restarted = barn.restart(stored, marks.clone()).await?;
            let origin = Position::origin(LOG);
            ensure!(restarted.fork == origin || marks.contains(&restarted.fork));
            ensure!(restarted.head.epoch > stored.epoch, "the epoch is not new");
            if end == End::Agreed {
                return Ok(());
            }
            let passed = self.hub.passed(self.code, (restarted.fork.seq, stored.seq))?;
            let passed = passed.into_iter().filter(|_| self.knows_chain).chain(marks);
            let mut narrowing = Narrowing::new(restarted.fork, stored, passed);
            while let Some(asked) = narrowing.question() {
                let again = barn.restart(stored, asked).await?;
                ensure!(again.head == restarted.head, "asked again, the node began another epoch");
                ensure!(narrowing.answer(again.fork), "no answer to the question");
            }
            let position = Position { epoch: restarted.head.epoch, ..narrowing.fork() };
            let told = |lost: u64| {
                let words = Words::new(lost.to_string(), lost.to_string());
                NewIncident::new(IncidentKind::LostTail, words)
            };
            self.now_ms += 1;
            self.hub.branch_off(self.code, position, &told, self.now_ms)?;
        }
        if end == End::Agreed {
            return Ok(());
        }
        self.nothing_is_lost()?;
        if end == End::Branched || !self.hand_back(end).await? {
            return Ok(());
        }
        match end {
            End::Pulling(entries) => {
                for _ in 0..entries {
                    self.pull(1)?;
                }
                Ok(())
            }
            _ => {
                while self.pull(usize::from(u16::MAX))? {}
                Ok(())
            }
        }
    }

    /// Hands back what waits, a few versions a call; `false` when cut off.
    async fn hand_back(&self, end: End) -> anyhow::Result<bool> {
        let (mut after, mut calls, mut forks) = (None, 0, Forks::default());
        loop {
            let versions = self.hub.undelivered(&self.hub.whole(), self.code, after, 3)?;
            let Some(last) = versions.last() else { return Ok(true) };
            after = Some((last.epoch, last.seq, last.number));
            let parcels =
                versions.iter().map(|version| parcel(version, forks.of(version))).collect();
            let receipt = inbox::take(self.village(), parcels).await?;
            if end == End::Delivering(calls) {
                return Ok(false);
            }
            calls += 1;
            forks.note(&receipt, &versions);
            let told = read_receipt(receipt, &versions);
            ensure!(told.len() == versions.len(), "a parcel was not looked at");
            self.hub.delivered(self.code, &told, self.now_ms)?;
        }
    }

    /// Pulls one batch; `false` when there is none.
    fn pull(&mut self, bytes: usize) -> anyhow::Result<bool> {
        let barn = self.village().barn();
        let prev = self.stored()?.unwrap_or_else(|| Position::origin(LOG));
        let Some(run) = barn.read_after(prev.seq, bytes)? else { return Ok(false) };
        let seq = run.entries.last().map_or(prev.seq, |entry| entry.header.seq);
        let last = Position { seq, chain: run.after, ..barn.head().position };
        let (entries, chains) = batch::walk(prev.chain, run.entries);
        let changes = entries.into_iter().map(|(entry, hash)| decode::change(entry, hash));
        let changes = changes.collect();
        let batch = MergeBatch { village: self.code, prev, last, changes, chains };
        self.hub.merge(&[batch], 1)?.remove(0)?;
        Ok(true)
    }

    async fn act(&mut self, act: Act) -> anyhow::Result<()> {
        match act {
            Act::Save(edits) => self.save(edits).await,
            Act::Contact(end) => {
                self.contact(end).await?;
                self.own_saves_stay()
            }
            Act::Copy => {
                self.copies.push(self.store.copy());
                Ok(())
            }
            Act::PutBack(which) => {
                let copy = which.get(&self.copies).clone();
                self.put_back(&copy)
            }
        }
    }

    async fn ends_equal(mut self) -> anyhow::Result<()> {
        self.contact(End::Whole).await?;
        self.own_saves_stay()?;
        let folded = fold::fold_barn(self.village().barn())?;
        if folded.position.seq > Seq::ZERO {
            fold::compare(&folded, &self.hub, self.code)?;
        }
        let state = self.hub.village(self.code)?;
        let warga = self.rows(Some(Kind::Warga))?.len() as u64;
        ensure!(state.warga == warga, "the residents are counted wrongly");
        Ok(())
    }

    /// What the hub had when a disk went back is in the log that came back,
    /// or set aside.
    fn nothing_is_lost(&mut self) -> anyhow::Result<()> {
        let mut kept = BTreeSet::new();
        let mut seq = Seq::ZERO;
        while let Some(run) = self.village().barn().read_after(seq, 1 << 20)? {
            for entry in run.entries {
                seq = entry.header.seq;
                if let Payload::Present { bytes, .. } = entry.payload {
                    kept.insert((entry.header.id, bytes));
                }
            }
        }
        let aside = self.hub.branch(&self.hub.whole(), self.code, u32::MAX)?;
        kept.extend(aside.into_iter().map(|version| (version.id, version.bytes)));
        let lost: Vec<_> = self.had.difference(&kept).map(|(id, _)| *id).collect();
        ensure!(lost.is_empty(), "versions of {lost:?} are nowhere");
        // What the village changes from now on is its own doing.
        self.had.clear();
        Ok(())
    }

    /// What the village saved since its disk went back is what it has.
    fn own_saves_stay(&self) -> anyhow::Result<()> {
        for (id, saved) in &self.own {
            let latest = self.village().barn().latest(*id)?;
            let has = latest.as_ref().and_then(|latest| latest.content());
            ensure!(has == saved.as_ref(), "the save of {id} was replaced");
        }
        Ok(())
    }

    /// What the hub has: record and content.
    fn rows(&self, kind: Option<Kind>) -> anyhow::Result<Vec<(RecordId, Bytes)>> {
        let scope = self.hub.whole().village(self.code);
        let filter = RecordFilter { scope, kind, limit: 99, after: None };
        let rows = self.hub.records(&filter)?;
        Ok(rows.into_iter().map(|record| (record.id, record.bytes)).collect())
    }
}

fn run(acts: Vec<Act>, knows_chain: bool) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut world = World { knows_chain, ..World::new(folder.path())? };
        for act in acts {
            world.act(act).await?;
        }
        world.ends_equal().await
    })
}

/// A disk of many contacts ago comes back: the hub still knows where it stood
/// then, so what was changed since is no conflict.
#[tokio::test]
async fn a_disk_of_many_contacts_ago_gets_everything_written_since() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut world = World::new(folder.path())?;
    for number in [7, 1] {
        world.save(vec![(number, Some(1))]).await?;
        world.contact(End::Whole).await?;
    }
    let old = world.store.copy();
    world.save(vec![(1, Some(2))]).await?;
    for content in 0..100 {
        world.contact(End::Whole).await?;
        world.save(vec![(4, Some(content))]).await?;
    }
    world.contact(End::Whole).await?;
    world.put_back(&old)?;
    world.contact(End::Whole).await?;
    let told = world.hub.handed_back(world.code)?;
    ensure!((told.applied, told.conflicts) == (2, 0), "{told:?}");
    for (number, content) in [(7, 1), (1, 2), (4, 99)] {
        let latest = world.village().barn().latest(id(number))?;
        let latest = latest.and_then(|latest| latest.content().cloned());
        ensure!(latest == change(number, Some(content)).content, "record {number}");
    }
    world.ends_equal().await
}

/// The histories part in the middle of one batch: the hub stood nowhere near,
/// and knows the entry all the same.
#[tokio::test]
async fn what_parts_within_a_batch_is_no_conflict_before_that_entry() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut world = World::new(folder.path())?;
    for content in 0..150 {
        world.save(vec![(1, Some(content)), (4, Some(content))]).await?;
    }
    let old = world.store.copy();
    world.save(vec![(1, Some(200)), (7, Some(200))]).await?;
    world.contact(End::Whole).await?;
    ensure!(world.hub.marks(world.code)?.len() == 1, "it was one batch");
    world.put_back(&old)?;
    world.save(vec![(4, Some(201)), (7, Some(201))]).await?;
    world.contact(End::Whole).await?;
    // Of the two that were changed beyond, the one that is changed here too.
    let told = world.hub.handed_back(world.code)?;
    ensure!((told.applied, told.conflicts) == (1, 1), "{told:?}");
    for (number, content) in [(1, 200), (4, 201), (7, 201)] {
        let latest = world.village().barn().latest(id(number))?;
        let latest = latest.and_then(|latest| latest.content().cloned());
        ensure!(latest == change(number, Some(content)).content, "record {number}");
    }
    world.ends_equal().await
}

/// What the village had of its own when it got something back is lost again,
/// before the hub has pulled it: the hub hands back once more what it has.
#[tokio::test]
async fn what_was_equal_or_in_conflict_and_is_lost_comes_back() -> anyhow::Result<()> {
    for own in [0, 1] {
        let folder = tempfile::tempdir()?;
        let mut world = World::new(folder.path())?;
        let old = world.store.copy();
        world.save(vec![(4, Some(0))]).await?;
        world.contact(End::Whole).await?;
        world.put_back(&old)?;
        world.save(vec![(4, Some(own))]).await?;
        world.contact(End::Pulling(0)).await?;
        let told = world.hub.handed_back(world.code)?;
        ensure!((told.equal, told.conflicts) == (1 - u64::from(own), own.into()), "{told:?}");
        world.put_back(&old)?;
        world.contact(End::Whole).await?;
        let latest = world.village().barn().latest(id(4))?;
        let latest = latest.and_then(|latest| latest.content().cloned());
        ensure!(latest == change(4, Some(0)).content, "{own}");
        world.ends_equal().await?;
    }
    Ok(())
}

/// What came back may get the number that it had on the lost branch: that is no
/// sign that both branches are the same up to there, and what the village saved
/// before it stays, however often everything is delivered.
#[tokio::test]
async fn what_came_back_under_its_old_number_moves_no_fork() -> anyhow::Result<()> {
    for again in [End::Delivering(0), End::Pulling(0)] {
        let folder = tempfile::tempdir()?;
        let mut world = World::new(folder.path())?;
        world.save(vec![(7, Some(0))]).await?;
        let old = world.store.copy();
        for (number, content) in [(1, 1), (4, 1), (1, 2)] {
            world.save(vec![(number, Some(content))]).await?;
        }
        world.contact(End::Whole).await?;
        world.put_back(&old)?;
        world.save(vec![(1, Some(3))]).await?;
        for end in [again, again, End::Whole] {
            world.contact(end).await?;
            world.own_saves_stay()?;
        }
        let back = world.village().barn().latest(id(4))?.expect("it came back");
        ensure!(back.entry.header.seq == Seq(3), "under its old number");
        world.ends_equal().await?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn a_village_that_goes_back_in_time_loses_nothing(acts in acts(), knows_chain: bool) {
        run(acts, knows_chain).map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
    }
}
