//! The roll: which family each row belongs to, and which known resident it is
//! about (`matching.rs` says how that is found).

use std::collections::HashMap;

use lumbung_domain::id::RecordId;
use lumbung_domain::identity::{Nik, NoKk, NoKkError};

use super::matching::{RowReader, match_residents};
use crate::import::column::Column;
use crate::import::finding::CellFinding;
use crate::import::report::Severity;
use crate::import::sheet::{Sheet, SheetRow};
use crate::village::census::Census;

/// One row and whom it is about.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    pub(super) row: SheetRow<'a>,
    pub(super) nik: Option<Nik>,
    pub(super) no_kk: Option<NoKk>,
    pub(super) matched: Option<RecordId>,
    pub(super) findings: Vec<CellFinding>,
}

/// The rows of one family card, in sheet order.
#[derive(Debug)]
pub(super) struct FamilyRows<'a> {
    pub(super) no_kk: NoKk,
    pub(super) entries: Vec<Entry<'a>>,
}

/// All rows, sorted by where they go.
#[derive(Debug, Default)]
pub(super) struct Roll<'a> {
    /// Families in sheet order; those that share another's house come last.
    pub(super) families: Vec<FamilyRows<'a>>,
    /// Known residents that stand on no card.
    pub(super) loose: Vec<Entry<'a>>,
    /// Rows that name nobody.
    pub(super) rejected: Vec<Entry<'a>>,
}

impl<'a> Roll<'a> {
    /// Reads the identity of every row.
    pub(super) fn read(sheet: &'a Sheet, census: &Census, reader: &mut RowReader) -> Self {
        let mut first_rows: HashMap<Nik, u32> = HashMap::new();
        let mut entries: Vec<Entry<'a>> =
            sheet.rows().map(|row| Entry::read(row, &mut first_rows)).collect();
        match_residents(&mut entries, census, reader);
        let mut roll = Self::default();
        let mut places: HashMap<NoKk, usize> = HashMap::new();
        for mut entry in entries {
            entry.keep_known_family(census);
            if entry.is_rejected() {
                roll.rejected.push(entry);
            } else if let Some(no_kk) = entry.no_kk {
                let place = *places.entry(no_kk).or_insert_with(|| {
                    roll.families.push(FamilyRows { no_kk, entries: Vec::new() });
                    roll.families.len() - 1
                });
                roll.families[place].entries.push(entry);
            } else {
                roll.loose.push(entry);
            }
        }
        roll.families.sort_by_key(FamilyRows::shares_house);
        roll
    }
}

impl FamilyRows<'_> {
    fn shares_house(&self) -> bool {
        self.entries.iter().any(|entry| !entry.row.text(Column::SerumahDenganKk).is_empty())
    }
}

impl<'a> Entry<'a> {
    fn read(row: SheetRow<'a>, first_rows: &mut HashMap<Nik, u32>) -> Self {
        let mut entry = Self { row, nik: None, no_kk: None, matched: None, findings: Vec::new() };
        entry.read_no_kk();
        entry.read_nik();
        if let Some(nik) = entry.nik {
            let first = *first_rows.entry(nik).or_insert(row.number());
            if first != row.number() {
                let why =
                    format!("NIK ini sudah ada di baris {first}; hanya baris itu yang diambil");
                entry.reject(Column::Nik, "nik_ganda", &why);
            }
        }
        entry
    }

    fn read_no_kk(&mut self) {
        let text = self.row.text(Column::NoKk);
        self.check_digits(Column::NoKk, text);
        match NoKk::parse(text) {
            Ok(no_kk) => self.no_kk = Some(no_kk),
            Err(NoKkError::Kosong) => {}
            Err(_) if is_scientific(text) => {}
            Err(why) => self.reject(Column::NoKk, "no_kk_tidak_sah", &why.to_string()),
        }
    }

    fn read_nik(&mut self) {
        let text = self.row.text(Column::Nik);
        self.check_digits(Column::Nik, text);
        match Nik::parse(text) {
            Ok(input) => self.nik = input.nik(),
            Err(_) if is_scientific(text) => {}
            Err(why) => self.reject(Column::Nik, "nik_tidak_sah", &why.to_string()),
        }
    }

    /// Spreadsheets keep 15 digits of a number and 16 are needed.
    fn check_digits(&mut self, column: Column, text: &str) {
        if is_scientific(text) {
            let why = "nomor ini sudah dibulatkan oleh aplikasi lembar kerja; ambil lagi dari data \
                       asal dan simpan kolomnya sebagai teks";
            self.reject(column, "nomor_dibulatkan", why);
        } else if text.ends_with('0') && self.row.is_rounded(column) {
            self.findings.push(CellFinding::warning(
                column,
                "nomor_mungkin_dibulatkan",
                "sel ini tersimpan sebagai angka, jadi angka terakhirnya mungkin sudah berubah \
                 menjadi 0; cocokkan dengan KK",
            ));
        }
    }

    /// A row that leaves the card blank keeps the one its resident stands on.
    fn keep_known_family(&mut self, census: &Census) {
        if self.no_kk.is_some() || self.is_rejected() {
            return;
        }
        let Some(id) = self.matched else {
            let why = "nomor KK belum diisi; isi 16 angka dari kartu keluarga";
            self.reject(Column::NoKk, "no_kk_kosong", why);
            return;
        };
        let family = census.warga(id).and_then(|warga| warga.keluarga_id);
        self.no_kk = family.and_then(|id| census.keluarga(id)?.no_kk);
    }

    pub(super) fn reject(&mut self, column: Column, code: &'static str, why: &str) {
        self.findings.push(CellFinding::reject(column, code, &why));
    }

    pub(super) fn is_rejected(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Reject)
    }
}

/// "3.50501E+15", as spreadsheets save long numbers.
fn is_scientific(text: &str) -> bool {
    text.len() < 32
        && text.split_once(['E', 'e']).is_some_and(|(number, power)| {
            let digits = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit());
            digits(number) && digits(power.trim_start_matches('+'))
        })
}
