//! One resident.

use jiff::civil::Date;

use super::Verdict;
use super::rule::{ALAMAT_MAX, CATATAN_MAX, NAMA_MAX, NOMOR_MAX};
use crate::code_list::{CaraKb, Code, Shdk, StatusKawin};
use crate::identity::NikWarning;
use crate::indicator::umur_tahun;
use crate::record::{JenisKelamin, Titik, Warga};

/// Older than this is more often a slip than a person.
const UMUR_MAX: i32 = 120;
/// Ages at which a pregnancy is not surprising.
const UMUR_HAMIL: std::ops::RangeInclusive<i32> = 10..=55;
/// Younger than this, "kawin" is more often a slip.
const UMUR_KAWIN_MIN: i32 = 15;
/// Characters of a card chip's id (OpenSID's import rule).
const TAG_ID_CARD: std::ops::RangeInclusive<usize> = 10..=17;

/// Checks a resident as of `today`.
#[must_use]
pub fn check_warga(warga: &Warga, today: Date) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.required_text("nama", &warga.nama, NAMA_MAX, "Nama wajib diisi.");
    birth(&mut verdict, warga, today);
    identity(&mut verdict, warga);
    sex(&mut verdict, warga);
    marriage(&mut verdict, warga, today);
    codes(&mut verdict, warga);
    texts(&mut verdict, warga);
    coordinates(&mut verdict, warga);
    verdict
}

fn birth(verdict: &mut Verdict, warga: &Warga, today: Date) {
    let Some(lahir) = warga.tanggal_lahir else {
        verdict.warn(
            "tanggal_lahir",
            "tanggal_lahir.kosong",
            "Tanggal lahir belum diisi. Warga ini tidak terhitung dalam kolom menurut umur.",
        );
        return;
    };
    let umur = umur_tahun(lahir, today);
    if lahir > today {
        verdict.reject(
            "tanggal_lahir",
            "tanggal_lahir.masa_depan",
            "Tanggal lahir belum terjadi. Periksa lagi tanggalnya.",
        );
    } else if umur > UMUR_MAX {
        verdict.warn(
            "tanggal_lahir",
            "tanggal_lahir.terlalu_tua",
            format!("Menurut tanggal lahir, umurnya {umur} tahun. Periksa lagi tahunnya."),
        );
    }
    if warga.hamil == Some(true) && lahir <= today && !UMUR_HAMIL.contains(&umur) {
        verdict.warn(
            "hamil",
            "hamil.umur",
            format!("Tercatat hamil pada umur {umur} tahun. Periksa tanggal lahirnya."),
        );
    }
    if warga.status_kawin == Some(Code::<StatusKawin>::KAWIN) && (0..UMUR_KAWIN_MIN).contains(&umur)
    {
        verdict.warn(
            "status_kawin",
            "status_kawin.umur",
            format!("Tercatat kawin pada umur {umur} tahun. Periksa tanggal lahirnya."),
        );
    }
}

fn identity(verdict: &mut Verdict, warga: &Warga) {
    let Some(nik) = warga.nik else { return };
    for warning in nik.check(warga.jenis_kelamin, warga.tanggal_lahir) {
        let (code, message) = match warning {
            NikWarning::JenisKelaminBeda => (
                "nik.jenis_kelamin_beda",
                "Jenis kelamin di dalam NIK berbeda dengan isian. Periksa keduanya pada KK.",
            ),
            NikWarning::TanggalBeda => (
                "nik.tanggal_beda",
                "Tanggal lahir di dalam NIK berbeda dengan isian. Periksa keduanya pada KK.",
            ),
            NikWarning::ProvinsiTidakDikenal => (
                "nik.provinsi",
                "Dua angka pertama NIK bukan kode provinsi. Periksa lagi pada KTP atau KK.",
            ),
            NikWarning::KecamatanTidakDikenal => (
                "nik.kecamatan",
                "NIK ini berawalan 3505 (Kabupaten Blitar), tetapi kode kecamatannya tidak ada \
                 dalam daftar sekarang. Kode kabupaten lain tidak diperiksa. Periksa lagi pada KK.",
            ),
        };
        verdict.warn("nik", code, message);
    }
    if warga.ayah.nik == Some(nik) {
        verdict.warn("ayah_nik", "nik.sama_dengan_anak", "NIK ayah sama dengan NIK warga ini.");
    }
    if warga.ibu.nik == Some(nik) {
        verdict.warn("ibu_nik", "nik.sama_dengan_anak", "NIK ibu sama dengan NIK warga ini.");
    }
}

fn sex(verdict: &mut Verdict, warga: &Warga) {
    let Some(jk) = warga.jenis_kelamin else {
        verdict.warn(
            "jenis_kelamin",
            "jenis_kelamin.kosong",
            "Jenis kelamin belum diisi. Warga ini tidak terhitung dalam rekap.",
        );
        return;
    };
    let man = jk == JenisKelamin::LakiLaki;
    if man && warga.hamil == Some(true) {
        verdict.reject(
            "hamil",
            "hamil.laki_laki",
            "Laki-laki tidak dapat tercatat hamil. Perbaiki jenis kelamin atau isian hamil.",
        );
    }
    if man && warga.menyusui == Some(true) {
        verdict.reject(
            "menyusui",
            "menyusui.laki_laki",
            "Laki-laki tidak dapat tercatat menyusui. Perbaiki jenis kelamin atau isian menyusui.",
        );
    }
    let kb_of_other_sex = match warga.cara_kb {
        Some(Code::<CaraKb>::KONDOM | Code::<CaraKb>::STERILISASI_PRIA) => !man,
        Some(
            Code::<CaraKb>::PIL
            | Code::<CaraKb>::IUD
            | Code::<CaraKb>::SUNTIK
            | Code::<CaraKb>::SUSUK
            | Code::<CaraKb>::STERILISASI_WANITA,
        ) => man,
        _ => false,
    };
    if kb_of_other_sex {
        verdict.warn(
            "cara_kb",
            "cara_kb.jenis_kelamin",
            "Cara KB ini dipakai oleh jenis kelamin yang lain. Catat pada suami atau istrinya.",
        );
    }
    if warga.akseptor_kb == Some(false) && warga.cara_kb.is_some() {
        verdict.warn(
            "akseptor_kb",
            "akseptor_kb.cara_kb",
            "Tercatat bukan akseptor KB, tetapi cara KB-nya diisi. Di rekap tidak dihitung sebagai \
             akseptor. Perbaiki salah satunya.",
        );
    }
    let spouse_of_other_sex = match warga.shdk {
        Some(Code::<Shdk>::SUAMI) => !man,
        Some(Code::<Shdk>::ISTRI) => man,
        _ => false,
    };
    if spouse_of_other_sex {
        verdict.warn(
            "shdk",
            "shdk.jenis_kelamin",
            "Hubungan suami atau istri tidak cocok dengan jenis kelaminnya. Periksa keduanya.",
        );
    }
}

fn marriage(verdict: &mut Verdict, warga: &Warga, today: Date) {
    let spouse = matches!(warga.shdk, Some(Code::<Shdk>::SUAMI | Code::<Shdk>::ISTRI));
    if spouse && warga.status_kawin == Some(Code::<StatusKawin>::BELUM_KAWIN) {
        verdict.warn(
            "status_kawin",
            "status_kawin.shdk",
            "Tercatat sebagai suami atau istri, tetapi statusnya belum kawin. Periksa keduanya.",
        );
    }
    let dokumen = &warga.dokumen;
    let (kawin, cerai) = (dokumen.tanggal_perkawinan, dokumen.tanggal_perceraian);
    verdict.not_after("tanggal_perkawinan", kawin, today);
    verdict.not_after("tanggal_perceraian", cerai, today);
    if let (Some(kawin), Some(lahir)) = (kawin, warga.tanggal_lahir)
        && kawin < lahir
    {
        verdict.warn(
            "tanggal_perkawinan",
            "tanggal_perkawinan.sebelum_lahir",
            "Tanggal perkawinan lebih awal daripada tanggal lahir. Periksa keduanya.",
        );
    }
    if let (Some(kawin), Some(cerai)) = (kawin, cerai)
        && cerai < kawin
    {
        verdict.warn(
            "tanggal_perceraian",
            "tanggal_perceraian.sebelum_kawin",
            "Tanggal perceraian lebih awal daripada tanggal perkawinan. Periksa keduanya.",
        );
    }
}

fn codes(verdict: &mut Verdict, warga: &Warga) {
    verdict.listed("agama", warga.agama);
    verdict.listed("pendidikan_kk", warga.pendidikan_kk);
    verdict.listed("pendidikan_sedang", warga.pendidikan_sedang);
    verdict.listed("pekerjaan", warga.pekerjaan);
    verdict.listed("status_kawin", warga.status_kawin);
    verdict.listed("shdk", warga.shdk);
    verdict.listed("warganegara", warga.warganegara);
    verdict.listed("golongan_darah", warga.golongan_darah);
    verdict.listed("dapat_membaca", warga.dapat_membaca);
    verdict.listed("cacat", warga.cacat);
    verdict.listed("sakit_menahun", warga.sakit_menahun);
    verdict.listed("cara_kb", warga.cara_kb);
    verdict.listed("ktp_el", warga.ktp_el);
    verdict.listed("status_rekam", warga.status_rekam);
    verdict.listed("status_dasar", warga.status_dasar);
    verdict.listed("status_penduduk", warga.status_penduduk);
    verdict.listed("asuransi", warga.asuransi);
}

fn texts(verdict: &mut Verdict, warga: &Warga) {
    let dokumen = &warga.dokumen;
    for (field, text, chars_max) in [
        ("no_registrasi", &warga.no_registrasi, NOMOR_MAX),
        ("jabatan", &warga.jabatan, NAMA_MAX),
        ("tempat_lahir", &warga.tempat_lahir, NAMA_MAX),
        ("ayah_nama", &warga.ayah.nama, NAMA_MAX),
        ("ibu_nama", &warga.ibu.nama, NAMA_MAX),
        ("akta_lahir", &dokumen.akta_lahir, NOMOR_MAX),
        ("paspor", &dokumen.paspor, NOMOR_MAX),
        ("kitas", &dokumen.kitas, NOMOR_MAX),
        ("akta_perkawinan", &dokumen.akta_perkawinan, NOMOR_MAX),
        ("akta_perceraian", &dokumen.akta_perceraian, NOMOR_MAX),
        ("tag_id_card", &dokumen.tag_id_card, NOMOR_MAX),
        ("alamat_sekarang", &warga.alamat_sekarang, ALAMAT_MAX),
        ("suku", &warga.suku, NAMA_MAX),
        ("no_asuransi", &warga.no_asuransi, NOMOR_MAX),
        ("telepon", &warga.telepon, NOMOR_MAX),
        ("frekuensi_posyandu", &warga.frekuensi_posyandu, NAMA_MAX),
        ("jenis_koperasi", &warga.jenis_koperasi, NAMA_MAX),
        ("keterangan_kegiatan", &warga.keterangan_kegiatan, CATATAN_MAX),
        ("keterangan", &warga.keterangan, CATATAN_MAX),
    ] {
        verdict.text(field, text, chars_max);
    }
    for row in warga.kegiatan_warga.rows() {
        verdict.text("kegiatan_warga", &row.keterangan, CATATAN_MAX);
    }
    let tag = dokumen.tag_id_card.chars().count();
    if tag > 0 && !TAG_ID_CARD.contains(&tag) {
        verdict.warn(
            "tag_id_card",
            "tag_id_card.panjang",
            "Tag ID card biasanya 10 sampai 17 huruf. Periksa lagi.",
        );
    }
    if warga.telepon.chars().any(|c| !c.is_ascii_digit() && !"+-() ./".contains(c)) {
        verdict.warn(
            "telepon",
            "telepon.bukan_nomor",
            "Nomor telepon biasanya hanya berisi angka. Periksa lagi.",
        );
    }
}

/// The sheet's own coordinates are text and stay text, readable or not.
fn coordinates(verdict: &mut Verdict, warga: &Warga) {
    verdict.text("lat", &warga.lat, NOMOR_MAX);
    verdict.text("lng", &warga.lng, NOMOR_MAX);
    if warga.lat.trim().is_empty() && warga.lng.trim().is_empty() {
        return;
    }
    match (warga.lat.trim().parse(), warga.lng.trim().parse()) {
        (Ok(lat), Ok(lon)) => verdict.place(Some(Titik { lat, lon })),
        _ => verdict.warn(
            "lat",
            "titik.tidak_terbaca",
            "Lintang dan bujur harus diisi keduanya sebagai angka, misalnya -8.0955 dan 112.1609.",
        ),
    }
}
