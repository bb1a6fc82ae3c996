//! The columns of exported records, kind by kind: every field that the domain
//! keeps has one.
//!
//! Codes are written as their official labels, or as numbers where this
//! version has no label. Blank is "not filled". How closely a column is
//! guarded follows the forms as pages show them
//! ([`lumbung_domain::record::Kelas`]).

mod events;
mod households;
mod residents;
mod villages;

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use lumbung_domain::code_list::{Code, CodeList};
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::{
    Dasawisma, Dusun, Keluarga, Mutasi, PernyataanJumlah, Record, Rt, RumahTangga, Rw, TandaTerima,
    Titik, Warga,
};
use lumbung_domain::region::{Desa, VillageCode, roster};
use lumbung_telemetry::clock;

use super::records::Disclosure;

/// The village of the other end of a move.
const OTHER_VILLAGE: &str = "Desa lain";

/// What stands for a value that is closed.
const CLOSED: &str = "****************";

/// How closely a column is guarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guard {
    /// General data.
    Open,
    /// A number of papers: closed unless numbers are disclosed.
    Number,
    /// Specific data: no such column unless it is disclosed. Whether anything
    /// stands there would tell of an illness, too.
    Specific,
    /// Specific data of a child, general data of others.
    Child,
}

/// One cell under its header.
struct Column {
    header: &'static str,
    guard: Guard,
    value: String,
}

/// A record as columns, in the order of the forms.
#[derive(Default)]
struct Line {
    columns: Vec<Column>,
    /// Whether the record is of somebody who is a child today.
    of_child: bool,
}

impl Line {
    fn put(&mut self, header: &'static str, guard: Guard, value: String) {
        self.columns.push(Column { header, guard, value });
    }

    fn open(&mut self, header: &'static str, value: impl Into<String>) {
        self.put(header, Guard::Open, value.into());
    }

    fn number(&mut self, header: &'static str, value: impl Into<String>) {
        self.put(header, Guard::Number, value.into());
    }

    fn specific(&mut self, header: &'static str, value: impl Into<String>) {
        self.put(header, Guard::Specific, value.into());
    }

    fn child(&mut self, header: &'static str, value: impl Into<String>) {
        self.put(header, Guard::Child, value.into());
    }

    fn of(record: &Record, today: Date) -> Self {
        let mut line = Self::default();
        match record {
            Record::Dusun(dusun) => villages::dusun(&mut line, dusun),
            Record::Rw(rw) => villages::rw(&mut line, rw),
            Record::Rt(rt) => villages::rt(&mut line, rt),
            Record::Dasawisma(group) => villages::dasawisma(&mut line, group),
            Record::RumahTangga(house) => households::rumah_tangga(&mut line, house),
            Record::Keluarga(family) => households::keluarga(&mut line, family),
            Record::Warga(resident) => residents::warga(&mut line, resident, today),
            Record::Mutasi(event) => events::mutasi(&mut line, event, today),
            Record::TandaTerima(receipt) => events::tanda_terima(&mut line, receipt),
            Record::PernyataanJumlah(stated) => villages::pernyataan_jumlah(&mut line, stated),
        }
        line
    }

    /// The columns that leave, with what is not disclosed closed.
    fn leaving(self, disclosed: Disclosure) -> impl Iterator<Item = (&'static str, String)> {
        let of_child = self.of_child;
        self.columns.into_iter().filter_map(move |Column { header, guard, value }| {
            let closed = match guard {
                Guard::Open => false,
                Guard::Number => !disclosed.numbers,
                Guard::Specific if disclosed.specific => false,
                Guard::Specific => return None,
                Guard::Child => of_child && !disclosed.specific,
            };
            let value = if closed && !value.is_empty() { CLOSED.to_owned() } else { value };
            Some((header, value))
        })
    }
}

/// A record of a kind with nothing filled in.
fn blank(kind: Kind) -> Record {
    match kind {
        Kind::Dusun => Record::Dusun(Dusun::default()),
        Kind::Rw => Record::Rw(Rw::default()),
        Kind::Rt => Record::Rt(Rt::default()),
        Kind::Dasawisma => Record::Dasawisma(Dasawisma::default()),
        Kind::RumahTangga => Record::RumahTangga(Box::<RumahTangga>::default()),
        Kind::Keluarga => Record::Keluarga(Keluarga::default()),
        Kind::Warga => Record::Warga(Box::<Warga>::default()),
        Kind::Mutasi => Record::Mutasi(Box::<Mutasi>::default()),
        Kind::TandaTerima => Record::TandaTerima(TandaTerima::default()),
        Kind::PernyataanJumlah => Record::PernyataanJumlah(Box::<PernyataanJumlah>::default()),
    }
}

/// The headers of a kind's own columns.
pub(super) fn headers(kind: Kind, disclosed: Disclosure) -> Vec<&'static str> {
    let line = Line::of(&blank(kind), clock::today());
    line.leaving(disclosed).map(|(header, _)| header).collect()
}

/// A record's own cells, as many as its headers. Who is a child is so today.
pub(super) fn cells(record: &Record, disclosed: Disclosure, today: Date) -> Vec<String> {
    Line::of(record, today).leaving(disclosed).map(|(_, value)| value).collect()
}

/// What tells two records of a kind apart when they claim the same number.
const fn telling(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Warga => &[
            "Nama",
            "Jenis kelamin",
            "Tempat lahir",
            "Tanggal lahir",
            residents::YEAR,
            "Hubungan dalam keluarga",
            "Nama ayah",
            "Nama ibu",
            "Status dasar",
            "Status penduduk",
            "Alamat sekarang",
        ],
        Kind::Keluarga => &["Alamat", "Tanggal daftar", "Aktif"],
        Kind::Mutasi => &[
            "Peristiwa",
            "Tanggal peristiwa",
            "Tanggal lapor",
            "Jenis pindah",
            OTHER_VILLAGE,
            "Alamat pindah",
            "Alasan pindah",
            "Keterangan",
        ],
        Kind::Dusun
        | Kind::Rw
        | Kind::Rt
        | Kind::Dasawisma
        | Kind::RumahTangga
        | Kind::TandaTerima
        | Kind::PernyataanJumlah => &[],
    }
}

/// What a record says under one label, beside another of its kind.
#[derive(Clone, Debug)]
pub struct Said {
    /// What it is about.
    pub label: &'static str,
    /// What may be read of it; a village is named.
    pub value: String,
    whole: Unshown,
}

impl Said {
    /// Whether the two say different things, also where neither may be read.
    #[must_use]
    pub fn differs(&self, other: &Self) -> bool {
        self.whole.0 != other.whole.0
    }

    /// Whether what it says may not be read.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.value == CLOSED
    }
}

/// A value that is compared and never shown.
#[derive(Clone)]
struct Unshown(String);

impl fmt::Debug for Unshown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

/// A record beside another of its kind: what tells them apart, without
/// identity numbers and without specific data, of children without their
/// birth date.
#[must_use]
pub fn compared(record: &Record, today: Date) -> Vec<Said> {
    let telling = telling(record.kind());
    let whole = Line::of(record, today);
    let opened: BTreeMap<&str, String> =
        whole.columns.iter().map(|column| (column.header, column.value.clone())).collect();
    let shown = whole.leaving(Disclosure::default());
    let told = shown.filter(|(label, _)| telling.contains(label)).map(|(label, value)| Said {
        label,
        value: named(label, value),
        whole: Unshown(opened.get(label).cloned().unwrap_or_default()),
    });
    told.collect()
}

/// The name of the village whose code a cell holds; the cell itself otherwise.
fn named(header: &str, value: String) -> String {
    let village = VillageCode::parse(&value).ok().filter(|_| header == OTHER_VILLAGE);
    let name = village.and_then(|code| roster().village(code)).map(Desa::full_name);
    name.unwrap_or(value)
}

fn label<L: CodeList>(code: Option<Code<L>>) -> String {
    code.map(|code| code.label().map_or_else(|| code.number().to_string(), str::to_owned))
        .unwrap_or_default()
}

fn yes(answer: Option<bool>) -> &'static str {
    match answer {
        None => "",
        Some(true) => "Ya",
        Some(false) => "Tidak",
    }
}

fn id(id: Option<RecordId>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn date(date: Option<Date>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

/// 0 is "not filled".
fn count(number: impl Into<u64>) -> String {
    match number.into() {
        0 => String::new(),
        number => number.to_string(),
    }
}

/// Several entries in one cell.
fn list(entries: impl Iterator<Item = String>) -> String {
    entries.collect::<Vec<_>>().join(", ")
}

/// Latitude and longitude, in two columns.
fn place(titik: Option<Titik>) -> [String; 2] {
    titik.map_or_else(Default::default, |at| [at.lat.to_string(), at.lon.to_string()])
}

#[cfg(test)]
mod tests;
