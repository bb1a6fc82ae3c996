//! Reading the resident's part of a row into a [`Warga`].
//!
//! A blank cell says nothing: it never erases what the village already knows.
//! NIK, family and place are not read here; they decide which record the row
//! belongs to.

use std::collections::HashMap;

use lumbung_domain::code_list::{Code, CodeList, ParseCodeError, StatusDasar};
use lumbung_domain::identity::Nik;
use lumbung_domain::record::{
    BerkebutuhanKhusus, BukuKegiatan, JenisKelamin, KegiatanPkk, KegiatanWarga, KelompokBelajar,
    Warga,
};

use super::cell;
use super::column::{Column, Layout};
use super::finding::CellFinding;
use super::house::entries;
use super::limits::CELL_CHARS_MAX;
use super::sheet::SheetRow;

/// Reads rows of one layout. It remembers which label meant which number,
/// since a village has five religions and five thousand residents.
#[derive(Debug, Default)]
pub(super) struct ResidentReader {
    codes: HashMap<Column, HashMap<Box<str>, Option<u16>>>,
}

/// What reading one cell may leave: nothing, or one finding.
type Reading = Result<(), CellFinding>;

impl ResidentReader {
    /// Applies the row's resident cells to `warga`.
    pub(super) fn read(
        &mut self,
        row: &SheetRow<'_>,
        layout: Layout,
        skipped: &[Column],
        warga: &mut Warga,
        findings: &mut Vec<CellFinding>,
    ) {
        for (column, _) in layout.headings() {
            let column = *column;
            let text = row.text(column);
            if text.is_empty() || !column.is_resident() || skipped.contains(&column) {
                continue;
            }
            let reading = if text.len() > CELL_CHARS_MAX && text.chars().count() > CELL_CHARS_MAX {
                Err(CellFinding::too_long(column))
            } else if column == Column::KegiatanTidak {
                let followed = row.text(Column::KegiatanWarga);
                read_not_followed(text, followed, &mut warga.kegiatan_warga)
            } else {
                self.read_cell(column, text, layout, warga)
            };
            findings.extend(reading.err());
        }
    }

    fn read_cell(
        &mut self,
        column: Column,
        text: &str,
        layout: Layout,
        warga: &mut Warga,
    ) -> Reading {
        match column {
            // Decides the record; read with the roll.
            Column::Nik => Ok(()),
            Column::Nama => {
                read_name(text, layout, &mut warga.nama);
                Ok(())
            }
            Column::StatusDasar => self.read_status(text, layout, warga),
            Column::AyahNik => read_parent(column, text, &mut warga.ayah.nik),
            Column::IbuNik => read_parent(column, text, &mut warga.ibu.nik),
            Column::KegiatanWarga => {
                let yes = list(column, text, KegiatanWarga::parse)?;
                write_answers(&mut warga.kegiatan_warga, &yes, true);
                Ok(())
            }
            Column::KeteranganPerKegiatan => read_remarks(text, &mut warga.kegiatan_warga),
            Column::KegiatanPkk => {
                let listed = list(column, text, KegiatanPkk::parse)?;
                if !listed.is_empty() {
                    warga.kegiatan_pkk = listed;
                }
                Ok(())
            }
            _ => {
                if let Some(field) = text_field(column, warga) {
                    text.clone_into(field);
                    return Ok(());
                }
                if let Some(field) = yes_field(column, warga) {
                    *field = cell::yes(text)
                        .map_err(|why| CellFinding::reject(column, "bukan_ya_tidak", &why))?
                        .or(*field);
                    return Ok(());
                }
                if let Some(reading) = read_date(column, text, warga) {
                    return reading;
                }
                self.read_choice(column, text, warga)
            }
        }
    }

    /// Codes of the official lists and of the forms.
    fn read_choice(&mut self, column: Column, text: &str, warga: &mut Warga) -> Reading {
        match column {
            Column::JenisKelamin => {
                choice(column, JenisKelamin::parse(text), &mut warga.jenis_kelamin)
            }
            Column::BerkebutuhanKhusus => {
                let parsed = BerkebutuhanKhusus::parse(text);
                choice(column, parsed, &mut warga.berkebutuhan_khusus)
            }
            Column::KelompokBelajar => {
                choice(column, KelompokBelajar::parse(text), &mut warga.kelompok_belajar)
            }
            Column::Agama => self.code(column, text, &mut warga.agama),
            Column::PendidikanKk => self.code(column, text, &mut warga.pendidikan_kk),
            Column::PendidikanSedang => self.code(column, text, &mut warga.pendidikan_sedang),
            Column::Pekerjaan => self.code(column, text, &mut warga.pekerjaan),
            // Older books know widows and widowers, not how a marriage ended.
            Column::StatusKawin if is_widowed(text) => Err(CellFinding::warning(
                column,
                "status_kawin_jd_dd",
                "JD dan DD tidak menyebut cerai hidup atau cerai mati; isian ini dilewati. Isi \
                 dengan CH atau CM",
            )),
            Column::StatusKawin => self.code(column, text, &mut warga.status_kawin),
            Column::Shdk => self.code(column, text, &mut warga.shdk),
            Column::Warganegara => self.code(column, text, &mut warga.warganegara),
            Column::GolonganDarah => self.code(column, text, &mut warga.golongan_darah),
            Column::DapatMembaca => self.code(column, text, &mut warga.dapat_membaca),
            Column::Cacat => self.code(column, text, &mut warga.cacat),
            Column::SakitMenahun => self.code(column, text, &mut warga.sakit_menahun),
            // OpenSID takes an 8 here though its list has none.
            Column::CaraKb if text == "8" => Err(CellFinding::warning(
                column,
                "cara_kb_8",
                "kode cara KB 8 tidak punya arti; isian ini dilewati",
            )),
            Column::CaraKb => self.code(column, text, &mut warga.cara_kb),
            Column::KtpEl => self.code(column, text, &mut warga.ktp_el),
            Column::StatusRekam => self.code(column, text, &mut warga.status_rekam),
            Column::StatusPenduduk => self.code(column, text, &mut warga.status_penduduk),
            Column::Asuransi => self.code(column, text, &mut warga.asuransi),
            _ => Ok(()),
        }
    }

    fn read_status(&mut self, text: &str, layout: Layout, warga: &mut Warga) -> Reading {
        let mut status: Option<Code<StatusDasar>> = None;
        let reading = self.code(Column::StatusDasar, text, &mut status);
        // Not filled reads as alive, so "alive" says nothing new.
        let is_news = status
            .is_some_and(|code| code != Code::<StatusDasar>::HIDUP || warga.status_dasar.is_some());
        if is_news {
            warga.status_dasar = status;
        }
        // What the dump means by its status differs between offices.
        match layout {
            Layout::Siak => reading.map_err(CellFinding::softened),
            Layout::Opensid | Layout::Template => reading,
        }
    }

    fn code<L: CodeList>(
        &mut self,
        column: Column,
        text: &str,
        field: &mut Option<Code<L>>,
    ) -> Reading {
        let known = self.codes.entry(column).or_default();
        let number = match known.get(text) {
            Some(number) => *number,
            None => {
                let code = Code::<L>::parse(text)
                    .map_err(|why| CellFinding::reject(column, "kode_tidak_dikenal", &why))?;
                let number = code.map(Code::number);
                if known.len() < LABELS_MAX {
                    known.insert(text.into(), number);
                }
                number
            }
        };
        *field = number.and_then(Code::from_wire).or(*field);
        Ok(())
    }
}

/// Spellings remembered per column; the longest list has 89 labels.
const LABELS_MAX: usize = 256;

fn choice<T: Copy>(
    column: Column,
    parsed: Result<Option<T>, ParseCodeError>,
    field: &mut Option<T>,
) -> Reading {
    *field =
        parsed.map_err(|why| CellFinding::reject(column, "kode_tidak_dikenal", &why))?.or(*field);
    Ok(())
}

/// The letters of form 4.14.1a in older books, and the words they stand for.
fn is_widowed(text: &str) -> bool {
    ["JD", "DD", "JANDA", "DUDA"].iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// A name is kept as people write it. OpenSID's rule takes marks out of names:
/// a sheet without them still says the name that was typed here with them.
fn read_name(text: &str, layout: Layout, nama: &mut String) {
    let is_same = match layout {
        Layout::Template => false,
        Layout::Opensid | Layout::Siak => cell::resident_name(nama) == cell::resident_name(text),
    };
    if !is_same || nama.is_empty() {
        text.clone_into(nama);
    }
}

fn read_parent(column: Column, text: &str, field: &mut Option<Nik>) -> Reading {
    let input = Nik::parse(text).map_err(|_| {
        CellFinding::warning(
            column,
            "nik_orang_tua",
            "NIK orang tua bukan 16 angka yang sah; isian ini dilewati",
        )
    })?;
    *field = input.nik().or(*field);
    Ok(())
}

/// The choices that a cell lists, each once.
fn list<T: PartialEq>(
    column: Column,
    text: &str,
    parse: fn(&str) -> Result<Option<T>, ParseCodeError>,
) -> Result<Vec<T>, CellFinding> {
    let mut list = Vec::new();
    for item in text.split([',', ';']) {
        let item =
            parse(item).map_err(|why| CellFinding::reject(column, "kode_tidak_dikenal", &why))?;
        list.extend(item.filter(|item| !list.contains(item)));
    }
    Ok(list)
}

/// The whole list of activities with one answer; whoever stood there and is no
/// longer listed was not asked.
fn write_answers(buku: &mut BukuKegiatan, listed: &[KegiatanWarga], ikut: bool) {
    if listed.is_empty() {
        return;
    }
    let before: Vec<_> = buku.answered(ikut).collect();
    for kegiatan in before {
        buku.answer(kegiatan, None);
    }
    for kegiatan in listed {
        buku.answer(*kegiatan, Some(ikut));
    }
}

/// Activities with a "T". One that the same row lists with a "Y" stays there.
fn read_not_followed(text: &str, followed: &str, buku: &mut BukuKegiatan) -> Reading {
    let column = Column::KegiatanTidak;
    let mut no = list(column, text, KegiatanWarga::parse)?;
    let yes = list(Column::KegiatanWarga, followed, KegiatanWarga::parse).unwrap_or_default();
    let listed = no.len();
    no.retain(|kegiatan| !yes.contains(kegiatan));
    write_answers(buku, &no, false);
    if no.len() == listed {
        return Ok(());
    }
    Err(CellFinding::warning(
        column,
        "kegiatan_ya_dan_tidak",
        "ada kegiatan yang tertulis diikuti dan juga tidak diikuti; yang dipakai diikuti. Hapus \
         dari salah satu kolomnya",
    ))
}

/// `Kerja Bakti: tiap Minggu | Arisan: RT`.
fn read_remarks(text: &str, buku: &mut BukuKegiatan) -> Reading {
    let unreadable = || {
        let why = "tulis seperti \"Kerja Bakti: tiap Minggu | Arisan: RT\"";
        CellFinding::reject(Column::KeteranganPerKegiatan, "daftar_tidak_terbaca", &why)
    };
    let mut remarks = Vec::new();
    for (kegiatan, remark, more) in entries(text) {
        let kegiatan = KegiatanWarga::parse(&kegiatan).ok().flatten().ok_or_else(unreadable)?;
        let remark = if more.is_empty() { remark } else { format!("{remark} = {more}") };
        remarks.push((kegiatan, remark));
    }
    for (kegiatan, remark) in remarks {
        buku.remark(kegiatan, &remark);
    }
    Ok(())
}

/// `None` when the column holds no date.
fn read_date(column: Column, text: &str, warga: &mut Warga) -> Option<Reading> {
    let dokumen = &mut warga.dokumen;
    let field = match column {
        Column::TanggalLahir => &mut warga.tanggal_lahir,
        Column::PasporBerlaku => &mut dokumen.paspor_berlaku_sampai,
        Column::TanggalPerkawinan => &mut dokumen.tanggal_perkawinan,
        Column::TanggalPerceraian => &mut dokumen.tanggal_perceraian,
        _ => return None,
    };
    Some(match cell::date(text) {
        Ok(date) => {
            *field = date.or(*field);
            Ok(())
        }
        Err(why) if column == Column::TanggalLahir => {
            Err(CellFinding::reject(column, "tanggal_tidak_terbaca", &why))
        }
        Err(_) => Err(CellFinding::warning(
            column,
            "tanggal_dilewati",
            "tanggal tidak terbaca; isian ini dilewati",
        )),
    })
}

/// The field behind a column that holds text as written.
fn text_field(column: Column, warga: &mut Warga) -> Option<&mut String> {
    let dokumen = &mut warga.dokumen;
    Some(match column {
        Column::NoRegistrasi => &mut warga.no_registrasi,
        Column::Jabatan => &mut warga.jabatan,
        Column::TempatLahir => &mut warga.tempat_lahir,
        Column::NamaAyah => &mut warga.ayah.nama,
        Column::NamaIbu => &mut warga.ibu.nama,
        Column::AktaLahir => &mut dokumen.akta_lahir,
        Column::Paspor => &mut dokumen.paspor,
        Column::Kitas => &mut dokumen.kitas,
        Column::AktaPerkawinan => &mut dokumen.akta_perkawinan,
        Column::AktaPerceraian => &mut dokumen.akta_perceraian,
        Column::TagIdCard => &mut dokumen.tag_id_card,
        Column::AlamatSekarang => &mut warga.alamat_sekarang,
        Column::Suku => &mut warga.suku,
        Column::NoAsuransi => &mut warga.no_asuransi,
        Column::Telepon => &mut warga.telepon,
        Column::Lat => &mut warga.lat,
        Column::Lng => &mut warga.lng,
        Column::FrekuensiPosyandu => &mut warga.frekuensi_posyandu,
        Column::JenisKoperasi => &mut warga.jenis_koperasi,
        Column::KeteranganKegiatan => &mut warga.keterangan_kegiatan,
        Column::Keterangan => &mut warga.keterangan,
        _ => return None,
    })
}

/// The field behind a column that holds yes or no.
fn yes_field(column: Column, warga: &mut Warga) -> Option<&mut Option<bool>> {
    Some(match column {
        Column::AkseptorKb => &mut warga.akseptor_kb,
        Column::Hamil => &mut warga.hamil,
        Column::Menyusui => &mut warga.menyusui,
        Column::Buta3 => &mut warga.buta3,
        Column::AktifPosyandu => &mut warga.aktif_posyandu,
        Column::Bkb => &mut warga.bkb,
        Column::Tabungan => &mut warga.tabungan,
        Column::Paud => &mut warga.paud,
        Column::Koperasi => &mut warga.koperasi,
        Column::Up2k => &mut warga.up2k,
        Column::Kesling => &mut warga.kesling,
        _ => return None,
    })
}
