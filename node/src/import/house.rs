//! Reading the family's and the house's part of a row.
//!
//! Only the template carries a house. Its columns stand in the house's first
//! row and may be repeated below; where rows of one house differ, the first
//! one counts and the others are told so.

use lumbung_domain::code_list::{Code, CodeList, ParseCodeError};
use lumbung_domain::record::{
    Industri, KategoriIndustri, KategoriPekarangan, Keluarga, KriteriaRumah, MakananPokok,
    Pekarangan, RumahTangga, SumberAir, Titik,
};

use super::cell;
use super::column::Column;
use super::finding::CellFinding;

/// Applies one filled cell of a house column.
pub(super) fn read_house(
    column: Column,
    text: &str,
    house: &mut RumahTangga,
) -> Result<(), CellFinding> {
    match column {
        Column::NomorRumah => text.clone_into(&mut house.nomor),
        Column::AlamatRumah => text.clone_into(&mut house.alamat),
        Column::KriteriaRumah => choice(column, KriteriaRumah::parse(text), &mut house.kriteria)?,
        Column::MakananPokok => {
            choice(column, MakananPokok::parse(text), &mut house.makanan_pokok)?
        }
        Column::JumlahMck => house.jumlah_mck = Some(number(column, text)?),
        Column::TahunRumah => house.tahun = number(column, text)?,
        Column::SumberAir => house.air = Some(water(text)?),
        Column::Pekarangan => house.pekarangan = yard(text)?,
        Column::Industri => house.industri = industry(text)?,
        Column::Dinding => code(column, text, &mut house.dinding)?,
        Column::Lantai => code(column, text, &mut house.lantai)?,
        Column::Atap => code(column, text, &mut house.atap)?,
        Column::StatusRumah => code(column, text, &mut house.status_rumah)?,
        Column::SumberAirMinum => code(column, text, &mut house.sumber_air_minum)?,
        Column::TitikRumah => house.titik = Some(point(text)?),
        Column::DiperiksaPada => {
            house.diperiksa_pada = date(column, text)?.or(house.diperiksa_pada)
        }
        _ => {
            let field = match column {
                Column::Tps => &mut house.punya_tps,
                Column::Spal => &mut house.punya_spal,
                Column::Jamban => &mut house.punya_jamban,
                Column::StikerP4k => &mut house.stiker_p4k,
                Column::Up2kRumah => &mut house.up2k,
                Column::KeslingRumah => &mut house.kesling,
                _ => return Ok(()),
            };
            *field = yes(column, text)?.or(*field);
        }
    }
    Ok(())
}

/// Applies one filled cell of a family column.
pub(super) fn read_family(
    column: Column,
    text: &str,
    family: &mut Keluarga,
) -> Result<(), CellFinding> {
    match column {
        Column::AlamatKk => text.clone_into(&mut family.alamat),
        Column::KelasSosial => code(column, text, &mut family.kelas_sosial)?,
        Column::TanggalDaftarKk => family.tgl_daftar = date(column, text)?.or(family.tgl_daftar),
        Column::KkAktif => family.aktif = yes(column, text)?.unwrap_or(family.aktif),
        _ => {}
    }
    Ok(())
}

/// House and family cells that can't be read are passed over: the resident's
/// row is good without them.
fn skipped(column: Column, code: &'static str, why: &dyn std::fmt::Display) -> CellFinding {
    CellFinding::reject(column, code, why).softened()
}

fn code<L: CodeList>(
    column: Column,
    text: &str,
    field: &mut Option<Code<L>>,
) -> Result<(), CellFinding> {
    choice(column, Code::parse(text), field)
}

fn choice<T: Copy>(
    column: Column,
    parsed: Result<Option<T>, ParseCodeError>,
    field: &mut Option<T>,
) -> Result<(), CellFinding> {
    *field = parsed.map_err(|why| skipped(column, "kode_dilewati", &why))?.or(*field);
    Ok(())
}

fn yes(column: Column, text: &str) -> Result<Option<bool>, CellFinding> {
    cell::yes(text).map_err(|why| skipped(column, "bukan_ya_tidak_dilewati", &why))
}

fn date(column: Column, text: &str) -> Result<Option<jiff::civil::Date>, CellFinding> {
    cell::date(text).map_err(|why| skipped(column, "tanggal_dilewati", &why))
}

fn number(column: Column, text: &str) -> Result<u16, CellFinding> {
    text.parse().map_err(|_| skipped(column, "bukan_angka", &"isi dengan angka 0 sampai 65535"))
}

/// Latitude, then longitude.
fn point(text: &str) -> Result<Titik, CellFinding> {
    let degrees = |text: &str, most: f64| {
        let degrees: f64 = text.trim().parse().ok()?;
        (-most..=most).contains(&degrees).then_some(degrees)
    };
    text.split_once([',', ';'])
        .and_then(|(lat, lon)| Some(Titik { lat: degrees(lat, 90.0)?, lon: degrees(lon, 180.0)? }))
        .ok_or_else(|| {
            let why = "tulis lintang lalu bujur, misalnya -8.0955, 112.1609";
            skipped(Column::TitikRumah, "bukan_koordinat", &why)
        })
}

fn water(text: &str) -> Result<SumberAir, CellFinding> {
    let mut air = SumberAir::default();
    if ["tidak ada", "tidak", "t"].iter().any(|none| none.eq_ignore_ascii_case(text)) {
        return Ok(air);
    }
    for item in text.split([',', ';']) {
        match item.trim().to_lowercase().as_str() {
            "" => {}
            "pdam" => air.pdam = true,
            "sumur" => air.sumur = true,
            "sungai" => air.sungai = true,
            "dll" | "lain" | "lainnya" | "lain-lain" => air.dll = true,
            _ => {
                let why = "isi dengan PDAM, Sumur, Sungai, Lainnya atau Tidak ada";
                return Err(skipped(Column::SumberAir, "kode_dilewati", &why));
            }
        }
    }
    Ok(air)
}

fn yard(text: &str) -> Result<Vec<Pekarangan>, CellFinding> {
    let entry = |(kategori, komoditi, jumlah): (String, String, String)| {
        let kategori = KategoriPekarangan::parse(&kategori).ok().flatten();
        kategori.map(|kategori| Pekarangan { kategori, komoditi, jumlah })
    };
    entries(text).map(entry).collect::<Option<_>>().ok_or_else(|| unreadable(Column::Pekarangan))
}

fn industry(text: &str) -> Result<Vec<Industri>, CellFinding> {
    let entry = |(kategori, komoditi, jumlah): (String, String, String)| {
        let kategori = KategoriIndustri::parse(&kategori).ok().flatten();
        kategori.map(|kategori| Industri { kategori, komoditi, jumlah })
    };
    entries(text).map(entry).collect::<Option<_>>().ok_or_else(|| unreadable(Column::Industri))
}

fn unreadable(column: Column) -> CellFinding {
    let why = "tulis seperti \"Peternakan: ayam = 12 ekor | Perikanan: lele = 1 kolam\"";
    skipped(column, "daftar_tidak_terbaca", &why)
}

/// Splits `kategori: komoditi = jumlah | ...`; a backslash before one of the
/// marks makes it a letter.
pub(super) fn entries(text: &str) -> impl Iterator<Item = (String, String, String)> {
    split_unescaped(text, '|').into_iter().map(|entry| {
        let (kategori, rest) = halves(&entry, ':');
        let (komoditi, jumlah) = halves(&rest, '=');
        let word = |text: &str| unescape(text.trim());
        (word(&kategori), word(&komoditi), word(&jumlah))
    })
}

fn halves(text: &str, mark: char) -> (String, String) {
    let mut parts = split_unescaped(text, mark).into_iter();
    let first = parts.next().unwrap_or_default();
    (first, parts.collect::<Vec<_>>().join(&mark.to_string()))
}

fn split_unescaped(text: &str, mark: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        if c == mark && !escaped {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    parts
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut escaped = false;
    for c in text.chars() {
        if c != '\\' || escaped {
            plain.push(c);
            escaped = false;
        } else {
            escaped = true;
        }
    }
    plain
}

/// Puts a backslash before the marks that [`entries`] splits at.
pub(crate) fn escape(text: &str) -> String {
    let mut marked = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '|' | ':' | '=') {
            marked.push('\\');
        }
        marked.push(c);
    }
    marked
}
