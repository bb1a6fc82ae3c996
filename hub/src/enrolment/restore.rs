//! What the hub holds of one village, as a stream.
//!
//! What counts comes first, records left over from a closed log after it:
//! they may claim a number that the present log has given to another record,
//! and give way then. The order is always the same, so a stream that broke
//! goes on where it was while the hub stands where it stood.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_ledger::fingerprint::content_hash;
use lumbung_ledger::{Epoch, Fingerprint};
use lumbung_link::limits::{BATCH_BYTES_FIRST, BATCH_BYTES_MIN};
use lumbung_proto::v1::{self, restore_item::Item};
use lumbung_telemetry::clock;
use lumbung_wire::{batch, pages};
use prost::Message as _;

pub(crate) use super::Held;
use crate::dataset::{
    Change, Content, DatasetError, HubsOwn, IncidentKind, NewIncident, RecordFilter, StoredRecord,
};
use crate::words::Words;

/// Records read at once.
const TOGETHER: u32 = 500;

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Restored {
    /// Everything is on its way.
    Sent,
    /// Nobody takes it any more.
    Gone,
    /// The hub merged something of this village meanwhile.
    MovedOn,
}

/// Sends everything but the first `after` records; in pages of about
/// `page_bytes`, or one by one.
pub(crate) fn stream(
    dataset: &dyn HubsOwn,
    held: &Held,
    after: u64,
    page_bytes: Option<u32>,
    send: impl FnMut(v1::RestoreItem) -> bool,
) -> Result<Restored, DatasetError> {
    let (state, records) = (&held.state, held.records());
    let village = state.village;
    let mut sender = Sender {
        send,
        page_bytes: page_bytes.map(|wanted| wanted.clamp(BATCH_BYTES_MIN, BATCH_BYTES_FIRST)),
        after,
        page: v1::RestoreRecords::default(),
        bytes: 0,
        records: 0,
        sum: Fingerprint::default(),
    };
    let start = v1::RestoreStart {
        position: state.position.map(batch::position_to_wire),
        records,
        last_contact_ms: state.last_contact_ms,
        after,
    };
    if !sender.item(Item::Start(start)) {
        return Ok(Restored::Gone);
    }
    let mut waiting = Waiting::read(dataset, held)?;
    if !sender.part(dataset, held, &mut waiting, false)? {
        return Ok(Restored::Gone);
    }
    // Whoever merged meanwhile changed what was sent. Rows that are not what
    // the sums beside them say are all there is, and the village is told.
    let doubtful = (sender.sum, sender.records) != (state.fingerprint, state.records);
    if doubtful {
        if dataset.village(village)?.position != state.position {
            return Ok(Restored::MovedOn);
        }
        tracing::error!(%village, "a village gets back rows that contradict their sum");
        dataset.note_incident(village, &rows_differ(held, sender.records), clock::now_ms())?;
    }
    let left_over = held.leftovers > 0 || !waiting.left_over.is_empty();
    if left_over && !sender.part(dataset, held, &mut waiting, true)? {
        return Ok(Restored::Gone);
    }
    if !sender.page() {
        return Ok(Restored::Gone);
    }
    let fingerprint = Bytes::copy_from_slice(&sender.sum.to_bytes());
    let end = v1::RestoreEnd { records: sender.records, fingerprint, doubtful };
    Ok(if sender.item(Item::End(end)) { Restored::Sent } else { Restored::Gone })
}

fn rows_differ(held: &Held, found: u64) -> NewIncident {
    let expected = held.state.records;
    let words = Words::new(
        format!(
            "Data desa dikirim kembali ke komputernya, tetapi {found} catatan yang terbaca di hub \
             tidak sama dengan jumlah {expected} catatan yang pernah terbukti: sebagian baris di \
             hub rusak atau hilang. Yang terbaca dikirim apa adanya. Cocokkan dengan cadangan hub \
             dan minta desa memeriksa datanya."
        ),
        format!(
            "The village's data was sent back to its computer, but the {found} records that can be \
             read at the hub are not what the sum of {expected} records says that was proven: some \
             rows at the hub are damaged or missing. What can be read was sent as it is. Compare \
             with the hub's backups and ask the village to check its data."
        ),
    );
    let subject = held.state.position.map(|position| position.to_string()).unwrap_or_default();
    NewIncident::new(IncidentKind::Unrepaired, words).about(subject)
}

/// The newest content of a record may wait in quarantine: the village wrote
/// it, so it gets it back.
#[derive(Default)]
struct Waiting {
    counting: BTreeMap<RecordId, v1::RestoreRecord>,
    left_over: BTreeMap<RecordId, v1::RestoreRecord>,
    /// Records of which the present log has the last word, in quarantine.
    ids: BTreeSet<RecordId>,
}

impl Waiting {
    fn read(dataset: &dyn HubsOwn, held: &Held) -> Result<Self, DatasetError> {
        let mut waiting = Self::default();
        for entry in dataset.quarantine(&dataset.whole().village(held.state.village))? {
            let change = dataset.quarantined_change(&dataset.whole(), entry.number)?;
            let Some(change) = change.filter(|change| !change.bytes.is_empty()) else { continue };
            if matches!(change.content, Content::Tombstone) {
                continue;
            }
            let (id, part) = match entry.left_over {
                false => (change.id, &mut waiting.counting),
                true => (change.id, &mut waiting.left_over),
            };
            part.insert(id, quarantined(change, entry.left_over));
        }
        waiting.ids.extend(waiting.counting.keys());
        let gives_way = |id: &RecordId| waiting.ids.contains(id) || held.stay.contains(id);
        waiting.left_over.retain(|id, _| !gives_way(id));
        Ok(waiting)
    }

    const fn of(&mut self, left_over: bool) -> &mut BTreeMap<RecordId, v1::RestoreRecord> {
        if left_over { &mut self.left_over } else { &mut self.counting }
    }
}

struct Sender<F> {
    send: F,
    page_bytes: Option<u32>,
    after: u64,
    page: v1::RestoreRecords,
    bytes: usize,
    /// Everything so far, with what was left out.
    records: u64,
    sum: Fingerprint,
}

impl<F: FnMut(v1::RestoreItem) -> bool> Sender<F> {
    fn item(&mut self, item: Item) -> bool {
        (self.send)(v1::RestoreItem { item: Some(item) })
    }

    /// Sends the rows that count, or those that don't, each in its newest
    /// form. `false` = nobody takes them any more.
    fn part(
        &mut self,
        dataset: &dyn HubsOwn,
        held: &Held,
        waiting: &mut Waiting,
        left_over: bool,
    ) -> Result<bool, DatasetError> {
        let village = held.state.village;
        let mut after = None;
        loop {
            let filter = RecordFilter {
                scope: dataset.whole().village(village),
                kind: None,
                after,
                limit: TOGETHER,
            };
            let rows = dataset.records(&filter)?;
            let Some(last) = rows.last() else { break };
            after = Some((village, last.id));
            for row in rows {
                if (row.epoch == Epoch(0)) != left_over {
                    if left_over {
                        waiting.left_over.remove(&row.id);
                    }
                    continue;
                }
                if left_over && (waiting.ids.contains(&row.id) || held.stay.contains(&row.id)) {
                    continue;
                }
                let (id, record) = (row.id, waiting.of(left_over).remove(&row.id));
                if !self.record(id, record.unwrap_or_else(|| stored(row))) {
                    return Ok(false);
                }
            }
        }
        for (id, record) in std::mem::take(waiting.of(left_over)) {
            if !self.record(id, record) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn record(&mut self, id: RecordId, record: v1::RestoreRecord) -> bool {
        self.records += 1;
        // Both were made of numbers of this size.
        let kind = KindCode(u16::try_from(record.kind).unwrap_or_default());
        let schema = u16::try_from(record.schema).unwrap_or_default();
        self.sum += content_hash(id, kind, schema, &record.payload);
        if self.records <= self.after {
            return true;
        }
        let Some(page_bytes) = self.page_bytes else { return self.item(Item::Record(record)) };
        self.bytes += record.encoded_len();
        self.page.records.push(record);
        self.bytes < page_bytes as usize || self.page()
    }

    /// Sends what has gathered.
    fn page(&mut self) -> bool {
        let page = std::mem::take(&mut self.page);
        self.bytes = 0;
        page.records.is_empty() || self.item(Item::Page(pages::pack(&page)))
    }
}

fn stored(row: StoredRecord) -> v1::RestoreRecord {
    v1::RestoreRecord {
        id: Bytes::copy_from_slice(row.id.as_bytes()),
        kind: u32::from(row.kind.0),
        schema: u32::from(row.schema),
        seq: row.seq.0,
        time_ms: row.time_ms,
        actor: row.actor,
        source: u32::from(row.source.0),
        payload: row.bytes,
        leftover: row.epoch == Epoch(0),
    }
}

fn quarantined(change: Change, leftover: bool) -> v1::RestoreRecord {
    v1::RestoreRecord {
        id: Bytes::copy_from_slice(change.id.as_bytes()),
        kind: u32::from(change.kind.0),
        schema: u32::from(change.schema),
        seq: change.seq.0,
        time_ms: change.time_ms,
        actor: change.actor.to_string(),
        source: u32::from(change.source.0),
        payload: change.bytes,
        leftover,
    }
}
