//! Disks that go back in time or get a twin, the hub's file that goes back,
//! and whether every one of these was reported: an incident at the hub for
//! each that lost or forked something, and none where nothing was lost.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::{fs, io};

use anyhow::{Context, ensure};
use bytes::Bytes;
use lumbung_domain::id::RecordId;
use lumbung_domain::region::VillageCode;
use lumbung_hub::dataset::sqlite::SqliteDataset;
use lumbung_hub::dataset::{HubsOwn, IncidentKind, Outcome, RecordFilter, SetAside};
use lumbung_ledger::{Operation, Position, Seq};
use lumbung_node::barn::Relation;

use super::book::{Book, Content};
use super::node::{self, Desa};
use super::schedule::{Hardship, Outside};
use super::world::World;
use crate::faulty_store::FaultyStore;

/// What says that a village's history parted.
const PARTED: [IncidentKind; 4] =
    [IncidentKind::LostTail, IncidentKind::Forked, IncidentKind::Rewound, IncidentKind::Twin];

/// Incidents of one village that are looked at.
const INCIDENTS_MAX: u32 = 10_000;

/// A node's disk as it once was.
pub(super) struct KeptDisk {
    store: FaultyStore,
    files: Vec<(OsString, Vec<u8>)>,
    book: Book,
    at: Seq,
}

/// The hub's file as it once was.
pub(super) struct KeptHub {
    files: Vec<(PathBuf, Vec<u8>)>,
    /// Where it stood in each village's log.
    at: Vec<Option<Position>>,
}

/// A copy of a node's disk that runs beside it.
pub(super) struct Twin {
    of: usize,
    pub(super) desa: Rc<Desa>,
    /// Up to where both are the same.
    common: Seq,
}

/// What happened to one village that somebody must hear of, or nobody.
#[derive(Clone, Default)]
pub(super) struct Parting {
    /// Its disk went back so often.
    put_back: u32,
    /// Entries were lost or forked on its side.
    lost: bool,
    /// It had a twin.
    twin: bool,
    /// The hub went back to before something of it.
    hub_lost: bool,
    /// A sign of [`PARTED`] must have come after this incident.
    must_part: Option<i64>,
    /// The hub must have said after this incident that it went back, if the
    /// node has been started so often.
    must_hub: Option<(i64, u64)>,
}

impl Parting {
    /// Nothing but the village's own changes can be in conflict with what the
    /// hub hands back: no other machine's, and none that it handed back before
    /// it went back itself.
    pub(super) const fn conflicts_are_its_own(&self) -> bool {
        !self.twin && !self.hub_lost
    }
}

impl World<'_> {
    pub(super) fn keep_disk(&mut self, number: usize) -> anyhow::Result<()> {
        let desa = &self.desa[number];
        let running = desa.running.borrow();
        let (Some(village), false) = (running.as_ref(), desa.store.has_failed()) else {
            return Ok(());
        };
        let at = village.barn().head().position.seq;
        let (store, files) = (desa.store.copy()?, desa.files()?);
        self.kept[number] = Some(KeptDisk { store, files, book: desa.book.borrow().clone(), at });
        Ok(())
    }

    pub(super) fn put_disk_back(&mut self, number: usize, outside: Outside) -> anyhow::Result<()> {
        let Some(mut kept) = self.kept[number].take() else { return Ok(()) };
        let done = self.put_back(number, outside, &mut kept);
        self.kept[number] = Some(kept);
        done
    }

    fn put_back(
        &mut self,
        number: usize,
        outside: Outside,
        kept: &mut KeptDisk,
    ) -> anyhow::Result<()> {
        let desa = Rc::clone(&self.desa[number]);
        if desa.store.has_failed() || desa.running.borrow().is_none() {
            return Ok(());
        }
        let seen = self.seen(number)?;
        let head = desa.running.borrow().as_ref().map(|village| village.barn().head().position);
        let head = head.context("it runs")?;
        let had = seen.as_ref().and_then(|seen| seen.had.as_ref());
        let had = had.map(|(at, rows)| (*at, rows)).filter(|(at, _)| *at > kept.at);
        self.chronicle.note(
            &desa.name,
            format_args!(
                "from {} back to {}, the hub at {:?}",
                head.seq,
                kept.at,
                had.map(|it| it.0)
            ),
        );
        desa.book.borrow_mut().go_back(&kept.book, kept.at, had);
        // Who is promised what the hub has by now is so the next time, too.
        kept.book = desa.book.borrow().clone();
        let parting = &mut self.parting[number];
        parting.put_back += 1;
        parting.lost |= head.seq > kept.at;
        let told_beside = outside == Outside::Present && head.seq > kept.at;
        if let Some(seen) = &seen
            && (had.is_some() || told_beside)
        {
            parting.must_part = Some(seen.incident);
        }
        desa.store.repair();
        desa.store.put_back(&kept.store)?;
        self.stop_node(number);
        if outside == Outside::Old {
            desa.put_files(&kept.files)?;
        }
        self.start_node(number);
        Ok(())
    }

    pub(super) fn clone_disk(&mut self, number: usize) -> anyhow::Result<()> {
        let desa = Rc::clone(&self.desa[number]);
        let running = desa.running.borrow();
        let Some(village) = running.as_ref().filter(|_| !desa.store.has_failed()) else {
            return Ok(());
        };
        let Some(seen) = self.seen(number)? else { return Ok(()) };
        let common = village.barn().head().position.seq;
        let name = format!("kembar-{number}");
        let dir = desa.dir.with_file_name(&name);
        fs::create_dir_all(&dir)?;
        let twin = Rc::new(desa.copied(name, dir)?);
        twin.put_files(&desa.files()?)?;
        let own = Rc::clone(&twin);
        self.sim.host(twin.name.as_str(), move || node::run(Rc::clone(&own)));
        self.twins.push(Twin { of: number, desa: twin, common });
        self.parting[number].twin = true;
        self.parting[number].must_part = Some(seen.incident);
        Ok(())
    }

    /// The machines that are one too many are switched off.
    pub(super) fn switch_twins_off(&mut self) {
        for twin in &self.twins {
            twin.desa.running.take();
            self.sim.crash(twin.desa.name.as_str());
            let mut book = self.desa[twin.of].book.borrow_mut();
            book.may_have(&twin.desa.book.borrow(), twin.common);
        }
    }

    pub(super) fn keep_hub(&mut self) -> anyhow::Result<()> {
        let Some(at) = self.positions()? else { return Ok(()) };
        self.stop_hub();
        let files = files_of(&self.kabupaten.file)?;
        let files = files.into_iter().map(|path| fs::read(&path).map(|bytes| (path, bytes)));
        self.kept_hub = Some(KeptHub { files: files.collect::<io::Result<_>>()?, at });
        self.start_hub();
        Ok(())
    }

    pub(super) fn put_hub_back(&mut self) -> anyhow::Result<()> {
        if self.kept_hub.is_none() {
            return Ok(());
        }
        let Some(now) = self.positions()? else { return Ok(()) };
        self.stop_hub();
        let Some(kept) = &self.kept_hub else { return Ok(()) };
        files_of(&self.kabupaten.file)?.into_iter().try_for_each(fs::remove_file)?;
        kept.files.iter().try_for_each(|(path, bytes)| fs::write(path, bytes))?;
        for (number, (before, now)) in kept.at.iter().zip(now).enumerate() {
            let (desa, parting) = (&self.desa[number], &mut self.parting[number]);
            desa.book.borrow_mut().hub_goes_back();
            if let Some(disk) = &mut self.kept[number] {
                disk.book.hub_goes_back();
            }
            // What was reported since is forgotten with everything else.
            (parting.must_part, parting.must_hub) = (None, None);
            parting.hub_lost |= *before != now;
            let known = desa.confirmed.borrow().position();
            let runs = desa.running.borrow().is_some();
            let newer = match (known, before) {
                (Some(known), Some(before)) => {
                    known.log_id == before.log_id
                        && (known.epoch, known.seq) > (before.epoch, before.seq)
                }
                (known, None) => known.is_some_and(|known| known.seq > Seq::ZERO),
                (None, Some(_)) => false,
            };
            if runs && newer {
                parting.must_hub = Some((0, desa.starts.get()));
            }
        }
        self.start_hub();
        Ok(())
    }

    /// Where the hub stands in every village's log, while it runs.
    fn positions(&self) -> anyhow::Result<Option<Vec<Option<Position>>>> {
        let running = self.kabupaten.running.borrow();
        let Some(hub) = running.as_ref() else { return Ok(None) };
        let at = |desa: &Rc<Desa>| Ok(hub.dataset.village(desa.code)?.position);
        self.desa.iter().map(at).collect::<anyhow::Result<_>>().map(Some)
    }

    /// What the hub has of a village that runs; of a hub that does not, what
    /// lies in its file.
    fn seen(&self, number: usize) -> anyhow::Result<Option<Seen>> {
        let desa = &self.desa[number];
        let (hub, village) = (self.kabupaten.running.borrow(), desa.running.borrow());
        let Some(village) = village.as_ref() else { return Ok(None) };
        let stopped;
        let hub: &dyn HubsOwn = match hub.as_ref() {
            Some(hub) => &*hub.dataset,
            None => {
                stopped = SqliteDataset::open(&self.kabupaten.file)?;
                &stopped
            }
        };
        let incidents = incidents(hub, desa.code)?;
        let incident = incidents.iter().map(|(number, _)| *number).max().unwrap_or(0);
        let had = match hub.village(desa.code)?.position {
            Some(at) if village.barn().relate(at)? == Relation::Resume => {
                Some((at.seq, rows(hub, desa.code)?))
            }
            _ => None,
        };
        Ok(Some(Seen { incident, had }))
    }

    /// Whether everything that parted was reported, and nothing else.
    pub(super) fn check_reports(&self) -> anyhow::Result<()> {
        let running = self.kabupaten.running.borrow();
        let hub = running.as_ref().context("the hub is down")?;
        for (desa, parting) in self.desa.iter().zip(&self.parting) {
            let found = incidents(&*hub.dataset, desa.code)?;
            self.check_report(desa, parting, &found)
                .with_context(|| format!("{}: {found:?}", desa.name))?;
        }
        Ok(())
    }

    fn check_report(
        &self,
        desa: &Desa,
        parting: &Parting,
        found: &[(i64, String)],
    ) -> anyhow::Result<()> {
        let said = |kind: IncidentKind, after: i64| {
            found.iter().any(|(number, code)| *number > after && *code == kind.code())
        };
        if let Some(after) = parting.must_part {
            ensure!(PARTED.iter().any(|kind| said(*kind, after)), "nobody was told that it parted");
        }
        if let Some((after, starts)) = parting.must_hub
            && starts == desa.starts.get()
        {
            ensure!(said(IncidentKind::HubBehind, after), "nobody was told that the hub went back");
        }
        if !parting.lost && !parting.twin {
            let wrong = [IncidentKind::LostTail, IncidentKind::Forked];
            ensure!(wrong.iter().all(|kind| !said(*kind, 0)), "told of a loss that was none");
        }
        if !parting.twin && parting.put_back < 2 {
            ensure!(!said(IncidentKind::Twin, 0), "told of a twin that there was not");
        }
        ensure!(
            parting.hub_lost || !said(IncidentKind::HubBehind, 0),
            "told that the hub went back"
        );
        let untouched = parting.put_back == 0 && !parting.twin && self.kept_hub.is_none();
        ensure!(!untouched || found.is_empty(), "told of something that did not happen");
        if self.schedule.hardship == Hardship::Twins && parting.twin {
            ensure!(parting.must_part.is_some(), "a twin that nothing depends on");
        }
        Ok(())
    }
}

/// What the hub has of a village at a moment.
struct Seen {
    /// The newest incident.
    incident: i64,
    /// How far it is on the village's present log, and its rows.
    had: Option<(Seq, BTreeMap<RecordId, Bytes>)>,
}

fn incidents(dataset: &dyn HubsOwn, village: VillageCode) -> anyhow::Result<Vec<(i64, String)>> {
    let found = dataset.incidents(&dataset.whole().village(village), INCIDENTS_MAX)?;
    Ok(found.into_iter().map(|incident| (incident.number, incident.code)).collect())
}

fn rows(dataset: &dyn HubsOwn, village: VillageCode) -> anyhow::Result<BTreeMap<RecordId, Bytes>> {
    let scope = dataset.whole().village(village);
    let filter = RecordFilter { scope, kind: None, limit: INCIDENTS_MAX, after: None };
    let records = dataset.records(&filter)?;
    Ok(records.into_iter().map(|record| (record.id, record.bytes)).collect())
}

/// What the hub keeps of a village because it has something else by now, where
/// the operator was told so.
pub(super) fn conflicts(
    dataset: &dyn HubsOwn,
    village: VillageCode,
) -> anyhow::Result<Vec<(RecordId, Content)>> {
    let told = incidents(dataset, village)?;
    if !told.iter().any(|(_, code)| code == IncidentKind::Returned.code()) {
        return Ok(Vec::new());
    }
    let kept = dataset.branch(&dataset.whole(), village, INCIDENTS_MAX)?;
    let kept = kept.into_iter().filter(|version| version.outcome == Outcome::Conflict);
    let content = |version: SetAside| {
        let lives = version.operation != Operation::Delete;
        (version.id, lives.then_some(version.bytes))
    };
    Ok(kept.map(content).collect())
}

/// A SQLite file and those that belong to it.
fn files_of(file: &Path) -> io::Result<Vec<PathBuf>> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut files = Vec::new();
    for item in fs::read_dir(folder)? {
        let item = item?;
        let own = item
            .file_name()
            .to_string_lossy()
            .strip_prefix(&name)
            .is_some_and(|end| matches!(end, "" | "-wal" | "-shm" | "-journal"));
        files.extend(own.then(|| item.path()));
    }
    Ok(files)
}
