//! Witnesses of the audit log: what villages' nodes hold of its head.
//!
//! A chain alone can't show that its end was cut off or that all of it was
//! written anew. So every node keeps the newest head it was shown, and at
//! each contact the hub must show that its log still passes through that
//! head. A node that is shown something else keeps both and says so.

use lumbung_domain::region::VillageCode;

use super::audit::AuditHead;
use crate::dataset::{DatasetError, IncidentKind, NewIncident};
use crate::words::Words;

/// What a node holds against the hub's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The log does not pass through a head that the node was shown before.
    Rewritten,
    /// The log is shorter than it was: the hub came back from an older copy.
    Behind,
    /// The hub went on without ever showing that it passes through the head
    /// the node holds.
    Unshown,
}

impl Doubt {
    /// As it is stored and sent; 0 is none.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Rewritten => 1,
            Self::Behind => 2,
            Self::Unshown => 3,
        }
    }

    /// The doubt behind a number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Rewritten),
            2 => Some(Self::Behind),
            3 => Some(Self::Unshown),
            _ => None,
        }
    }
}

/// A doubt with what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubted {
    /// What kind.
    pub doubt: Doubt,
    /// The head that the node held.
    pub held: AuditHead,
    /// What the hub showed instead.
    pub shown: AuditHead,
}

impl Doubted {
    /// The incident for the operator; noted once per village and head.
    #[must_use]
    pub fn incident(&self) -> NewIncident {
        let (held, shown) = (self.held.seq, self.shown.seq);
        let (kind, words) = match self.doubt {
            Doubt::Rewritten => (
                IncidentKind::AuditRewritten,
                Words::new(
                    format!(
                        "Desa ini memegang sidik buku catatan operator sampai nomor {held}, dan \
                         buku di hub tidak lagi melewatinya: isinya pernah ditulis ulang. Data \
                         desa tidak terpengaruh. Jalankan lumbung-hubctl audit verify dan laporkan \
                         ke atasan."
                    ),
                    format!(
                        "This village holds the digest of the operators' log up to entry {held}, \
                         and the log at the hub no longer passes through it: it was written anew. \
                         The village's data is not touched. Run lumbung-hubctl audit verify and \
                         report it."
                    ),
                ),
            ),
            Doubt::Behind => (
                IncidentKind::AuditBehind,
                Words::new(
                    format!(
                        "Buku catatan operator di hub lebih pendek (nomor {shown}) daripada yang \
                         dipegang desa ini (nomor {held}): hub kembali dari cadangan lama. Data \
                         desa tidak terpengaruh. Bila hub tidak dipulihkan, laporkan ke atasan."
                    ),
                    format!(
                        "The operators' log at the hub is shorter (entry {shown}) than what this \
                         village holds (entry {held}): the hub came back from an older backup. The \
                         village's data is not touched. If the hub was not restored, report it."
                    ),
                ),
            ),
            Doubt::Unshown => (
                IncidentKind::AuditRewritten,
                Words::new(
                    format!(
                        "Hub tidak menunjukkan bahwa buku catatan operator masih melewati nomor \
                         {held} yang dipegang desa ini. Data desa tidak terpengaruh. Jalankan \
                         lumbung-hubctl audit verify dan laporkan ke atasan."
                    ),
                    format!(
                        "The hub does not show that the operators' log still passes through entry \
                         {held}, which this village holds. The village's data is not touched. Run \
                         lumbung-hubctl audit verify and report it."
                    ),
                ),
            ),
        };
        let hash = blake3::Hash::from(self.held.hash).to_hex();
        NewIncident::new(kind, words).about(format!("{held}:{}", &hash[..16]))
    }
}

/// What one village witnessed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Which village.
    pub village: VillageCode,
    /// The head its node holds.
    pub held: AuditHead,
    /// When it told, hub clock, Unix milliseconds.
    pub at_ms: i64,
    /// What it holds against the log.
    pub doubted: Option<Doubted>,
}

/// What villages witnessed. Durable when it returns.
pub trait Witnesses: Send + Sync + 'static {
    /// What one village witnessed last.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn witness(&self, village: VillageCode) -> Result<Option<Witness>, DatasetError>;

    /// What all of them witnessed last, by code.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn witnesses(&self) -> Result<Vec<Witness>, DatasetError>;

    /// Keeps what a village witnessed.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn keep_witness(&self, witness: &Witness) -> Result<(), DatasetError>;
}
