//! The part of the dataset that brings a village and the hub together again
//! after one of them went back in time.
//!
//! Promises of every implementation: nothing that was merged is thrown away.
//! A version that the village lost is kept in the *branch* before a later one
//! may take its place, and stays there with what became of it. Every method
//! that changes something is one transaction, with the incident that tells of
//! it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Epoch, Operation, Position, Seq, Source};

use super::{Change, DatasetError, NewIncident, Scope};
use crate::dataset::lineage::Meeting;
use crate::dataset::turns::Turn;

/// Makes an incident once it is known how many versions it concerns.
pub type Told<'a> = &'a (dyn Fn(u64) -> NewIncident + Sync);

/// Why a version lies in the branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The village lost that part of its log.
    LostBranch = 1,
    /// It is left over from a log that was closed, and an operator handed it
    /// back.
    Leftover = 2,
}

/// What became of a version in the branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has not been handed back yet.
    Waiting = 0,
    /// The village has written it anew.
    Applied = 1,
    /// The village had the same content.
    Equal = 2,
    /// The village's own stays.
    Conflict = 3,
    /// A later version of the record was handed back instead.
    Superseded = 4,
    /// An operator ended it.
    Forgotten = 5,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 6] = [
        Self::Waiting,
        Self::Applied,
        Self::Equal,
        Self::Conflict,
        Self::Superseded,
        Self::Forgotten,
    ];

    /// The outcome behind its number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| *outcome as u8 == number)
    }

    /// A few words for a list.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Waiting => "menunggu dikembalikan",
            Self::Applied => "dikembalikan",
            Self::Equal => "isi desa sudah sama",
            Self::Conflict => "isi desa yang dipakai",
            Self::Superseded => "versi lebih baru yang dikembalikan",
            Self::Forgotten => "diakhiri pengelola",
        }
    }
}

/// A version of a record in the branch.
#[derive(Clone, Debug)]
pub struct SetAside {
    /// Its number there.
    pub number: i64,
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: KindCode,
    /// Schema version of the content.
    pub schema: u16,
    /// The epoch it was merged in; 0 for what is left of a closed log.
    pub epoch: Epoch,
    /// The entry that wrote it.
    pub seq: Seq,
    /// What that entry did.
    pub operation: Operation,
    /// The node's wall clock then, Unix milliseconds.
    pub time_ms: i64,
    /// Who.
    pub actor: Arc<str>,
    /// Where from.
    pub source: Source,
    /// The content; empty for a delete.
    pub bytes: Bytes,
    /// The content never came.
    pub withheld: bool,
    /// The last entry known to be common to both branches.
    pub fork: Seq,
    /// Since when it lies here, hub clock, Unix milliseconds.
    pub at_ms: i64,
    /// What became of it.
    pub outcome: Outcome,
}

/// What a receipt says about one version.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// Its number in the branch.
    pub number: i64,
    /// What became of it.
    pub outcome: Outcome,
    /// What the village has instead, where a pull would not tell.
    pub held: Option<Change>,
    /// The village has no such record, and a pull would not tell.
    pub absent: bool,
}

/// What became of the versions that were set aside together last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandedBack {
    /// Written anew.
    pub applied: u64,
    /// Found equal.
    pub equal: u64,
    /// The village's own stayed.
    pub conflicts: u64,
}

/// Where to go on in a list of versions that wait.
pub type After = (Epoch, Seq, i64);

/// See the module.
pub trait Recovery {
    /// Where the hub stood before in the village's log, newest first.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn marks(&self, village: VillageCode) -> Result<Vec<Position>, DatasetError>;

    /// The positions in the village's log where saves ended, beyond the first
    /// and before the second of `ends`, in order, as far as the hub still knows
    /// them: all of the newest saves, none of old ones.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn passed(&self, village: VillageCode, ends: (Seq, Seq))
    -> Result<Vec<Position>, DatasetError>;

    /// Continues at `position`, a fork in a later epoch of the same log: every
    /// version beyond it goes into the branch, to be handed back. The rows
    /// stay until the new epoch replaces them. Gives how many versions wait
    /// to be handed back because of it.
    ///
    /// # Errors
    /// [`DatasetError::UnknownVillage`], [`DatasetError::Store`].
    fn branch_off(
        &self,
        village: VillageCode,
        position: Position,
        told: Told<'_>,
        now_ms: i64,
    ) -> Result<u64, DatasetError>;

    /// Continues at the origin of another log. Rows of the closed one stay
    /// readable, but count in no sum and no figure until the new log replaces
    /// them. Gives how many records that leaves over.
    ///
    /// # Errors
    /// [`DatasetError::UnknownVillage`], [`DatasetError::Store`].
    fn begin_log(
        &self,
        village: VillageCode,
        origin: Position,
        told: Told<'_>,
        now_ms: i64,
    ) -> Result<u64, DatasetError>;

    /// Versions to be handed back, in the order of their entries: those that
    /// were not yet, and those whose outcome has not been proven here yet: what
    /// the village wrote anew or kept of its own could still be lost there.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn undelivered(
        &self,
        scope: &Scope,
        village: VillageCode,
        after: Option<After>,
        limit: u32,
    ) -> Result<Vec<SetAside>, DatasetError>;

    /// Notes what a receipt says, and puts in place what the next pull would
    /// not tell. Gives how many versions still wait.
    ///
    /// # Errors
    /// [`DatasetError::UnknownVillage`], [`DatasetError::Store`].
    fn delivered(
        &self,
        village: VillageCode,
        receipt: &[Delivered],
        now_ms: i64,
    ) -> Result<u64, DatasetError>;

    /// As [`Recovery::delivered`], of a receipt that holds where the log ends at
    /// `at`. Nothing is noted when the hub stands elsewhere by now; says whether it
    /// stands there.
    ///
    /// # Errors
    /// [`DatasetError::UnknownVillage`], [`DatasetError::Store`].
    fn delivered_at(
        &self,
        village: VillageCode,
        at: &Position,
        receipt: &[Delivered],
        now_ms: i64,
    ) -> Result<bool, DatasetError>;

    /// Notes what became of the versions that wait where no receipt tells it: at
    /// `at` village and hub were proven to hold the same. Gives how many that are;
    /// none when the hub stands elsewhere by now.
    ///
    /// # Errors
    /// [`DatasetError::UnknownVillage`], [`DatasetError::Store`].
    fn judge_waiting(
        &self,
        village: VillageCode,
        at: &Position,
        now_ms: i64,
    ) -> Result<u64, DatasetError>;

    /// What became of the versions that were set aside together last.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn handed_back(&self, village: VillageCode) -> Result<HandedBack, DatasetError>;

    /// Everything in the branch of a village of the scope, newest first.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn branch(
        &self,
        scope: &Scope,
        village: VillageCode,
        limit: u32,
    ) -> Result<Vec<SetAside>, DatasetError>;

    /// Records left over from a closed log, by kind.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn leftovers(&self, village: VillageCode) -> Result<BTreeMap<KindCode, u64>, DatasetError>;

    /// Those of them that a machine that is rebuilt does not get back: whose
    /// person is in another village since, what was or may have been recorded
    /// anew, and what hangs on somebody who is gone.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn stay_behind(&self, village: VillageCode) -> Result<BTreeSet<RecordId>, DatasetError>;

    /// Puts what is left over into the branch, to be handed back. Gives how
    /// many records that are.
    ///
    /// # Errors
    /// [`DatasetError::UnknownVillage`], [`DatasetError::Store`].
    fn return_leftovers(
        &self,
        village: VillageCode,
        told: Told<'_>,
        now_ms: i64,
    ) -> Result<u64, DatasetError>;

    /// Ends what is left over. Gives how many records that are.
    ///
    /// # Errors
    /// [`DatasetError::UnknownVillage`], [`DatasetError::Store`].
    fn forget_leftovers(
        &self,
        village: VillageCode,
        told: Told<'_>,
        now_ms: i64,
    ) -> Result<u64, DatasetError>;

    /// The number of the village's next contact; see [`super::lineage`].
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn next_visit(&self, village: VillageCode, now_ms: i64) -> Result<u64, DatasetError>;

    /// Takes contact `visit` into the histories of contacts.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn visited(
        &self,
        village: VillageCode,
        visit: u64,
        shown: u64,
        incarnation: &[u8],
    ) -> Result<Meeting, DatasetError>;

    /// Leaves the history that stands at `left.0`, last heard of at `left.1`,
    /// for another one, whose log holds the positions that `holds` says it
    /// does; see [`super::turns`]. A twin is not noted: it is stopped.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn turned(
        &self,
        village: VillageCode,
        left: (Position, i64),
        now_ms: i64,
        holds: &dyn Fn(&Position) -> bool,
    ) -> Result<Turn, DatasetError>;

    /// Stops a village because two machines answer for it.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn stop_twin(
        &self,
        village: VillageCode,
        incident: &NewIncident,
        now_ms: i64,
    ) -> Result<(), DatasetError>;

    /// Lets a village go on that was stopped because of a twin, and forgets
    /// its histories of contacts. `false` when it was not stopped.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn resolve_twin(
        &self,
        village: VillageCode,
        incident: &NewIncident,
        now_ms: i64,
    ) -> Result<bool, DatasetError>;
}
