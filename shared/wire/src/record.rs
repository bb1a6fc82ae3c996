//! Domain records ↔ protobuf payloads.
//!
//! Encoding is lossless for everything this version knows. Decoding takes a
//! newer node's payload too: unknown fields are left in the caller's bytes,
//! unknown codes of official lists are kept as numbers.

mod mutasi;
mod pernyataan_jumlah;
mod rumah_tangga;
mod tanda_terima;
mod warga;
mod wilayah;

use bytes::Bytes;
use lumbung_domain::code_list::{Code, CodeList};
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::Record;
use prost::Message;

/// Version of the payload schemas below; grows when a field is added.
pub const SCHEMA: u16 = 2;

/// Why bytes are not a record of their kind. Never carries content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeRecordError {
    /// The bytes are not the kind's protobuf message.
    #[error("not a {0} message")]
    NotAMessage(Kind),
    /// A field that must name another record does not hold 16 bytes.
    #[error("field {0} does not hold a record id")]
    NotAnId(&'static str),
    /// A field holds a number that can't be what it says.
    #[error("field {0} is malformed")]
    Malformed(&'static str),
}

/// The record's payload.
#[must_use]
pub fn encode(record: &Record) -> Bytes {
    let bytes = match record {
        Record::Dusun(record) => wilayah::dusun_to_wire(record).encode_to_vec(),
        Record::Rw(record) => wilayah::rw_to_wire(record).encode_to_vec(),
        Record::Rt(record) => wilayah::rt_to_wire(record).encode_to_vec(),
        Record::Dasawisma(record) => wilayah::dasawisma_to_wire(record).encode_to_vec(),
        Record::RumahTangga(record) => rumah_tangga::to_wire(record).encode_to_vec(),
        Record::Keluarga(record) => rumah_tangga::keluarga_to_wire(record).encode_to_vec(),
        Record::Warga(record) => warga::to_wire(record).encode_to_vec(),
        Record::Mutasi(record) => mutasi::to_wire(record).encode_to_vec(),
        Record::TandaTerima(record) => tanda_terima::to_wire(record).encode_to_vec(),
        Record::PernyataanJumlah(record) => pernyataan_jumlah::to_wire(record).encode_to_vec(),
    };
    bytes.into()
}

/// The record behind a payload.
///
/// # Errors
/// [`DecodeRecordError`] when the bytes are not a record of that kind.
pub fn decode(kind: Kind, payload: &Bytes) -> Result<Record, DecodeRecordError> {
    fn message<M: Message + Default>(kind: Kind, payload: &Bytes) -> Result<M, DecodeRecordError> {
        M::decode(payload.clone()).map_err(|_| DecodeRecordError::NotAMessage(kind))
    }
    Ok(match kind {
        Kind::Dusun => Record::Dusun(wilayah::dusun_from_wire(message(kind, payload)?)?),
        Kind::Rw => Record::Rw(wilayah::rw_from_wire(message(kind, payload)?)?),
        Kind::Rt => Record::Rt(wilayah::rt_from_wire(message(kind, payload)?)?),
        Kind::Dasawisma => {
            Record::Dasawisma(wilayah::dasawisma_from_wire(message(kind, payload)?)?)
        }
        Kind::RumahTangga => {
            Record::RumahTangga(Box::new(rumah_tangga::from_wire(message(kind, payload)?)?))
        }
        Kind::Keluarga => {
            Record::Keluarga(rumah_tangga::keluarga_from_wire(message(kind, payload)?)?)
        }
        Kind::Warga => Record::Warga(Box::new(warga::from_wire(message(kind, payload)?)?)),
        Kind::Mutasi => Record::Mutasi(Box::new(mutasi::from_wire(message(kind, payload)?)?)),
        Kind::TandaTerima => {
            Record::TandaTerima(tanda_terima::from_wire(&message(kind, payload)?)?)
        }
        Kind::PernyataanJumlah => Record::PernyataanJumlah(Box::new(pernyataan_jumlah::from_wire(
            message(kind, payload)?,
        )?)),
    })
}

fn id_to_wire(id: RecordId) -> Bytes {
    Bytes::copy_from_slice(id.as_bytes())
}

fn maybe_id_to_wire(id: Option<RecordId>) -> Bytes {
    id.map_or_else(Bytes::new, id_to_wire)
}

fn id_from_wire(bytes: &Bytes, field: &'static str) -> Result<RecordId, DecodeRecordError> {
    RecordId::from_slice(bytes).ok_or(DecodeRecordError::NotAnId(field))
}

fn maybe_id_from_wire(
    bytes: &Bytes,
    field: &'static str,
) -> Result<Option<RecordId>, DecodeRecordError> {
    if bytes.is_empty() { Ok(None) } else { id_from_wire(bytes, field).map(Some) }
}

fn code_to_wire<L: CodeList>(code: Option<Code<L>>) -> u32 {
    code.map_or(0, |code| u32::from(code.number()))
}

fn code_from_wire<L: CodeList>(
    number: u32,
    field: &'static str,
) -> Result<Option<Code<L>>, DecodeRecordError> {
    let number = u16::try_from(number).map_err(|_| DecodeRecordError::Malformed(field))?;
    Ok(Code::from_wire(number))
}

const fn yes_no_to_wire(answer: Option<bool>) -> u32 {
    match answer {
        None => 0,
        Some(true) => 1,
        Some(false) => 2,
    }
}

const fn yes_no_from_wire(number: u32) -> Option<bool> {
    match number {
        1 => Some(true),
        2 => Some(false),
        _ => None,
    }
}

fn u16_from_wire(number: u32, field: &'static str) -> Result<u16, DecodeRecordError> {
    u16::try_from(number).map_err(|_| DecodeRecordError::Malformed(field))
}

#[cfg(test)]
mod tests {
    use lumbung_proto::v1;

    use super::*;

    fn comes_back(kind: Kind, message: &impl Message) {
        let payload: Bytes = message.encode_to_vec().into();
        let record = decode(kind, &payload).unwrap();
        assert_eq!(encode(&record), payload, "{kind}");
    }

    #[test]
    fn what_was_written_before_is_written_the_same_again() {
        let rt_id = Bytes::from(vec![1; 16]);
        let old = v1::RumahTangga { rt_id, ..Default::default() };
        comes_back(Kind::RumahTangga, &old);
        let filled = v1::RumahTangga { jumlah_mck: Some(3), air: Some(9), ..old.clone() };
        comes_back(Kind::RumahTangga, &filled);
        let none = v1::RumahTangga { jumlah_mck: Some(0), air: Some(0), ..old };
        comes_back(Kind::RumahTangga, &none);
        comes_back(
            Kind::Warga,
            &v1::Warga {
                cara_kb: 3,
                kegiatan_warga: 0b100_1001,
                keterangan_kegiatan: "lama".into(),
                ..Default::default()
            },
        );
        let remark = v1::KeteranganKegiatan { kegiatan: 7, keterangan: "baru".into() };
        comes_back(
            Kind::Warga,
            &v1::Warga {
                akseptor_kb: 2,
                kegiatan_warga: 1,
                kegiatan_tidak: 0b110,
                keterangan_per_kegiatan: vec![remark],
                keterangan: "baru".into(),
                ..Default::default()
            },
        );
    }
}
