//! Notices ↔ protobuf.

use bytes::Bytes;
use lumbung_domain::code_list::Code;
use lumbung_domain::id::RecordId;
use lumbung_domain::informasi::{Informasi, Sasaran};
use lumbung_domain::region::{KABUPATEN, KecamatanCode, VillageCode};
use lumbung_proto::v1;

use crate::date;

/// The wire form of a notice.
#[must_use]
pub fn to_wire(informasi: &Informasi) -> v1::Notice {
    v1::Notice {
        id: id_to_wire(informasi.id),
        version: informasi.versi,
        judul: informasi.judul.clone(),
        isi: informasi.isi.clone(),
        kategori: informasi.kategori.map_or(0, |kategori| u32::from(kategori.number())),
        terbit: date::to_wire(informasi.terbit),
        berlaku_sampai: date::to_wire(informasi.berlaku_sampai),
        target: informasi.sasaran.iter().copied().map(sasaran_to_wire).collect(),
        withdrawn: informasi.ditarik,
    }
}

/// The notice behind its wire form; `None` when it has no id, no version or
/// a code that can't be one. Places of a newer version are left out.
#[must_use]
pub fn from_wire(notice: &v1::Notice) -> Option<Informasi> {
    Some(Informasi {
        id: RecordId::from_slice(&notice.id)?,
        versi: Some(notice.version).filter(|version| *version > 0)?,
        judul: notice.judul.clone(),
        isi: notice.isi.clone(),
        kategori: Code::from_wire(u16::try_from(notice.kategori).ok()?),
        terbit: date::from_wire(notice.terbit),
        berlaku_sampai: date::from_wire(notice.berlaku_sampai),
        sasaran: notice.target.iter().filter_map(sasaran_from_wire).collect(),
        ditarik: notice.withdrawn,
    })
}

/// The wire form of a place.
#[must_use]
pub fn sasaran_to_wire(sasaran: Sasaran) -> v1::NoticeTarget {
    let none = v1::NoticeTarget::default();
    match sasaran {
        Sasaran::Kabupaten => v1::NoticeTarget { kabupaten: u32::from(KABUPATEN), ..none },
        Sasaran::Kecamatan(kecamatan) => v1::NoticeTarget { kecamatan: kecamatan.as_u64(), ..none },
        Sasaran::Desa(desa) => v1::NoticeTarget { desa: desa.as_u64(), ..none },
        Sasaran::Rt(desa, rt) => {
            v1::NoticeTarget { desa: desa.as_u64(), rt: id_to_wire(rt), ..none }
        }
    }
}

/// The place behind its wire form; `None` when it names none, or one outside
/// of this kabupaten's scheme.
#[must_use]
pub fn sasaran_from_wire(target: &v1::NoticeTarget) -> Option<Sasaran> {
    match (target.kabupaten, target.kecamatan, target.desa) {
        (kabupaten, 0, 0) if kabupaten == u32::from(KABUPATEN) => Some(Sasaran::Kabupaten),
        (0, kecamatan, 0) => KecamatanCode::from_u64(kecamatan).map(Sasaran::Kecamatan),
        (0, 0, desa) => {
            let desa = VillageCode::from_u64(desa)?;
            match target.rt.is_empty() {
                true => Some(Sasaran::Desa(desa)),
                false => RecordId::from_slice(&target.rt).map(|rt| Sasaran::Rt(desa, rt)),
            }
        }
        _ => None,
    }
}

fn id_to_wire(id: RecordId) -> Bytes {
    Bytes::copy_from_slice(id.as_bytes())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_notice_comes_back_from_the_wire() {
        let desa = VillageCode::from_u64(3_505_012_001).unwrap();
        let notice = Informasi {
            id: RecordId::from_parts(7, 1, 2),
            versi: 3,
            judul: "Contoh".to_owned(),
            isi: "Isi\nbaris".to_owned(),
            kategori: Code::from_wire(99),
            terbit: Some(date(2026, 11, 24)),
            berlaku_sampai: None,
            sasaran: vec![
                Sasaran::Kabupaten,
                Sasaran::Kecamatan(desa.kecamatan()),
                Sasaran::Desa(desa),
                Sasaran::Rt(desa, RecordId::from_parts(1, 0, 1)),
            ],
            ditarik: true,
        };
        assert_eq!(from_wire(&to_wire(&notice)), Some(notice));
    }

    #[test]
    fn what_names_nothing_is_none() {
        assert_eq!(from_wire(&v1::Notice::default()), None);
        let kabupaten = |kabupaten| v1::NoticeTarget { kabupaten, ..v1::NoticeTarget::default() };
        for target in [v1::NoticeTarget::default(), kabupaten(3_572)] {
            assert_eq!(sasaran_from_wire(&target), None);
        }
    }
}
