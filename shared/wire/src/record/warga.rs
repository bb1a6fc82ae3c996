//! Warga.

use lumbung_domain::identity::{Nik, NikInput};
use lumbung_domain::record::{
    BerkebutuhanKhusus, BukuKegiatan, DokumenWarga, JenisKelamin, KegiatanPkk, KegiatanWarga,
    KelompokBelajar, OrangTua, Warga,
};
use lumbung_proto::v1;

use super::{
    DecodeRecordError, code_from_wire, code_to_wire, maybe_id_from_wire, maybe_id_to_wire,
    yes_no_from_wire, yes_no_to_wire,
};
use crate::date;

pub(super) fn to_wire(warga: &Warga) -> v1::Warga {
    let dokumen = &warga.dokumen;
    v1::Warga {
        nik: nik_to_wire(warga.nik),
        keluarga_id: maybe_id_to_wire(warga.keluarga_id),
        nama: warga.nama.clone(),
        jenis_kelamin: warga.jenis_kelamin.map_or(0, JenisKelamin::number),
        tempat_lahir: warga.tempat_lahir.clone(),
        tanggal_lahir: date::to_wire(warga.tanggal_lahir),
        agama: code_to_wire(warga.agama),
        pendidikan_kk: code_to_wire(warga.pendidikan_kk),
        pendidikan_sedang: code_to_wire(warga.pendidikan_sedang),
        pekerjaan: code_to_wire(warga.pekerjaan),
        status_kawin: code_to_wire(warga.status_kawin),
        shdk: code_to_wire(warga.shdk),
        warganegara: code_to_wire(warga.warganegara),
        ayah_nik: nik_to_wire(warga.ayah.nik),
        ayah_nama: warga.ayah.nama.clone(),
        ibu_nik: nik_to_wire(warga.ibu.nik),
        ibu_nama: warga.ibu.nama.clone(),
        golongan_darah: code_to_wire(warga.golongan_darah),
        dapat_membaca: code_to_wire(warga.dapat_membaca),
        cacat: code_to_wire(warga.cacat),
        sakit_menahun: code_to_wire(warga.sakit_menahun),
        akseptor_kb: yes_no_to_wire(warga.akseptor_kb),
        cara_kb: code_to_wire(warga.cara_kb),
        hamil: yes_no_to_wire(warga.hamil),
        menyusui: yes_no_to_wire(warga.menyusui),
        ktp_el: code_to_wire(warga.ktp_el),
        status_rekam: code_to_wire(warga.status_rekam),
        alamat_sekarang: warga.alamat_sekarang.clone(),
        status_dasar: code_to_wire(warga.status_dasar),
        status_penduduk: code_to_wire(warga.status_penduduk),
        suku: warga.suku.clone(),
        asuransi: code_to_wire(warga.asuransi),
        no_asuransi: warga.no_asuransi.clone(),
        telepon: warga.telepon.clone(),
        lat: warga.lat.clone(),
        lng: warga.lng.clone(),
        berkebutuhan_khusus: warga.berkebutuhan_khusus.map_or(0, BerkebutuhanKhusus::number),
        buta3: yes_no_to_wire(warga.buta3),
        aktif_posyandu: yes_no_to_wire(warga.aktif_posyandu),
        frekuensi_posyandu: warga.frekuensi_posyandu.clone(),
        bkb: yes_no_to_wire(warga.bkb),
        tabungan: yes_no_to_wire(warga.tabungan),
        kelompok_belajar: warga.kelompok_belajar.map_or(0, KelompokBelajar::number),
        paud: yes_no_to_wire(warga.paud),
        koperasi: yes_no_to_wire(warga.koperasi),
        jenis_koperasi: warga.jenis_koperasi.clone(),
        up2k: yes_no_to_wire(warga.up2k),
        kesling: yes_no_to_wire(warga.kesling),
        kegiatan_warga: bits(warga.kegiatan_warga.answered(true).map(KegiatanWarga::number)),
        kegiatan_tidak: bits(warga.kegiatan_warga.answered(false).map(KegiatanWarga::number)),
        keterangan_per_kegiatan: remarks_to_wire(&warga.kegiatan_warga),
        keterangan_kegiatan: warga.keterangan_kegiatan.clone(),
        kegiatan_pkk: bits(warga.kegiatan_pkk.iter().map(|k| k.number())),
        keterangan: warga.keterangan.clone(),
        no_registrasi: warga.no_registrasi.clone(),
        jabatan: warga.jabatan.clone(),
        akta_lahir: dokumen.akta_lahir.clone(),
        paspor: dokumen.paspor.clone(),
        paspor_berlaku_sampai: date::to_wire(dokumen.paspor_berlaku_sampai),
        kitas: dokumen.kitas.clone(),
        akta_perkawinan: dokumen.akta_perkawinan.clone(),
        tanggal_perkawinan: date::to_wire(dokumen.tanggal_perkawinan),
        akta_perceraian: dokumen.akta_perceraian.clone(),
        tanggal_perceraian: date::to_wire(dokumen.tanggal_perceraian),
        tag_id_card: dokumen.tag_id_card.clone(),
    }
}

pub(super) fn from_wire(warga: v1::Warga) -> Result<Warga, DecodeRecordError> {
    Ok(Warga {
        nik: nik_from_wire(&warga.nik, "nik")?,
        keluarga_id: maybe_id_from_wire(&warga.keluarga_id, "keluarga_id")?,
        nama: warga.nama,
        no_registrasi: warga.no_registrasi,
        jabatan: warga.jabatan,
        jenis_kelamin: JenisKelamin::from_wire(warga.jenis_kelamin),
        tempat_lahir: warga.tempat_lahir,
        tanggal_lahir: date::from_wire(warga.tanggal_lahir),
        agama: code_from_wire(warga.agama, "agama")?,
        pendidikan_kk: code_from_wire(warga.pendidikan_kk, "pendidikan_kk")?,
        pendidikan_sedang: code_from_wire(warga.pendidikan_sedang, "pendidikan_sedang")?,
        pekerjaan: code_from_wire(warga.pekerjaan, "pekerjaan")?,
        status_kawin: code_from_wire(warga.status_kawin, "status_kawin")?,
        shdk: code_from_wire(warga.shdk, "shdk")?,
        warganegara: code_from_wire(warga.warganegara, "warganegara")?,
        ayah: OrangTua { nik: nik_from_wire(&warga.ayah_nik, "ayah_nik")?, nama: warga.ayah_nama },
        ibu: OrangTua { nik: nik_from_wire(&warga.ibu_nik, "ibu_nik")?, nama: warga.ibu_nama },
        golongan_darah: code_from_wire(warga.golongan_darah, "golongan_darah")?,
        dapat_membaca: code_from_wire(warga.dapat_membaca, "dapat_membaca")?,
        dokumen: DokumenWarga {
            akta_lahir: warga.akta_lahir,
            paspor: warga.paspor,
            paspor_berlaku_sampai: date::from_wire(warga.paspor_berlaku_sampai),
            kitas: warga.kitas,
            akta_perkawinan: warga.akta_perkawinan,
            tanggal_perkawinan: date::from_wire(warga.tanggal_perkawinan),
            akta_perceraian: warga.akta_perceraian,
            tanggal_perceraian: date::from_wire(warga.tanggal_perceraian),
            tag_id_card: warga.tag_id_card,
        },
        cacat: code_from_wire(warga.cacat, "cacat")?,
        sakit_menahun: code_from_wire(warga.sakit_menahun, "sakit_menahun")?,
        akseptor_kb: yes_no_from_wire(warga.akseptor_kb),
        cara_kb: code_from_wire(warga.cara_kb, "cara_kb")?,
        hamil: yes_no_from_wire(warga.hamil),
        menyusui: yes_no_from_wire(warga.menyusui),
        ktp_el: code_from_wire(warga.ktp_el, "ktp_el")?,
        status_rekam: code_from_wire(warga.status_rekam, "status_rekam")?,
        alamat_sekarang: warga.alamat_sekarang,
        status_dasar: code_from_wire(warga.status_dasar, "status_dasar")?,
        status_penduduk: code_from_wire(warga.status_penduduk, "status_penduduk")?,
        suku: warga.suku,
        asuransi: code_from_wire(warga.asuransi, "asuransi")?,
        no_asuransi: warga.no_asuransi,
        telepon: warga.telepon,
        lat: warga.lat,
        lng: warga.lng,
        berkebutuhan_khusus: BerkebutuhanKhusus::from_wire(warga.berkebutuhan_khusus),
        buta3: yes_no_from_wire(warga.buta3),
        aktif_posyandu: yes_no_from_wire(warga.aktif_posyandu),
        frekuensi_posyandu: warga.frekuensi_posyandu,
        bkb: yes_no_from_wire(warga.bkb),
        tabungan: yes_no_from_wire(warga.tabungan),
        kelompok_belajar: KelompokBelajar::from_wire(warga.kelompok_belajar),
        paud: yes_no_from_wire(warga.paud),
        koperasi: yes_no_from_wire(warga.koperasi),
        jenis_koperasi: warga.jenis_koperasi,
        up2k: yes_no_from_wire(warga.up2k),
        kesling: yes_no_from_wire(warga.kesling),
        kegiatan_warga: kegiatan_from_wire(
            warga.kegiatan_warga,
            warga.kegiatan_tidak,
            &warga.keterangan_per_kegiatan,
        ),
        keterangan_kegiatan: warga.keterangan_kegiatan,
        kegiatan_pkk: set_bits(warga.kegiatan_pkk).filter_map(KegiatanPkk::from_wire).collect(),
        keterangan: warga.keterangan,
    })
}

pub(super) fn nik_to_wire(nik: Option<Nik>) -> String {
    nik.map(|nik| nik.digits()).unwrap_or_default()
}

/// Numbers on the wire were checked when they were entered; one that is not
/// a NIK can't have come from a sound node.
pub(super) fn nik_from_wire(
    digits: &str,
    field: &'static str,
) -> Result<Option<Nik>, DecodeRecordError> {
    match Nik::parse(digits) {
        Ok(NikInput::Kosong) => Ok(None),
        Ok(NikInput::Nik(nik)) => Ok(Some(nik)),
        Ok(NikInput::Sementara(_)) | Err(_) => Err(DecodeRecordError::Malformed(field)),
    }
}

fn remarks_to_wire(buku: &BukuKegiatan) -> Vec<v1::KeteranganKegiatan> {
    let remarked = buku.rows().filter(|row| !row.keterangan.is_empty());
    remarked
        .map(|row| v1::KeteranganKegiatan {
            kegiatan: row.kegiatan.number(),
            keterangan: row.keterangan.clone(),
        })
        .collect()
}

/// A row with both answers says yes; what this version doesn't know stays in
/// the bytes only.
fn kegiatan_from_wire(yes: u32, no: u32, remarks: &[v1::KeteranganKegiatan]) -> BukuKegiatan {
    let mut buku = BukuKegiatan::default();
    for (bits, ikut) in [(no & !yes, false), (yes, true)] {
        for kegiatan in set_bits(bits).filter_map(KegiatanWarga::from_wire) {
            buku.answer(kegiatan, Some(ikut));
        }
    }
    for remark in remarks {
        if let Some(kegiatan) = KegiatanWarga::from_wire(remark.kegiatan) {
            buku.remark(kegiatan, &remark.keterangan);
        }
    }
    buku
}

fn bits(numbers: impl Iterator<Item = u32>) -> u32 {
    numbers.fold(0, |bits, number| bits | 1 << (number - 1))
}

fn set_bits(bits: u32) -> impl Iterator<Item = u32> {
    (1..=32).filter(move |number| bits & 1 << (number - 1) != 0)
}
