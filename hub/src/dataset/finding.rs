//! What villages' records contradict each other about, with both claims.

use lumbung_domain::id::RecordId;
use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Seq, Source};

use super::FirstEntry;

/// What two villages' records contradict each other about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FindingKind {
    /// The same NIK belongs to a living resident in two villages.
    NikGanda = 1,
    /// The same family card number is in use in two villages.
    KkGanda = 2,
    /// A move out to a village of this kabupaten with no move in there.
    PindahTanpaDatang = 3,
    /// A move in from a village of this kabupaten with no move out there.
    DatangTanpaPindah = 4,
}

impl FindingKind {
    /// Every kind, by number.
    pub const ALL: [Self; 4] =
        [Self::NikGanda, Self::KkGanda, Self::PindahTanpaDatang, Self::DatangTanpaPindah];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NikGanda => "nik_ganda",
            Self::KkGanda => "kk_ganda",
            Self::PindahTanpaDatang => "pindah_tanpa_datang",
            Self::DatangTanpaPindah => "datang_tanpa_pindah",
        }
    }
}

/// Which findings are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct FindingsAsked {
    /// Only those that are open.
    pub open_only: bool,
    /// Only of this kind.
    pub kind: Option<FindingKind>,
    /// Only those with lower numbers.
    pub before: Option<i64>,
}

/// How many findings there are of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingCounts(pub Vec<(FindingKind, FindingCount)>);

/// How many findings there are of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FindingCount {
    /// That are open.
    pub open: u64,
    /// That ever were.
    pub all: u64,
}

impl FindingCounts {
    /// Of one kind, or of all.
    #[must_use]
    pub fn of(&self, kind: Option<FindingKind>) -> FindingCount {
        let counts = self.0.iter().filter(|(each, _)| kind.is_none_or(|kind| kind == *each));
        counts.fold(FindingCount::default(), |sum, (_, count)| FindingCount {
            open: sum.open + count.open,
            all: sum.all + count.all,
        })
    }
}

/// One side of a finding, with its provenance.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Which village claims.
    pub village: VillageCode,
    /// The record that claims.
    pub id: RecordId,
    /// The entry that wrote it.
    pub seq: Seq,
    /// When, the node's wall clock.
    pub time_ms: i64,
    /// Who wrote it.
    pub actor: String,
    /// Where it came from.
    pub source: Source,
    /// Who made the record; `None` = the hub has never seen.
    pub first: Option<FirstEntry>,
}

/// A contradiction between villages. Reported, never decided by the hub.
#[derive(Clone, Debug)]
pub struct CrossFinding {
    /// Number in the list.
    pub number: i64,
    /// What kind.
    pub kind: FindingKind,
    /// The identity number both sides name (NIK or KK digits): specific
    /// personal data, masked by whoever shows it.
    pub key: u64,
    /// The claims: two for duplicates, one for a move without its pair.
    pub claims: Vec<Claim>,
    /// For a move: the village named at the other end.
    pub other_village: Option<VillageCode>,
    /// First seen, hub clock, Unix milliseconds.
    pub since_ms: i64,
    /// When the records agreed again; `None` = still open.
    pub closed_ms: Option<i64>,
}
