//! From a sheet and the village as it stands to the records to write.
//!
//! Rows are taken family by family. Each row is read onto the resident it
//! belongs to, checked, and placed: region, house, family, resident, whatever
//! is missing being created. A row that is rejected leaves no trace.

mod draft;
mod family;
mod matching;
mod place;
mod roll;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use lumbung_domain::code_list::{Code, StatusDasar, Warganegara};
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::{Record, Warga};

use self::draft::{Draft, Put};
use self::matching::RowReader;
use self::roll::{Entry, Roll};
use super::column::{Column, Layout};
use super::finding::CellFinding;
use super::report::{KindCount, RejectedRow, Report, RowIssue, Severity};
use super::sheet::{Sheet, SheetRow};
use crate::village::census::Census;

/// Whether a change brings a record or alters one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The village didn't have the record.
    Create,
    /// The village has it; the new content replaces the old.
    Update,
}

/// One record to write.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedChange {
    /// Its id; new ones come from the caller's mint.
    pub id: RecordId,
    /// Its content after the import.
    pub record: Record,
    /// Whether it is new.
    pub operation: Operation,
}

/// What an import would do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The records to write, parents before children. A head of a family or
    /// house is named before it comes.
    pub changes: Vec<PlannedChange>,
    /// What the clerk is told.
    pub report: Report,
}

/// Plans an import and brings `census` to the state after it. `mint` gives
/// ids for new records; ages are judged as of `today`.
///
/// Planning the same sheet again on the result plans nothing.
pub fn plan(
    sheet: &Sheet,
    census: &mut Census,
    mint: &mut dyn FnMut() -> RecordId,
    today: Date,
) -> Plan {
    let skipped = lossy_columns(sheet);
    let mut reader = RowReader::new(sheet.layout(), skipped, today);
    let roll = Roll::read(sheet, census, &mut reader);
    let mut planner = Planner::new(sheet, census, mint, today, reader, skipped);
    for entry in &roll.rejected {
        planner.record(entry.row, entry.findings.clone());
    }
    for family in &roll.families {
        planner.family(family.no_kk, &family.entries);
    }
    for entry in &roll.loose {
        planner.loose(entry);
    }
    planner.finish()
}

struct Planner<'a> {
    sheet: &'a Sheet,
    draft: Draft<'a>,
    mint: &'a mut dyn FnMut() -> RecordId,
    today: Date,
    reader: RowReader,
    /// Columns that a lossy export filled with something else.
    skipped: &'static [Column],
    report: Report,
    /// What the first row said about a house or family, by column.
    said: HashMap<(RecordId, Column), &'a str>,
    /// Families that lost a member.
    left: BTreeSet<RecordId>,
    /// Houses that lost a family.
    left_houses: BTreeSet<RecordId>,
    houses_created: u64,
    houses_moved: u64,
}

/// A row that passed its checks, not yet placed.
struct Taken<'a> {
    row: SheetRow<'a>,
    id: RecordId,
    warga: Warga,
    findings: Vec<CellFinding>,
}

impl<'a> Planner<'a> {
    fn new(
        sheet: &'a Sheet,
        census: &'a mut Census,
        mint: &'a mut dyn FnMut() -> RecordId,
        today: Date,
        reader: RowReader,
        skipped: &'static [Column],
    ) -> Self {
        Self {
            sheet,
            draft: Draft::new(census),
            mint,
            today,
            reader,
            skipped,
            report: Report {
                layout: sheet.layout().name().to_owned(),
                read: sheet.len() as u64,
                ..Report::default()
            },
            said: HashMap::new(),
            left: BTreeSet::new(),
            left_houses: BTreeSet::new(),
            houses_created: 0,
            houses_moved: 0,
        }
    }

    /// Reads and checks a row; records it and hands back nothing when it
    /// can't be taken.
    fn take(&mut self, entry: &Entry<'a>) -> Option<Taken<'a>> {
        let known = entry.matched.and_then(|id| self.draft.census().warga(id));
        let (warga, found) = self.reader.read(entry, known);
        let mut findings = entry.findings.clone();
        self.warn_of_skipped(entry.row, &mut findings);
        findings.extend(found);
        if findings.iter().any(|finding| finding.severity == Severity::Reject) {
            self.record(entry.row, findings);
            return None;
        }
        let id = entry.matched.unwrap_or_else(|| (self.mint)());
        Some(Taken { row: entry.row, id, warga, findings })
    }

    /// Writes a resident of a family without a card, or of none.
    fn loose(&mut self, entry: &Entry<'a>) {
        if let Some(taken) = self.take(entry) {
            self.settle(taken);
        }
    }

    /// Writes a placed resident and counts its row.
    fn settle(&mut self, taken: Taken<'a>) {
        match self.draft.put(taken.id, Record::Warga(Box::new(taken.warga))) {
            Put::Created => self.report.new += 1,
            Put::Updated => self.report.changed += 1,
            Put::Same => self.report.unchanged += 1,
        }
        self.record(taken.row, taken.findings);
    }

    /// Notes a row's findings and whether it was left out.
    fn record(&mut self, row: SheetRow<'a>, findings: Vec<CellFinding>) {
        let mut reasons: Vec<&str> = Vec::new();
        for finding in &findings {
            if finding.severity == Severity::Reject && !reasons.contains(&&*finding.message) {
                reasons.push(&finding.message);
            }
        }
        if !reasons.is_empty() {
            self.report.rejected += 1;
            let reasons = reasons.join("; ");
            let row = row.number();
            self.report.rejected_rows.push(RejectedRow { row, reasons });
        } else if !findings.is_empty() {
            self.report.warned += 1;
        }
        for finding in findings {
            let header = |column| self.sheet.header_of(column).to_owned();
            self.report.add(RowIssue {
                row: row.number(),
                column: finding.column.map(header),
                severity: finding.severity,
                code: finding.code.to_owned(),
                message: finding.message,
            });
        }
    }

    /// One warning for every cell that the lossy export spoilt.
    fn warn_of_skipped(&self, row: SheetRow<'a>, findings: &mut Vec<CellFinding>) {
        for column in self.skipped {
            let text = row.text(*column);
            let is_alive = *column == Column::StatusDasar
                && Code::<StatusDasar>::parse(text) == Ok(Some(Code::<StatusDasar>::HIDUP));
            if !text.is_empty() && !is_alive {
                findings.push(CellFinding::warning(
                    *column,
                    "ekspor_huruf",
                    "isian kolom ini tertukar oleh ekspor huruf OpenSID, jadi dilewati",
                ));
            }
        }
    }

    fn finish(mut self) -> Plan {
        let emptied = self.close_left_families();
        self.notes(emptied);
        let changes = self.draft.into_changes();
        let mut records: BTreeMap<Kind, KindCount> = BTreeMap::new();
        for change in &changes {
            let count = records.entry(change.record.kind()).or_default();
            match change.operation {
                Operation::Create => count.created += 1,
                Operation::Update => count.updated += 1,
            }
        }
        let mut report = self.report;
        report.records = records;
        report.issues.sort_by_key(|issue| issue.row);
        report.rejected_rows.sort_by_key(|rejected| rejected.row);
        Plan { changes, report }
    }

    fn notes(&mut self, emptied: u64) {
        let mut notes = Vec::new();
        if !self.skipped.is_empty() {
            notes.push(
                "Lembar ini ekspor huruf OpenSID yang menukar isian ktp_el, status_rekam dan \
                 status_dasar. Ketiga kolom itu dilewati. Pakai ekspor kode agar lengkap."
                    .to_owned(),
            );
        }
        if self.houses_created > 0 && !self.sheet.has(Column::SerumahDenganKk) {
            notes.push(format!(
                "Lembar ini tidak memuat data rumah. Setiap KK baru dicatat sebagai satu rumah \
                 tangga sendiri ({} rumah). Gabungkan kemudian KK yang tinggal serumah.",
                self.houses_created
            ));
        }
        if self.houses_moved > 0 {
            notes.push(format!(
                "{} rumah tangga pindah RT bersama keluarganya. Periksa lagi dasawismanya.",
                self.houses_moved
            ));
        }
        let is_empty = |house: &&RecordId| self.draft.census().families(**house).is_empty();
        let houses_emptied = self.left_houses.iter().filter(is_empty).count();
        if houses_emptied > 0 {
            notes.push(format!(
                "{houses_emptied} rumah tangga tidak lagi berisi keluarga. Periksa lalu hapus bila \
                 memang tidak ada."
            ));
        }
        if emptied > 0 {
            notes.push(format!("{emptied} KK tidak lagi punya anggota dan dicatat tidak aktif."));
        }
        if self.report.changed > 0 {
            notes.push("Sel kosong tidak menghapus data yang sudah ada.".to_owned());
        }
        let unknown: Vec<&str> = self
            .sheet
            .unknown_headers()
            .filter(|header| !super::rejected::is_problem_header(header))
            .take(HEADERS_NAMED)
            .collect();
        if !unknown.is_empty() && self.sheet.layout() != Layout::Siak {
            notes.push(format!("Kolom yang dilewati: {}.", unknown.join(", ")));
        }
        self.report.notes = notes;
    }
}

/// Unknown headers that a note names.
const HEADERS_NAMED: usize = 10;

/// OpenSID's "huruf" export writes the citizenship's label into the two card
/// columns and looks the status up in the wrong list.
fn lossy_columns(sheet: &Sheet) -> &'static [Column] {
    const LOSSY: &[Column] = &[Column::KtpEl, Column::StatusRekam, Column::StatusDasar];
    let is_citizenship = |text: &str| {
        text.bytes().any(|byte| byte.is_ascii_alphabetic())
            && matches!(Code::<Warganegara>::parse(text), Ok(Some(_)))
    };
    let is_lossy = sheet.layout() == Layout::Opensid
        && sheet.rows().any(|row| {
            is_citizenship(row.text(Column::KtpEl)) || is_citizenship(row.text(Column::StatusRekam))
        });
    if is_lossy { LOSSY } else { &[] }
}
