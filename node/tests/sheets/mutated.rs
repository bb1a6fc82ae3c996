//! A real workbook with its inside spoilt: each part is unpacked, changed and
//! packed again, so that the changes reach the reader instead of the ZIP's
//! checksums. The reader refuses or reads; it never panics, and it never asks
//! for memory without bound.

use std::io::{Cursor, Read as _, Write as _};
use std::process::Command;
use std::sync::LazyLock;

use lumbung_node::export::{ExportFormat, write};
use lumbung_node::import::read_sheet;
use proptest::prelude::*;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::fictitious::{Village, desa, two_families};

/// Address space of the process that reads spoilt workbooks, KiB. A sound one
/// is read in a tenth of it.
const MEMORY_KIB: u32 = 1_000_000;

/// What stands in for a piece of XML: sizes, places and numbers beyond all
/// sheets, and XML that doesn't end.
const HARM: [&str; 14] = [
    r#"<dimension ref="A1:XFD1048576"/>"#,
    r#"<dimension ref="A1:ZZZZZZZ99999999999"/>"#,
    r#"<dimension ref="XFD1048576:A1"/>"#,
    r#"<row r="4294967295"><c r="A4294967295"><v>1</v></c></row>"#,
    r#"<row r="0"><c r="A0"><v>1</v></c></row>"#,
    r#"<c r="XFD1048576" t="s"><v>0</v></c>"#,
    r#"<c t="s"><v>4294967295</v></c>"#,
    r#"<c t="s"><v>-1</v></c>"#,
    r#"<c t="d"><v>99999-99-99T99:99:99</v></c>"#,
    r#"<c><v>1e308</v></c>"#,
    r#"<mergeCell ref="A1:XFD1048576"/>"#,
    r#"<!DOCTYPE a [<!ENTITY b "bbbb">]>&b;"#,
    "<is><t>",
    "&#x110000;",
];

/// The parts of a workbook as this system writes it.
static PARTS: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(parts);

fn parts() -> Vec<(String, Vec<u8>)> {
    let mut village = Village::default();
    village.import(&two_families());
    let mut out = Vec::new();
    write(ExportFormat::OpensidXlsx, desa(), &village.census, &mut out).unwrap();
    assert_eq!(read_sheet("a.xlsx", &out).unwrap().len(), 4);
    let mut archive = ZipArchive::new(Cursor::new(out)).unwrap();
    let count = archive.len();
    let read = |at| {
        let mut part = archive.by_index(at).unwrap();
        let mut content = Vec::new();
        part.read_to_end(&mut content).unwrap();
        (part.name().unwrap().into_owned(), content)
    };
    (0..count).map(read).collect()
}

fn packed(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// One change to one part.
#[derive(Clone, Debug)]
enum Change {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    /// Put in before the n-th tag.
    Insert(prop::sample::Index, &'static str),
    /// A run of digits becomes another number.
    Number(prop::sample::Index, u64),
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        (index(), 1_u8..).prop_map(|(at, bits)| Change::Flip(at, bits)),
        index().prop_map(Change::Cut),
        (index(), prop::sample::select(HARM.to_vec()))
            .prop_map(|(at, xml)| Change::Insert(at, xml)),
        (index(), prop_oneof![Just(u64::MAX), Just(0), any::<u64>(), 0..70_000_u64])
            .prop_map(|(at, number)| Change::Number(at, number)),
    ]
}

impl Change {
    fn apply(&self, part: &mut Vec<u8>) {
        let found = |is: &dyn Fn(usize) -> bool| -> Vec<usize> {
            (0..part.len()).filter(|at| is(*at)).collect()
        };
        match self {
            _ if part.is_empty() => {}
            Self::Flip(at, bits) => {
                let at = at.index(part.len());
                part[at] ^= bits;
            }
            Self::Cut(at) => part.truncate(at.index(part.len())),
            Self::Insert(at, xml) => {
                let tags = found(&|at| part[at] == b'<');
                if !tags.is_empty() {
                    let at = *at.get(&tags);
                    part.splice(at..at, xml.bytes());
                }
            }
            Self::Number(at, number) => {
                let is_digit = |at: usize| part[at].is_ascii_digit();
                let starts = found(&|at| is_digit(at) && (at == 0 || !is_digit(at - 1)));
                if !starts.is_empty() {
                    let at = *at.get(&starts);
                    let digits = part[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                    part.splice(at..at + digits, number.to_string().bytes());
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    #[ignore = "run by the test below, in a process of little memory"]
    fn spoilt_workbooks_are_refused_or_read(
        changes in prop::collection::vec((any::<prop::sample::Index>(), change()), 1..4),
    ) {
        let mut parts = PARTS.clone();
        for (part, change) in &changes {
            let part = part.index(parts.len());
            change.apply(&mut parts[part].1);
        }
        // Whatever is read can be planned, too.
        if let Ok(sheet) = read_sheet("a.xlsx", &packed(&parts)) {
            Village::default().import_sheet(&sheet);
        }
    }
}

#[test]
fn spoilt_workbooks_cost_no_more_memory_than_sound_ones() {
    let bounded = Command::new("sh")
        .arg("-c")
        .arg(format!(r#"ulimit -v {MEMORY_KIB} && exec "$0" "$@""#))
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "mutated::spoilt_workbooks_are_refused_or_read"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[bounded.stdout, bounded.stderr].concat()).into_owned();
    assert!(bounded.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}
