//! Rows as an XLSX workbook of text cells, the same bytes for the same rows.

use std::borrow::Cow;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, XlsxError};

/// Appends a workbook with one sheet.
pub(super) fn write<'a>(
    rows: impl Iterator<Item = Vec<Cow<'a, str>>>,
    out: &mut Vec<u8>,
) -> Result<(), XlsxError> {
    let mut workbook = Workbook::new();
    // The library would write the time of day.
    let created = ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&created));
    let sheet = workbook.add_worksheet();
    // What a clerk types below the data must stay text, too.
    let text = Format::new().set_num_format("@");
    for (number, row) in (0..).zip(rows) {
        for (column, cell) in (0_u16..).zip(&row) {
            if number == 0 {
                sheet.set_column_format(column, &text)?;
            }
            if cell.starts_with('\'') {
                // The import takes one apostrophe off.
                sheet.write_string_with_format(number, column, format!("'{cell}"), &text)?;
            } else if !cell.is_empty() {
                sheet.write_string_with_format(number, column, cell.as_ref(), &text)?;
            }
        }
    }
    out.extend(workbook.save_to_buffer()?);
    Ok(())
}
