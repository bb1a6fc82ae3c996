//! A resident: identity, papers, health and activities.

use jiff::civil::Date;

use super::{Kelas, Numbers, Reading, code_words, list, yes_words};
use crate::record::{IkutKegiatan, OrangTua, Warga};

pub(super) fn read(reading: &mut Reading, warga: &Warga) {
    reading.text("Nama", &warga.nama);
    reading.identity("NIK", warga.nik.as_ref());
    reading.id("Keluarga", warga.keluarga_id);
    reading.text("Nomor registrasi", &warga.no_registrasi);
    reading.text("Jabatan", &warga.jabatan);
    reading.shown("Jenis kelamin", warga.jenis_kelamin.map(|jk| jk.label()));
    reading.text("Tempat lahir", &warga.tempat_lahir);
    reading.date("Tanggal lahir", warga.tanggal_lahir);
    reading.code("Agama", warga.agama);
    reading.code("Pendidikan dalam KK", warga.pendidikan_kk);
    reading.code("Pendidikan sedang ditempuh", warga.pendidikan_sedang);
    reading.code("Pekerjaan", warga.pekerjaan);
    reading.code("Status perkawinan", warga.status_kawin);
    reading.code("Hubungan dalam keluarga", warga.shdk);
    reading.code("Kewarganegaraan", warga.warganegara);
    for (label, OrangTua { nik, nama }) in [("Ayah", &warga.ayah), ("Ibu", &warga.ibu)] {
        let nik = nik.map(|nik| match reading.numbers {
            Numbers::Masked => format!(" ({nik})"),
            Numbers::Closed => " (ada NIK)".to_owned(),
        });
        let nik = nik.unwrap_or_default();
        reading.put(label, Kelas::Umum, Some(format!("{nama}{nik}")));
    }
    reading.closed("Golongan darah", warga.golongan_darah.map(code_words));
    reading.code("Dapat membaca huruf", warga.dapat_membaca);
    dokumen(reading, warga);
    reading.closed("Cacat", warga.cacat.map(code_words));
    reading.closed("Sakit menahun", warga.sakit_menahun.map(code_words));
    reading.closed("Akseptor KB", warga.akseptor_kb.map(yes_words));
    reading.closed("Cara KB", warga.cara_kb.map(code_words));
    reading.closed("Hamil", warga.hamil.map(yes_words));
    reading.closed("Menyusui", warga.menyusui.map(yes_words));
    let khusus = warga.berkebutuhan_khusus.map(|khusus| khusus.label().to_owned());
    reading.closed("Berkebutuhan khusus", khusus);
    reading.code("KTP elektronik", warga.ktp_el);
    reading.code("Status rekam", warga.status_rekam);
    reading.text("Alamat sekarang", &warga.alamat_sekarang);
    reading.code("Status dasar", warga.status_dasar);
    reading.code("Status penduduk", warga.status_penduduk);
    reading.text("Suku", &warga.suku);
    reading.closed("Asuransi", warga.asuransi.map(code_words));
    reading.text("Nomor asuransi", &warga.no_asuransi);
    reading.closed("Telepon", Some(warga.telepon.clone()));
    reading.closed("Lintang", Some(warga.lat.clone()));
    reading.closed("Bujur", Some(warga.lng.clone()));
    kegiatan(reading, warga);
    if reading.is_child(warga.tanggal_lahir) {
        reading.shown("Tahun lahir", warga.tanggal_lahir.map(Date::year));
        reading.close(&CHILD);
    }
}

/// Of a child, what tells when it was born and where it is looked after.
const CHILD: [&str; 7] = [
    "Tanggal lahir",
    "Pendidikan sedang ditempuh",
    "Aktif posyandu",
    "Frekuensi posyandu",
    "Bina Keluarga Balita",
    "Kelompok belajar",
    "PAUD",
];

fn dokumen(reading: &mut Reading, warga: &Warga) {
    let dokumen = &warga.dokumen;
    reading.text("Akta lahir", &dokumen.akta_lahir);
    reading.text("Paspor", &dokumen.paspor);
    reading.date("Paspor berlaku sampai", dokumen.paspor_berlaku_sampai);
    reading.text("KITAS", &dokumen.kitas);
    reading.text("Akta perkawinan", &dokumen.akta_perkawinan);
    reading.date("Tanggal perkawinan", dokumen.tanggal_perkawinan);
    reading.text("Akta perceraian", &dokumen.akta_perceraian);
    reading.date("Tanggal perceraian", dokumen.tanggal_perceraian);
    reading.text("Tag KTP", &dokumen.tag_id_card);
}

fn kegiatan(reading: &mut Reading, warga: &Warga) {
    reading.yes("3 buta", warga.buta3);
    reading.yes("Aktif posyandu", warga.aktif_posyandu);
    reading.text("Frekuensi posyandu", &warga.frekuensi_posyandu);
    reading.yes("Bina Keluarga Balita", warga.bkb);
    reading.yes("Punya tabungan", warga.tabungan);
    reading.shown("Kelompok belajar", warga.kelompok_belajar.map(|kelompok| kelompok.label()));
    reading.yes("PAUD", warga.paud);
    reading.yes("Koperasi", warga.koperasi);
    reading.text("Jenis koperasi", &warga.jenis_koperasi);
    reading.yes("UP2K", warga.up2k);
    reading.yes("Kesehatan lingkungan", warga.kesling);
    for (label, ikut) in [
        ("Kegiatan warga", Some(true)),
        ("Kegiatan tidak diikuti", Some(false)),
        ("Kegiatan belum ditanyakan", None),
    ] {
        let rows = warga.kegiatan_warga.rows().filter(|row| row.ikut == ikut);
        reading.put(label, Kelas::Umum, Some(list(rows.map(kegiatan_words))));
    }
    reading.text("Keterangan kegiatan", &warga.keterangan_kegiatan);
    let pkk = warga.kegiatan_pkk.iter().map(|kegiatan| kegiatan.label().to_owned());
    reading.put("Kegiatan PKK", Kelas::Umum, Some(list(pkk)));
    reading.text("Keterangan", &warga.keterangan);
}

fn kegiatan_words(row: &IkutKegiatan) -> String {
    match row.keterangan.as_str() {
        "" => row.kegiatan.label().to_owned(),
        remark => format!("{} ({remark})", row.kegiatan.label()),
    }
}
