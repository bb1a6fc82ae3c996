//! The roster: every village and kecamatan of the kabupaten.
//!
//! Codes, names and postal codes come from the MIT-licensed wilayah data of
//! Cahya DSN; the licence lies beside the tables.

use std::sync::LazyLock;

use super::{JenisDesa, KecamatanCode, VillageCode};

const VILLAGES: &str = include_str!("villages.tsv");
const KECAMATAN: &str = include_str!("kecamatan.tsv");

/// One village.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Desa {
    /// Kemendagri code.
    pub code: VillageCode,
    /// Desa or kelurahan.
    pub kind: JenisDesa,
    /// Name; not unique in the kabupaten.
    pub name: &'static str,
    /// The kecamatan it lies in.
    pub kecamatan: KecamatanCode,
    /// Postal code, five digits.
    pub kode_pos: &'static str,
}

impl Desa {
    /// "Desa Jaten, Kecamatan Wonodadi": tells the village from its namesakes.
    #[must_use]
    pub fn full_name(&self) -> String {
        let kecamatan = roster().kecamatan_of(self.kecamatan).map_or("", |k| k.name);
        format!("{} {}, Kecamatan {kecamatan}", self.kind, self.name)
    }

    /// "Desa Jaten".
    #[must_use]
    pub fn short_name(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }

    /// "Dusun" or "Lingkungan".
    #[must_use]
    pub const fn label_dusun(&self) -> &'static str {
        self.kind.label_dusun()
    }

    /// "Kepala Desa" or "Lurah".
    #[must_use]
    pub const fn label_kepala(&self) -> &'static str {
        self.kind.label_kepala()
    }
}

/// One kecamatan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kecamatan {
    /// Kemendagri code.
    pub code: KecamatanCode,
    /// Name.
    pub name: &'static str,
}

/// All villages and kecamatan, ascending by code.
#[derive(Debug)]
pub struct Roster {
    villages: Vec<Desa>,
    kecamatan: Vec<Kecamatan>,
}

/// The roster that is built in.
#[must_use]
pub fn roster() -> &'static Roster {
    static ROSTER: LazyLock<Roster> = LazyLock::new(Roster::built_in);
    &ROSTER
}

impl Roster {
    /// Every village, ascending by code.
    #[must_use]
    pub fn villages(&self) -> &[Desa] {
        &self.villages
    }

    /// Every kecamatan, ascending by code.
    #[must_use]
    pub fn kecamatan(&self) -> &[Kecamatan] {
        &self.kecamatan
    }

    /// The village with this code, if it lies in the kabupaten.
    #[must_use]
    pub fn village(&self, code: VillageCode) -> Option<&Desa> {
        let at = self.villages.binary_search_by_key(&code, |desa| desa.code).ok()?;
        self.villages.get(at)
    }

    /// The kecamatan with this code, if it lies in the kabupaten.
    #[must_use]
    pub fn kecamatan_of(&self, code: KecamatanCode) -> Option<&Kecamatan> {
        let at = self.kecamatan.binary_search_by_key(&code, |kecamatan| kecamatan.code).ok()?;
        self.kecamatan.get(at)
    }

    /// The villages of one kecamatan, ascending by code.
    pub fn villages_of(&self, code: KecamatanCode) -> impl Iterator<Item = &Desa> {
        self.villages.iter().filter(move |desa| desa.kecamatan == code)
    }

    /// Every village with this name, whatever the case: often one, up to
    /// three.
    pub fn villages_named(&self, name: &str) -> impl Iterator<Item = &Desa> {
        let name = name.trim().to_lowercase();
        self.villages.iter().filter(move |desa| desa.name.to_lowercase() == name)
    }

    fn built_in() -> Self {
        let villages = VILLAGES.lines().map(village_row).collect::<Option<Vec<_>>>();
        let kecamatan = KECAMATAN.lines().map(kecamatan_row).collect::<Option<Vec<_>>>();
        Self {
            villages: villages.expect("the built-in village table is well formed"),
            kecamatan: kecamatan.expect("the built-in kecamatan table is well formed"),
        }
    }
}

fn village_row(line: &'static str) -> Option<Desa> {
    let mut cells = line.split('\t');
    let code = VillageCode::parse(cells.next()?).ok()?;
    let _kind_is_in_the_code = cells.next()?;
    let (name, kode_pos) = (cells.next()?, cells.next()?);
    Some(Desa { code, kind: code.kind(), name, kecamatan: code.kecamatan(), kode_pos })
}

fn kecamatan_row(line: &'static str) -> Option<Kecamatan> {
    let (code, name) = line.split_once('\t')?;
    Some(Kecamatan { code: KecamatanCode::parse(code)?, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roster_is_complete_and_ordered() {
        let roster = roster();
        assert_eq!(roster.villages().len(), 248);
        assert_eq!(roster.kecamatan().len(), 22);
        let kelurahan = roster.villages().iter().filter(|d| d.kind == JenisDesa::Kelurahan);
        assert_eq!(kelurahan.count(), 28);
        assert!(roster.villages().is_sorted_by(|a, b| a.code < b.code));
        assert!(roster.kecamatan().is_sorted_by(|a, b| a.code < b.code));
        for desa in roster.villages() {
            assert!(roster.kecamatan_of(desa.kecamatan).is_some(), "{}", desa.code);
            assert_eq!(roster.village(desa.code), Some(desa));
            assert_eq!(desa.kode_pos.len(), 5, "{}", desa.code);
        }
    }

    #[test]
    fn the_code_tells_the_kind_as_the_table_does() {
        for line in VILLAGES.lines() {
            let cells: Vec<_> = line.split('\t').collect();
            let code = VillageCode::parse(cells[0]).unwrap();
            assert_eq!(code.kind().label().to_lowercase(), cells[1], "{line}");
        }
    }

    #[test]
    fn labels_follow_the_kind() {
        let desa = roster().village(VillageCode::parse("35.05.01.2001").unwrap()).unwrap();
        assert_eq!(desa.full_name(), "Desa Jaten, Kecamatan Wonodadi");
        assert_eq!((desa.label_dusun(), desa.label_kepala()), ("Dusun", "Kepala Desa"));
        let kelurahan =
            roster().villages().iter().find(|d| d.kind == JenisDesa::Kelurahan).unwrap();
        assert_eq!((kelurahan.label_dusun(), kelurahan.label_kepala()), ("Lingkungan", "Lurah"));
        assert!(kelurahan.full_name().starts_with("Kelurahan "));
    }

    #[test]
    fn namesakes_are_told_apart_by_kecamatan() {
        let named: Vec<_> = roster().villages_named(" sukorejo ").collect();
        assert_eq!(named.len(), 3);
        let mut full: Vec<_> = named.iter().map(|desa| desa.full_name()).collect();
        full.dedup();
        assert_eq!(full.len(), 3);
    }

    #[test]
    fn a_village_elsewhere_is_not_in_the_roster() {
        let elsewhere = VillageCode::parse("33.74.01.1001").unwrap();
        assert_eq!(roster().village(elsewhere), None);
    }
}
