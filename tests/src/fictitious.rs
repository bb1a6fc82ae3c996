//! Made-up residents. Their numbers name kecamatan 90 to 99 of the kabupaten,
//! which do not exist, so nobody has them.

use std::fmt::Write;

use bytes::Bytes;
use lumbung_domain::record::{Dusun, Record};
use lumbung_wire::record::encode;

/// Columns of the sheets below, as OpenSID names them.
const HEADER: &str = "dusun;rw;rt;nama;no_kk;nik;sex;tanggallahir;kk_level;agama_id;status_kawin\n";

/// Members of one made-up family.
pub const FAMILY_SIZE: usize = 4;

/// The NIK of member `member` of family `family` of the made-up village
/// `village` (0 to 9).
#[must_use]
pub fn nik(village: usize, family: usize, member: usize) -> String {
    let day = if member % 2 == 1 { 41 } else { 1 };
    let year = if member < 2 { "70" } else { "95" };
    format!("3505{}{day:02}01{year}{:04}", 90 + village, family * FAMILY_SIZE + member + 1)
}

/// A sheet of `families` families in two RT, in OpenSID's columns.
#[must_use]
pub fn sheet(village: usize, families: usize) -> String {
    let mut csv = HEADER.to_owned();
    for family in 0..families {
        let rt = family % 2 + 1;
        let no_kk = format!("3505{}010101{:04}", 90 + village, family + 1);
        for member in 0..FAMILY_SIZE {
            let sex = member % 2 + 1;
            let year = if member < 2 { 1970 } else { 1995 };
            let (level, kawin) = [(1, 2), (3, 2), (4, 1), (4, 1)][member];
            let nik = nik(village, family, member);
            let nama = name(family * FAMILY_SIZE + member);
            let row = format!(
                "KRAJAN;001;{rt:03};{nama};{no_kk};{nik};{sex};{year}-01-01;{level};1;{kawin}\n"
            );
            csv.push_str(&row);
        }
    }
    csv
}

/// One more row for a sheet: a lone resident with the given number.
#[must_use]
pub fn lone_row(village: usize, nik: &str) -> String {
    let mut row = String::new();
    // Writing into a String can't fail.
    let _ = writeln!(
        row,
        "KRAJAN;001;001;CONTOH KEMBAR;3505{}0101019999;{nik};1;1970-01-01;1;1;1",
        90 + village
    );
    row
}

/// The payload of a dusun with this name.
#[must_use]
pub fn dusun(nama: &str) -> Bytes {
    encode(&Record::Dusun(Dusun { nama: nama.to_owned(), ..Dusun::default() }))
}

/// "CONTOH" and the number in letters.
fn name(mut number: usize) -> String {
    let mut name = "CONTOH ".to_owned();
    loop {
        name.push(char::from(b'A' + u8::try_from(number % 26).unwrap_or_default()));
        number /= 26;
        if number == 0 {
            return name;
        }
    }
}
