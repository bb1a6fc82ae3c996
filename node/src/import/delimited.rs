//! Reading CSV: comma, semicolon or tab, with or without a byte order mark,
//! UTF-8 or the Windows-1252 that Excel writes as plain "CSV".

use csv::{ByteRecord, ReaderBuilder};

use super::refused::SheetRefused;
use super::sheet::{RawCell, Sheet, SheetBuilder};

/// Reads a delimited text.
pub(super) fn read(content: &[u8]) -> Result<Sheet, SheetRefused> {
    if content.starts_with(&[0xff, 0xfe]) || content.starts_with(&[0xfe, 0xff]) {
        return Err(SheetRefused::Utf16);
    }
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    if content.iter().all(u8::is_ascii_whitespace) {
        return Err(SheetRefused::Empty);
    }
    let head = &content[..content.len().min(PROBE_BYTES)];
    if head.contains(&0) {
        return Err(SheetRefused::NotASheet);
    }
    // The separator is the one under which the headers make sense.
    let mut refused = SheetRefused::NoHeader;
    for separator in [b';', b',', b'\t'] {
        match find_header(head, separator) {
            Ok(()) => return read_rows(content, separator),
            Err(SheetRefused::NoHeader) => {}
            Err(why) => refused = why,
        }
    }
    Err(refused)
}

/// How much of the file is searched for the headers.
const PROBE_BYTES: usize = 256 << 10;

fn find_header(head: &[u8], separator: u8) -> Result<(), SheetRefused> {
    let mut builder = SheetBuilder::new();
    walk(head, separator, &mut builder, true)?;
    if builder.is_searching() { builder.finish().map(|_| ()) } else { Ok(()) }
}

fn read_rows(content: &[u8], separator: u8) -> Result<Sheet, SheetRefused> {
    let mut builder = SheetBuilder::new();
    walk(content, separator, &mut builder, false)?;
    builder.finish()
}

fn walk(
    content: &[u8],
    separator: u8,
    builder: &mut SheetBuilder,
    only_header: bool,
) -> Result<(), SheetRefused> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(content);
    let mut record = ByteRecord::new();
    let mut cells: Vec<RawCell> = Vec::new();
    let mut row: usize = 0;
    let mut end = 0;
    // Reading from memory can't fail, and `flexible` accepts any length.
    while reader.read_byte_record(&mut record).unwrap_or(false) {
        row += lines_between(content, end);
        end = usize::try_from(reader.position().byte()).unwrap_or(content.len());
        cells.resize_with(record.len().max(cells.len()), RawCell::default);
        for (cell, field) in cells.iter_mut().zip(&record) {
            cell.text.clear();
            decode(field, &mut cell.text);
        }
        builder.push(u32::try_from(row).unwrap_or(u32::MAX), &cells[..record.len()])?;
        if only_header && !builder.is_searching() {
            break;
        }
    }
    Ok(())
}

/// How many rows further the next record stands than the one that ended at
/// `end`: the reader passes over empty lines, a spreadsheet numbers them.
fn lines_between(content: &[u8], end: usize) -> usize {
    let breaks = content[end..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    let newlines = breaks.filter(|byte| **byte == b'\n').count();
    // After "\r\n" the reader stands between the two.
    let is_between = end > 0 && content[end - 1] == b'\r' && newlines > 0;
    if is_between { newlines } else { newlines + 1 }
}

fn decode(field: &[u8], text: &mut String) {
    match std::str::from_utf8(field) {
        Ok(field) => text.push_str(field),
        Err(_) => text.extend(field.iter().map(|byte| match byte {
            0x91 | 0x92 => '\'',
            0x93 | 0x94 => '"',
            0x96 | 0x97 => '-',
            0x80..=0x9f => ' ',
            other => char::from(*other),
        })),
    }
}
