//! Reading XLSX: the first sheet of the workbook whose headers are known.
//!
//! Cells are streamed, never laid out as a rectangle: a single cell in the
//! last row would otherwise cost the memory of a million rows.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, ExcelDateTime, Reader, Xlsx, XlsxError};

use super::limits::COLUMNS_MAX;
use super::package;
use super::refused::SheetRefused;
use super::sheet::{RawCell, Sheet, SheetBuilder};

/// Reads a workbook.
pub(super) fn read(content: &[u8]) -> Result<Sheet, SheetRefused> {
    package::check(content)?;
    // The reader has been seen to panic on forged files; one bad file must
    // not take the node with it.
    catch_unwind(AssertUnwindSafe(|| read_checked(content))).unwrap_or(Err(SheetRefused::Damaged))
}

fn read_checked(content: &[u8]) -> Result<Sheet, SheetRefused> {
    let mut workbook = Xlsx::new(Cursor::new(content)).map_err(|error| match error {
        XlsxError::Password => SheetRefused::OldOrLockedWorkbook,
        _ => SheetRefused::Damaged,
    })?;
    let mut refused = None;
    for name in workbook.sheet_names() {
        match read_sheet(&mut workbook, &name) {
            Ok(sheet) => return Ok(sheet),
            // The likeness of an earlier sheet says more than a later "no".
            Err(why @ (SheetRefused::NoHeader | SheetRefused::MissingColumns { .. })) => {
                let keep = matches!(refused, Some(SheetRefused::MissingColumns { .. }));
                refused = if keep { refused } else { Some(why) };
            }
            Err(why) => return Err(why),
        }
    }
    Err(refused.unwrap_or(SheetRefused::NoHeader))
}

fn read_sheet(workbook: &mut Xlsx<Cursor<&[u8]>>, name: &str) -> Result<Sheet, SheetRefused> {
    let mut cells = match workbook.worksheet_cells_reader(name) {
        Ok(cells) => cells,
        // A chart sheet has no cells.
        Err(XlsxError::NotAWorksheet(_)) => return Err(SheetRefused::NoHeader),
        Err(_) => return Err(SheetRefused::Damaged),
    };
    let mut builder = SheetBuilder::new();
    let mut row = Row::default();
    while let Some(cell) = cells.next_cell().map_err(|_| SheetRefused::Damaged)? {
        let (at, column) = cell.get_position();
        if at != row.at {
            if at < row.at {
                return Err(SheetRefused::Damaged);
            }
            row.push_into(&mut builder)?;
            row.at = at;
        }
        row.set(column as usize, cell.get_value(), builder.is_searching())?;
    }
    row.push_into(&mut builder)?;
    builder.finish()
}

/// The row being read; its cells are used again for the next one.
#[derive(Default)]
struct Row {
    at: u32,
    cells: Vec<RawCell>,
    used: usize,
}

impl Row {
    fn set(
        &mut self,
        column: usize,
        value: &DataRef<'_>,
        is_header: bool,
    ) -> Result<(), SheetRefused> {
        if matches!(value, DataRef::Empty) {
            return Ok(());
        }
        if column >= COLUMNS_MAX {
            // A stray cell far to the right of the data harms nothing.
            return if is_header { Err(SheetRefused::TooManyColumns) } else { Ok(()) };
        }
        if self.cells.len() <= column {
            self.cells.resize_with(column + 1, RawCell::default);
        }
        for cell in self.cells.iter_mut().take(column).skip(self.used) {
            cell.text.clear();
            cell.long_number = false;
        }
        self.used = self.used.max(column + 1);
        let cell = &mut self.cells[column];
        cell.text.clear();
        cell.long_number = write_value(value, &mut cell.text);
        Ok(())
    }

    fn push_into(&mut self, builder: &mut SheetBuilder) -> Result<(), SheetRefused> {
        builder.push(self.at.saturating_add(1), &self.cells[..self.used])?;
        self.used = 0;
        Ok(())
    }
}

/// Writes a value as the text a person sees; says whether it was a number
/// with more digits than Excel keeps.
fn write_value(value: &DataRef<'_>, text: &mut String) -> bool {
    match value {
        DataRef::String(value) => text.push_str(value),
        DataRef::SharedString(value) => text.push_str(value),
        DataRef::DateTimeIso(value) | DataRef::DurationIso(value) => text.push_str(value),
        DataRef::Int(number) => text.push_str(&number.to_string()),
        DataRef::Float(number) => {
            // "1", not "1.0"; Display prints whole floats without a point.
            text.push_str(&number.to_string());
            return number.abs() >= EXACT_BELOW;
        }
        DataRef::Bool(yes) => text.push_str(if *yes { "Ya" } else { "Tidak" }),
        DataRef::DateTime(moment) => write_moment(moment, text),
        DataRef::Error(_) | DataRef::Empty => {}
    }
    false
}

/// Excel keeps 15 digits of a number.
const EXACT_BELOW: f64 = 1e15;

fn write_moment(moment: &ExcelDateTime, text: &mut String) {
    if moment.is_datetime() {
        let (year, month, day, ..) = moment.to_ymd_hms_milli();
        text.push_str(&format!("{year:04}-{month:02}-{day:02}"));
    } else {
        text.push_str(&moment.as_f64().to_string());
    }
}
