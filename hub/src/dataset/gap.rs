//! What can be missing of a record, or contradict itself. What is counted and
//! what a search finds is told by the same rule (`outline_sums.rs`).

use lumbung_domain::id::Kind;

use super::search::VillageQuality;

/// One kind of gap. Residents count while they live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// A resident without a NIK.
    Nik,
    /// A resident whose NIK says another birth date or sex.
    NikContradicts,
    /// A resident without a birth date.
    Birth,
    /// A resident on no family card in a known house.
    Unplaced,
    /// A family with living residents of whom none is the head.
    Head,
    /// A family without a card number.
    CardNumber,
    /// A card in use on which nobody living stands.
    EmptyCard,
    /// A house in no dasawisma of its RT.
    Dasawisma,
    /// A house whose declared head is no living resident there.
    HeadElsewhere,
    /// A house declared healthy that lacks a latrine, a drain or a waste place.
    HealthyDoubtful,
    /// A house of which nobody said where its water comes from.
    Water,
    /// A house of which nobody said how many latrines it has.
    Latrines,
}

impl Gap {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::Nik,
        Self::NikContradicts,
        Self::Birth,
        Self::Unplaced,
        Self::Head,
        Self::CardNumber,
        Self::EmptyCard,
        Self::Dasawisma,
        Self::HeadElsewhere,
        Self::HealthyDoubtful,
        Self::Water,
        Self::Latrines,
    ];

    /// The stable code, for addresses.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Nik => "nik",
            Self::NikContradicts => "nik_beda",
            Self::Birth => "tanggal_lahir",
            Self::Unplaced => "tempat",
            Self::Head => "kepala",
            Self::CardNumber => "nomor_kk",
            Self::EmptyCard => "kk_kosong",
            Self::Dasawisma => "dasawisma",
            Self::HeadElsewhere => "kepala_di_luar",
            Self::HealthyDoubtful => "sehat_diragukan",
            Self::Water => "sumber_air",
            Self::Latrines => "jumlah_mck",
        }
    }

    /// The gap with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|gap| gap.code() == code)
    }

    /// What kind of record has it.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Nik | Self::NikContradicts | Self::Birth | Self::Unplaced => Kind::Warga,
            Self::Head | Self::CardNumber | Self::EmptyCard => Kind::Keluarga,
            Self::Dasawisma
            | Self::HeadElsewhere
            | Self::HealthyDoubtful
            | Self::Water
            | Self::Latrines => Kind::RumahTangga,
        }
    }

    /// How many records of a village have it, and of how many.
    #[must_use]
    pub const fn of(self, it: &VillageQuality) -> (u32, u32) {
        let count = match self {
            Self::Nik => it.without_nik,
            Self::NikContradicts => it.nik_contradicts,
            Self::Birth => it.without_birth,
            Self::Unplaced => it.unplaced,
            Self::Head => it.without_head,
            Self::CardNumber => it.without_number,
            Self::EmptyCard => it.empty_families,
            Self::Dasawisma => it.without_dasawisma,
            Self::HeadElsewhere => it.head_elsewhere,
            Self::HealthyDoubtful => it.healthy_doubtful,
            Self::Water => it.without_water,
            Self::Latrines => it.without_latrines,
        };
        let all = match self.kind() {
            Kind::Keluarga => it.families,
            Kind::RumahTangga => it.houses,
            _ => it.residents,
        };
        (count, all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_offers_every_gap() {
        let known = Gap::ALL.map(|gap| (gap.code(), gap.kind()));
        assert_eq!(crate::ctl::GAPS, known);
    }
}
