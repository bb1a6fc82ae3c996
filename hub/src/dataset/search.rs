//! Finding residents, families, houses and groups among the records.
//!
//! Every method takes the [`Scope`] of whoever asks. Answers are in the order
//! of names, then of villages and ids, and pages continue after the last line
//! of the page before, so that no line is shown twice or left out while the
//! dataset moves. What is looked through is the dataset as it stands when the
//! question comes. Lines hold names, never identity numbers and nothing of
//! specific data (UU 27/2022 Pasal 4).

use jiff::civil::Date;
use lumbung_domain::code_list::{Code, Shdk, StatusDasar};
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::identity::Nik;
use lumbung_domain::record::JenisKelamin;
use lumbung_domain::region::VillageCode;

pub use super::gap::Gap;
use super::{DatasetError, Scope, Stated};

/// Says that nothing of a village's records has changed since it was read
/// last: equal marks, equal rows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Mark(pub [u8; 16]);

/// Words of a name as they are compared: capitals, letters and digits only.
/// Each must begin a word of the name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// The words of what somebody typed.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(fold(text).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect())
    }

    /// Whether nothing was typed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The words.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// Names end in logs nowhere.
impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Words({})", self.0.len())
    }
}

/// A name as it is compared: capitals, apostrophes left out, whatever else is
/// no letter and no digit as one space.
#[must_use]
pub fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for letter in name.chars() {
        if matches!(letter, '\'' | '\u{2019}' | '`') {
            continue;
        }
        if letter.is_alphanumeric() {
            folded.extend(letter.to_uppercase());
        } else if !folded.is_empty() && !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// Which residents. Every condition that is set must hold.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct ResidentTerms {
    /// Of their name.
    pub words: Words,
    /// In this dusun, RW, RT or dasawisma.
    pub within: Option<RecordId>,
    /// Sex.
    pub jenis_kelamin: Option<JenisKelamin>,
    /// Born on this day or later, days since 1970-01-01.
    pub born_from: Option<i32>,
    /// Born on this day or earlier, days since 1970-01-01.
    pub born_until: Option<i32>,
    /// Number of `pendidikan_kk`.
    pub pendidikan: Option<u8>,
    /// Number of `pekerjaan`.
    pub pekerjaan: Option<u8>,
    /// Number of `agama`.
    pub agama: Option<u8>,
    /// Number of `status_kawin`.
    pub status_kawin: Option<u8>,
    /// Heads of families only.
    pub heads: bool,
    /// Without a NIK only.
    pub without_nik: bool,
    /// On no family card in a known house only.
    pub unplaced: bool,
    /// The dead and those who moved away too.
    pub gone_too: bool,
    /// With this gap only.
    pub gap: Option<Gap>,
}

/// Which houses.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct HouseTerms {
    /// Of the name of its head.
    pub words: Words,
    /// In this dusun, RW, RT or dasawisma.
    pub within: Option<RecordId>,
    /// These bits of [`crate::dataset::bits::house`] are set.
    pub with: u32,
    /// These are not.
    pub without: u32,
    /// In no dasawisma of their RT only.
    pub without_dasawisma: bool,
    /// With this gap only.
    pub gap: Option<Gap>,
}

/// Which families.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct FamilyTerms {
    /// Of the name of its head.
    pub words: Words,
    /// In this dusun, RW, RT or dasawisma.
    pub within: Option<RecordId>,
    /// Nobody on the card is its head.
    pub without_head: bool,
    /// Without a card number only.
    pub without_number: bool,
    /// With this gap only.
    pub gap: Option<Gap>,
}

/// Which RT or dasawisma.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlaceTerms {
    /// RT, dasawisma, RW or dusun.
    pub kind: Kind,
    /// Of its name or number.
    pub words: Words,
    /// In this dusun, RW or RT.
    pub within: Option<RecordId>,
}

/// Where a page ended.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bookmark {
    /// Name as compared.
    pub(super) name: String,
    /// Whose.
    pub(super) village: VillageCode,
    /// The record.
    pub(super) id: RecordId,
}

/// Which part of the answer.
#[derive(Clone)]
pub struct Slice {
    /// What comes after this.
    pub after: Option<Bookmark>,
    /// At most so many lines.
    pub limit: usize,
}

/// One page of an answer.
pub struct Found<T> {
    /// Its lines.
    pub lines: Vec<T>,
    /// How many the whole answer has.
    pub matched: u64,
    /// Where the next page begins; `None` = this is the last one.
    pub next: Option<Bookmark>,
}

/// Where somebody or something is.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    /// The house.
    pub house: Option<RecordId>,
    /// Its address.
    pub alamat: String,
    /// The RT with its number.
    pub rt: Option<(RecordId, String)>,
    /// The dasawisma of that RT with its name.
    pub dasawisma: Option<(RecordId, String)>,
}

/// A resident in a list.
#[derive(Clone, PartialEq, Eq)]
pub struct ResidentLine {
    /// Whose.
    pub village: VillageCode,
    /// The record.
    pub id: RecordId,
    /// Name.
    pub nama: String,
    /// Sex.
    pub jenis_kelamin: Option<JenisKelamin>,
    /// Birth date, days since 1970-01-01.
    pub tanggal_lahir: Option<i32>,
    /// Relation to the head of the family.
    pub shdk: Option<Code<Shdk>>,
    /// Alive, dead, moved, ...
    pub status_dasar: Option<Code<StatusDasar>>,
    /// Has a NIK.
    pub has_nik: bool,
    /// Where.
    pub place: Place,
}

/// A house in a list.
#[derive(Clone, PartialEq, Eq)]
pub struct HouseLine {
    /// Whose.
    pub village: VillageCode,
    /// The record.
    pub id: RecordId,
    /// Name of its head; empty when nobody is.
    pub kepala: String,
    /// Living residents.
    pub people: u32,
    /// What it is like, see [`crate::dataset::bits::house`].
    pub rumah: u32,
    /// Where.
    pub place: Place,
}

/// A family in a list.
#[derive(Clone, PartialEq, Eq)]
pub struct FamilyLine {
    /// Whose.
    pub village: VillageCode,
    /// The record.
    pub id: RecordId,
    /// Name of its head; empty when nobody is.
    pub kepala: String,
    /// Living residents.
    pub people: u32,
    /// Whether its card is in use.
    pub aktif: bool,
    /// Where.
    pub place: Place,
}

/// A region or group in a list.
#[derive(Clone, PartialEq, Eq)]
pub struct PlaceLine {
    /// Whose.
    pub village: VillageCode,
    /// The record.
    pub id: RecordId,
    /// Name or number.
    pub label: String,
    /// What it lies in, from near to far.
    pub around: Vec<(Kind, String)>,
    /// Houses in it.
    pub houses: u32,
}

/// One family of a house.
#[derive(Clone)]
pub struct HouseholdFamily {
    /// The record.
    pub id: RecordId,
    /// Whether its card is in use.
    pub aktif: bool,
    /// Everybody on the card, the head first.
    pub members: Vec<ResidentLine>,
}

/// Who lives in a house.
#[derive(Clone)]
pub struct Household {
    /// The house.
    pub line: HouseLine,
    /// Its families.
    pub families: Vec<HouseholdFamily>,
}

/// How many living residents are of an age, five years to a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ages {
    /// Men and women from 0-4 up to 75 and over.
    pub groups: [(u32, u32); Ages::GROUPS],
    /// Without a birth date or a sex: in no group.
    pub unknown: u32,
}

impl Ages {
    /// Groups of five years; the last one has no end.
    pub const GROUPS: usize = 16;
}

/// What is missing or contradicts itself in one village's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VillageQuality {
    /// Whose.
    pub village: VillageCode,
    /// Living residents.
    pub residents: u32,
    /// Houses.
    pub houses: u32,
    /// Families.
    pub families: u32,
    /// Living residents without a NIK.
    pub without_nik: u32,
    /// Living residents whose NIK says another birth date or sex.
    pub nik_contradicts: u32,
    /// Living residents on no family card in a known house.
    pub unplaced: u32,
    /// Living residents without a birth date.
    pub without_birth: u32,
    /// Houses in no dasawisma of their RT.
    pub without_dasawisma: u32,
    /// Families with living residents of whom none is the head.
    pub without_head: u32,
    /// Families without a card number.
    pub without_number: u32,
    /// Cards in use on which nobody living stands.
    pub empty_families: u32,
    /// Houses declared healthy that lack a latrine, a drain or a waste place.
    pub healthy_doubtful: u32,
    /// Houses whose declared head is no living resident there.
    pub head_elsewhere: u32,
    /// Houses whose water source nobody filled in.
    pub without_water: u32,
    /// Houses whose number of latrines nobody filled in.
    pub without_latrines: u32,
}

/// Finding records.
pub trait Search: Send + Sync {
    /// The mark of every registered village of the scope, by code.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn row_marks(&self, scope: &Scope) -> Result<Vec<(VillageCode, Mark)>, DatasetError>;

    /// Makes what searches look through ready for these villages, if their
    /// records have changed.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn make_ready(&self, scope: &Scope) -> Result<(), DatasetError>;

    /// Residents.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn find_residents(
        &self,
        scope: &Scope,
        terms: &ResidentTerms,
        slice: &Slice,
    ) -> Result<Found<ResidentLine>, DatasetError>;

    /// Houses, by the names of their heads.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn find_houses(
        &self,
        scope: &Scope,
        terms: &HouseTerms,
        slice: &Slice,
    ) -> Result<Found<HouseLine>, DatasetError>;

    /// Families, by the names of their heads.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn find_families(
        &self,
        scope: &Scope,
        terms: &FamilyTerms,
        slice: &Slice,
    ) -> Result<Found<FamilyLine>, DatasetError>;

    /// Regions and groups below the villages.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn find_places(
        &self,
        scope: &Scope,
        terms: &PlaceTerms,
        slice: &Slice,
    ) -> Result<Found<PlaceLine>, DatasetError>;

    /// How old the living residents are on a day, in a place or everywhere.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn ages(
        &self,
        scope: &Scope,
        within: Option<RecordId>,
        date: Date,
    ) -> Result<Ages, DatasetError>;

    /// The gaps of every registered village of the scope, by code.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn quality(&self, scope: &Scope) -> Result<Vec<VillageQuality>, DatasetError>;

    /// The newest totals that each village of the scope states of itself; with
    /// `below` those of its regions after them.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn stated(&self, scope: &Scope, below: bool) -> Result<Vec<Stated>, DatasetError>;

    /// How many records of a kind there are.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn count_records(&self, scope: &Scope, kind: Kind) -> Result<u64, DatasetError>;

    /// Who carries this NIK: one resident, or several where villages
    /// contradict each other.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn find_nik(&self, scope: &Scope, nik: Nik) -> Result<Vec<ResidentLine>, DatasetError>;

    /// One resident as a line.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn resident(
        &self,
        scope: &Scope,
        village: VillageCode,
        id: RecordId,
    ) -> Result<Option<ResidentLine>, DatasetError>;

    /// The family that has the card of `lost` by now: the only one in use with
    /// its number, while the village has no record `lost` any more.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn family_anew(
        &self,
        scope: &Scope,
        village: VillageCode,
        lost: RecordId,
    ) -> Result<Option<FamilyLine>, DatasetError>;

    /// A house with everybody in it.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn household(
        &self,
        scope: &Scope,
        village: VillageCode,
        house: RecordId,
    ) -> Result<Option<Household>, DatasetError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_marks() {
        for (name, folded) in [
            ("Siti  Aminah", "SITI AMINAH"),
            ("H. M. Ma'ruf, S.Pd.", "H M MARUF S PD"),
            (" -- ", ""),
            ("R.A. Kartini-Djoko", "R A KARTINI DJOKO"),
        ] {
            assert_eq!(fold(name), folded);
        }
        assert_eq!(Words::of(" siti am").iter().collect::<Vec<_>>(), ["SITI", "AM"]);
        assert_eq!(format!("{:?}", Words::of("siti am")), "Words(2)", "no name in a log");
    }
}
