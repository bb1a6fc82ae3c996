//! Every field of every record kind leaves under a header, and what pages
//! close is closed in files.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use lumbung_domain::record::{Kelas, Numbers};
use lumbung_wire::{date as wire_date, record as wire};
use prost::encoding::{WireType, encode_key, encode_varint};
use protox::prost_reflect::prost_types::field_descriptor_proto::Type;
use protox::prost_reflect::prost_types::{DescriptorProto, FieldDescriptorProto};

use super::*;

const ALL: Disclosure = Disclosure { numbers: true, specific: true };

/// The payload's message of a kind.
const fn message_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Dusun => "Dusun",
        Kind::Rw => "Rw",
        Kind::Rt => "Rt",
        Kind::Dasawisma => "Dasawisma",
        Kind::RumahTangga => "RumahTangga",
        Kind::Keluarga => "Keluarga",
        Kind::Warga => "Warga",
        Kind::Mutasi => "Mutasi",
        Kind::TandaTerima => "TandaTerima",
        Kind::PernyataanJumlah => "PernyataanJumlah",
    }
}

/// The messages of record.proto as it is now.
struct Messages(BTreeMap<String, DescriptorProto>);

impl Messages {
    fn read() -> Self {
        let root = format!("{}/../proto", env!("CARGO_MANIFEST_DIR"));
        let files = protox::compile(["lumbung/v1/record.proto"], [root]).unwrap();
        let messages = files.file.into_iter().flat_map(|file| file.message_type);
        Self(messages.map(|message| (message.name().to_owned(), message)).collect())
    }

    fn fields(&self, message: &str) -> &[FieldDescriptorProto] {
        &self.0.get(message).expect("a message of record.proto").field
    }

    /// Where every single value of a message stands: "Mutasi.kelahiran.waktu".
    fn leaves(&self, message: &str, at: &str) -> Vec<String> {
        let fields = self.fields(message).iter();
        let leaves = fields.flat_map(|field| {
            let path = format!("{at}.{}", field.name());
            match inner(field) {
                Some(inner) => self.leaves(inner, &path),
                None => vec![path],
            }
        });
        leaves.collect()
    }

    /// A message with every field filled; the one at `other` with a second
    /// value.
    fn filled(&self, message: &str, at: &str, other: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        for field in self.fields(message) {
            let path = format!("{at}.{}", field.name());
            let tag = field.number().unsigned_abs();
            let first = path != other;
            let mut put = |wire_type, value: &[u8]| {
                encode_key(tag, wire_type, &mut bytes);
                if wire_type == WireType::LengthDelimited {
                    encode_varint(value.len() as u64, &mut bytes);
                }
                bytes.extend_from_slice(value);
            };
            match field.r#type() {
                Type::Message => {
                    let inner = self.filled(inner(field).unwrap(), &path, other);
                    put(WireType::LengthDelimited, &inner);
                }
                Type::String => put(WireType::LengthDelimited, text(field.name(), first)),
                Type::Bytes => put(WireType::LengthDelimited, &[if first { 1 } else { 2 }; 16]),
                Type::Double => {
                    let place: f64 = if first { -8.1 } else { -8.2 };
                    put(WireType::SixtyFourBit, &place.to_le_bytes());
                }
                _ => put(WireType::Varint, &varint(number(field, first))),
            }
        }
        bytes
    }

    fn record(&self, kind: Kind, other: &str) -> Record {
        let message = message_of(kind);
        let payload = Bytes::from(self.filled(message, message, other));
        wire::decode(kind, &payload).unwrap_or_else(|error| panic!("{other}: {error}"))
    }
}

fn inner(field: &FieldDescriptorProto) -> Option<&str> {
    field.type_name().rsplit('.').next().filter(|name| !name.is_empty())
}

fn text(field: &str, first: bool) -> &'static [u8] {
    match field {
        "no_kk" if first => b"3599010101900001",
        "no_kk" => b"3599010101900002",
        nik if nik.ends_with("nik") && first => b"3599014101900001",
        nik if nik.ends_with("nik") => b"3599014101900002",
        _ if first => b"satu",
        _ => b"dua",
    }
}

fn number(field: &FieldDescriptorProto, first: bool) -> u64 {
    let (one, two): (i64, i64) = match field.r#type() {
        // Days of a child's life, zigzag.
        Type::Sint32 => {
            let today = wire_date::to_wire(Some(clock::today()));
            (i64::from(today - 1000) * 2, i64::from(today - 2000) * 2)
        }
        Type::Int64 => (1_790_000_000_000, 1_790_100_000_000),
        Type::Uint64 => (3_505_012_001, 3_505_012_002),
        Type::Bool => (1, 0),
        _ => (1, 2),
    };
    (if first { one } else { two }).cast_unsigned()
}

fn varint(number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_varint(number, &mut bytes);
    bytes
}

#[test]
fn every_field_of_every_kind_leaves_in_a_column() {
    let (messages, today) = (Messages::read(), clock::today());
    let mut seen = 0;
    for kind in Kind::ALL {
        let full = cells(&messages.record(kind, ""), ALL, today);
        for leaf in messages.leaves(message_of(kind), message_of(kind)) {
            let other = cells(&messages.record(kind, &leaf), ALL, today);
            assert_ne!(full, other, "no column shows {leaf}");
            seen += 1;
        }
    }
    assert!(seen > 150, "{seen} fields");
}

#[test]
fn every_cell_has_a_header_of_its_own() {
    let messages = Messages::read();
    for (numbers, specific) in [(false, false), (true, false), (false, true), (true, true)] {
        let disclosed = Disclosure { numbers, specific };
        for kind in Kind::ALL {
            let headers = headers(kind, disclosed);
            let cells = cells(&messages.record(kind, ""), disclosed, clock::today());
            assert_eq!(cells.len(), headers.len(), "{kind}");
            assert_eq!(headers.iter().collect::<BTreeSet<_>>().len(), headers.len(), "{kind}");
        }
    }
}

/// Pages and files name a few fields differently.
fn header_of(label: &'static str) -> &'static str {
    match label {
        "Bina Keluarga Balita" => "BKB",
        "Berat lahir" => "Berat lahir (g)",
        "Panjang lahir" => "Panjang lahir (mm)",
        "Titik" => "Lintang",
        same => same,
    }
}

#[test]
fn a_file_closes_what_pages_close_and_opens_it_when_asked() {
    let (messages, today) = (Messages::read(), clock::today());
    let mut grown = messages.record(Kind::Warga, "");
    if let Record::Warga(warga) = &mut grown {
        warga.tanggal_lahir = today.checked_sub(jiff::Span::new().years(30)).ok();
    }
    let records = Kind::ALL.map(|kind| messages.record(kind, "")).into_iter().chain([grown]);
    let mut closed = Vec::new();
    for record in records {
        let under = |label: &'static str, disclosed| {
            let headers = headers(record.kind(), disclosed).into_iter();
            let mut columns = headers.zip(cells(&record, disclosed, today));
            columns.find(|(header, _)| *header == header_of(label)).map(|(_, value)| value)
        };
        for field in record.fields(Numbers::Closed, today) {
            let shown = under(field.label, Disclosure::default());
            if field.kelas == Kelas::Spesifik {
                assert!(shown.is_none_or(|value| value == CLOSED), "{}", field.label);
                let opened = under(field.label, ALL).unwrap_or_default();
                assert!(!opened.is_empty() && opened != CLOSED, "{}", field.label);
                closed.push(field.label);
            }
        }
    }
    // Both a child's and a grown person's.
    assert_eq!(closed.iter().filter(|label| **label == "Hamil").count(), 2);
    assert_eq!(closed.iter().filter(|label| **label == "Tanggal lahir").count(), 1);
    assert!(closed.contains(&"Tanggal peristiwa"), "a birth's day is a birth date: {closed:?}");
}

#[test]
fn numbers_of_papers_are_masked_unless_disclosed() {
    let (messages, today) = (Messages::read(), clock::today());
    let numbers = Disclosure { numbers: true, specific: false };
    for (kind, digits) in [
        (Kind::Warga, "3599014101900001"),
        (Kind::Mutasi, "3599014101900001"),
        (Kind::Keluarga, "3599010101900001"),
    ] {
        let record = messages.record(kind, "");
        let shown = |disclosed| cells(&record, disclosed, today).concat();
        assert!(!shown(Disclosure::default()).contains("3599"), "{kind}");
        assert!(shown(numbers).contains(digits), "{kind}");
    }
}

#[test]
fn two_claims_are_compared_without_a_childs_birth_date() {
    let (messages, today) = (Messages::read(), clock::today());
    let mut warga = messages.record(Kind::Warga, "");
    let says = |record: &Record, label| {
        let says = compared(record, today);
        let mut said = says.into_iter().filter(|it| it.label == label).map(|it| it.value);
        said.next().unwrap()
    };
    assert_eq!(says(&warga, "Tanggal lahir"), CLOSED);
    assert_eq!(says(&messages.record(Kind::Mutasi, ""), "Tanggal peristiwa"), CLOSED);
    let Record::Warga(resident) = &mut warga else { panic!("a resident") };
    resident.tanggal_lahir = Some(Date::constant(1990, 1, 2));
    assert_eq!(says(&warga, "Tanggal lahir"), "1990-01-02");
    assert_eq!(says(&warga, residents::YEAR), "1990");
}

#[test]
fn closed_dates_that_differ_are_told_apart_and_not_told() {
    let (messages, today) = (Messages::read(), clock::today());
    let born = |date| {
        let mut warga = messages.record(Kind::Warga, "");
        let Record::Warga(resident) = &mut warga else { panic!("a resident") };
        resident.tanggal_lahir = Some(date);
        let says = compared(&warga, today);
        says.into_iter().find(|it| it.label == "Tanggal lahir").unwrap()
    };
    let day = today.yesterday().unwrap();
    let (one, other) = (born(day), born(day.yesterday().unwrap()));
    assert!(one.is_closed() && other.is_closed());
    assert!(one.differs(&other) && !one.differs(&born(day)));
    let told = format!("{one:?}");
    assert!(!told.contains(&day.to_string()), "{told}");
}
