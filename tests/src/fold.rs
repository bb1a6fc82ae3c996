//! A village's log, folded by a second hand, against the hub's rows.
//!
//! The fold reads every entry of the stopped node's barn in order and keeps
//! the last word on each record; it uses neither the barn's state nor its
//! indexes. The hub must hold exactly that: nothing missing, nothing more,
//! the same bytes, numbers and fingerprint.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_hub::dataset::{HubsOwn, RecordFilter};
use lumbung_ledger::{Fingerprint, Operation, Payload, Position, Seq};
use lumbung_node::barn::Barn;
use lumbung_node::village::Village;

/// Bytes of log read at once.
const RUN_BYTES: usize = 256 * 1024;

/// Records of the hub read at once.
const PAGE: u32 = 500;

/// One living record as a log amounts to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Living {
    /// The entry that wrote it.
    pub seq: Seq,
    /// Its kind.
    pub kind: KindCode,
    /// Schema version of the payload.
    pub schema: u16,
    /// The payload.
    pub bytes: Bytes,
}

/// What a log amounts to.
#[derive(Debug)]
pub struct Folded {
    /// Where the log ends.
    pub position: Position,
    /// Its living records.
    pub records: BTreeMap<RecordId, Living>,
    /// The sum over them.
    pub fingerprint: Fingerprint,
}

/// Folds the log of the stopped node in `dir`. Checks on the way that the
/// numbers run from 1 without a gap and that the chain arrives at the head.
///
/// # Errors
/// When the barn can't be opened, or breaks one of those promises.
pub fn fold(dir: &Path, village: VillageCode) -> anyhow::Result<Folded> {
    let village = Village::open(dir, village).context("the barn can't be opened")?;
    let folded = fold_barn(village.barn());
    // The next one to open it must not find it in use.
    village.close();
    folded
}

/// Folds the log of an open barn.
///
/// # Errors
/// When it breaks one of the promises of [`fold`].
pub fn fold_barn(barn: &Barn) -> anyhow::Result<Folded> {
    let head = barn.head();
    let origin = Position::origin(head.position.log_id);
    let (mut seq, mut chain) = (origin.seq, origin.chain);
    let mut records = BTreeMap::new();
    let mut withheld = BTreeMap::new();
    while let Some(run) = barn.read_after(seq, RUN_BYTES)? {
        for entry in run.entries {
            ensure!(entry.header.seq == seq.next(), "entry {} follows {seq}", entry.header.seq);
            seq = entry.header.seq;
            chain = chain.step(&entry).0;
            let header = entry.header;
            if header.operation == Operation::Delete {
                records.remove(&header.id);
                withheld.remove(&header.id);
                continue;
            }
            let Payload::Present { bytes, .. } = entry.payload else {
                // Thinned or erased: a later entry must have the last word.
                records.remove(&header.id);
                withheld.insert(header.id, seq);
                continue;
            };
            withheld.remove(&header.id);
            let (kind, schema) = (header.kind, header.schema);
            records.insert(header.id, Living { seq, kind, schema, bytes });
        }
    }
    let lost = withheld.first_key_value();
    ensure!(lost.is_none(), "the last word on a record has lost its content: {lost:?}");
    ensure!(seq == head.position.seq, "the log ends at {seq}, the head at {}", head.position.seq);
    ensure!(chain == head.position.chain, "the chain does not arrive at the head");
    let mut fingerprint = Fingerprint::default();
    for (id, living) in &records {
        fingerprint += lumbung_ledger::fingerprint::content_hash(
            *id,
            living.kind,
            living.schema,
            &living.bytes,
        );
    }
    ensure!(fingerprint == head.fingerprint, "the head's fingerprint is not the log's");
    Ok(Folded { position: head.position, records, fingerprint })
}

/// Compares what a log amounts to with what the hub keeps of that village.
///
/// # Errors
/// Names the first record or figure that differs.
pub fn compare(folded: &Folded, hub: &dyn HubsOwn, village: VillageCode) -> anyhow::Result<()> {
    let mut rows = BTreeMap::new();
    let mut after = None;
    loop {
        let filter =
            RecordFilter { scope: hub.whole().village(village), kind: None, after, limit: PAGE };
        let page = hub.records(&filter)?;
        let Some(last) = page.last() else { break };
        after = Some((village, last.id));
        for row in page {
            ensure!(row.village == village, "a row of {} among those of {village}", row.village);
            let living =
                Living { seq: row.seq, kind: row.kind, schema: row.schema, bytes: row.bytes };
            ensure!(rows.insert(row.id, living).is_none(), "record {} came twice", row.id);
        }
    }
    for (id, living) in &folded.records {
        let row = rows.get(id).with_context(|| format!("the hub lacks record {id}"))?;
        ensure!(row == living, "record {id} differs: log {}, hub {}", living.seq, row.seq);
    }
    let more = rows.keys().find(|id| !folded.records.contains_key(id));
    ensure!(more.is_none(), "the hub has record {more:?} that the village does not have");
    let state = hub.village(village)?;
    // An epoch may begin without an entry.
    let here = state.position.is_some_and(|stands| {
        stands.epoch <= folded.position.epoch
            && Position { epoch: folded.position.epoch, ..stands } == folded.position
    });
    ensure!(here, "the hub stands at {:?}, the log ends at {}", state.position, folded.position);
    ensure!(state.fingerprint == folded.fingerprint, "the fingerprints differ");
    ensure!(state.records == folded.records.len() as u64, "the hub counts {}", state.records);
    Ok(())
}
