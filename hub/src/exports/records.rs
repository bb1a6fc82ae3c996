//! Records of one kind, page by page into a file.
//!
//! Memory stays flat whatever the number of records: a workbook's rows go to
//! a nameless temporary file until it is closed.

use std::io::Write;

use jiff::civil::Date;
use lumbung_domain::id::Kind;
use lumbung_domain::region::{Desa, roster};
use lumbung_telemetry::clock;
use lumbung_wire::record as wire;
use rust_xlsxwriter::{Format, Workbook, XlsxError};

use super::{columns, harmless};
use crate::dataset::{Dataset, DatasetError, RecordFilter, Scope, StoredRecord};
use crate::words::Words;

/// Records read from the dataset at a time: memory stays flat.
const PAGE: u32 = 2_000;

/// Rows that fit on one page of a workbook.
const XLSX_ROWS_MAX: u32 = 1_048_576;

/// The columns before a kind's own, and those after.
const BEFORE: [&str; 3] = ["Kode desa", "Desa", "Id"];
const AFTER: [&str; 3] = ["Diubah", "Oleh", "Sumber"];

/// What of a record leaves besides its general data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disclosure {
    /// NIK, family card number and other numbers of papers, in full.
    /// Otherwise `****************`: what else stands in the row (birth date,
    /// sex, village) would give most of a partly masked number away.
    pub numbers: bool,
    /// Health, disability, pregnancy, contraception; of children their birth
    /// date and care; telephone and place.
    pub specific: bool,
}

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The dataset failed.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The file can't be written.
    #[error("Berkas tidak bisa ditulis. Data kabupaten tidak berubah")]
    Csv(#[from] csv::Error),
    /// The workbook can't be made.
    #[error("Berkas Excel tidak bisa dibuat. Data kabupaten tidak berubah")]
    Xlsx(#[from] XlsxError),
    /// More records than a page of a workbook has rows.
    #[error("Catatannya terlalu banyak untuk Excel. Pilih satu kecamatan, atau tulis ke CSV")]
    TooManyRows,
}

impl ExportError {
    /// Why, in both languages.
    #[must_use]
    pub fn words(&self) -> Words {
        let english = match self {
            Self::Dataset(_) => "The district's data can't be read",
            Self::Csv(_) => "The file can't be written. The district's data has not changed",
            Self::Xlsx(_) => "The Excel file can't be made. The district's data has not changed",
            Self::TooManyRows => "Too many records for Excel. Choose one kecamatan, or write CSV",
        };
        Words::new(self.to_string(), english)
    }
}

/// Which records to write, and how.
#[derive(Clone, Debug)]
pub struct RecordsExport {
    /// Their kind.
    pub kind: Kind,
    /// Of these villages.
    pub scope: Scope,
    /// What leaves besides general data.
    pub disclosed: Disclosure,
    /// What the file is, what for and until when: lines above the headers of
    /// a CSV file, a page of their own in a workbook.
    pub remarks: Vec<String>,
}

impl RecordsExport {
    /// Writes the records as CSV; how many. A record that can't be read keeps
    /// its row with blank cells.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn csv(&self, dataset: &dyn Dataset, out: &mut dyn Write) -> Result<u64, ExportError> {
        out.write_all("\u{feff}".as_bytes()).map_err(csv::Error::from)?;
        let mut writer = csv::WriterBuilder::new().delimiter(b';').flexible(true).from_writer(out);
        for remark in &self.remarks {
            writer.write_record([format!("# {remark}")])?;
        }
        writer.write_record(self.headers())?;
        let mut written = 0;
        self.each(dataset, |cells| {
            writer.write_record(cells.into_iter().map(harmless))?;
            written += 1;
            Ok(())
        })?;
        writer.flush().map_err(csv::Error::from)?;
        Ok(written)
    }

    /// Writes the records as a workbook; how many. Every cell is text, so
    /// that no NIK is rounded.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn xlsx(
        &self,
        dataset: &dyn Dataset,
        out: &mut (dyn Write + Send),
    ) -> Result<u64, ExportError> {
        let mut workbook = Workbook::new();
        let text = Format::new().set_num_format("@");
        let bold = Format::new().set_bold();
        let mut line = 0;
        let page = workbook.add_worksheet_with_constant_memory()?;
        page.set_name(self.kind.name())?;
        for (column, header) in (0..).zip(self.headers()) {
            page.write_string_with_format(line, column, header, &bold)?;
        }
        page.set_freeze_panes(line + 1, 0)?;
        let mut written = 0;
        self.each(dataset, |cells| {
            line += 1;
            if line >= XLSX_ROWS_MAX {
                return Err(ExportError::TooManyRows);
            }
            for (column, cell) in (0..).zip(cells) {
                if !cell.is_empty() {
                    page.write_string_with_format(line, column, harmless(cell), &text)?;
                }
            }
            written += 1;
            Ok(())
        })?;
        if !self.remarks.is_empty() {
            let page = workbook.add_worksheet();
            page.set_name("Keterangan")?.set_column_width(0, 90)?;
            for (remark, line) in self.remarks.iter().zip(0..) {
                page.write_string(line, 0, remark)?;
            }
        }
        workbook.save_to_writer(out)?;
        Ok(written)
    }

    fn headers(&self) -> impl Iterator<Item = &'static str> {
        let own = columns::headers(self.kind, self.disclosed);
        BEFORE.into_iter().chain(own).chain(AFTER)
    }

    /// Hands over the cells of every record.
    fn each(
        &self,
        dataset: &dyn Dataset,
        mut take: impl FnMut(Vec<String>) -> Result<(), ExportError>,
    ) -> Result<(), ExportError> {
        let today = clock::today();
        let scope = self.scope.clone();
        let mut filter = RecordFilter { scope, kind: Some(self.kind), after: None, limit: PAGE };
        loop {
            let records = dataset.records(&filter)?;
            let Some(last) = records.last() else { return Ok(()) };
            filter.after = Some((last.village, last.id));
            for record in &records {
                take(self.cells(record, today))?;
            }
        }
    }

    fn cells(&self, stored: &StoredRecord, today: Date) -> Vec<String> {
        let name = roster().village(stored.village).map(Desa::short_name).unwrap_or_default();
        let mut cells = vec![stored.village.to_string(), name, stored.id.to_string()];
        match wire::decode(self.kind, &stored.bytes) {
            Ok(record) => cells.extend(columns::cells(&record, self.disclosed, today)),
            Err(_) => cells
                .extend(columns::headers(self.kind, self.disclosed).iter().map(|_| String::new())),
        }
        cells.extend([
            clock::display(stored.time_ms),
            stored.actor.clone(),
            stored.source.name().to_owned(),
        ]);
        cells
    }
}
