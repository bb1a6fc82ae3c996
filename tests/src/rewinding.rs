//! One village and the hub in one process, where contacts end at any step and
//! disks of the village go back: the real barn on a store in memory, the real
//! inbox, the real dataset, and between them the steps of the puller. Many runs
//! fit into a second.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
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
use lumbung_hub::puller::hand_back::{note_common, parcel, read_receipt};
use lumbung_hub::puller::narrowing::Narrowing;
use lumbung_hub::words::Words;
use lumbung_ledger::{Epoch, Forks, LogId, Payload, Position, Seq, Source};
use lumbung_node::barn::{
    Change, Expected, Ground, Latest, MemoryStore, Relation, Submission, SubmitError,
};
use lumbung_node::serving::inbox;
use lumbung_node::village::Village;
use lumbung_proto::v1;
use lumbung_telemetry::clock::Clock;
use lumbung_wire::batch;
use lumbung_wire::record::encode;

use crate::fictitious::dusun;
use crate::fold;

mod carried;
mod old_hub;
mod sticks;

use carried::Carried;

/// A kind no version has.
const NEW_KIND: KindCode = KindCode(4_000);

/// New content of a record by its number; `None` ends it.
pub type Edit = (u8, Option<u8>);

/// Where a contact ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
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
    /// Everything is done by stick. Whether the village has taken the answer
    /// before.
    Stick(bool),
}

/// Something that happens.
#[derive(Clone, Debug)]
pub enum Act {
    /// The village saves.
    Save(Vec<Edit>),
    /// Village and hub meet.
    Contact(End),
    /// The village's disk is copied.
    Copy,
    /// An earlier copy comes back: one of those there are, by any number.
    PutBack(usize),
    /// The village begins anew with an empty folder.
    Reinstall,
    /// An operator hands back what is left of an earlier log.
    Return,
    /// The hub's file is copied.
    CopyHub,
    /// An earlier file of the hub comes back: one of those there are, by any number.
    PutHubBack(usize),
    /// The village writes a bundle from this entry on; 0 = of what is not confirmed.
    Export(u8),
    /// One of the bundles reaches the hub, by any number.
    Import(usize),
    /// The hub writes an answer.
    Answer,
    /// One of the answers reaches the village, by any number.
    Take(usize),
}

/// A record by its number.
#[must_use]
pub fn id(number: u8) -> RecordId {
    RecordId::from_parts(1_790_000_000_000, u16::from(number), 5)
}

/// One content of one record. Residents share few numbers, so that they get
/// into each other's way.
#[must_use]
pub fn change(number: u8, to: Option<u8>) -> Change {
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

fn told(count: u64) -> NewIncident {
    let words = Words::new(count.to_string(), count.to_string());
    NewIncident::new(IncidentKind::LostTail, words)
}

/// Both, and what was seen of them.
pub struct World {
    /// The village.
    pub code: VillageCode,
    village: Option<Village>,
    /// Its disk.
    pub store: MemoryStore,
    /// How often it began anew.
    logs: u8,
    copies: Vec<MemoryStore>,
    folder: PathBuf,
    hub_copies: Vec<PathBuf>,
    openings: u64,
    now_ms: i64,
    /// The hub.
    pub hub: SqliteDataset,
    /// What the hub had whenever a disk was put back: record and content.
    had: BTreeSet<(RecordId, Bytes)>,
    /// What the village saved since its disk went back last, or it began anew.
    own: BTreeMap<RecordId, Option<Bytes>>,
    /// What became of the last answer on a stick; no disk that is put back takes
    /// it along.
    receipt: v1::KeptReceipt,
    carried: Carried,
    /// The hub knows the chain behind its marks.
    pub knows_chain: bool,
}

impl World {
    /// A village and a hub that have not met.
    ///
    /// # Errors
    /// When the hub's file can't be made.
    pub fn new(folder: &Path) -> anyhow::Result<Self> {
        let code = VillageCode::parse("35.05.01.2001")?;
        let hub = SqliteDataset::open(folder.join("hub.db"))?;
        hub.register(code, "")?;
        let store = MemoryStore::default();
        let (copies, had) = (Vec::new(), BTreeSet::new());
        let (village, openings, now_ms, own) = (None, 0, 0, BTreeMap::new());
        let (logs, receipt, knows_chain) = (0, v1::KeptReceipt::default(), true);
        let mut world = Self {
            code,
            village,
            store,
            logs,
            copies,
            folder: folder.to_owned(),
            hub_copies: Vec::new(),
            openings,
            now_ms,
            hub,
            had,
            own,
            receipt,
            carried: Carried::new(folder)?,
            knows_chain,
        };
        world.open(Some(world.log()))?;
        world.copies = vec![world.store.copy()];
        Ok(world)
    }

    const fn log(&self) -> LogId {
        LogId([3 + self.logs; 16])
    }

    fn open(&mut self, create: Option<LogId>) -> anyhow::Result<()> {
        self.village = Some(self.opened(self.store.clone(), create)?);
        Ok(())
    }

    fn opened(&mut self, store: MemoryStore, create: Option<LogId>) -> anyhow::Result<Village> {
        self.openings += 1;
        let (store, salts) = (Arc::new(store), self.openings << 32);
        let ground = Ground { store, witness: None, salts };
        let clock = Clock::standing_at(1_790_000_000_000);
        Ok(Village::open_in_task(ground, create, self.code, clock)?)
    }

    fn village(&self) -> anyhow::Result<&Village> {
        self.village.as_ref().context("only absent while a disk is changed")
    }

    /// What the village has of a record.
    ///
    /// # Errors
    /// When its barn can't be read.
    pub fn latest(&self, id: RecordId) -> anyhow::Result<Option<Latest>> {
        Ok(self.village()?.barn().latest(id)?)
    }

    /// The village saves; what is taken by another resident is not saved.
    ///
    /// # Errors
    /// When it can't.
    pub async fn save(&mut self, edits: Vec<Edit>) -> anyhow::Result<()> {
        self.now_ms += 1;
        let changes: Vec<_> = edits.into_iter().map(|(number, to)| change(number, to)).collect();
        let contents: Vec<_> =
            changes.iter().map(|change| (change.id, change.content.clone())).collect();
        let (actor, source) = ("kader".into(), Source::MANUAL);
        let submission = Submission { actor, source, time_ms: self.now_ms, changes };
        let barn = self.village()?.barn().clone();
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

    /// An earlier disk comes back.
    ///
    /// # Errors
    /// When the hub can't be read, or the disk.
    pub fn put_back(&mut self, copy: &MemoryStore) -> anyhow::Result<()> {
        // The hub may not have heard of the village's present log.
        if self.stored()?.is_some_and(|stored| stored.log_id == self.log()) {
            let rows = self.rows(None)?;
            self.had.extend(rows);
        }
        self.own.clear();
        self.village = None;
        self.store = copy.copy();
        self.open(None)
    }

    /// The village begins anew; what it had is with the hub alone.
    fn reinstall(&mut self) -> anyhow::Result<()> {
        self.logs += 1;
        self.had.clear();
        self.own.clear();
        self.village = None;
        self.store = MemoryStore::default();
        self.open(Some(self.log()))?;
        self.copies = vec![self.store.copy()];
        Ok(())
    }

    /// An operator hands back what is left of an earlier log.
    fn return_leftovers(&mut self) -> anyhow::Result<()> {
        if self.hub.leftovers(self.code)?.is_empty() {
            return Ok(());
        }
        self.now_ms += 1;
        self.hub.return_leftovers(self.code, &told, self.now_ms)?;
        Ok(())
    }

    fn stored(&self) -> anyhow::Result<Option<Position>> {
        Ok(self.hub.village(self.code)?.position)
    }

    /// One contact up to `end`, as the puller does it.
    ///
    /// # Errors
    /// When one of the promises is broken.
    pub async fn contact(&mut self, end: End) -> anyhow::Result<()> {
        let barn = self.village()?.barn().clone();
        let stored = self.stored()?;
        let relation = stored.map(|stored| barn.relate(stored)).transpose()?;
        if relation == Some(Relation::OtherLog) {
            self.now_ms += 1;
            self.hub.begin_log(self.code, Position::origin(self.log()), &told, self.now_ms)?;
        } else if let Some(stored) = stored
            && relation != Some(Relation::Resume)
        {
            let marks = self.hub.marks(self.code)?;
            let restarted = barn.restart(stored, marks.clone()).await?;
            let origin = Position::origin(self.log());
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
            self.now_ms += 1;
            self.hub.branch_off(self.code, position, &told, self.now_ms)?;
        }
        if end == End::Agreed {
            return Ok(());
        }
        self.nothing_is_lost()?;
        let handed = match end {
            End::Branched => false,
            End::Stick(taken) => {
                if taken {
                    self.take_answer().await?;
                }
                true
            }
            _ => self.hand_back(end).await?,
        };
        if !handed {
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
                self.confirm()?;
                match end {
                    End::Stick(_) => self.tell_by_stick().await,
                    _ => Ok(()),
                }
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
            let parcels = versions
                .iter()
                .map(|version| parcel(version, forks.of(version.epoch, version.fork)))
                .collect();
            let receipt = inbox::take(self.village()?, parcels).await?;
            if end == End::Delivering(calls) {
                return Ok(false);
            }
            calls += 1;
            note_common(&mut forks, &receipt, &versions);
            let told = read_receipt(receipt, &versions);
            ensure!(told.len() == versions.len(), "a parcel was not looked at");
            self.hub.delivered(self.code, &told, self.now_ms)?;
        }
    }

    /// Pulls one batch; `false` when there is none.
    fn pull(&mut self, bytes: usize) -> anyhow::Result<bool> {
        let barn = self.village()?.barn();
        let prev = self.stored()?.unwrap_or_else(|| Position::origin(self.log()));
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

    /// Lets something happen.
    ///
    /// # Errors
    /// When one of the promises is broken.
    pub async fn act(&mut self, act: Act) -> anyhow::Result<()> {
        match act {
            Act::Save(edits) => self.save(edits).await?,
            Act::Contact(end) => self.contact(end).await?,
            Act::Copy => self.copies.push(self.store.copy()),
            Act::PutBack(which) => {
                let copy = self.copies[which % self.copies.len()].copy();
                self.put_back(&copy)?;
            }
            Act::Reinstall => self.reinstall()?,
            Act::Return => self.return_leftovers()?,
            Act::CopyHub => self.copy_hub()?,
            Act::PutHubBack(which) => self.put_hub_back(which)?,
            Act::Export(from) => self.export(from.into()).await?,
            Act::Import(which) => self.import(which)?,
            Act::Answer => self.write_answer()?,
            Act::Take(which) => self.read_answer(which).await?,
        }
        self.own_saves_stay()
    }

    /// Whole contacts, over a line or by stick, end with both equal and nothing
    /// left over.
    ///
    /// # Errors
    /// When one of the promises is broken.
    pub async fn ends_equal(mut self, whole: End) -> anyhow::Result<()> {
        self.contact(whole).await?;
        self.own_saves_stay()?;
        self.return_leftovers()?;
        self.contact(whole).await?;
        self.is_equal()
    }

    /// Sticks alone end with both proven equal and nothing left over.
    ///
    /// # Errors
    /// When one of the promises is broken.
    pub async fn ends_proven_by_stick(mut self) -> anyhow::Result<()> {
        self.agree_by_stick().await?;
        self.own_saves_stay()?;
        self.return_leftovers()?;
        self.agree_by_stick().await?;
        self.is_equal()
    }

    fn is_equal(&self) -> anyhow::Result<()> {
        self.own_saves_stay()?;
        self.compare()?;
        let state = self.hub.village(self.code)?;
        let warga = self.rows(Some(Kind::Warga))?.len() as u64;
        ensure!(state.warga == warga, "the residents are counted wrongly");
        Ok(())
    }

    /// The hub is equal to the fold of the village's log.
    fn compare(&self) -> anyhow::Result<()> {
        let folded = fold::fold_barn(self.village()?.barn())?;
        if folded.position.seq > Seq::ZERO {
            fold::compare(&folded, &self.hub, self.code)?;
        }
        Ok(())
    }

    /// What the hub had when a disk went back is in the log that came back,
    /// or set aside.
    fn nothing_is_lost(&mut self) -> anyhow::Result<()> {
        let mut kept = BTreeSet::new();
        let mut seq = Seq::ZERO;
        while let Some(run) = self.village()?.barn().read_after(seq, 1 << 20)? {
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
    ///
    /// # Errors
    /// When it is not.
    pub fn own_saves_stay(&self) -> anyhow::Result<()> {
        for (id, saved) in &self.own {
            let latest = self.latest(*id)?;
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
        // What is left of an earlier log is not the village's yet.
        let rows = rows.into_iter().filter(|record| record.epoch >= Epoch::FIRST);
        Ok(rows.map(|record| (record.id, record.bytes)).collect())
    }
}
