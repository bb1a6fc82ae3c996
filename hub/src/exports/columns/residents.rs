//! Residents.

use jiff::civil::Date;
use lumbung_domain::identity::Nik;
use lumbung_domain::indicator::masih_anak;
use lumbung_domain::record::{DokumenWarga, Warga};

use super::{Line, date, id, label, list, yes};

/// What of a birth date stays open for everybody.
pub(super) const YEAR: &str = "Tahun lahir";

pub(super) fn warga(line: &mut Line, warga: &Warga, today: Date) {
    line.of_child = warga.tanggal_lahir.is_some_and(|born| masih_anak(born, today));
    identity(line, warga);
    papers(line, &warga.dokumen);
    health(line, warga);
    line.open("KTP-el", label(warga.ktp_el));
    line.open("Status rekam", label(warga.status_rekam));
    line.open("Alamat sekarang", &warga.alamat_sekarang);
    line.open("Status dasar", label(warga.status_dasar));
    line.open("Status penduduk", label(warga.status_penduduk));
    line.open("Suku", &warga.suku);
    line.open("Jabatan", &warga.jabatan);
    line.open("Nomor registrasi", &warga.no_registrasi);
    line.open("Id keluarga", id(warga.keluarga_id));
    line.specific("Telepon", &warga.telepon);
    line.specific("Lintang", &warga.lat);
    line.specific("Bujur", &warga.lng);
    activities(line, warga);
}

fn identity(line: &mut Line, warga: &Warga) {
    line.number("NIK", nik(warga.nik));
    line.open("Nama", &warga.nama);
    line.open("Jenis kelamin", warga.jenis_kelamin.map_or("", |choice| choice.label()));
    line.open("Tempat lahir", &warga.tempat_lahir);
    line.child("Tanggal lahir", date(warga.tanggal_lahir));
    line.open(YEAR, warga.tanggal_lahir.map(|born| born.year().to_string()).unwrap_or_default());
    line.open("Agama", label(warga.agama));
    line.open("Pendidikan dalam KK", label(warga.pendidikan_kk));
    line.child("Pendidikan sedang ditempuh", label(warga.pendidikan_sedang));
    line.open("Pekerjaan", label(warga.pekerjaan));
    line.open("Status kawin", label(warga.status_kawin));
    line.open("Hubungan dalam keluarga", label(warga.shdk));
    line.open("Kewarganegaraan", label(warga.warganegara));
    line.number("NIK ayah", nik(warga.ayah.nik));
    line.open("Nama ayah", &warga.ayah.nama);
    line.number("NIK ibu", nik(warga.ibu.nik));
    line.open("Nama ibu", &warga.ibu.nama);
    line.open("Membaca huruf", label(warga.dapat_membaca));
}

fn papers(line: &mut Line, papers: &DokumenWarga) {
    line.number("Akta lahir", &papers.akta_lahir);
    line.number("Paspor", &papers.paspor);
    line.open("Paspor berlaku sampai", date(papers.paspor_berlaku_sampai));
    line.number("KITAS", &papers.kitas);
    line.number("Akta perkawinan", &papers.akta_perkawinan);
    line.open("Tanggal perkawinan", date(papers.tanggal_perkawinan));
    line.number("Akta perceraian", &papers.akta_perceraian);
    line.open("Tanggal perceraian", date(papers.tanggal_perceraian));
    line.number("Tag KTP", &papers.tag_id_card);
}

fn health(line: &mut Line, warga: &Warga) {
    line.specific("Golongan darah", label(warga.golongan_darah));
    line.specific("Cacat", label(warga.cacat));
    line.specific("Sakit menahun", label(warga.sakit_menahun));
    line.specific("Akseptor KB", yes(warga.akseptor_kb));
    line.specific("Cara KB", label(warga.cara_kb));
    line.specific("Hamil", yes(warga.hamil));
    line.specific("Menyusui", yes(warga.menyusui));
    let khusus = warga.berkebutuhan_khusus.map_or("", |choice| choice.label());
    line.specific("Berkebutuhan khusus", khusus);
    line.specific("Asuransi", label(warga.asuransi));
    line.number("Nomor asuransi", &warga.no_asuransi);
}

fn activities(line: &mut Line, warga: &Warga) {
    line.open("3 buta", yes(warga.buta3));
    line.child("Aktif posyandu", yes(warga.aktif_posyandu));
    line.child("Frekuensi posyandu", &warga.frekuensi_posyandu);
    line.child("BKB", yes(warga.bkb));
    line.open("Tabungan", yes(warga.tabungan));
    line.child("Kelompok belajar", warga.kelompok_belajar.map_or("", |choice| choice.label()));
    line.child("PAUD", yes(warga.paud));
    line.open("Koperasi", yes(warga.koperasi));
    line.open("Jenis koperasi", &warga.jenis_koperasi);
    line.open("UP2K", yes(warga.up2k));
    line.open("Kesehatan lingkungan", yes(warga.kesling));
    let answered = |taken| warga.kegiatan_warga.answered(taken);
    let labels = |taken| list(answered(taken).map(|activity| activity.label().to_owned()));
    line.open("Kegiatan warga", labels(true));
    line.open("Kegiatan warga tidak diikuti", labels(false));
    line.open("Keterangan per kegiatan", activity_remarks(warga));
    line.open("Keterangan kegiatan", &warga.keterangan_kegiatan);
    let pkk = warga.kegiatan_pkk.iter().map(|choice| choice.label().to_owned());
    line.open("Kegiatan PKK", list(pkk));
    line.open("Keterangan", &warga.keterangan);
}

/// `Kerja Bakti: tiap Minggu | Arisan: RT`, as villages write it.
fn activity_remarks(warga: &Warga) -> String {
    let remarked = warga.kegiatan_warga.rows().filter(|row| !row.keterangan.is_empty());
    let words = remarked.map(|row| format!("{}: {}", row.kegiatan.label(), row.keterangan));
    words.collect::<Vec<_>>().join(" | ")
}

pub(super) fn nik(nik: Option<Nik>) -> String {
    nik.map(|nik| nik.digits()).unwrap_or_default()
}
