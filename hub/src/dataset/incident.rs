//! Incidents: what happened to a village's link or data that the operator
//! should know of, with the evidence in words.
//!
//! A trouble is a state that passes; an incident stays in the list. Kinds
//! have stable codes. The sentence is made where the thing is noticed and is
//! kept as it was said, in both languages: what happened, whether the data is safe, what to do,
//! with positions, counts and times; never anything about a person.

use lumbung_domain::region::VillageCode;

use crate::words::Words;

/// What kind of thing happened. Codes never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IncidentKind {
    /// The node lost the end of its log; what was lost is handed back.
    LostTail,
    /// The node was restored and written past; both branches are kept.
    Forked,
    /// Records of a lost branch were handed back to the village.
    Returned,
    /// The machine was reinstalled; a new log begins.
    Reinstalled,
    /// The machine was rebuilt from the district's data.
    Rebuilt,
    /// The hub itself came back older than what it had confirmed.
    HubBehind,
    /// The node's disk shows an older contact than the last one.
    Rewound,
    /// Two machines answer for one village.
    Twin,
    /// An operator said that only one machine is left.
    TwinResolved,
    /// An operator handed the records of a closed log back to the village.
    LeftoversReturned,
    /// An operator ended the records of a closed log.
    LeftoversForgotten,
    /// Rows or sums of the hub were put right from the village's log.
    RowsRepaired,
    /// The node put right what it had derived from its log.
    NodeMended,
    /// The node's log does not prove itself.
    LogBroken,
    /// A difference could not be put right.
    Unrepaired,
    /// A dataset file put back from older media held erased records; they
    /// were erased again.
    ErasedAgain,
    /// The audit log does not pass through what a village was shown before.
    AuditRewritten,
    /// The audit log is shorter than what a village was shown before.
    AuditBehind,
}

impl IncidentKind {
    /// Every kind with its code and its heading.
    const TABLE: &[(Self, &str, &str)] = &[
        (Self::LostTail, "ekor_hilang", "Catatan terakhir desa hilang"),
        (Self::Forked, "bercabang", "Riwayat desa bercabang"),
        (Self::Returned, "dikembalikan", "Catatan dikembalikan ke desa"),
        (Self::Reinstalled, "dipasang_ulang", "Node dipasang ulang"),
        (Self::Rebuilt, "dibangun_ulang", "Node dibangun ulang dari data kabupaten"),
        (Self::HubBehind, "hub_mundur", "Hub mundur"),
        (Self::Rewound, "disk_mundur", "Disk dipulihkan atau digandakan"),
        (Self::Twin, "kembar", "Dua komputer untuk satu desa"),
        (Self::TwinResolved, "kembar_selesai", "Tinggal satu komputer"),
        (Self::LeftoversReturned, "sisa_dikembalikan", "Catatan lama dikembalikan"),
        (Self::LeftoversForgotten, "sisa_diakhiri", "Catatan lama diakhiri"),
        (Self::RowsRepaired, "diperbaiki", "Isi di hub diperbaiki"),
        (Self::NodeMended, "disusun_ulang", "Node menyusun ulang isinya dari log"),
        (Self::LogBroken, "log_rusak", "Log desa rusak"),
        (Self::Unrepaired, "belum_diperbaiki", "Perbedaan belum bisa diperbaiki"),
        (Self::ErasedAgain, "hapus_ulang", "Penghapusan diulang"),
        (Self::AuditRewritten, "buku_ditulis_ulang", "Buku catatan kabupaten ditulis ulang"),
        (Self::AuditBehind, "buku_mundur", "Buku catatan kabupaten mundur"),
    ];

    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::TABLE.iter().map(|(kind, ..)| *kind)
    }

    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.row().1
    }

    /// A few words for a list.
    #[must_use]
    pub fn heading(self) -> &'static str {
        self.row().2
    }

    /// The heading in English.
    #[must_use]
    pub const fn heading_en(self) -> &'static str {
        match self {
            Self::LostTail => "Last records of the village lost",
            Self::Forked => "History of the village forked",
            Self::Returned => "Records handed back to the village",
            Self::Reinstalled => "Node reinstalled",
            Self::Rebuilt => "Node rebuilt from the district's data",
            Self::HubBehind => "Hub went back in time",
            Self::Rewound => "Disk restored or copied",
            Self::Twin => "Two machines for one village",
            Self::TwinResolved => "One machine is left",
            Self::LeftoversReturned => "Old records handed back",
            Self::LeftoversForgotten => "Old records ended",
            Self::RowsRepaired => "Rows at the hub repaired",
            Self::NodeMended => "Node rebuilt its content from the log",
            Self::LogBroken => "Village's log is broken",
            Self::Unrepaired => "A difference could not be repaired",
            Self::ErasedAgain => "Erased again",
            Self::AuditRewritten => "The district's audit log was rewritten",
            Self::AuditBehind => "The district's audit log went back",
        }
    }

    /// The kind behind a code; `None` for one of another version.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::all().find(|kind| kind.code() == code)
    }

    fn row(self) -> &'static (Self, &'static str, &'static str) {
        // The test below proves that every kind has its row.
        Self::TABLE.iter().find(|(kind, ..)| *kind == self).unwrap_or(&Self::TABLE[0])
    }
}

/// An incident as it is noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIncident {
    /// What kind.
    pub kind: IncidentKind,
    /// What happened, with the evidence. No personal data.
    pub sentence: Words,
    /// What it is about, so that the same thing noticed again is not noted
    /// again: of one village, kind and subject there is one incident. Empty =
    /// always noted.
    pub subject: String,
}

impl NewIncident {
    /// An incident that is noted each time it happens.
    #[must_use]
    pub const fn new(kind: IncidentKind, sentence: Words) -> Self {
        Self { kind, sentence, subject: String::new() }
    }

    /// Notes it once for this subject.
    #[must_use]
    pub fn about(self, subject: String) -> Self {
        Self { subject, ..self }
    }
}

/// An incident in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Number in the list.
    pub number: i64,
    /// Whose.
    pub village: VillageCode,
    /// The code of its kind, known to this version or not.
    pub code: String,
    /// What happened, in Bahasa Indonesia.
    pub sentence: String,
    /// The same in English; empty for what versions before that noted.
    pub sentence_en: String,
    /// When it was noticed, hub clock, Unix milliseconds.
    pub at_ms: i64,
}

impl Incident {
    /// A few words for a list.
    #[must_use]
    pub fn heading(&self) -> &str {
        match IncidentKind::from_code(&self.code) {
            Some(kind) => kind.heading(),
            None => &self.code,
        }
    }

    /// What happened, in English; its heading where no more was noted.
    #[must_use]
    pub fn english(&self) -> &str {
        if self.sentence_en.is_empty() { self.heading_en() } else { &self.sentence_en }
    }

    /// The same in English.
    #[must_use]
    pub fn heading_en(&self) -> &str {
        match IncidentKind::from_code(&self.code) {
            Some(kind) => kind.heading_en(),
            None => &self.code,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_kind_has_a_code_and_a_heading_of_its_own() {
        for kind in IncidentKind::all() {
            assert_eq!(IncidentKind::from_code(kind.code()), Some(kind));
        }
        let count = IncidentKind::all().count();
        let codes: HashSet<_> = IncidentKind::all().map(IncidentKind::code).collect();
        let headings: HashSet<_> = IncidentKind::all().map(IncidentKind::heading).collect();
        assert_eq!((codes.len(), headings.len()), (count, count));
        // The last kind of the enum: a kind without a row would be missed.
        assert_eq!(count, IncidentKind::AuditBehind as usize + 1);
    }
}
