//! The resident's cells: codes in OpenSID's sheet, labels in the template.

use std::borrow::Cow;

use jiff::civil::Date;
use lumbung_domain::code_list::{Code, CodeList};
use lumbung_domain::identity::Nik;
use lumbung_domain::record::{KegiatanWarga, Warga};

use super::house::entries;
use crate::import::{Column, Layout, tidy};

/// The text of one cell; blank where nothing is known.
pub(super) fn cell(column: Column, warga: &Warga, layout: Layout) -> Cow<'_, str> {
    let dokumen = &warga.dokumen;
    match column {
        Column::Nik => match warga.nik {
            Some(nik) => nik.digits().into(),
            // OpenSID gives a temporary number for it.
            None if layout == Layout::Opensid => "0".into(),
            None => "".into(),
        },
        Column::JenisKelamin => warga.jenis_kelamin.map_or("".into(), |jk| match layout {
            Layout::Opensid => jk.number().to_string().into(),
            _ => jk.label().into(),
        }),
        Column::TanggalLahir => day(warga.tanggal_lahir),
        Column::PasporBerlaku => day(dokumen.paspor_berlaku_sampai),
        Column::TanggalPerkawinan => day(dokumen.tanggal_perkawinan),
        Column::TanggalPerceraian => day(dokumen.tanggal_perceraian),
        Column::AyahNik => digits(warga.ayah.nik),
        Column::IbuNik => digits(warga.ibu.nik),
        Column::Hamil if layout == Layout::Opensid => {
            warga.hamil.map_or("", |yes| if yes { "1" } else { "2" }).into()
        }
        // Not filled reads as alive; OpenSID wants it said.
        Column::StatusDasar if layout == Layout::Opensid && warga.status_dasar.is_none() => {
            "1".into()
        }
        _ => code_cell(column, warga, layout)
            .or_else(|| yes_cell(column, warga))
            .or_else(|| choice_cell(column, warga))
            .unwrap_or_else(|| text_cell(column, warga)),
    }
}

fn text_cell(column: Column, warga: &Warga) -> Cow<'_, str> {
    let dokumen = &warga.dokumen;
    let text = match column {
        Column::Nama => &warga.nama,
        Column::NoRegistrasi => &warga.no_registrasi,
        Column::Jabatan => &warga.jabatan,
        Column::TempatLahir => &warga.tempat_lahir,
        Column::NamaAyah => &warga.ayah.nama,
        Column::NamaIbu => &warga.ibu.nama,
        Column::AktaLahir => &dokumen.akta_lahir,
        Column::Paspor => &dokumen.paspor,
        Column::Kitas => &dokumen.kitas,
        Column::AktaPerkawinan => &dokumen.akta_perkawinan,
        Column::AktaPerceraian => &dokumen.akta_perceraian,
        Column::TagIdCard => &dokumen.tag_id_card,
        Column::AlamatSekarang => &warga.alamat_sekarang,
        Column::Suku => &warga.suku,
        Column::NoAsuransi => &warga.no_asuransi,
        Column::Telepon => &warga.telepon,
        Column::Lat => &warga.lat,
        Column::Lng => &warga.lng,
        Column::FrekuensiPosyandu => &warga.frekuensi_posyandu,
        Column::JenisKoperasi => &warga.jenis_koperasi,
        Column::KeteranganKegiatan => &warga.keterangan_kegiatan,
        Column::Keterangan => &warga.keterangan,
        _ => return "".into(),
    };
    tidy(text)
}

fn code_cell(column: Column, warga: &Warga, layout: Layout) -> Option<Cow<'static, str>> {
    Some(match column {
        Column::Agama => code(warga.agama, layout),
        Column::PendidikanKk => code(warga.pendidikan_kk, layout),
        Column::PendidikanSedang => code(warga.pendidikan_sedang, layout),
        Column::Pekerjaan => code(warga.pekerjaan, layout),
        Column::StatusKawin => code(warga.status_kawin, layout),
        Column::Shdk => code(warga.shdk, layout),
        Column::Warganegara => code(warga.warganegara, layout),
        Column::GolonganDarah => code(warga.golongan_darah, layout),
        Column::DapatMembaca => code(warga.dapat_membaca, layout),
        Column::Cacat => code(warga.cacat, layout),
        Column::SakitMenahun => code(warga.sakit_menahun, layout),
        Column::CaraKb => code(warga.cara_kb, layout),
        Column::KtpEl => code(warga.ktp_el, layout),
        Column::StatusRekam => code(warga.status_rekam, layout),
        Column::StatusDasar => code(warga.status_dasar, layout),
        Column::StatusPenduduk => code(warga.status_penduduk, layout),
        Column::Asuransi => code(warga.asuransi, layout),
        _ => return None,
    })
}

fn yes_cell(column: Column, warga: &Warga) -> Option<Cow<'static, str>> {
    let yes = match column {
        Column::AkseptorKb => warga.akseptor_kb,
        Column::Hamil => warga.hamil,
        Column::Menyusui => warga.menyusui,
        Column::Buta3 => warga.buta3,
        Column::AktifPosyandu => warga.aktif_posyandu,
        Column::Bkb => warga.bkb,
        Column::Tabungan => warga.tabungan,
        Column::Paud => warga.paud,
        Column::Koperasi => warga.koperasi,
        Column::Up2k => warga.up2k,
        Column::Kesling => warga.kesling,
        _ => return None,
    };
    Some(yes_or_no(yes))
}

fn choice_cell(column: Column, warga: &Warga) -> Option<Cow<'static, str>> {
    Some(match column {
        Column::BerkebutuhanKhusus => warga.berkebutuhan_khusus.map_or("", |it| it.label()).into(),
        Column::KelompokBelajar => warga.kelompok_belajar.map_or("", |it| it.label()).into(),
        Column::KegiatanWarga => activities(warga, true),
        Column::KegiatanTidak => activities(warga, false),
        Column::KeteranganPerKegiatan => entries(
            warga
                .kegiatan_warga
                .rows()
                .filter(|row| !tidy(&row.keterangan).is_empty())
                .map(|row| (row.kegiatan.label(), &*row.keterangan, "")),
        ),
        Column::KegiatanPkk => list(warga.kegiatan_pkk.iter().map(|it| it.label())),
        _ => return None,
    })
}

fn activities(warga: &Warga, ikut: bool) -> Cow<'static, str> {
    list(warga.kegiatan_warga.answered(ikut).map(KegiatanWarga::label))
}

/// A code as number or label. A number this version has no label for stays a
/// number.
pub(super) fn code<L: CodeList>(code: Option<Code<L>>, layout: Layout) -> Cow<'static, str> {
    let Some(code) = code else { return "".into() };
    match code.label() {
        Some(label) if layout != Layout::Opensid => label.into(),
        _ => code.number().to_string().into(),
    }
}

pub(super) fn day(date: Option<Date>) -> Cow<'static, str> {
    date.map(|date| date.to_string()).unwrap_or_default().into()
}

pub(super) fn yes_or_no(yes: Option<bool>) -> Cow<'static, str> {
    yes.map_or("", |yes| if yes { "Ya" } else { "Tidak" }).into()
}

pub(super) fn list<'a>(items: impl Iterator<Item = &'a str>) -> Cow<'static, str> {
    items.collect::<Vec<_>>().join(", ").into()
}

fn digits(nik: Option<Nik>) -> Cow<'static, str> {
    nik.map(Nik::digits).unwrap_or_default().into()
}
