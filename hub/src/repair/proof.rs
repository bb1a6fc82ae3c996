//! One proof of one village: the conversation with its node, and the repair
//! that follows from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Entry, Fingerprint, Header, Operation, Payload, Position, Salt, Seq, Source};
use lumbung_link::meter::Traffic;
use lumbung_link::{limits, moving, world};
use lumbung_proto::v1::{self, sync_client::SyncClient};
use lumbung_telemetry::clock;
use lumbung_wire::batch;
use lumbung_wire::tree::{Part, Place, parts_from_wire};
use prost::Message as _;
use tonic::{Code, Status};

use super::difference::{Difference, Differing};
use super::drill::{Contradiction, Drill};
use super::{names, words};
use crate::dataset::{
    DatasetError, HubsOwn, IncidentKind, Merged, NewIncident, Repair, RowContent,
};
use crate::merge::decode;
use crate::spans;
use crate::uplink::Line;
use crate::words::Words;

/// Places asked for in one question.
const PLACES_PER_QUESTION: usize = 512;

/// Records fetched with one question.
const RECORDS_PER_FETCH: usize = 500;

/// What a proof came to.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Every row is what the node's log says at the hub's position.
    Equal {
        /// What the dataset holds now.
        merged: Merged,
        /// In words.
        words: Words,
    },
    /// One of the sides has moved on meanwhile: ask again.
    MovedOn,
    /// The node's log does not prove itself from this entry on.
    Broken(Seq),
    /// Something could not be put right; why, in words.
    Unrepaired(Words),
    /// The node did not answer.
    Unanswered,
}

/// Why a proof ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProofError {
    /// The dataset failed.
    #[error("the dataset can't be read or written")]
    Dataset(#[from] DatasetError),
    /// The hub is stopping.
    #[error("the hub is stopping")]
    Stopping(#[from] world::Stopping),
    /// The node says that it can't read its barn.
    #[error("the node can't read its barn")]
    NodeDisk,
}

/// A step that may end the proof with an outcome.
type Step<T> = Result<Result<T, Outcome>, ProofError>;

/// A proof of one village.
pub(crate) struct Proof<'a> {
    /// Which.
    pub(crate) village: VillageCode,
    /// The rows.
    pub(crate) dataset: &'a Arc<dyn HubsOwn>,
    /// The node.
    pub(crate) sync: &'a mut SyncClient<Line>,
    /// What crosses the connection to it.
    pub(crate) traffic: &'a Traffic,
    /// What the node said last that everything sums up to, if it did.
    pub(crate) stated: Option<Part>,
}

impl Proof<'_> {
    /// Compares, repairs, and compares again.
    ///
    /// # Errors
    /// [`ProofError`].
    pub(crate) async fn run(&mut self) -> Result<Outcome, ProofError> {
        Ok(self.compare().await?.unwrap_or_else(|outcome| outcome))
    }

    async fn compare(&mut self) -> Step<Outcome> {
        let village = self.village;
        let RowContent { position, kept, tree } =
            self.on_dataset(move |dataset| dataset.content(village)).await??;
        let Some(position) = position else { return Ok(Err(Outcome::MovedOn)) };
        let mut drill = Drill::new(&tree);
        loop {
            let asks = drill.asks();
            if asks.is_empty() {
                break;
            }
            let answers = match self.ask(&asks, &position).await? {
                Ok(answers) => answers,
                Err(outcome) => return Ok(Err(outcome)),
            };
            if let Err(Contradiction(_)) = drill.take(&answers) {
                return self.contradicted(&position).await;
            }
        }
        let told = drill.root();
        let difference = drill.finish();
        let seq = position.seq;
        let (merged, words) = if !difference.records.is_empty() {
            let repaired = self.repair_rows(&position, &difference).await?;
            match repaired {
                Ok(repaired) => repaired,
                Err(outcome) => return Ok(Err(outcome)),
            }
        } else if kept != told {
            let words = words::sums_repaired(seq);
            match self.repair(&position, Vec::new(), &words).await? {
                Ok(merged) => (merged, words),
                Err(outcome) => return Ok(Err(outcome)),
            }
        } else {
            let Part { fingerprint, records } = kept;
            (Merged { position, fingerprint, records, quarantined: 0 }, words::EQUAL.into())
        };
        let now = Part { fingerprint: merged.fingerprint, records: merged.records };
        if now != told {
            return self.unrepaired(&position, words::STILL_DIFFERS).await;
        }
        if self.stated.is_some_and(|stated| stated != told) {
            return self.mend_node(&position, told, Outcome::Equal { merged, words }).await;
        }
        Ok(Ok(Outcome::Equal { merged, words }))
    }

    /// Asks the node for the sums of places, all at `position`.
    async fn ask(
        &mut self,
        asks: &[Place],
        position: &Position,
    ) -> Step<BTreeMap<Place, lumbung_wire::tree::Parts>> {
        let mut answers = BTreeMap::new();
        for asks in asks.chunks(PLACES_PER_QUESTION) {
            let places = asks.iter().map(|place| place.to_wire()).collect();
            let request = v1::FingerprintRequest { places, ..v1::FingerprintRequest::default() };
            let outward_bytes = request.encoded_len();
            let asked = self.sync.fingerprint(request);
            let asked = spans::node_call(self.village, "lumbung.v1.Sync/Fingerprint", asked);
            let reply = match moving::answer(self.traffic, outward_bytes, asked).await {
                Some(Ok(reply)) => reply.into_inner(),
                Some(Err(status)) => return unanswered(&status),
                None => return Ok(Err(Outcome::Unanswered)),
            };
            if let Some(mending) = &reply.mending {
                self.note_mending(mending).await?;
            }
            if reply.broken_at != 0 {
                return self.broken(Seq(reply.broken_at)).await;
            }
            let told = reply.position.as_ref().and_then(batch::position_from_wire);
            if !told.is_some_and(|told| same_place(&told, position)) {
                return Ok(Err(Outcome::MovedOn));
            }
            match parts_from_wire(asks, &reply.parts) {
                Some(parts) => answers.extend(parts),
                None => return self.contradicted(position).await,
            }
        }
        Ok(Ok(answers))
    }

    /// Puts right what the rows have wrong.
    async fn repair_rows(
        &mut self,
        position: &Position,
        difference: &Difference,
    ) -> Step<(Merged, Words)> {
        let mut repairs = Vec::with_capacity(difference.records.len());
        let ids: Vec<_> = difference.records.keys().copied().collect();
        for ids in ids.chunks(RECORDS_PER_FETCH) {
            match self.fetch(ids, position, difference).await? {
                Ok(fetched) => repairs.extend(fetched),
                Err(outcome) => return Ok(Err(outcome)),
            }
        }
        let names = self.names(difference, &repairs).await?;
        let places = words::places(difference, |rt| names::or_unnamed(&names, rt));
        let words = words::rows_repaired(difference, &places, position.seq);
        Ok(self.repair(position, repairs, &words).await?.map(|merged| (merged, words)))
    }

    /// Fetches whole records and proves each against its part of the sum.
    async fn fetch(
        &mut self,
        ids: &[RecordId],
        position: &Position,
        difference: &Difference,
    ) -> Step<Vec<Repair>> {
        let wire = ids.iter().map(|id| Bytes::copy_from_slice(id.as_bytes())).collect();
        let request = v1::FetchRequest { ids: wire, with_ended: true };
        let outward_bytes = request.encoded_len();
        let fetching = async {
            let mut items = self.sync.fetch(request).await?.into_inner();
            let mut fetched = Vec::with_capacity(ids.len());
            while let Some(item) = items.message().await? {
                fetched.push(item);
            }
            Ok::<_, Status>(fetched)
        };
        let fetching = spans::node_call(self.village, "lumbung.v1.Sync/Fetch", fetching);
        let items = match moving::answer(self.traffic, outward_bytes, fetching).await {
            Some(Ok(items)) => items,
            Some(Err(status)) => return unanswered(&status),
            None => return Ok(Err(Outcome::Unanswered)),
        };
        let mut repairs = Vec::with_capacity(ids.len());
        for (at, id) in ids.iter().enumerate() {
            let (Some(item), Some(differing)) = (items.get(at), difference.records.get(id)) else {
                return self.contradicted(position).await;
            };
            if item.seq > position.seq.0 {
                return Ok(Err(Outcome::MovedOn));
            }
            match repair_of(*id, item, differing) {
                Some(repair) => repairs.push(repair),
                None => return self.contradicted(position).await,
            }
        }
        Ok(Ok(repairs))
    }

    async fn repair(
        &self,
        position: &Position,
        repairs: Vec<Repair>,
        words: &Words,
    ) -> Step<Merged> {
        let (village, position) = (self.village, *position);
        let incident = NewIncident::new(IncidentKind::RowsRepaired, words.clone());
        let records = repairs.len();
        let repaired = self
            .on_dataset(move |dataset| {
                dataset.repair(village, &position, &repairs, &incident, clock::now_ms())
            })
            .await?;
        match repaired {
            Ok(merged) => {
                tracing::warn!(%village, records, "rows were put right from the village's log");
                Ok(Ok(merged))
            }
            Err(DatasetError::NotNext { .. }) => Ok(Err(Outcome::MovedOn)),
            Err(error) => Err(error.into()),
        }
    }

    /// The node's own statement contradicts its log: it derives it anew.
    async fn mend_node(
        &mut self,
        position: &Position,
        told: Part,
        equal: Outcome,
    ) -> Step<Outcome> {
        let asked = self.sync.rederive(v1::RederiveRequest {});
        let asked = spans::node_call(self.village, "lumbung.v1.Sync/Rederive", asked);
        let reply = match tokio::time::timeout(limits::ANSWER_TIMEOUT, asked).await {
            Ok(Ok(reply)) => reply.into_inner(),
            Ok(Err(status)) if status.code() == Code::Unimplemented => {
                return self.unrepaired(position, words::OLD_NODE).await;
            }
            Ok(Err(status)) => return unanswered(&status),
            Err(_) => return Ok(Err(Outcome::Unanswered)),
        };
        if reply.broken_at != 0 {
            return self.broken(Seq(reply.broken_at)).await;
        }
        if let Some(mending) = &reply.mending {
            self.note_mending(mending).await?;
        }
        let now = reply.position.as_ref().and_then(batch::position_from_wire);
        if !now.is_some_and(|now| same_place(&now, position)) {
            return Ok(Err(Outcome::MovedOn));
        }
        let fingerprint = Fingerprint::from_slice(&reply.fingerprint);
        let sums = fingerprint.map(|fingerprint| Part { fingerprint, records: reply.records });
        if sums != Some(told) {
            return self.contradicted(position).await;
        }
        Ok(Ok(equal))
    }

    /// What the RT of a difference are called.
    async fn names(
        &self,
        difference: &Difference,
        repairs: &[Repair],
    ) -> Result<BTreeMap<RecordId, String>, ProofError> {
        let told = names::told(repairs);
        let rts: Vec<_> = difference.records.values().filter_map(|record| record.rt).collect();
        let village = self.village;
        let named = self.on_dataset(move |dataset| names::of(dataset, village, &rts, told));
        named.await?.map_err(ProofError::Dataset)
    }

    async fn broken<T>(&self, seq: Seq) -> Step<T> {
        self.note(words::log_broken(seq)).await?;
        Ok(Err(Outcome::Broken(seq)))
    }

    async fn contradicted<T>(&self, position: &Position) -> Step<T> {
        self.unrepaired(position, words::CONTRADICTS).await
    }

    async fn unrepaired<T>(
        &self,
        position: &Position,
        why: (&'static str, &'static str),
    ) -> Step<T> {
        let why = Words::from(why);
        let incident = NewIncident::new(IncidentKind::Unrepaired, why.clone());
        self.note(incident.about(position.to_string())).await?;
        Ok(Err(Outcome::Unrepaired(why)))
    }

    async fn note_mending(&self, mending: &v1::Mending) -> Result<(), ProofError> {
        let incident = NewIncident::new(IncidentKind::NodeMended, words::node_mended(mending));
        self.note(incident.about(mending.at_ms.to_string())).await
    }

    async fn note(&self, incident: NewIncident) -> Result<(), ProofError> {
        let village = self.village;
        let noted = self
            .on_dataset(move |dataset| dataset.note_incident(village, &incident, clock::now_ms()));
        Ok(noted.await??)
    }

    async fn on_dataset<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn HubsOwn) -> T + Send + 'static,
    ) -> Result<T, world::Stopping> {
        let dataset = Arc::clone(self.dataset);
        world::blocking(move || work(&*dataset)).await
    }
}

/// Whether two positions have seen the same history. The epoch may have moved
/// on without an entry.
pub(crate) fn same_place(one: &Position, other: &Position) -> bool {
    Position { epoch: other.epoch, ..*one } == *other
}

fn unanswered<T>(status: &Status) -> Step<T> {
    match status.code() {
        Code::DataLoss => Err(ProofError::NodeDisk),
        _ => Ok(Err(Outcome::Unanswered)),
    }
}

/// The repair behind a fetched record, if it is what its part of the sum says.
fn repair_of(id: RecordId, item: &v1::FetchItem, differing: &Differing) -> Option<Repair> {
    if item.id.as_ref() != id.as_bytes() {
        return None;
    }
    if item.seq == 0 {
        return differing.told.is_none().then_some(Repair::Drop(id));
    }
    let salt = Salt::default();
    let payload = match item.withheld {
        false => Payload::Present { salt, bytes: item.payload.clone() },
        true => Payload::Withheld { digest: [0; 32] },
    };
    let header = Header {
        seq: Seq(item.seq),
        id,
        kind: KindCode(u16::try_from(item.kind).ok()?),
        schema: u16::try_from(item.schema).ok()?,
        operation: Operation::from_number(u8::try_from(item.operation).ok()?)?,
        time_ms: item.time_ms,
        actor: Arc::from(item.actor.as_str()),
        source: Source(u8::try_from(item.source).ok()?),
    };
    let entry = Entry { header, payload };
    let hash = entry.content_hash();
    let alive = entry.header.operation != Operation::Delete;
    let fingerprint = hash.map(Fingerprint::from).unwrap_or_default();
    let part = alive.then_some(Part { fingerprint, records: 1 });
    (part == differing.told).then(|| Repair::Put(decode::change(entry, hash)))
}
