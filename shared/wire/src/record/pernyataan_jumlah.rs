//! Pernyataan jumlah.

use lumbung_domain::record::{PernyataanJumlah, Ukuran};
use lumbung_proto::v1;

use super::{DecodeRecordError, maybe_id_from_wire, maybe_id_to_wire};
use crate::date;

pub(super) fn to_wire(stated: &PernyataanJumlah) -> v1::PernyataanJumlah {
    let of = |ukuran| stated.jumlah(ukuran);
    v1::PernyataanJumlah {
        wilayah_id: maybe_id_to_wire(stated.wilayah_id),
        per_tanggal: date::to_wire(stated.per_tanggal),
        sumber: stated.sumber.clone(),
        jiwa: of(Ukuran::Jiwa),
        jiwa_l: of(Ukuran::JiwaL),
        jiwa_p: of(Ukuran::JiwaP),
        kk: of(Ukuran::Kk),
        krt: of(Ukuran::Krt),
        dusun: of(Ukuran::Dusun),
        rw: of(Ukuran::Rw),
        rt: of(Ukuran::Rt),
        dasawisma: of(Ukuran::Dasawisma),
        balita_l: of(Ukuran::BalitaL),
        balita_p: of(Ukuran::BalitaP),
        pus: of(Ukuran::Pus),
        wus: of(Ukuran::Wus),
        lansia: of(Ukuran::Lansia),
    }
}

pub(super) fn from_wire(
    stated: v1::PernyataanJumlah,
) -> Result<PernyataanJumlah, DecodeRecordError> {
    let jumlah = [
        (Ukuran::Jiwa, stated.jiwa),
        (Ukuran::JiwaL, stated.jiwa_l),
        (Ukuran::JiwaP, stated.jiwa_p),
        (Ukuran::Kk, stated.kk),
        (Ukuran::Krt, stated.krt),
        (Ukuran::Dusun, stated.dusun),
        (Ukuran::Rw, stated.rw),
        (Ukuran::Rt, stated.rt),
        (Ukuran::Dasawisma, stated.dasawisma),
        (Ukuran::BalitaL, stated.balita_l),
        (Ukuran::BalitaP, stated.balita_p),
        (Ukuran::Pus, stated.pus),
        (Ukuran::Wus, stated.wus),
        (Ukuran::Lansia, stated.lansia),
    ];
    let mut record = PernyataanJumlah {
        wilayah_id: maybe_id_from_wire(&stated.wilayah_id, "wilayah_id")?,
        per_tanggal: date::from_wire(stated.per_tanggal),
        sumber: stated.sumber,
        ..PernyataanJumlah::default()
    };
    jumlah.into_iter().for_each(|(ukuran, jumlah)| record.nyatakan(ukuran, jumlah));
    Ok(record)
}
