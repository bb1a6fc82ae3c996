//! Dusun, RW, RT and dasawisma.

use lumbung_domain::record::{Dasawisma, Dusun, MasaAktif, Rt, Rw, Titik};
use lumbung_proto::v1;

use super::{
    DecodeRecordError, id_from_wire, id_to_wire, maybe_id_from_wire, maybe_id_to_wire,
    u16_from_wire,
};
use crate::date;

pub(super) fn titik_to_wire(titik: Option<Titik>) -> Option<v1::Titik> {
    titik.map(|Titik { lat, lon }| v1::Titik { lat, lon })
}

pub(super) fn titik_from_wire(titik: Option<v1::Titik>) -> Option<Titik> {
    titik.map(|v1::Titik { lat, lon }| Titik { lat, lon })
}

fn aktif_from_wire(dari: i32, sampai: i32) -> MasaAktif {
    MasaAktif { dari: date::from_wire(dari), sampai: date::from_wire(sampai) }
}

pub(super) fn dusun_to_wire(dusun: &Dusun) -> v1::Dusun {
    v1::Dusun {
        nama: dusun.nama.clone(),
        kepala_id: maybe_id_to_wire(dusun.kepala_id),
        titik: titik_to_wire(dusun.titik),
        aktif_dari: date::to_wire(dusun.aktif.dari),
        aktif_sampai: date::to_wire(dusun.aktif.sampai),
        sk_pembentukan: dusun.sk_pembentukan.clone(),
    }
}

pub(super) fn dusun_from_wire(dusun: v1::Dusun) -> Result<Dusun, DecodeRecordError> {
    Ok(Dusun {
        nama: dusun.nama,
        kepala_id: maybe_id_from_wire(&dusun.kepala_id, "kepala_id")?,
        titik: titik_from_wire(dusun.titik),
        aktif: aktif_from_wire(dusun.aktif_dari, dusun.aktif_sampai),
        sk_pembentukan: dusun.sk_pembentukan,
    })
}

pub(super) fn rw_to_wire(rw: &Rw) -> v1::Rw {
    v1::Rw {
        nomor: rw.nomor.clone(),
        dusun_id: maybe_id_to_wire(rw.dusun_id),
        ketua_id: maybe_id_to_wire(rw.ketua_id),
        titik: titik_to_wire(rw.titik),
        aktif_dari: date::to_wire(rw.aktif.dari),
        aktif_sampai: date::to_wire(rw.aktif.sampai),
        sk_pembentukan: rw.sk_pembentukan.clone(),
    }
}

pub(super) fn rw_from_wire(rw: v1::Rw) -> Result<Rw, DecodeRecordError> {
    Ok(Rw {
        nomor: rw.nomor,
        dusun_id: maybe_id_from_wire(&rw.dusun_id, "dusun_id")?,
        ketua_id: maybe_id_from_wire(&rw.ketua_id, "ketua_id")?,
        titik: titik_from_wire(rw.titik),
        aktif: aktif_from_wire(rw.aktif_dari, rw.aktif_sampai),
        sk_pembentukan: rw.sk_pembentukan,
    })
}

pub(super) fn rt_to_wire(rt: &Rt) -> v1::Rt {
    v1::Rt {
        nomor: rt.nomor.clone(),
        rw_id: maybe_id_to_wire(rt.rw_id),
        dusun_id: maybe_id_to_wire(rt.dusun_id),
        ketua_id: maybe_id_to_wire(rt.ketua_id),
        batas: rt.batas.clone(),
        titik: titik_to_wire(rt.titik),
        aktif_dari: date::to_wire(rt.aktif.dari),
        aktif_sampai: date::to_wire(rt.aktif.sampai),
        sk_pembentukan: rt.sk_pembentukan.clone(),
    }
}

pub(super) fn rt_from_wire(rt: v1::Rt) -> Result<Rt, DecodeRecordError> {
    Ok(Rt {
        nomor: rt.nomor,
        rw_id: maybe_id_from_wire(&rt.rw_id, "rw_id")?,
        dusun_id: maybe_id_from_wire(&rt.dusun_id, "dusun_id")?,
        ketua_id: maybe_id_from_wire(&rt.ketua_id, "ketua_id")?,
        batas: rt.batas,
        titik: titik_from_wire(rt.titik),
        aktif: aktif_from_wire(rt.aktif_dari, rt.aktif_sampai),
        sk_pembentukan: rt.sk_pembentukan,
    })
}

pub(super) fn dasawisma_to_wire(group: &Dasawisma) -> v1::Dasawisma {
    v1::Dasawisma {
        nama: group.nama.clone(),
        rt_id: id_to_wire(group.rt_id),
        ketua_id: maybe_id_to_wire(group.ketua_id),
        aktif: group.aktif,
        tahun: u32::from(group.tahun),
    }
}

pub(super) fn dasawisma_from_wire(group: v1::Dasawisma) -> Result<Dasawisma, DecodeRecordError> {
    Ok(Dasawisma {
        nama: group.nama,
        rt_id: id_from_wire(&group.rt_id, "rt_id")?,
        ketua_id: maybe_id_from_wire(&group.ketua_id, "ketua_id")?,
        aktif: group.aktif,
        tahun: u16_from_wire(group.tahun, "tahun")?,
    })
}
