//! Mutasi.

use lumbung_domain::record::{Kelahiran, Kematian, Mutasi, Perpindahan};
use lumbung_domain::region::VillageCode;
use lumbung_proto::v1;

use super::warga::{nik_from_wire, nik_to_wire};
use super::{
    DecodeRecordError, code_from_wire, code_to_wire, id_from_wire, id_to_wire, u16_from_wire,
};
use crate::date;

pub(super) fn to_wire(event: &Mutasi) -> v1::Mutasi {
    v1::Mutasi {
        warga_id: id_to_wire(event.warga_id),
        nik: nik_to_wire(event.nik),
        peristiwa: code_to_wire(event.peristiwa),
        tgl_peristiwa: date::to_wire(event.tgl_peristiwa),
        tgl_lapor: date::to_wire(event.tgl_lapor),
        kelahiran: event.kelahiran.as_ref().map(kelahiran_to_wire),
        kematian: event.kematian.as_ref().map(kematian_to_wire),
        perpindahan: event.perpindahan.as_ref().map(perpindahan_to_wire),
        keterangan: event.keterangan.clone(),
    }
}

pub(super) fn from_wire(event: v1::Mutasi) -> Result<Mutasi, DecodeRecordError> {
    Ok(Mutasi {
        warga_id: id_from_wire(&event.warga_id, "warga_id")?,
        nik: nik_from_wire(&event.nik, "nik")?,
        peristiwa: code_from_wire(event.peristiwa, "peristiwa")?,
        tgl_peristiwa: date::from_wire(event.tgl_peristiwa),
        tgl_lapor: date::from_wire(event.tgl_lapor),
        kelahiran: event.kelahiran.map(kelahiran_from_wire).transpose()?,
        kematian: event.kematian.map(kematian_from_wire),
        perpindahan: event.perpindahan.map(perpindahan_from_wire).transpose()?,
        keterangan: event.keterangan,
    })
}

fn kelahiran_to_wire(birth: &Kelahiran) -> v1::Kelahiran {
    v1::Kelahiran {
        waktu: birth.waktu.clone(),
        tempat: code_to_wire(birth.tempat),
        jenis: code_to_wire(birth.jenis),
        anak_ke: u32::from(birth.anak_ke),
        penolong: code_to_wire(birth.penolong),
        berat_gram: birth.berat_gram,
        panjang_mm: birth.panjang_mm,
    }
}

fn kelahiran_from_wire(birth: v1::Kelahiran) -> Result<Kelahiran, DecodeRecordError> {
    Ok(Kelahiran {
        waktu: birth.waktu,
        tempat: code_from_wire(birth.tempat, "kelahiran.tempat")?,
        jenis: code_from_wire(birth.jenis, "kelahiran.jenis")?,
        anak_ke: u16_from_wire(birth.anak_ke, "kelahiran.anak_ke")?,
        penolong: code_from_wire(birth.penolong, "kelahiran.penolong")?,
        berat_gram: birth.berat_gram,
        panjang_mm: birth.panjang_mm,
    })
}

fn kematian_to_wire(death: &Kematian) -> v1::Kematian {
    v1::Kematian {
        tempat: death.tempat.clone(),
        jam: death.jam.clone(),
        sebab: death.sebab.clone(),
        penolong: death.penolong.clone(),
        akta: death.akta.clone(),
    }
}

fn kematian_from_wire(death: v1::Kematian) -> Kematian {
    Kematian {
        tempat: death.tempat,
        jam: death.jam,
        sebab: death.sebab,
        penolong: death.penolong,
        akta: death.akta,
    }
}

fn perpindahan_to_wire(movement: &Perpindahan) -> v1::Perpindahan {
    v1::Perpindahan {
        jenis: code_to_wire(movement.jenis),
        alamat: movement.alamat.clone(),
        desa: movement.desa.map_or(0, VillageCode::as_u64),
        alasan: movement.alasan.clone(),
    }
}

fn perpindahan_from_wire(movement: v1::Perpindahan) -> Result<Perpindahan, DecodeRecordError> {
    let desa = match movement.desa {
        0 => None,
        code => Some(
            VillageCode::from_u64(code).ok_or(DecodeRecordError::Malformed("perpindahan.desa"))?,
        ),
    };
    Ok(Perpindahan {
        jenis: code_from_wire(movement.jenis, "perpindahan.jenis")?,
        alamat: movement.alamat,
        desa,
        alasan: movement.alasan,
    })
}
