//! Recap sheets and records as tables, CSV and workbooks.
//!
//! Text that a spreadsheet would run as a formula gets an apostrophe in
//! front. Identity numbers leave masked, and specific data not at all, unless
//! the caller says otherwise; who may see them is decided above.

mod columns;
mod records;
#[cfg(test)]
mod tests;

use lumbung_domain::recap::{Cell, Column, Isi, tanggal_indonesia};
use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use crate::recap::{Printed, Recap};

pub use columns::{Said, compared};
pub use records::{Disclosure, ExportError, RecordsExport};

/// What a workbook is called on the wire.
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Excel's number for A4.
const A4: u8 = 9;

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Number(number) => number.to_string(),
        Cell::Text(text) => text.clone(),
    }
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

/// The sheet for a terminal: one table per group of columns, since no
/// terminal is as wide as the paper. Columns that are zero everywhere are
/// left out.
#[must_use]
pub fn recap_table(recap: &Recap) -> String {
    let sheet = &recap.sheet;
    let cells = recap.cells();
    let rows: Vec<_> = cells.rows.iter().chain([&cells.total]).collect();
    let columns = || sheet.form.columns.iter().zip(0..);
    let name = columns().find(|(column, _)| column.isi == Isi::Nama).map_or(0, |(_, at)| at);
    let counts = |row: &&Vec<Cell>, at: usize| matches!(row.get(at), Some(Cell::Number(1..)));
    let kept: Vec<(&Column, usize)> = columns()
        .filter(|(column, at)| {
            matches!(column.isi, Isi::Jumlah(_)) && rows.iter().any(|row| counts(row, *at))
        })
        .collect();
    let mut lines =
        vec![format!("{} {}: {}", sheet.form.number(), sheet.form.title, sheet.wilayah)];
    for group in kept.chunk_by(|(a, _), (b, _)| a.group == b.group) {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header([group[0].0.group].into_iter().chain(group.iter().map(|(c, _)| c.header)));
        for row in &rows {
            let at = |at: usize| row.get(at).map(text).unwrap_or_default();
            table.add_row([at(name)].into_iter().chain(group.iter().map(|(_, one)| at(*one))));
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
        lines.push(format!("{table}\n"));
    }
    let remarked: Vec<_> = sheet.rows.iter().filter(|row| !row.note.is_empty()).collect();
    if !remarked.is_empty() {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(["KETERANGAN", ""]);
        table.add_rows(remarked.iter().map(|row| [&row.label, &row.note]));
        lines.push(format!("{table}\n"));
    }
    lines.extend(recap.footnotes().into_iter().map(|note| note.id));
    lines.join("\n")
}

/// The sheet as CSV, UTF-8 with a byte order mark.
#[must_use]
pub fn recap_csv(recap: &Recap, printed: &Printed) -> Vec<u8> {
    let (sheet, cells) = (&recap.sheet, &printed.cells);
    let mut writer =
        csv::WriterBuilder::new().delimiter(b';').from_writer(b"\xef\xbb\xbf".to_vec());
    let header = sheet.form.columns.iter().map(|column| match column.group {
        "" => column.header.to_owned(),
        group => format!("{group}: {}", column.header),
    });
    // Of what and as of when, in every line: a table has no place above it.
    let about = ["WILAYAH", "TANGGAL ACUAN"].map(str::to_owned);
    // Writing to memory can't fail.
    drop(writer.write_record(header.chain(about)));
    for row in cells.rows.iter().chain([&cells.total]) {
        let about = [sheet.wilayah.clone(), sheet.tanggal_acuan.to_string()];
        let row = row.iter().map(text).chain(about);
        drop(writer.write_record(row.map(harmless)));
    }
    writer.into_inner().unwrap_or_default()
}

/// The sheet as a workbook that prints on A4 landscape.
///
/// # Errors
/// When the workbook can't be made.
pub fn recap_xlsx(recap: &Recap, printed: &Printed) -> Result<Vec<u8>, XlsxError> {
    /// Title, region and date, and a blank row stand above the headers.
    const HEAD: u32 = 3;
    let (sheet, cells) = (&recap.sheet, &printed.cells);
    let mut workbook = Workbook::new();
    let page = workbook.add_worksheet();
    let border = Format::new().set_border(FormatBorder::Thin);
    let bold = border.clone().set_bold();
    page.set_name(sheet.form.number())?;
    page.set_landscape().set_paper_size(A4).set_print_fit_to_pages(1, 0);
    page.set_repeat_rows(HEAD, HEAD + 1)?.set_freeze_panes(HEAD + 2, 2)?;
    page.write_with_format(0, 0, sheet.title, &Format::new().set_bold().set_font_size(13))?;
    let date = tanggal_indonesia(sheet.tanggal_acuan);
    page.write(1, 0, format!("{}, {date} ({})", sheet.wilayah, sheet.form.number()))?;
    headers(page, recap, HEAD)?;
    let mut line = HEAD + 2;
    for row in &cells.rows {
        write_row(page, line, row, &border)?;
        line += 1;
    }
    write_row(page, line, &cells.total, &bold)?;
    for note in &printed.footnotes {
        line += 1;
        page.write(line + 1, 0, &note.id)?;
    }
    page.set_column_width(0, 5)?.set_column_width(1, 26)?;
    workbook.save_to_buffer()
}

/// The two header rows: groups over their columns, columns of their own over
/// both.
fn headers(page: &mut Worksheet, recap: &Recap, row: u32) -> Result<(), XlsxError> {
    let head = Format::new()
        .set_border(FormatBorder::Thin)
        .set_bold()
        .set_text_wrap()
        .set_align(FormatAlign::Center)
        .set_align(FormatAlign::VerticalCenter);
    let columns = &recap.sheet.form.columns;
    let mut at = 0;
    while at < columns.len() {
        let group = columns[at].group;
        if group.is_empty() {
            page.merge_range(row, column(at), row + 1, column(at), columns[at].header, &head)?;
            at += 1;
            continue;
        }
        let same = columns[at..].iter().take_while(|column| column.group == group).count();
        if same > 1 {
            page.merge_range(row, column(at), row, column(at + same - 1), group, &head)?;
        } else {
            page.write_with_format(row, column(at), group, &head)?;
        }
        for (number, one) in columns.iter().enumerate().skip(at).take(same) {
            page.write_with_format(row + 1, column(number), one.header, &head)?;
        }
        at += same;
    }
    Ok(())
}

fn write_row(
    page: &mut Worksheet,
    line: u32,
    row: &[Cell],
    format: &Format,
) -> Result<(), XlsxError> {
    for (number, cell) in row.iter().enumerate() {
        match cell {
            // Counts of people stay far below 2^53.
            Cell::Number(count) => page.write_with_format(line, column(number), *count, format)?,
            // Strings are written as strings, never as formulas.
            Cell::Text(text) => {
                page.write_string_with_format(line, column(number), text, format)?
            }
        };
    }
    Ok(())
}

/// A sheet has at most 36 columns, a record some more.
fn column(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}
