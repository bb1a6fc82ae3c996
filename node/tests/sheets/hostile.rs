//! Files made to do harm.

use std::io::{Cursor, Write};

use lumbung_node::export::{ExportFormat, write};
use lumbung_node::import::{FILE_BYTES_MAX, SheetRefused, read_sheet};
use proptest::prelude::*;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::fictitious::{Village, desa, two_families};

/// A workbook of these parts beside the ones that every workbook has.
fn workbook(parts: &[(&str, &[u8])]) -> Vec<u8> {
    const FIXED: [(&str, &str); 4] = [
        (
            "[Content_Types].xml",
            r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#,
        ),
        (
            "_rels/.rels",
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
        ),
        (
            "xl/workbook.xml",
            r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="A" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
        ),
        (
            "xl/_rels/workbook.xml.rels",
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#,
        ),
    ];
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let fixed = FIXED.iter().map(|(name, xml)| (*name, xml.as_bytes()));
    for (name, content) in fixed.chain(parts.iter().copied()) {
        zip.start_file(name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn worksheet(rows: u32) -> Vec<u8> {
    let mut xml = br#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">"#.to_vec();
    for header in ["nama", "no_kk", "nik", "rt"] {
        write!(xml, r#"<c t="inlineStr"><is><t>{header}</t></is></c>"#).unwrap();
    }
    xml.extend(b"</row>");
    for row in 2..rows + 2 {
        write!(xml, r#"<row r="{row}"><c><v>1</v></c></row>"#).unwrap();
    }
    xml.extend(b"</sheetData></worksheet>");
    xml
}

fn made_by_hand(rows: u32) -> Vec<u8> {
    workbook(&[("xl/worksheets/sheet1.xml", &worksheet(rows))])
}

#[test]
fn a_million_rows_are_refused() {
    assert_eq!(read_sheet("a.xlsx", &made_by_hand(3)).unwrap().len(), 3);
    let why = read_sheet("a.xlsx", &made_by_hand(1_000_000)).unwrap_err();
    assert_eq!(why, SheetRefused::TooManyRows);
    let csv = "nama;no_kk;nik;rt\n".to_owned() + &"A;B;C;D\n".repeat(1_000_000);
    assert_eq!(read_sheet("a.csv", csv.as_bytes()).unwrap_err(), SheetRefused::TooManyRows);
}

#[test]
fn a_bomb_is_refused() {
    let zeros = vec![0; 600 << 20];
    let bomb = workbook(&[("xl/worksheets/sheet1.xml", &zeros)]);
    assert!(bomb.len() < FILE_BYTES_MAX);
    assert_eq!(read_sheet("a.xlsx", &bomb).unwrap_err(), SheetRefused::TooManyBytes);
    let big = vec![b'a'; FILE_BYTES_MAX + 1];
    assert_eq!(read_sheet("a.csv", &big).unwrap_err(), SheetRefused::TooManyBytes);
}

#[test]
fn a_promise_of_too_many_texts_is_refused() {
    for count in ["99999999999999", " 18446744073709551615", "8000001"] {
        let xml = format!(r#"<sst uniqueCount="{count}"><si><t>a</t></si></sst>"#);
        let file = workbook(&[
            ("xl/sharedStrings.xml", xml.as_bytes()),
            ("xl/worksheets/sheet1.xml", &worksheet(1)),
        ]);
        assert_eq!(read_sheet("a.xlsx", &file).unwrap_err(), SheetRefused::TooManyBytes);
    }
}

#[test]
fn a_cell_in_the_last_row_costs_nothing() {
    let mut xml = String::from_utf8(worksheet(1)).unwrap();
    xml = xml.replace(
        "</sheetData>",
        r#"<row r="1048576"><c r="XFD1048576"><v>1</v></c><c r="A1048576"><v>2</v></c></row></sheetData>"#,
    );
    let file = workbook(&[("xl/worksheets/sheet1.xml", xml.as_bytes())]);
    let sheet = read_sheet("a.xlsx", &file).unwrap();
    assert_eq!(sheet.rows().map(|row| row.number()).collect::<Vec<_>>(), [2, 1_048_576]);
}

#[test]
fn a_cut_workbook_is_refused() {
    let file = made_by_hand(200);
    for cut in 1..file.len() {
        assert!(read_sheet("a.xlsx", &file[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn formulas_leave_as_texts_and_come_back() {
    for danger in ["=1+1", "+62", "-1", "@SUM(A1)", "'x", "=cmd|' /C calc'!A0"] {
        let mut village = Village::default();
        let csv = format!(
            "Nama Lengkap;Nomor KK;NIK;RT;Dasawisma\n\"'{danger}\";3599010101010001;;1;\"'{danger}\"\n"
        );
        village.import(&csv);
        let mut out = Vec::new();
        write(ExportFormat::Template, desa(), &village.census, &mut out).unwrap();
        let text = String::from_utf8(out.clone()).unwrap();
        let row = text.lines().nth(1).unwrap();
        assert!(row.split(';').all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{row}");
        let mut other = Village::default();
        other.import_sheet(&read_sheet("a.csv", &out).unwrap());
        assert_eq!(other.resident(danger).1.nama, danger);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn noise_never_panics(content in prop::collection::vec(any::<u8>(), 0..2_000), zip in any::<bool>()) {
        let mut content = content;
        if zip {
            content.splice(0..0, *b"PK\x03\x04");
        }
        let _ = read_sheet("a.xlsx", &content);
    }

    #[test]
    fn damaged_files_never_panic(hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12), as_csv in any::<bool>()) {
        let mut content = if as_csv { two_families().into_bytes() } else { made_by_hand(3) };
        for (at, byte) in hits {
            let at = at.index(content.len());
            content[at] = byte;
        }
        if let Ok(sheet) = read_sheet("a.xlsx", &content) {
            let report = Village::default().import_sheet(&sheet).report;
            prop_assert_eq!(report.read, report.new + report.changed + report.unchanged + report.rejected);
        }
    }

    #[test]
    fn any_text_in_any_cell_never_panics(cells in prop::collection::vec("[^\\x00]{0,12}", 11), rows in 1_usize..4) {
        let row = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect::<Vec<_>>().join(";");
        let csv = crate::fictitious::HEADER.to_owned() + &format!("{row}\n").repeat(rows) + "A;1;1;SITI;3599010101010001;0;2;1990-01-01;1;1;1\n";
        let report = Village::default().import(&csv).report;
        prop_assert_eq!(report.read, report.new + report.rejected);
    }
}
