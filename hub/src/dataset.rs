//! The boundary of the district's dataset.
//!
//! Promises of every implementation:
//! * [`Dataset::merge`] is one transaction: rows, positions, fingerprints,
//!   quarantine and findings of all its batches become durable together or
//!   not at all, and the outcome is returned only once they are.
//! * A row is replaced only by a higher (epoch, seq); merging a batch twice
//!   changes nothing.
//! * The original payload bytes are kept for every record, of kinds this
//!   version doesn't know too.
//!
//! Methods block; async callers use a blocking thread. SQL and its client
//! are named below this module only.

pub mod alerts;
pub mod bits;
pub mod care;
mod content;
pub mod damaged;
pub mod erasures;
mod facts;
mod finding;
mod first_entry;
mod gap;
mod incident;
pub mod lineage;
pub mod notices;
mod outline;
mod outline_sums;
pub mod publications;
mod recovery;
mod row;
pub mod search;
pub mod sqlite;
mod stated;
mod trail;
pub mod turns;
mod village;
pub mod watch;

use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::id::{Kind, KindCode, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_ledger::fingerprint::ContentHash;
use lumbung_ledger::{ChainTag, Epoch, Fingerprint, Operation, Position, Seq, Source};

pub use crate::access::scope::{HubsOwn, Scope};
pub use alerts::{Alerts, KnownAlert, Letter, Maintenance};
pub use care::{Care, Hold, Remark};
pub use content::{Repair, RowContent};
pub use damaged::{Damaged, DamagedStore};
pub use facts::{
    FactsFamily, FactsHouse, FactsRegion, FactsResident, HouseRemark, Masa, VillageFacts,
};
pub use finding::{Claim, CrossFinding, FindingCount, FindingCounts, FindingKind, FindingsAsked};
pub use first_entry::{FIRST_WITHIN_MS, FirstEntry};
pub use incident::{Incident, IncidentKind, NewIncident};
pub use notices::Notices;
pub use publications::{Publication, Publications, PublishedRegion, PublishedSheet};
pub use recovery::{After, Delivered, HandedBack, Outcome, Recovery, SetAside, Told, Why};
pub use row::{
    DasawismaRow, DusunRow, KeluargaRow, MutasiRow, PernyataanJumlahRow, Row, RtRow,
    RumahTanggaRow, RwRow, TandaTerimaRow, WargaRow,
};
pub use search::Search;
pub use stated::Stated;
pub use village::{ContactNote, DeepProof, STICK_FRESH_MS, Stick, VillageState, is_fresh_by_stick};
pub use watch::{Away, Heard, Narahubung, Upkeep, Watch};

/// One verified change, ready to be stored.
#[derive(Clone, Debug)]
pub struct Change {
    /// The record.
    pub id: RecordId,
    /// Its kind, known to this version or not.
    pub kind: KindCode,
    /// Schema version of the payload.
    pub schema: u16,
    /// The entry's number.
    pub seq: Seq,
    /// What the entry does.
    pub operation: Operation,
    /// The node's wall clock, Unix milliseconds.
    pub time_ms: i64,
    /// Who made the change.
    pub actor: Arc<str>,
    /// Where it came from.
    pub source: Source,
    /// The payload as it came.
    pub bytes: Bytes,
    /// Hash of the content; `None` for deletes and withheld content.
    pub hash: Option<ContentHash>,
    /// What to do with it.
    pub content: Content,
}

impl Change {
    /// Whether it ends its record for ever, on request.
    #[must_use]
    pub fn is_erasure(&self) -> bool {
        self.operation == Operation::Delete && self.source == Source::ERASURE
    }

    /// Whether it says that its record is there without saying what is in it.
    #[must_use]
    pub fn is_withheld(&self) -> bool {
        self.hash.is_none() && self.operation != Operation::Delete
    }
}

/// What a change holds, as far as this version can tell.
#[derive(Clone, Debug)]
pub enum Content {
    /// A record of a known kind with its typed columns.
    Row(Row),
    /// A record of a kind this version doesn't know; kept whole.
    UnknownKind,
    /// The record ends.
    Tombstone,
    /// This hub can't take the record; it goes to quarantine with the reason
    /// (a sentence without personal data) and the stream moves on.
    Quarantined(String),
}

/// A verified batch of one village.
#[derive(Clone, Debug)]
pub struct MergeBatch {
    /// Whose records these are: the session's village, never the message's.
    pub village: VillageCode,
    /// The position the batch continues from.
    pub prev: Position,
    /// The position after it.
    pub last: Position,
    /// Its changes in order.
    pub changes: Vec<Change>,
    /// The chain where each save among them ends, as far as that is known.
    pub chains: Vec<(Seq, ChainTag)>,
}

/// What became durable for one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The village's position now.
    pub position: Position,
    /// The sum over all its records now.
    pub fingerprint: Fingerprint,
    /// Its living records now.
    pub records: u64,
    /// Entries that went to quarantine with this batch, but for those whose content
    /// the village has thinned out.
    pub quarantined: u64,
}

/// Why the dataset could not do something. Nothing half-applies.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The batch does not continue from the stored position.
    #[error("village {village} stands at {stored:?}, the batch continues from {prev}")]
    NotNext {
        /// Whose.
        village: VillageCode,
        /// The stored position, if any.
        stored: Option<Position>,
        /// What the batch claims.
        prev: Box<Position>,
    },
    /// The village is not in this hub's list.
    #[error("village {0} is not registered at this hub")]
    UnknownVillage(VillageCode),
    /// The store failed; the transaction was rolled back.
    #[error("the dataset can't be read or written")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file was written by a newer version.
    #[error("the dataset has format {found}, this version knows {known}")]
    NewerFormat {
        /// What the file says.
        found: u32,
        /// What this build writes.
        known: u32,
    },
}

/// One record as the dataset keeps it, for `show` and `query`.
#[derive(Clone, Debug)]
pub struct StoredRecord {
    /// Whose.
    pub village: VillageCode,
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: KindCode,
    /// Schema version of the payload.
    pub schema: u16,
    /// The entry that wrote it.
    pub seq: Seq,
    /// The node's wall clock then.
    pub time_ms: i64,
    /// Who.
    pub actor: String,
    /// Where from.
    pub source: Source,
    /// The payload as it came.
    pub bytes: Bytes,
    /// The epoch it was merged in; 0 for what is left of a closed log, which
    /// counts in no sum.
    pub epoch: Epoch,
}

/// Which records to read. Regions below the village are ids of that village.
#[derive(Clone, Debug)]
pub struct RecordFilter {
    /// Of these villages.
    pub scope: Scope,
    /// Of this kind; `None` = every kind, unknown ones too.
    pub kind: Option<Kind>,
    /// After this record (paging), in (village, id) order.
    pub after: Option<(VillageCode, RecordId)>,
    /// At most so many.
    pub limit: u32,
}

/// An entry this hub could not take.
#[derive(Clone, Debug)]
pub struct QuarantinedEntry {
    /// Number in the quarantine list.
    pub number: i64,
    /// Whose.
    pub village: VillageCode,
    /// The entry.
    pub seq: Seq,
    /// The record it belongs to.
    pub id: RecordId,
    /// Its kind.
    pub kind: KindCode,
    /// Why, a sentence without personal data.
    pub reason: String,
    /// Since when, hub clock, Unix milliseconds.
    pub since_ms: i64,
    /// Size of the payload, bytes.
    pub bytes: u64,
    /// Of a closed log: it counts in no sum.
    pub left_over: bool,
}

/// Sums over the whole dataset for the console's head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Living residents.
    pub warga: u64,
    /// Living rumah tangga.
    pub rumah_tangga: u64,
    /// Living records of every kind.
    pub records: u64,
    /// Open findings.
    pub findings: u64,
    /// Entries in quarantine, but for those whose content their village has thinned
    /// out.
    pub quarantined: u64,
}

/// The district's dataset. See the module for what every implementation
/// promises.
pub trait Dataset:
    Recovery + Damaged + Search + Watch + Care + Alerts + Notices + Publications + Send + Sync + 'static
{
    /// Registers a village or changes its address.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn register(&self, village: VillageCode, address: &str) -> Result<(), DatasetError>;

    /// Every registered village, by code.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn villages(&self) -> Result<Vec<VillageState>, DatasetError>;

    /// One registered village.
    ///
    /// # Errors
    /// [`DatasetError::UnknownVillage`], [`DatasetError::Store`].
    fn village(&self, village: VillageCode) -> Result<VillageState, DatasetError>;

    /// Merges verified batches in one transaction, in their order. A batch
    /// that does not continue from its village's stored position gets its own
    /// error and changes nothing; the others are merged all the same.
    ///
    /// # Errors
    /// The outer error means that the whole transaction was rolled back.
    fn merge(
        &self,
        batches: &[MergeBatch],
        now_ms: i64,
    ) -> Result<Vec<Result<Merged, DatasetError>>, DatasetError>;

    /// Continues a village at another position than the stored one, after its
    /// log was restarted: a later epoch that forks off at or below it, or a
    /// new log. Rows stay; those of another log count as older than anything
    /// the new log says.
    ///
    /// # Errors
    /// [`DatasetError::UnknownVillage`], [`DatasetError::Store`].
    fn resume_at(&self, village: VillageCode, position: Position) -> Result<(), DatasetError>;

    /// Notes contacts, proofs and troubles of several villages.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn note_contacts(&self, notes: &[(VillageCode, ContactNote)]) -> Result<(), DatasetError>;

    /// What the rows of a village amount to, at one moment. Every payload is
    /// hashed again and every typed column compared with its payload.
    ///
    /// # Errors
    /// [`DatasetError::UnknownVillage`], [`DatasetError::Store`].
    fn content(&self, village: VillageCode) -> Result<RowContent, DatasetError>;

    /// Stores the repairs of a village that stands at `at`, whatever is there
    /// of their records, counts every sum from the rows again and notes the
    /// incident, in one transaction. Without repairs only the sums are
    /// counted.
    ///
    /// # Errors
    /// [`DatasetError::NotNext`] when the village has moved on from `at`;
    /// [`DatasetError::UnknownVillage`], [`DatasetError::Store`]. Nothing
    /// changed then.
    fn repair(
        &self,
        village: VillageCode,
        at: &Position,
        repairs: &[Repair],
        incident: &NewIncident,
        now_ms: i64,
    ) -> Result<Merged, DatasetError>;

    /// Asks the running hub to prove a village's rows against its log now.
    ///
    /// # Errors
    /// [`DatasetError::UnknownVillage`], [`DatasetError::Store`].
    fn ask_proof(&self, village: VillageCode, now_ms: i64) -> Result<(), DatasetError>;

    /// What the recap needs of one village, at one consistent moment.
    ///
    /// # Errors
    /// [`DatasetError::UnknownVillage`], [`DatasetError::Store`].
    fn facts(&self, scope: &Scope, village: VillageCode) -> Result<VillageFacts, DatasetError>;

    /// What is remarked of the living residents of these houses, in id order.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn remarks(
        &self,
        scope: &Scope,
        village: VillageCode,
        houses: &[RecordId],
    ) -> Result<Vec<HouseRemark>, DatasetError>;

    /// Records in (village, id) order.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn records(&self, filter: &RecordFilter) -> Result<Vec<StoredRecord>, DatasetError>;

    /// One record, if its village is of the scope.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn record(
        &self,
        scope: &Scope,
        village: VillageCode,
        id: RecordId,
    ) -> Result<Option<StoredRecord>, DatasetError>;

    /// Who made a record that somebody has changed since, if its village is of
    /// the scope and the hub saw it.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn first_entry(
        &self,
        scope: &Scope,
        village: VillageCode,
        id: RecordId,
    ) -> Result<Option<FirstEntry>, DatasetError>;

    /// The quarantine, oldest first.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn quarantine(&self, scope: &Scope) -> Result<Vec<QuarantinedEntry>, DatasetError>;

    /// The same from the number after `after` on.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn quarantine_after(
        &self,
        scope: &Scope,
        after: i64,
        limit: u32,
    ) -> Result<Vec<QuarantinedEntry>, DatasetError>;

    /// One entry in quarantine, if it is of a village of the scope.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn quarantined(
        &self,
        scope: &Scope,
        number: i64,
    ) -> Result<Option<QuarantinedEntry>, DatasetError>;

    /// The payload of one quarantined entry of a village of the scope, to try
    /// it again after a fix.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn quarantined_change(
        &self,
        scope: &Scope,
        number: i64,
    ) -> Result<Option<Change>, DatasetError>;

    /// Merges a quarantined entry that can now be taken and removes it from
    /// the quarantine. A newer row of the same record stays. An entry that
    /// still can't be taken stays in the quarantine with its new reason.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn release(&self, number: i64, change: &Change, now_ms: i64) -> Result<(), DatasetError>;

    /// Contradictions in which a village of the scope has a part, newest
    /// first.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn findings(
        &self,
        scope: &Scope,
        open_only: bool,
        limit: u32,
    ) -> Result<Vec<CrossFinding>, DatasetError>;

    /// The same of one kind only and with lower numbers than `before`.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn findings_before(
        &self,
        scope: &Scope,
        asked: &FindingsAsked,
        limit: u32,
    ) -> Result<Vec<CrossFinding>, DatasetError>;

    /// How many contradictions of each kind a village of the scope has a part
    /// in: those that are open, and all.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn count_findings(&self, scope: &Scope) -> Result<FindingCounts, DatasetError>;

    /// One contradiction, if a village of the scope has a part in it.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn finding(&self, scope: &Scope, number: i64) -> Result<Option<CrossFinding>, DatasetError>;

    /// Notes what happened to a village; see [`NewIncident`].
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn note_incident(
        &self,
        village: VillageCode,
        incident: &NewIncident,
        at_ms: i64,
    ) -> Result<(), DatasetError>;

    /// Incidents of the scope's villages, newest first.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn incidents(&self, scope: &Scope, limit: u32) -> Result<Vec<Incident>, DatasetError>;

    /// Sums over the scope's villages.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn totals(&self, scope: &Scope) -> Result<Totals, DatasetError>;
}
