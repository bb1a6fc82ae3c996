//! Rumah tangga and keluarga.

use lumbung_domain::identity::NoKk;
use lumbung_domain::record::{
    Industri, KategoriIndustri, KategoriPekarangan, Keluarga, KriteriaRumah, MakananPokok,
    Pekarangan, RumahTangga, SumberAir,
};
use lumbung_proto::v1;

use super::wilayah::{titik_from_wire, titik_to_wire};
use super::{
    DecodeRecordError, code_from_wire, code_to_wire, id_from_wire, id_to_wire, maybe_id_from_wire,
    maybe_id_to_wire, u16_from_wire, yes_no_from_wire, yes_no_to_wire,
};
use crate::date;

pub(super) fn to_wire(house: &RumahTangga) -> v1::RumahTangga {
    v1::RumahTangga {
        rt_id: id_to_wire(house.rt_id),
        dasawisma_id: maybe_id_to_wire(house.dasawisma_id),
        kepala_id: maybe_id_to_wire(house.kepala_id),
        nomor: house.nomor.clone(),
        alamat: house.alamat.clone(),
        titik: titik_to_wire(house.titik),
        kriteria: house.kriteria.map_or(0, KriteriaRumah::number),
        punya_tps: yes_no_to_wire(house.punya_tps),
        punya_spal: yes_no_to_wire(house.punya_spal),
        punya_jamban: yes_no_to_wire(house.punya_jamban),
        jumlah_mck: house.jumlah_mck.map(u32::from),
        stiker_p4k: yes_no_to_wire(house.stiker_p4k),
        air: house.air.map(air_to_wire),
        makanan_pokok: house.makanan_pokok.map_or(0, MakananPokok::number),
        up2k: yes_no_to_wire(house.up2k),
        kesling: yes_no_to_wire(house.kesling),
        pekarangan: house.pekarangan.iter().map(pekarangan_to_wire).collect(),
        industri: house.industri.iter().map(industri_to_wire).collect(),
        dinding: code_to_wire(house.dinding),
        lantai: code_to_wire(house.lantai),
        atap: code_to_wire(house.atap),
        status_rumah: code_to_wire(house.status_rumah),
        sumber_air_minum: code_to_wire(house.sumber_air_minum),
        tahun: u32::from(house.tahun),
        diperiksa_pada: date::to_wire(house.diperiksa_pada),
    }
}

pub(super) fn from_wire(house: v1::RumahTangga) -> Result<RumahTangga, DecodeRecordError> {
    Ok(RumahTangga {
        rt_id: id_from_wire(&house.rt_id, "rt_id")?,
        dasawisma_id: maybe_id_from_wire(&house.dasawisma_id, "dasawisma_id")?,
        kepala_id: maybe_id_from_wire(&house.kepala_id, "kepala_id")?,
        nomor: house.nomor,
        alamat: house.alamat,
        titik: titik_from_wire(house.titik),
        kriteria: KriteriaRumah::from_wire(house.kriteria),
        punya_tps: yes_no_from_wire(house.punya_tps),
        punya_spal: yes_no_from_wire(house.punya_spal),
        punya_jamban: yes_no_from_wire(house.punya_jamban),
        jumlah_mck: house.jumlah_mck.map(|count| u16_from_wire(count, "jumlah_mck")).transpose()?,
        stiker_p4k: yes_no_from_wire(house.stiker_p4k),
        air: house.air.map(air_from_wire),
        makanan_pokok: MakananPokok::from_wire(house.makanan_pokok),
        up2k: yes_no_from_wire(house.up2k),
        kesling: yes_no_from_wire(house.kesling),
        pekarangan: house.pekarangan.into_iter().filter_map(pekarangan_from_wire).collect(),
        industri: house.industri.into_iter().filter_map(industri_from_wire).collect(),
        dinding: code_from_wire(house.dinding, "dinding")?,
        lantai: code_from_wire(house.lantai, "lantai")?,
        atap: code_from_wire(house.atap, "atap")?,
        status_rumah: code_from_wire(house.status_rumah, "status_rumah")?,
        sumber_air_minum: code_from_wire(house.sumber_air_minum, "sumber_air_minum")?,
        tahun: u16_from_wire(house.tahun, "tahun")?,
        diperiksa_pada: date::from_wire(house.diperiksa_pada),
    })
}

fn air_to_wire(air: SumberAir) -> u32 {
    u32::from(air.pdam)
        | u32::from(air.sumur) << 1
        | u32::from(air.sungai) << 2
        | u32::from(air.dll) << 3
}

const fn air_from_wire(bits: u32) -> SumberAir {
    SumberAir {
        pdam: bits & 1 != 0,
        sumur: bits & 2 != 0,
        sungai: bits & 4 != 0,
        dll: bits & 8 != 0,
    }
}

fn pekarangan_to_wire(row: &Pekarangan) -> v1::Usaha {
    v1::Usaha {
        kategori: row.kategori.number(),
        komoditi: row.komoditi.clone(),
        jumlah: row.jumlah.clone(),
    }
}

/// A category this version doesn't know stays in the bytes only.
fn pekarangan_from_wire(row: v1::Usaha) -> Option<Pekarangan> {
    let kategori = KategoriPekarangan::from_wire(row.kategori)?;
    Some(Pekarangan { kategori, komoditi: row.komoditi, jumlah: row.jumlah })
}

fn industri_to_wire(row: &Industri) -> v1::Usaha {
    v1::Usaha {
        kategori: row.kategori.number(),
        komoditi: row.komoditi.clone(),
        jumlah: row.jumlah.clone(),
    }
}

fn industri_from_wire(row: v1::Usaha) -> Option<Industri> {
    let kategori = KategoriIndustri::from_wire(row.kategori)?;
    Some(Industri { kategori, komoditi: row.komoditi, jumlah: row.jumlah })
}

pub(super) fn keluarga_to_wire(family: &Keluarga) -> v1::Keluarga {
    v1::Keluarga {
        no_kk: family.no_kk.map(|kk| kk.digits()).unwrap_or_default(),
        rumah_tangga_id: id_to_wire(family.rumah_tangga_id),
        kepala_id: maybe_id_to_wire(family.kepala_id),
        kelas_sosial: code_to_wire(family.kelas_sosial),
        alamat: family.alamat.clone(),
        tgl_daftar: date::to_wire(family.tgl_daftar),
        aktif: family.aktif,
    }
}

pub(super) fn keluarga_from_wire(family: v1::Keluarga) -> Result<Keluarga, DecodeRecordError> {
    let no_kk = match family.no_kk.as_str() {
        "" => None,
        digits => Some(NoKk::parse(digits).map_err(|_| DecodeRecordError::Malformed("no_kk"))?),
    };
    Ok(Keluarga {
        no_kk,
        rumah_tangga_id: id_from_wire(&family.rumah_tangga_id, "rumah_tangga_id")?,
        kepala_id: maybe_id_from_wire(&family.kepala_id, "kepala_id")?,
        kelas_sosial: code_from_wire(family.kelas_sosial, "kelas_sosial")?,
        alamat: family.alamat,
        tgl_daftar: date::from_wire(family.tgl_daftar),
        aktif: family.aktif,
    })
}
