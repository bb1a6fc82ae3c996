//! The rows that were left out, as a sheet of their own: the same columns and
//! one more that says why. It can be corrected and imported again; the added
//! column is passed over then.

use std::collections::HashMap;

use super::report::Report;
use super::sheet::Sheet;
use crate::export::csv_rows;

/// Header of the added column.
const PROBLEM_HEADER: &str = "masalah";

/// Whether this is the column that [`rejected_sheet`] adds.
pub(super) fn is_problem_header(header: &str) -> bool {
    header.eq_ignore_ascii_case(PROBLEM_HEADER)
}

/// Writes the rows of `sheet` that `report` left out as CSV. Cells are as
/// they were read: trimmed, "-" as blank.
#[must_use]
pub fn rejected_sheet(sheet: &Sheet, report: &Report) -> Vec<u8> {
    let reasons: HashMap<u32, &str> =
        report.rejected_rows.iter().map(|row| (row.row, row.reasons.as_str())).collect();
    // A sheet that was rejected before carries the column already.
    let places: Vec<usize> = (0..sheet.header().len())
        .filter(|place| !is_problem_header(&sheet.header()[*place]))
        .collect();
    let header = places.iter().map(|place| sheet.header()[*place].as_str());
    let header: Vec<&str> = header.chain([PROBLEM_HEADER]).collect();
    let rows = sheet.rows().filter_map(|row| {
        let why = reasons.get(&row.number())?;
        let cells = places.iter().map(|place| row.cell(*place));
        Some(cells.chain([*why]).collect::<Vec<&str>>())
    });
    let mut file = Vec::new();
    csv_rows(std::iter::once(header).chain(rows), &mut file);
    file
}
