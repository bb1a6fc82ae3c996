//! What can be wrong with a village: stable codes, and what to tell people.

use crate::reason::{trouble_en, trouble_todo};
use crate::words::Words;

/// A trouble that the operator sees. Codes never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A node of another village answers at the address.
    OtherVillage,
    /// The node speaks no protocol version this hub speaks.
    Protocol,
    /// The node lost the end of its log, and is too old to recover from it.
    LostTail,
    /// The node's history differs from what was merged, and it is too old to
    /// recover from it.
    Forked,
    /// Two machines answer for the village.
    Twin,
    /// A batch was refused.
    BadBatch,
    /// A batch was made with a dictionary that this hub lacks.
    Dictionary,
    /// Merged, but the sums differ.
    Differs,
    /// The node's log does not prove itself.
    NodeLog,
    /// The node can't read its own barn.
    NodeDisk,
    /// The hub can't read or write its own dataset.
    HubDisk,
}

impl Trouble {
    /// Every trouble.
    pub const ALL: [Self; 11] = [
        Self::OtherVillage,
        Self::Protocol,
        Self::LostTail,
        Self::Forked,
        Self::Twin,
        Self::BadBatch,
        Self::Dictionary,
        Self::Differs,
        Self::NodeLog,
        Self::NodeDisk,
        Self::HubDisk,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::OtherVillage => "desa_lain",
            Self::Protocol => "versi_tak_cocok",
            Self::LostTail => "ekor_hilang",
            Self::Forked => "bercabang",
            Self::Twin => "kembar",
            Self::BadBatch => "batch_rusak",
            Self::Dictionary => "kamus_tak_dikenal",
            Self::Differs => "isi_beda",
            Self::NodeLog => "log_rusak",
            Self::NodeDisk => "disk_desa",
            Self::HubDisk => "disk_hub",
        }
    }

    /// The trouble behind a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trouble| trouble.code() == code)
    }

    /// Whether only a person can mend it: nothing is merged until then. The
    /// others may pass by themselves and are tried again like a lost link.
    #[must_use]
    pub const fn needs_a_person(self) -> bool {
        match self {
            Self::OtherVillage | Self::Protocol | Self::LostTail | Self::Forked | Self::Twin => {
                true
            }
            Self::BadBatch
            | Self::Dictionary
            | Self::Differs
            | Self::NodeLog
            | Self::NodeDisk
            | Self::HubDisk => false,
        }
    }

    /// What happened, in both languages.
    #[must_use]
    pub fn words(self) -> Words {
        Words::new(self.sentence(), trouble_en(self))
    }

    /// What happened, and whether the data is safe; what to do is in
    /// [`Self::todo`].
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::OtherVillage => {
                "Node desa lain menjawab di alamat ini. Tidak ada data yang diambil."
            }
            Self::Protocol => "Versi node dan hub tidak cocok. Data yang sudah tergabung aman.",
            Self::LostTail => {
                "Node kehilangan sebagian catatan terakhirnya, dan versinya terlalu lama untuk \
                 menerimanya kembali. Yang sudah tergabung aman di sini."
            }
            Self::Forked => {
                "Riwayat node berbeda dengan yang sudah tergabung, dan versinya terlalu lama untuk \
                 menyatukannya. Yang sudah tergabung aman."
            }
            Self::Twin => {
                "Dua komputer menjawab untuk desa ini. Penggabungan dihentikan; yang sudah \
                 tergabung aman."
            }
            Self::BadBatch => {
                "Kiriman dari node tidak lolos pemeriksaan dan ditolak utuh. Yang sudah tergabung \
                 aman."
            }
            Self::Dictionary => {
                "Node memakai kamus pemadatan yang tidak dikenal hub ini. Kiriman ditolak utuh; \
                 yang sudah tergabung aman."
            }
            Self::Differs => {
                "Isi di hub tidak sama dengan isi di desa. Hub sedang mencari bedanya sampai ke \
                 catatannya dan memperbaikinya dari log desa; penggabungan berjalan terus. Sampai \
                 itu selesai angka desa ini belum bisa dipercaya."
            }
            Self::NodeLog => {
                "Log di node rusak: tidak cocok dengan rantainya sendiri. Yang sudah tergabung \
                 aman dan tidak diubah."
            }
            Self::NodeDisk => "Node tidak bisa membaca disknya. Yang sudah tergabung aman.",
            Self::HubDisk => {
                "Hub tidak bisa menyimpan. Yang sudah tergabung dan yang ada di desa aman."
            }
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn todo(self) -> Words {
        trouble_todo(self)
    }
}

/// What waits for an operator's decision in a village that was reinstalled.
#[must_use]
pub fn waiting(leftovers: u64) -> Option<String> {
    (leftovers > 0).then(|| format!("Dipasang ulang, {leftovers} catatan lama menunggu keputusan."))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_leads_back_to_its_trouble() {
        for trouble in Trouble::ALL {
            assert_eq!(Trouble::from_code(trouble.code()), Some(trouble));
            assert!(trouble.sentence().ends_with('.') && trouble.todo().id.ends_with('.'));
        }
        assert_eq!(Trouble::from_code(""), None);
    }

    #[test]
    fn no_two_troubles_share_a_code_or_a_sentence() {
        let codes: HashSet<_> = Trouble::ALL.iter().map(|trouble| trouble.code()).collect();
        let sentences: HashSet<_> = Trouble::ALL.iter().map(|trouble| trouble.sentence()).collect();
        assert_eq!((codes.len(), sentences.len()), (Trouble::ALL.len(), Trouble::ALL.len()));
    }
}
