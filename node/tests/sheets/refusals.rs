//! Whole files that are turned away, each with its own sentence.

use lumbung_node::import::{SheetRefused, read_sheet};

fn refused(file_name: &str, content: &[u8]) -> SheetRefused {
    let why = read_sheet(file_name, content).expect_err(file_name);
    assert!(why.to_string().contains("Tidak ada data yang berubah"), "{why}");
    why
}

#[test]
fn each_wrong_file_gets_its_own_sentence() {
    let cases: &[(&str, &[u8], SheetRefused)] = &[
        ("a.csv", b"", SheetRefused::Empty),
        ("a.csv", b"\xef\xbb\xbf \n\n", SheetRefused::Empty),
        ("a.csv", b"\xff\xfen\0i\0k\0", SheetRefused::Utf16),
        ("a.csv", b"surat;tanggal\n1;2\n", SheetRefused::NoHeader),
        ("a.csv", b"%PDF-1.7\0\x01\x02", SheetRefused::NotASheet),
        ("a.xlsx", b"%PDF-1.7\0\x01\x02", SheetRefused::Damaged),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", SheetRefused::OldOrLockedWorkbook),
        ("a.xlsx", b"PK\x03\x04 not an archive", SheetRefused::Damaged),
        ("a.csv", b"nama;no_kk;nik;rt\n", SheetRefused::NoRows),
        ("a.csv", b"nama;no_kk;nik;rt\n;-;;\n", SheetRefused::NoRows),
        (
            "a.csv",
            b"nama;no_kk;nik;no kk\n1;2;3;4\n",
            SheetRefused::RepeatedColumn { header: "no_kk" },
        ),
    ];
    for (name, content, wanted) in cases {
        assert_eq!(refused(name, content), *wanted, "{}", String::from_utf8_lossy(content));
    }
}

#[test]
fn missing_columns_are_named() {
    let why = refused("a.csv", b"alamat;dusun;rw;rt;nama;sex\nA;B;1;2;C;1\n");
    assert_eq!(
        why,
        SheetRefused::MissingColumns {
            layout: "lembar penduduk OpenSID",
            missing: "no_kk, nik".to_owned(),
        }
    );
}

#[test]
fn too_many_columns_are_refused() {
    let header = (0..201).map(|at| format!("k{at}")).collect::<Vec<_>>().join(";");
    let content = format!("{header}\n1;2\n");
    assert_eq!(refused("a.csv", content.as_bytes()), SheetRefused::TooManyColumns);
}
