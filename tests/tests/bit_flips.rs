//! One bit of a village's disk changes by itself, anywhere. The barn refuses
//! to open, or what it hands out is right, or the district learns of it; and
//! `verify` names it.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::ensure;
use bytes::Bytes;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::{Dusun, Record};
use lumbung_domain::region::{VillageCode, roster};
use lumbung_hub::dataset::RecordFilter;
use lumbung_ledger::{LogId, Payload, Seq, Source};
use lumbung_node::barn::{Ground, Testimony, Witness};
use lumbung_node::village::{Village, Wish};
use lumbung_telemetry::clock::Clock;
use lumbung_tests::faulty_store::FaultyStore;
use lumbung_tests::fold::{self, Folded};
use lumbung_tests::sim::{self, pair::Pair};

/// Of a log block's many bytes one in so many is tried.
const LOG_STEP: usize = 7;

const LOG: LogId = LogId([6; 16]);

fn village_code() -> VillageCode {
    roster().villages()[0].code
}

fn open(store: &FaultyStore, witness: Option<Witness>) -> anyhow::Result<Village> {
    let create = store.pairs()?.is_empty().then_some(LOG);
    let ground = Ground { store: Arc::new(store.clone()), witness, salts: 1 };
    let clock = Clock::standing_at(1_790_000_000_000);
    Ok(Village::open_in_task(ground, create, village_code(), clock)?)
}

fn id(number: u64) -> RecordId {
    RecordId::from_parts(1_790_000_000_000, 0, number)
}

async fn save(village: &Village, save: u64) -> anyhow::Result<()> {
    let wish = |at: u64| {
        let nama = format!("DUSUN {save}-{at}");
        let record = (save % 5 != at).then(|| Record::Dusun(Dusun { nama, ..Dusun::default() }));
        Wish { id: Some(id((save * 3 + at) % 11)), kind: Kind::Dusun, record, seen: None }
    };
    village.save("kader", Source::MANUAL, (0..3).map(wish).collect()).await?;
    Ok(())
}

/// A village with a short history, in its second epoch.
async fn sound(folder: &Path) -> anyhow::Result<FaultyStore> {
    let store = FaultyStore::default();
    let path = folder.join("witness");
    let village = open(&store, Some(Witness::open(&path)?))?;
    for number in 0..6 {
        save(&village, number).await?;
    }
    let seq = Seq(village.barn().head().position.seq.0 + 3);
    drop(village);
    tokio::task::yield_now().await;
    let mut witness = Witness::open(&path)?;
    let last = witness.last().unwrap();
    witness.testify(Testimony { seq, ..last })?;
    let village = open(&store, Some(witness))?;
    for number in 6..14 {
        save(&village, number).await?;
    }
    Ok(store)
}

/// What there is to know of the sound village.
struct Truth {
    folded: Folded,
    /// Every content the log holds, by number.
    contents: BTreeMap<Seq, (RecordId, Bytes)>,
}

impl Truth {
    fn of(village: &Village) -> anyhow::Result<Self> {
        let folded = fold::fold_barn(village.barn())?;
        let mut contents = BTreeMap::new();
        for seq in (1..=folded.position.seq.0).map(Seq) {
            let entry = village.barn().entry(seq)?.unwrap();
            if let Payload::Present { bytes, .. } = entry.payload {
                contents.insert(seq, (entry.header.id, bytes));
            }
        }
        Ok(Self { folded, contents })
    }

    /// Nothing the village shows by itself is wrong.
    fn check_reads(&self, village: &Village) -> anyhow::Result<()> {
        for number in 0..11 {
            let Ok(stored) = village.barn().get(id(number)) else { continue };
            let shown = stored.as_ref().and_then(|stored| stored.content());
            let right = self.folded.records.get(&id(number)).map(|living| &living.bytes);
            ensure!(shown == right, "record {number} is shown wrongly");
        }
        Ok(())
    }

    /// Nothing the hub took is wrong.
    async fn check_hub(&self, village: &Village, folder: &Path) -> anyhow::Result<bool> {
        let pair = Pair::new(village_code(), folder)?;
        let _following = pair.follow(village, &[]);
        let settled = pair.settled(self.folded.position.seq).await?;
        let scope = pair.dataset.whole();
        let all = RecordFilter { scope, kind: None, after: None, limit: 1_000 };
        for row in pair.dataset.records(&all)? {
            let right = self.contents.get(&row.seq) == Some(&(row.id, row.bytes));
            ensure!(right, "the hub took a wrong record");
        }
        if settled.trouble.is_empty() {
            fold::compare(&self.folded, &*pair.dataset, village_code())?;
        }
        Ok(settled.trouble.is_empty())
    }
}

#[derive(Debug, Default)]
struct Tally {
    refused: u32,
    told: u32,
    harmless: u32,
}

async fn flip_everywhere() -> anyhow::Result<Tally> {
    let folder = sim::folder()?;
    let store = sound(folder.path()).await?;
    let truth = Truth::of(&open(&store, None)?)?;
    let mut tally = Tally::default();
    for (key, value) in store.pairs()? {
        // Beyond the value lies its seal; what is empty has no bit.
        let step = if value.len() > 200 { LOG_STEP } else { 1 };
        for byte in (0..value.len() + 4).step_by(step) {
            let bit = byte * 8 + byte % 8;
            let what = || format!("bit {bit} of {}", key.escape_ascii());
            let copy = store.copy()?;
            if !copy.flip(&key, bit) {
                continue;
            }
            let Ok(village) = open(&copy, None) else {
                tally.refused += 1;
                continue;
            };
            // Opening makes the mark of the indexes anew.
            let mended = copy.pairs()?.contains(&(key.clone(), value.clone()));
            truth.check_reads(&village).map_err(|error| error.context(what()))?;
            let own = tempfile::tempdir_in(folder.path())?;
            let silent = truth.check_hub(&village, own.path()).await;
            let silent = silent.map_err(|error| error.context(what()))?;
            let found = village.barn().verify().map_or(true, |it| !it.faults.is_empty());
            ensure!(found || mended, "verify does not find {}", what());
            if silent { tally.harmless += 1 } else { tally.told += 1 }
        }
    }
    Ok(tally)
}

#[test]
fn a_flipped_bit_is_found_and_never_handed_out() {
    let _world = lumbung_link::world::simulate(1);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let tally = runtime.unwrap().block_on(flip_everywhere());
    let tally = tally.unwrap_or_else(|error| panic!("{error:#}"));
    println!("{tally:?}");
    assert!(tally.refused > 50 && tally.told > 50 && tally.harmless > 50, "{tally:?}");
}
