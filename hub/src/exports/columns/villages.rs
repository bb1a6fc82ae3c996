//! Regions below the village, and totals stated of them.

use lumbung_domain::record::{
    Dasawisma, Dusun, MasaAktif, PernyataanJumlah, Rt, Rw, Titik, Ukuran,
};

use super::{Line, count, date, id, place, yes};

pub(super) fn dusun(line: &mut Line, dusun: &Dusun) {
    line.open("Nama", &dusun.nama);
    line.open("Id kepala", id(dusun.kepala_id));
    region(line, dusun.titik, dusun.aktif);
    line.open("SK pembentukan", &dusun.sk_pembentukan);
}

pub(super) fn rw(line: &mut Line, rw: &Rw) {
    line.open("Nomor", &rw.nomor);
    line.open("Id dusun", id(rw.dusun_id));
    line.open("Id ketua", id(rw.ketua_id));
    region(line, rw.titik, rw.aktif);
    line.open("SK pembentukan", &rw.sk_pembentukan);
}

pub(super) fn rt(line: &mut Line, rt: &Rt) {
    line.open("Nomor", &rt.nomor);
    line.open("Id RW", id(rt.rw_id));
    line.open("Id dusun", id(rt.dusun_id));
    line.open("Id ketua", id(rt.ketua_id));
    line.open("Batas", &rt.batas);
    region(line, rt.titik, rt.aktif);
    line.open("SK pembentukan", &rt.sk_pembentukan);
}

pub(super) fn dasawisma(line: &mut Line, group: &Dasawisma) {
    line.open("Nama", &group.nama);
    line.open("Id RT", group.rt_id.to_string());
    line.open("Id ketua", id(group.ketua_id));
    line.open("Aktif", yes(Some(group.aktif)));
    line.open("Tahun", count(group.tahun));
}

pub(super) fn pernyataan_jumlah(line: &mut Line, stated: &PernyataanJumlah) {
    line.open("Id wilayah", id(stated.wilayah_id));
    line.open("Per tanggal", date(stated.per_tanggal));
    line.open("Sumber", &stated.sumber);
    for ukuran in Ukuran::ALL {
        let jumlah = stated.jumlah(ukuran).map(|jumlah| jumlah.to_string());
        line.open(ukuran.label(), jumlah.unwrap_or_default());
    }
}

fn region(line: &mut Line, titik: Option<Titik>, aktif: MasaAktif) {
    let [lat, lon] = place(titik);
    line.open("Lintang", lat);
    line.open("Bujur", lon);
    line.open("Aktif dari", date(aktif.dari));
    line.open("Aktif sampai", date(aktif.sampai));
}
