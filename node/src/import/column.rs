//! The columns that resident sheets carry, and their headers in each layout.
//!
//! Three layouts are known: OpenSID's 43 columns (its import and export
//! share them), the SIAK dump of the civil registry, and this system's own
//! template. Columns are found by header, never by position: older files
//! lack the last columns and moved others over the years.

/// What one column of a sheet holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each name is the form's own term; see the record fields")]
pub enum Column {
    // The place.
    Dusun,
    Rw,
    Rt,
    Dasawisma,
    // The family.
    NoKk,
    AlamatKk,
    KelasSosial,
    TanggalDaftarKk,
    KkAktif,
    // The house.
    SerumahDenganKk,
    NomorRumah,
    KepalaRumah,
    AlamatRumah,
    KriteriaRumah,
    Tps,
    Spal,
    Jamban,
    JumlahMck,
    StikerP4k,
    SumberAir,
    MakananPokok,
    Up2kRumah,
    KeslingRumah,
    Pekarangan,
    Industri,
    Dinding,
    Lantai,
    Atap,
    StatusRumah,
    SumberAirMinum,
    TitikRumah,
    TahunRumah,
    DiperiksaPada,
    // The resident.
    Nik,
    Nama,
    NoRegistrasi,
    Jabatan,
    JenisKelamin,
    TempatLahir,
    TanggalLahir,
    Agama,
    PendidikanKk,
    PendidikanSedang,
    Pekerjaan,
    StatusKawin,
    Shdk,
    Warganegara,
    AyahNik,
    NamaAyah,
    IbuNik,
    NamaIbu,
    GolonganDarah,
    DapatMembaca,
    AktaLahir,
    Paspor,
    PasporBerlaku,
    Kitas,
    AktaPerkawinan,
    TanggalPerkawinan,
    AktaPerceraian,
    TanggalPerceraian,
    Cacat,
    SakitMenahun,
    AkseptorKb,
    CaraKb,
    Hamil,
    Menyusui,
    KtpEl,
    StatusRekam,
    AlamatSekarang,
    StatusDasar,
    StatusPenduduk,
    Suku,
    TagIdCard,
    Asuransi,
    NoAsuransi,
    Telepon,
    Lat,
    Lng,
    BerkebutuhanKhusus,
    Buta3,
    AktifPosyandu,
    FrekuensiPosyandu,
    Bkb,
    Tabungan,
    KelompokBelajar,
    Paud,
    Koperasi,
    JenisKoperasi,
    Up2k,
    Kesling,
    KegiatanWarga,
    KegiatanTidak,
    KeteranganPerKegiatan,
    KeteranganKegiatan,
    KegiatanPkk,
    Keterangan,
}

impl Column {
    /// Number of columns known.
    pub const COUNT: usize = Self::Keterangan as usize + 1;

    /// Whether the column says something about the house as a whole.
    #[must_use]
    pub fn is_house(self) -> bool {
        (Self::NomorRumah..=Self::DiperiksaPada).contains(&self) && self != Self::KepalaRumah
    }

    /// Whether the column says something about the family as a whole.
    #[must_use]
    pub fn is_family(self) -> bool {
        (Self::AlamatKk..=Self::KkAktif).contains(&self)
    }

    /// Whether the column says something about the resident.
    #[must_use]
    pub fn is_resident(self) -> bool {
        self >= Self::Nik
    }
}

/// Which headers and which way of writing values a sheet uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// OpenSID's import and export sheet, 43 columns, coded values.
    Opensid,
    /// The civil registry's dump, labels instead of codes, no dusun.
    Siak,
    /// This system's own sheet: every field of a resident and a house.
    Template,
}

/// One column of a layout: what it holds and the headers that name it, the
/// printed one first.
pub type Heading = (Column, &'static [&'static str]);

impl Layout {
    /// Every layout; where headers fit several equally, the earlier wins. The
    /// template goes before SIAK: a dump has headers of its own, and whoever
    /// keeps only a few columns has kept them of the template.
    pub const ALL: [Self; 3] = [Self::Opensid, Self::Template, Self::Siak];

    /// The columns in the order they are printed.
    #[must_use]
    pub const fn headings(self) -> &'static [Heading] {
        match self {
            Self::Opensid => OPENSID,
            Self::Siak => SIAK,
            Self::Template => TEMPLATE,
        }
    }

    /// What the people who fill it call the sheet.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opensid => "lembar penduduk OpenSID",
            Self::Siak => "data SIAK",
            Self::Template => "templat Lumbung",
        }
    }

    /// The column that a header names.
    #[must_use]
    pub fn column(self, header: &str) -> Option<Column> {
        let key = header_key(header);
        self.headings()
            .iter()
            .find(|(_, names)| names.iter().any(|name| header_key(name) == key))
            .map(|(column, _)| *column)
    }

    /// The printed header of a column.
    #[must_use]
    pub fn header(self, column: Column) -> &'static str {
        self.headings().iter().find(|(other, _)| *other == column).map_or("", |(_, names)| names[0])
    }
}

/// Columns without which no sheet can be read.
pub(super) const REQUIRED: [Column; 3] = [Column::NoKk, Column::Nik, Column::Nama];

/// What headers are compared by: letters and digits, lower case, one space
/// between words.
#[must_use]
pub(super) fn header_key(header: &str) -> String {
    let mut key = String::with_capacity(header.len());
    for c in header.chars() {
        if c.is_alphanumeric() {
            key.extend(c.to_lowercase());
        } else if !key.is_empty() && !key.ends_with(' ') {
            key.push(' ');
        }
    }
    key.truncate(key.trim_end().len());
    key
}

/// OpenSID v2410.0.0 sheet, in its order.
const OPENSID: &[Heading] = &[
    (Column::AlamatKk, &["alamat"]),
    (Column::Dusun, &["dusun"]),
    (Column::Rw, &["rw"]),
    (Column::Rt, &["rt"]),
    (Column::Nama, &["nama"]),
    (Column::NoKk, &["no_kk"]),
    (Column::Nik, &["nik"]),
    (Column::JenisKelamin, &["sex"]),
    (Column::TempatLahir, &["tempatlahir"]),
    (Column::TanggalLahir, &["tanggallahir"]),
    (Column::Agama, &["agama_id"]),
    (Column::PendidikanKk, &["pendidikan_kk_id"]),
    (Column::PendidikanSedang, &["pendidikan_sedang_id"]),
    (Column::Pekerjaan, &["pekerjaan_id"]),
    (Column::StatusKawin, &["status_kawin"]),
    (Column::Shdk, &["kk_level"]),
    (Column::Warganegara, &["warganegara_id"]),
    (Column::AyahNik, &["ayah_nik"]),
    (Column::NamaAyah, &["nama_ayah"]),
    (Column::IbuNik, &["ibu_nik"]),
    (Column::NamaIbu, &["nama_ibu"]),
    (Column::GolonganDarah, &["golongan_darah_id"]),
    (Column::AktaLahir, &["akta_lahir"]),
    (Column::Paspor, &["dokumen_pasport"]),
    (Column::PasporBerlaku, &["tanggal_akhir_paspor"]),
    (Column::Kitas, &["dokumen_kitas"]),
    (Column::AktaPerkawinan, &["akta_perkawinan"]),
    (Column::TanggalPerkawinan, &["tanggalperkawinan"]),
    (Column::AktaPerceraian, &["akta_perceraian"]),
    (Column::TanggalPerceraian, &["tanggalperceraian"]),
    (Column::Cacat, &["cacat_id"]),
    (Column::CaraKb, &["cara_kb_id"]),
    (Column::Hamil, &["hamil"]),
    (Column::KtpEl, &["ktp_el"]),
    (Column::StatusRekam, &["status_rekam"]),
    (Column::AlamatSekarang, &["alamat_sekarang"]),
    (Column::StatusDasar, &["status_dasar"]),
    (Column::Suku, &["suku"]),
    (Column::TagIdCard, &["tag_id_card"]),
    (Column::Asuransi, &["id_asuransi"]),
    (Column::NoAsuransi, &["no_asuransi"]),
    (Column::Lat, &["lat"]),
    (Column::Lng, &["lng"]),
];

/// The columns of the SIAK dump that say something a village keeps. The
/// kecamatan and village columns are passed over.
const SIAK: &[Heading] = &[
    (Column::NoKk, &["Nomor KK", "No KK"]),
    (Column::Nik, &["NIK"]),
    (Column::Nama, &["Nama Penduduk", "Nama Lengkap"]),
    (Column::StatusDasar, &["Status"]),
    (Column::TempatLahir, &["Tempat Lahir"]),
    (Column::TanggalLahir, &["Tanggal Lahir", "Tgl Lahir"]),
    (Column::JenisKelamin, &["Kelamin", "Jenis Kelamin"]),
    (Column::AyahNik, &["NIK Ayah"]),
    (Column::NamaAyah, &["Ayah", "Nama Ayah"]),
    (Column::IbuNik, &["NIK Ibu"]),
    (Column::NamaIbu, &["Ibu", "Nama Ibu"]),
    (Column::StatusKawin, &["Status Kawin"]),
    (Column::Shdk, &["SHDK"]),
    (Column::Agama, &["Agama"]),
    (Column::AlamatKk, &["Alamat"]),
    (Column::Dusun, &["Dusun", "Lingkungan"]),
    (Column::Rw, &["RW", "No RW"]),
    (Column::Rt, &["RT", "No RT"]),
    (Column::PendidikanKk, &["Pendidikan", "Pendidikan Akhir"]),
    (Column::Pekerjaan, &["Pekerjaan"]),
    (Column::GolonganDarah, &["Golongan Darah", "Gol Darah"]),
    (Column::Cacat, &["Penyandang Cacat", "Cacat"]),
    (Column::Paspor, &["No Paspor", "Nomor Paspor"]),
    (Column::AktaLahir, &["No Akta Lahir", "Nomor Akta Lahir"]),
    (Column::AktaPerkawinan, &["No Akta Kawin", "Nomor Akta Kawin"]),
    (Column::TanggalPerkawinan, &["Tgl Kawin", "Tanggal Kawin"]),
    (Column::AktaPerceraian, &["No Akta Cerai", "Nomor Akta Cerai"]),
    (Column::TanggalPerceraian, &["Tgl Cerai", "Tanggal Cerai"]),
];

/// This system's own sheet: forms 4.14.1a/b, 4.14.2a-c and 4.15 with book B.1.
const TEMPLATE: &[Heading] = &[
    (Column::Dusun, &["Dusun"]),
    (Column::Rw, &["RW"]),
    (Column::Rt, &["RT"]),
    (Column::Dasawisma, &["Dasawisma"]),
    (Column::NoKk, &["Nomor KK", "No KK"]),
    (Column::Nik, &["NIK"]),
    (Column::Nama, &["Nama Lengkap", "Nama"]),
    (Column::JenisKelamin, &["Jenis Kelamin"]),
    (Column::TempatLahir, &["Tempat Lahir"]),
    (Column::TanggalLahir, &["Tanggal Lahir"]),
    (Column::Shdk, &["Hubungan Keluarga", "SHDK"]),
    (Column::StatusKawin, &["Status Perkawinan", "Status Kawin"]),
    (Column::Agama, &["Agama"]),
    (Column::PendidikanKk, &["Pendidikan dalam KK"]),
    (Column::PendidikanSedang, &["Pendidikan Sedang Ditempuh"]),
    (Column::Pekerjaan, &["Pekerjaan"]),
    (Column::Warganegara, &["Kewarganegaraan"]),
    (Column::NoRegistrasi, &["Nomor Registrasi"]),
    (Column::Jabatan, &["Jabatan"]),
    (Column::AyahNik, &["NIK Ayah"]),
    (Column::NamaAyah, &["Nama Ayah"]),
    (Column::IbuNik, &["NIK Ibu"]),
    (Column::NamaIbu, &["Nama Ibu"]),
    (Column::GolonganDarah, &["Golongan Darah"]),
    (Column::DapatMembaca, &["Dapat Membaca Huruf"]),
    (Column::Cacat, &["Cacat"]),
    (Column::BerkebutuhanKhusus, &["Berkebutuhan Khusus"]),
    (Column::SakitMenahun, &["Sakit Menahun"]),
    (Column::AkseptorKb, &["Akseptor KB"]),
    (Column::CaraKb, &["Cara KB"]),
    (Column::Hamil, &["Hamil"]),
    (Column::Menyusui, &["Menyusui"]),
    (Column::Buta3, &["Tiga Buta"]),
    (Column::AktifPosyandu, &["Aktif Posyandu"]),
    (Column::FrekuensiPosyandu, &["Frekuensi Posyandu"]),
    (Column::Bkb, &["Bina Keluarga Balita"]),
    (Column::Tabungan, &["Tabungan"]),
    (Column::KelompokBelajar, &["Kelompok Belajar"]),
    (Column::Paud, &["PAUD"]),
    (Column::Koperasi, &["Koperasi"]),
    (Column::JenisKoperasi, &["Jenis Koperasi"]),
    (Column::Up2k, &["UP2K"]),
    (Column::Kesling, &["Kesehatan Lingkungan"]),
    (Column::KegiatanWarga, &["Kegiatan Warga"]),
    (Column::KegiatanTidak, &["Kegiatan Warga Tidak Diikuti"]),
    (Column::KeteranganPerKegiatan, &["Keterangan per Kegiatan"]),
    (Column::KeteranganKegiatan, &["Keterangan Kegiatan"]),
    (Column::KegiatanPkk, &["Kegiatan PKK"]),
    (Column::Keterangan, &["Keterangan", "Ket"]),
    (Column::StatusDasar, &["Status Dasar"]),
    (Column::StatusPenduduk, &["Status Penduduk"]),
    (Column::KtpEl, &["KTP Elektronik"]),
    (Column::StatusRekam, &["Status Rekam KTP"]),
    (Column::AlamatSekarang, &["Alamat Sekarang"]),
    (Column::Telepon, &["Telepon"]),
    (Column::Suku, &["Suku"]),
    (Column::Asuransi, &["Asuransi Kesehatan"]),
    (Column::NoAsuransi, &["Nomor Asuransi"]),
    (Column::AktaLahir, &["Akta Lahir"]),
    (Column::Paspor, &["Nomor Paspor"]),
    (Column::PasporBerlaku, &["Paspor Berlaku Sampai"]),
    (Column::Kitas, &["Nomor KITAS"]),
    (Column::AktaPerkawinan, &["Akta Perkawinan"]),
    (Column::TanggalPerkawinan, &["Tanggal Perkawinan"]),
    (Column::AktaPerceraian, &["Akta Perceraian"]),
    (Column::TanggalPerceraian, &["Tanggal Perceraian"]),
    (Column::TagIdCard, &["Tag ID Card"]),
    (Column::Lat, &["Lintang Warga"]),
    (Column::Lng, &["Bujur Warga"]),
    (Column::AlamatKk, &["Alamat KK"]),
    (Column::KelasSosial, &["Kelas Sosial"]),
    (Column::TanggalDaftarKk, &["Tanggal Daftar KK"]),
    (Column::KkAktif, &["KK Aktif"]),
    (Column::SerumahDenganKk, &["Serumah dengan KK"]),
    (Column::NomorRumah, &["Nomor Rumah Tangga", "No Rumah Tangga"]),
    (Column::KepalaRumah, &["Kepala Rumah Tangga"]),
    (Column::AlamatRumah, &["Alamat Rumah"]),
    (Column::KriteriaRumah, &["Kriteria Rumah"]),
    (Column::Tps, &["Tempat Pembuangan Sampah"]),
    (Column::Spal, &["SPAL"]),
    (Column::Jamban, &["Jamban Keluarga"]),
    (Column::JumlahMck, &["Jumlah Jamban/MCK"]),
    (Column::StikerP4k, &["Stiker P4K"]),
    (Column::SumberAir, &["Sumber Air"]),
    (Column::MakananPokok, &["Makanan Pokok"]),
    (Column::Up2kRumah, &["UP2K Rumah Tangga"]),
    (Column::KeslingRumah, &["Kesehatan Lingkungan Rumah Tangga"]),
    (Column::Pekarangan, &["Pemanfaatan Pekarangan"]),
    (Column::Industri, &["Industri Rumah Tangga"]),
    (Column::Dinding, &["Dinding"]),
    (Column::Lantai, &["Lantai"]),
    (Column::Atap, &["Atap"]),
    (Column::StatusRumah, &["Status Kepemilikan Rumah"]),
    (Column::SumberAirMinum, &["Sumber Air Minum"]),
    (Column::TitikRumah, &["Titik Rumah"]),
    (Column::TahunRumah, &["Tahun Data Rumah"]),
    (Column::DiperiksaPada, &["Tanggal Pemeriksaan Rumah"]),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_header_names_one_column() {
        for layout in Layout::ALL {
            let mut keys = HashSet::new();
            let mut columns = HashSet::new();
            for (column, names) in layout.headings() {
                assert!(columns.insert(*column), "{layout:?} {column:?} stands twice");
                for name in *names {
                    assert!(keys.insert(header_key(name)), "{layout:?} {name} stands twice");
                    assert_eq!(layout.column(name), Some(*column));
                }
            }
            assert!(REQUIRED.iter().all(|column| columns.contains(column)));
        }
        assert_eq!(OPENSID.len(), 43);
        assert_eq!(TEMPLATE.len(), Column::COUNT, "the template carries every column");
    }

    #[test]
    fn headers_are_found_however_they_are_typed() {
        for header in ["no_kk", " No KK ", "\u{feff}NO_KK", "no.kk", "No  kk"] {
            assert_eq!(Layout::Opensid.column(header), Some(Column::NoKk), "{header:?}");
        }
        assert_eq!(Layout::Opensid.column("masalah"), None);
    }
}
