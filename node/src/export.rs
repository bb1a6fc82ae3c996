//! Writing resident sheets: OpenSID's 43 columns as XLSX or CSV, the SIAK
//! dump, and this system's own template with or without data.
//!
//! Rows stand in one order (dusun, RW, RT, card, place in the family, birth,
//! name), so that two villages with the same content write the same bytes,
//! and a sheet imported into an empty village is written again unchanged.
//! CSV is UTF-8 with a byte order mark and semicolons, which a spreadsheet
//! set to Indonesian opens as columns. A cell that a spreadsheet would run as
//! a formula, or whose zeros or last digits it would drop, starts with an
//! apostrophe; the import takes it off again.

mod house;
mod lines;
mod resident;
mod siak;
mod workbook;

use std::borrow::Cow;

use lumbung_domain::region::VillageCode;

use crate::import::{Layout, quoted};
use crate::village::census::Census;
use lines::Lines;

/// Which sheet to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// OpenSID's 43 columns, coded values, as a workbook.
    OpensidXlsx,
    /// The same as CSV.
    OpensidCsv,
    /// The civil registry's dump, labels instead of codes, as CSV: all of its
    /// columns, blank where a village keeps nothing, and the dusun.
    SiakCsv,
    /// The template with all residents, as CSV.
    Template,
    /// The template's headers alone, as CSV.
    EmptyTemplate,
}

impl ExportFormat {
    /// The ending a file of this format has.
    #[must_use]
    pub const fn file_ending(self) -> &'static str {
        match self {
            Self::OpensidXlsx => "xlsx",
            Self::OpensidCsv | Self::SiakCsv | Self::Template | Self::EmptyTemplate => "csv",
        }
    }

    const fn layout(self) -> Layout {
        match self {
            Self::OpensidXlsx | Self::OpensidCsv => Layout::Opensid,
            Self::SiakCsv => Layout::Siak,
            Self::Template | Self::EmptyTemplate => Layout::Template,
        }
    }
}

/// What an export wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Rows under the headers, one per resident.
    pub rows: u64,
    /// Of these, residents without a card number. An empty village would not
    /// take their rows back.
    pub without_kk: u64,
}

/// Why a sheet can't be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The workbook's bounds are exceeded (1,048,575 residents, or a text of
    /// more than 32,767 characters).
    #[error("the village doesn't fit into a workbook")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
}

/// Appends the village's sheet to `out`.
///
/// # Errors
///
/// Only a workbook can be too small; CSV never fails.
pub fn write(
    format: ExportFormat,
    village: VillageCode,
    census: &Census,
    out: &mut Vec<u8>,
) -> Result<Exported, ExportError> {
    let layout = format.layout();
    let header: Vec<Cow<'_, str>> = match layout {
        Layout::Siak => siak::PLACES.iter().map(|place| place.header().into()).collect(),
        _ => layout.headings().iter().map(|(_, names)| names[0].into()).collect(),
    };
    let lines = match format {
        ExportFormat::EmptyTemplate => Lines::default(),
        _ => Lines::of(census, layout),
    };
    let rows = std::iter::once(header).chain(lines.rows(layout, village));
    match format {
        ExportFormat::OpensidXlsx => workbook::write(rows, out)?,
        _ => csv_rows(rows, out),
    }
    Ok(lines.exported())
}

/// Appends rows as CSV; cells are one-line texts.
pub(crate) fn csv_rows<R, C>(rows: impl Iterator<Item = R>, out: &mut Vec<u8>)
where
    R: IntoIterator<Item = C>,
    C: AsRef<str>,
{
    out.extend_from_slice(BYTE_ORDER_MARK);
    let mut writer = csv::WriterBuilder::new()
        .delimiter(b';')
        .terminator(csv::Terminator::CRLF)
        .from_writer(out);
    for row in rows {
        for cell in row {
            let cell = cell.as_ref();
            let text = if cell == NONE { Cow::Borrowed(cell) } else { quoted(cell) };
            writer.write_field(text.as_bytes()).expect("writing to memory doesn't fail");
        }
        writer.write_record(None::<&[u8]>).expect("rows have the header's length");
    }
    writer.flush().expect("writing to memory doesn't fail");
}

/// What OpenSID writes for "no dusun", "no RW".
const NONE: &str = "-";

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
