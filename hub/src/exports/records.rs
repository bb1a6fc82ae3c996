//! Records of one kind, page by page into a file.
//!
//! CSV keeps memory flat whatever the number of records; a workbook is held
//! in memory until it is written, so it is meant for a village or a kecamatan.

use std::io::Write;

use lumbung_domain::id::Kind;
use lumbung_domain::region::{Desa, roster};
use lumbung_telemetry::clock;
use lumbung_wire::record as wire;
use rust_xlsxwriter::{Format, Workbook, XlsxError};

use super::{columns, harmless};
use crate::dataset::{Dataset, DatasetError, RecordFilter, Scope, StoredRecord};

/// Records read from the dataset at a time: memory stays flat.
const PAGE: u32 = 2_000;

/// Rows that fit on one page of a workbook.
const XLSX_ROWS_MAX: u32 = 1_048_576;

/// The columns before a kind's own, and those after.
const BEFORE: [&str; 3] = ["Kode desa", "Desa", "Id"];
const AFTER: [&str; 3] = ["Diubah", "Oleh", "Sumber"];

/// Whether NIK and family card numbers leave in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityNumbers {
    /// `350501*******001`.
    Masked,
    /// In full.
    Revealed,
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

/// Which records to write, and how.
#[derive(Clone, Debug)]
pub struct RecordsExport {
    /// Their kind.
    pub kind: Kind,
    /// Of these villages.
    pub scope: Scope,
    /// Whether identity numbers leave in full.
    pub numbers: IdentityNumbers,
    /// A line about the file that stands above the headers; empty = none.
    pub remark: String,
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
        if !self.remark.is_empty() {
            writer.write_record([format!("# {}", self.remark)])?;
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
    pub fn xlsx(&self, dataset: &dyn Dataset, out: &mut dyn Write) -> Result<u64, ExportError> {
        let mut workbook = Workbook::new();
        let page = workbook.add_worksheet();
        let text = Format::new().set_num_format("@");
        let bold = Format::new().set_bold();
        page.set_name(self.kind.name())?;
        let mut line = 0;
        if !self.remark.is_empty() {
            page.write_string(0, 0, &self.remark)?;
            line = 1;
        }
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
        out.write_all(&workbook.save_to_buffer()?).map_err(csv::Error::from)?;
        Ok(written)
    }

    fn headers(&self) -> impl Iterator<Item = &'static str> {
        let own = columns::headers(self.kind).iter().copied();
        BEFORE.into_iter().chain(own).chain(AFTER)
    }

    /// Hands over the cells of every record.
    fn each(
        &self,
        dataset: &dyn Dataset,
        mut take: impl FnMut(Vec<String>) -> Result<(), ExportError>,
    ) -> Result<(), ExportError> {
        let scope = self.scope.clone();
        let mut filter = RecordFilter { scope, kind: Some(self.kind), after: None, limit: PAGE };
        loop {
            let records = dataset.records(&filter)?;
            let Some(last) = records.last() else { return Ok(()) };
            filter.after = Some((last.village, last.id));
            for record in &records {
                take(self.cells(record))?;
            }
        }
    }

    fn cells(&self, stored: &StoredRecord) -> Vec<String> {
        let name = roster().village(stored.village).map(Desa::short_name).unwrap_or_default();
        let mut cells = vec![stored.village.to_string(), name, stored.id.to_string()];
        match wire::decode(self.kind, &stored.bytes) {
            Ok(record) => cells.extend(columns::cells(&record, self.numbers)),
            Err(_) => cells.extend(columns::headers(self.kind).iter().map(|_| String::new())),
        }
        cells.extend([
            clock::display(stored.time_ms),
            stored.actor.clone(),
            stored.source.name().to_owned(),
        ]);
        cells
    }
}
