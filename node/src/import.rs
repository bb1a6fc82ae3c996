//! Reading resident sheets: OpenSID's 43 columns, the SIAK dump and this
//! system's own template.
//!
//! Two steps, both pure. [`read_sheet`] turns a file into a [`Sheet`] or says
//! in one sentence why it can't. [`plan`] turns a sheet and the village as it
//! stands into the records to write and a [`Report`] for the clerk. Nothing
//! is stored here, and a bad row costs only itself.

mod cell;
mod column;
mod delimited;
mod finding;
mod house;
mod limits;
mod package;
mod plan;
mod refused;
mod rejected;
mod report;
mod resident;
mod sheet;
mod workbook;

pub use cell::{NotADate, NotYesOrNo, clean, date, dusun_name, quoted, resident_name, tidy, yes};
pub use column::{Column, Heading, Layout};
pub(crate) use house::escape;
pub use limits::{CELL_CHARS_MAX, COLUMNS_MAX, FILE_BYTES_MAX, ISSUES_MAX, ROWS_MAX};
pub use plan::{Operation, Plan, PlannedChange, plan};
pub use refused::SheetRefused;
pub use rejected::rejected_sheet;
pub use report::{KindCount, Problem, RejectedRow, Report, RowIssue, Severity, Told};
pub use sheet::{Sheet, SheetRow};

/// Reads a file by what stands in it; the name only words the refusal.
///
/// # Errors
///
/// The file is no sheet, or none that can be read. The error's text is a
/// sentence for the clerk.
pub fn read_sheet(file_name: &str, content: &[u8]) -> Result<Sheet, SheetRefused> {
    if content.is_empty() {
        return Err(SheetRefused::Empty);
    }
    if content.len() > FILE_BYTES_MAX {
        return Err(SheetRefused::TooManyBytes);
    }
    if content.starts_with(ZIP_MAGIC) {
        return workbook::read(content);
    }
    if content.starts_with(OLE_MAGIC) {
        return Err(SheetRefused::OldOrLockedWorkbook);
    }
    let is_workbook =
        file_name.rsplit_once('.').is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("xlsx"));
    match delimited::read(content) {
        Err(SheetRefused::NotASheet | SheetRefused::NoHeader) if is_workbook => {
            Err(SheetRefused::Damaged)
        }
        other => other,
    }
}

/// How a ZIP archive, and so an XLSX, begins.
const ZIP_MAGIC: &[u8] = b"PK\x03\x04";

/// How the container of old Excel files and of encrypted workbooks begins.
const OLE_MAGIC: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
