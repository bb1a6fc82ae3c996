//! Regions below the village.

use lumbung_domain::record::{Dasawisma, Dusun, MasaAktif, Rt, Rw, Titik};

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

fn region(line: &mut Line, titik: Option<Titik>, aktif: MasaAktif) {
    let [lat, lon] = place(titik);
    line.open("Lintang", lat);
    line.open("Bujur", lon);
    line.open("Aktif dari", date(aktif.dari));
    line.open("Aktif sampai", date(aktif.sampai));
}
