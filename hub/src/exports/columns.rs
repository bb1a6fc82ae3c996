//! The columns of exported records, kind by kind.
//!
//! Codes are written as their official labels, or as numbers where this
//! version has no label. Blank is "not filled".

use jiff::civil::Date;
use lumbung_domain::code_list::{Code, CodeList};
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::identity::{Nik, NoKk};
use lumbung_domain::record::{
    Dasawisma, Dusun, KegiatanWarga, Keluarga, Mutasi, Record, Rt, RumahTangga, Rw, TandaTerima,
    Warga,
};
use lumbung_domain::region::{Desa, VillageCode, roster};
use lumbung_telemetry::clock;

use super::records::IdentityNumbers;

/// The village of the other end of a move.
const OTHER_VILLAGE: &str = "Desa lain";

/// What stands for a number that is closed.
const CLOSED: &str = "****************";

/// The headers of a kind's own columns.
pub(super) const fn headers(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Dusun => &["Nama", "SK pembentukan"],
        Kind::Rw => &["Nomor", "Id dusun", "SK pembentukan"],
        Kind::Rt => &["Nomor", "Id RW", "Id dusun", "Batas", "SK pembentukan"],
        Kind::Dasawisma => &["Nama", "Id RT", "Aktif", "Tahun"],
        Kind::RumahTangga => &[
            "Nomor",
            "Alamat",
            "Id RT",
            "Id dasawisma",
            "Id kepala",
            "Kriteria",
            "TPS",
            "SPAL",
            "Jamban",
            "Jumlah MCK",
            "Stiker P4K",
            "PDAM",
            "Sumur",
            "Sungai",
            "Air lain",
            "Makanan pokok",
            "UP2K",
            "Kesehatan lingkungan",
            "Dinding",
            "Lantai",
            "Atap",
            "Status rumah",
            "Sumber air minum",
            "Tahun",
        ],
        Kind::Keluarga => &[
            "Nomor KK",
            "Id rumah tangga",
            "Id kepala",
            "Kelas sosial",
            "Alamat",
            "Tanggal daftar",
            "Aktif",
        ],
        Kind::Warga => &[
            "NIK",
            "Nama",
            "Jenis kelamin",
            "Tempat lahir",
            "Tanggal lahir",
            "Agama",
            "Pendidikan dalam KK",
            "Pendidikan sedang ditempuh",
            "Pekerjaan",
            "Status kawin",
            "Hubungan dalam keluarga",
            "Kewarganegaraan",
            "Nama ayah",
            "Nama ibu",
            "Golongan darah",
            "Membaca huruf",
            "Status dasar",
            "Status penduduk",
            "KTP-el",
            "Status rekam",
            "Alamat sekarang",
            "Suku",
            "Jabatan",
            "Id keluarga",
            "3 buta",
            "Aktif posyandu",
            "BKB",
            "Tabungan",
            "Kelompok belajar",
            "PAUD",
            "Koperasi",
            "UP2K",
            "Kesehatan lingkungan",
            "Kegiatan warga",
            "Kegiatan PKK",
            "Kegiatan warga tidak diikuti",
            "Keterangan per kegiatan",
            "Keterangan kegiatan",
            "Keterangan",
        ],
        Kind::Mutasi => &[
            "Peristiwa",
            "Tanggal peristiwa",
            "Tanggal lapor",
            "NIK",
            "Id warga",
            "Jenis pindah",
            OTHER_VILLAGE,
            "Alamat pindah",
            "Alasan pindah",
            "Keterangan",
        ],
        Kind::TandaTerima => &["Id informasi", "Versi", "Id RT", "Diterima", "Dibaca"],
    }
}

/// What tells two records of a kind apart when they claim the same number.
const fn telling(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Warga => &[
            "Nama",
            "Jenis kelamin",
            "Tempat lahir",
            "Tanggal lahir",
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
        | Kind::TandaTerima => &[],
    }
}

/// A record beside another of its kind: what tells them apart, without
/// identity numbers and without specific data. A village is named.
#[must_use]
pub fn compared(record: &Record) -> Vec<(&'static str, String)> {
    let kind = record.kind();
    let all = headers(kind).iter().copied().zip(cells(record, IdentityNumbers::Masked));
    let telling = all.filter(|(header, _)| telling(kind).contains(header));
    telling.map(|(header, value)| (header, named(header, value))).collect()
}

/// The name of the village whose code a cell holds; the cell itself otherwise.
fn named(header: &str, value: String) -> String {
    let village = VillageCode::parse(&value).ok().filter(|_| header == OTHER_VILLAGE);
    let name = village.and_then(|code| roster().village(code)).map(Desa::full_name);
    name.unwrap_or(value)
}

/// A record's own cells, as many as its headers.
pub(super) fn cells(record: &Record, numbers: IdentityNumbers) -> Vec<String> {
    match record {
        Record::Dusun(dusun) => of_dusun(dusun),
        Record::Rw(rw) => of_rw(rw),
        Record::Rt(rt) => of_rt(rt),
        Record::Dasawisma(group) => of_dasawisma(group),
        Record::RumahTangga(house) => of_rumah_tangga(house),
        Record::Keluarga(family) => of_keluarga(family, numbers),
        Record::Warga(warga) => of_warga(warga, numbers),
        Record::Mutasi(event) => of_mutasi(event, numbers),
        Record::TandaTerima(receipt) => of_tanda_terima(receipt),
    }
}

fn of_tanda_terima(receipt: &TandaTerima) -> Vec<String> {
    let moment = |at_ms: i64| if at_ms == 0 { String::new() } else { clock::display(at_ms) };
    vec![
        receipt.informasi_id.to_string(),
        receipt.versi.to_string(),
        id(receipt.rt_id),
        moment(receipt.diterima_ms),
        moment(receipt.dibaca_ms.unwrap_or_default()),
    ]
}

fn of_dusun(dusun: &Dusun) -> Vec<String> {
    vec![dusun.nama.clone(), dusun.sk_pembentukan.clone()]
}

fn of_rw(rw: &Rw) -> Vec<String> {
    vec![rw.nomor.clone(), id(rw.dusun_id), rw.sk_pembentukan.clone()]
}

fn of_rt(rt: &Rt) -> Vec<String> {
    let sk = rt.sk_pembentukan.clone();
    vec![rt.nomor.clone(), id(rt.rw_id), id(rt.dusun_id), rt.batas.clone(), sk]
}

fn of_dasawisma(group: &Dasawisma) -> Vec<String> {
    let rt = group.rt_id.to_string();
    vec![group.nama.clone(), rt, yes(Some(group.aktif)), count(group.tahun)]
}

fn of_rumah_tangga(house: &RumahTangga) -> Vec<String> {
    vec![
        house.nomor.clone(),
        house.alamat.clone(),
        house.rt_id.to_string(),
        id(house.dasawisma_id),
        id(house.kepala_id),
        house.kriteria.map_or("", |choice| choice.label()).to_owned(),
        yes(house.punya_tps),
        yes(house.punya_spal),
        yes(house.punya_jamban),
        house.jumlah_mck.to_string(),
        yes(house.stiker_p4k),
        yes(Some(house.air.pdam)),
        yes(Some(house.air.sumur)),
        yes(Some(house.air.sungai)),
        yes(Some(house.air.dll)),
        house.makanan_pokok.map_or("", |choice| choice.label()).to_owned(),
        yes(house.up2k),
        yes(house.kesling),
        label(house.dinding),
        label(house.lantai),
        label(house.atap),
        label(house.status_rumah),
        label(house.sumber_air_minum),
        count(house.tahun),
    ]
}

fn of_keluarga(family: &Keluarga, numbers: IdentityNumbers) -> Vec<String> {
    vec![
        kk(family.no_kk, numbers),
        family.rumah_tangga_id.to_string(),
        id(family.kepala_id),
        label(family.kelas_sosial),
        family.alamat.clone(),
        date(family.tgl_daftar),
        yes(Some(family.aktif)),
    ]
}

fn of_warga(warga: &Warga, numbers: IdentityNumbers) -> Vec<String> {
    let join = |labels: Vec<&str>| labels.join(", ");
    vec![
        nik(warga.nik, numbers),
        warga.nama.clone(),
        warga.jenis_kelamin.map_or("", |choice| choice.label()).to_owned(),
        warga.tempat_lahir.clone(),
        date(warga.tanggal_lahir),
        label(warga.agama),
        label(warga.pendidikan_kk),
        label(warga.pendidikan_sedang),
        label(warga.pekerjaan),
        label(warga.status_kawin),
        label(warga.shdk),
        label(warga.warganegara),
        warga.ayah.nama.clone(),
        warga.ibu.nama.clone(),
        label(warga.golongan_darah),
        label(warga.dapat_membaca),
        label(warga.status_dasar),
        label(warga.status_penduduk),
        label(warga.ktp_el),
        label(warga.status_rekam),
        warga.alamat_sekarang.clone(),
        warga.suku.clone(),
        warga.jabatan.clone(),
        id(warga.keluarga_id),
        yes(warga.buta3),
        yes(warga.aktif_posyandu),
        yes(warga.bkb),
        yes(warga.tabungan),
        warga.kelompok_belajar.map_or("", |choice| choice.label()).to_owned(),
        yes(warga.paud),
        yes(warga.koperasi),
        yes(warga.up2k),
        yes(warga.kesling),
        join(warga.kegiatan_warga.answered(true).map(KegiatanWarga::label).collect()),
        join(warga.kegiatan_pkk.iter().map(|choice| choice.label()).collect()),
        join(warga.kegiatan_warga.answered(false).map(KegiatanWarga::label).collect()),
        activity_remarks(warga),
        warga.keterangan_kegiatan.clone(),
        warga.keterangan.clone(),
    ]
}

/// `Kerja Bakti: tiap Minggu | Arisan: RT`, as villages write it.
fn activity_remarks(warga: &Warga) -> String {
    let remarked = warga.kegiatan_warga.rows().filter(|row| !row.keterangan.is_empty());
    let words = remarked.map(|row| format!("{}: {}", row.kegiatan.label(), row.keterangan));
    words.collect::<Vec<_>>().join(" | ")
}

fn of_mutasi(event: &Mutasi, numbers: IdentityNumbers) -> Vec<String> {
    let moved = event.perpindahan.clone().unwrap_or_default();
    vec![
        label(event.peristiwa),
        date(event.tgl_peristiwa),
        date(event.tgl_lapor),
        nik(event.nik, numbers),
        event.warga_id.to_string(),
        label(moved.jenis),
        moved.desa.map(|village| village.to_string()).unwrap_or_default(),
        moved.alamat,
        moved.alasan,
        event.keterangan.clone(),
    ]
}

fn nik(nik: Option<Nik>, numbers: IdentityNumbers) -> String {
    match (nik, numbers) {
        (None, _) => String::new(),
        (Some(_), IdentityNumbers::Masked) => CLOSED.to_owned(),
        (Some(nik), IdentityNumbers::Revealed) => nik.digits(),
    }
}

fn kk(kk: Option<NoKk>, numbers: IdentityNumbers) -> String {
    match (kk, numbers) {
        (None, _) => String::new(),
        (Some(_), IdentityNumbers::Masked) => CLOSED.to_owned(),
        (Some(kk), IdentityNumbers::Revealed) => kk.digits(),
    }
}

fn label<L: CodeList>(code: Option<Code<L>>) -> String {
    code.map(|code| code.label().map_or_else(|| code.number().to_string(), str::to_owned))
        .unwrap_or_default()
}

fn yes(answer: Option<bool>) -> String {
    match answer {
        None => "",
        Some(true) => "Ya",
        Some(false) => "Tidak",
    }
    .to_owned()
}

fn id(id: Option<RecordId>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn date(date: Option<Date>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

/// 0 is "not filled".
fn count(number: u16) -> String {
    if number == 0 { String::new() } else { number.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_as_many_cells_as_headers() {
        let records = [
            Record::Dusun(Dusun::default()),
            Record::Rw(Rw::default()),
            Record::Rt(Rt::default()),
            Record::Dasawisma(Dasawisma::default()),
            Record::RumahTangga(Box::default()),
            Record::Keluarga(Keluarga::default()),
            Record::Warga(Box::default()),
            Record::Mutasi(Box::default()),
            Record::TandaTerima(TandaTerima::default()),
        ];
        for record in records {
            let cells = cells(&record, IdentityNumbers::Masked);
            assert_eq!(cells.len(), headers(record.kind()).len(), "{}", record.kind());
        }
    }

    #[test]
    fn identity_numbers_are_masked_unless_revealed() {
        let nik = Nik::from_u64(9_905_010_101_010_001);
        let warga = Record::Warga(Box::new(Warga { nik, ..Warga::default() }));
        assert_eq!(cells(&warga, IdentityNumbers::Masked)[0], CLOSED);
        assert_eq!(cells(&warga, IdentityNumbers::Revealed)[0], "9905010101010001");
    }
}
